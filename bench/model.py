"""Model: a status model of 100,000 and one of ten million: look-ups, size, changes, start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from bench.figures import Value
from bench.plan import Plan
from config.nodes import system_steady
from domain.certificates import IssuerId
from domain.serial import OCTETS
from store.base import NOT_REVOKED, RECORD, Records
from store.feed import Position
from store.model import ModelState, StatusModel
from store.status_changes import LINK

ISSUER = IssuerId("signature-g1")
NOW, END, BLOCK, ASKED, CHANGED = 1_800_000_000, 1_900_000_000, 1 << 16, 200_000, 2_000
AGE = 10**12
SMALL, LARGE = 100_000, 10_000_000


def measure_model(folder: Path, plan: Plan) -> list[Value]:
    """The large one; of the small one only what may differ."""
    small = _measured(folder / "small", SMALL, plan)
    return [small[1], *_measured(folder / "large", LARGE, plan)]


def _measured(folder: Path, count: int, plan: Plan) -> list[Value]:
    plan.tell(f"a status model of {count:,}")
    model, asked = StatusModel(folder), list[bytes]()
    suffix = "" if count == LARGE else "-small"

    def value(name: str, what: str, unit: str, *values: float) -> Value:
        return Value(f"model-{name}{suffix}", f"status model of {count:,}: {what}", unit, values)

    def blocks() -> Iterator[Records]:
        for start in range(0, count, BLOCK):
            block = np.zeros(min(BLOCK, count - start), RECORD)
            chance = np.frombuffer(os.urandom(OCTETS * len(block)), ">u8").astype(np.uint64).reshape(-1, 2)
            block["high"] = chance[:, 0] >> np.uint64(2) | np.uint64(1 << 62)
            block["low"], block["mark"] = chance[:, 1], model.marks[ISSUER]
            block["not_after"], block["reason"] = END, NOT_REVOKED
            asked.extend(record.tobytes()[:OCTETS] for record in block[:: max(count // ASKED, 1)])
            yield block

    begun = perf_counter()
    number = model.next_base()
    model.write(number, blocks(), NOW)
    model.swap(ModelState(number, 0, system_steady(), Position(0, bytes(LINK))), ())
    made = perf_counter() - begun
    state = model.state()
    assert state
    state = model.apply(state, (), Position(1, bytes(LINK)), system_steady())
    model.close()
    begun = perf_counter()
    model = StatusModel(folder)
    good = model.good_at(ISSUER, NOW, system_steady() - AGE)
    assert good(asked[0])
    opened = perf_counter() - begun
    looked = []
    for _ in range(plan.rounds):
        begun = process_time()
        assert all(map(good, asked))
        looked.append(1e6 * (process_time() - begun) / len(asked))
    changed = _changes(model, state, asked)
    disk = sum(path.stat().st_blocks * 512 for path in folder.iterdir()) / 1e6
    model.close()
    return [
        value("made", "made of records in memory", "s", made),
        value("look-up", "a look-up", "µs", *looked),
        value("change", "a change applied", "µs", changed),
        value("start", "opened and asked once", "s", opened),
        value("disk", "on disk", "MB", disk),
    ]


def _changes(model: StatusModel, state: ModelState, asked: list[bytes]) -> float:
    begun = process_time()
    for number, serial in enumerate(asked[:CHANGED], start=2):
        rows = [(str(ISSUER), serial, "issued", END, NOW, 1)]
        state = model.apply(state, rows, Position(number, bytes(LINK)), system_steady())
    return 1e6 * (process_time() - begun) / CHANGED
