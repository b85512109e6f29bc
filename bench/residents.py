"""Residents: a file of records checked and written, beside the bare writing of as many rows."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path

from bench.figures import Figure, Slice, once, side_by_side
from bench.people import ITEMS, KIYOSE, resident_code
from bench.plan import Plan
from config.assemble import Services
from domain.parties import LOCAL_OPERATOR
from residents.load import load_residents
from residents.records import COLUMNS
from residents.rows import Format

BARE = "rows read by csv and written by sqlite3"


def measure_residents(services: Services, folder: Path, plan: Plan) -> list[Figure]:
    """New records a second. Ours are read twice, checked, indexed, sealed, compared and audited."""
    first = count(10_000_000, plan.residents)
    slices = {
        BARE: _loading(folder, first, plan, _bare(folder)),
        "load": _loading(folder, first, plan, _ours(services)),
    }
    rates = side_by_side(slices, plan.rounds, plan.tell)
    what = f"{plan.residents:,} resident records loaded"
    return [Figure("residents", what, "records", rates["load"], BARE, rates[BARE])]


def _loading(folder: Path, first: count[int], plan: Plan, load: Callable[[Path], int]) -> Slice:
    """Writes the file before the clock starts."""

    def measure() -> float:
        path = folder / "residents.csv"
        _write(path, next(first), plan.residents)
        return once(lambda: load(path))()

    return measure


def _write(path: Path, first: int, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        items = (ITEMS.name, ITEMS.address, ITEMS.birth_date.text, ITEMS.sex.value)
        writer.writerows((resident_code(first + n).digits, KIYOSE.value, *items) for n in range(rows))


def _ours(services: Services) -> Callable[[Path], int]:
    def load(path: Path) -> int:
        with path.open("rb") as file:
            report = load_residents(services.intake, LOCAL_OPERATOR, file, Format.CSV)
        assert not report.faults
        return report.new

    return load


def _bare(folder: Path) -> Callable[[Path], int]:
    connection = sqlite3.connect(folder / "bare.db")
    connection.execute("CREATE TABLE residents (code TEXT PRIMARY KEY, municipality, name, address, birth_date, sex)")

    def load(path: Path) -> int:
        with path.open(encoding="utf-8", newline="") as file, connection:
            rows = csv.reader(file)
            next(rows)
            return connection.executemany("INSERT INTO residents VALUES (?, ?, ?, ?, ?, ?)", rows).rowcount

    return load
