"""The work of a scan, in tasks that processes do by themselves: stretches of files, packed files, tables."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import Refusal
from scan.files import PIECE, UNPACKING, Kind, TooMuch, pieces_of, told, unpacked
from scan.likeness import Likeness
from scan.places import Place
from scan.search import Search
from scan.shared import Sketch
from scan.tally import Find, Tally

ReadRows = Callable[[str, tuple[str, str]], Iterator[tuple[Sequence[str], Sequence[Sequence[Any]]]]]
"""(address of a database, table) -> columns, and rows some at a time."""

_CELL = 1 << 24
_SHORT = 64


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a file."""

    place: Place
    path: Path
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed file."""

    place: Place
    path: Path
    kind: Kind


@dataclass(frozen=True, slots=True)
class Sheet:
    """A text with columns, looked at for shared keys only."""

    place: Place
    path: Path
    separator: str


@dataclass(frozen=True, slots=True, repr=False)
class TableOf:
    """A table of a database. The address may hold a password."""

    place: Place
    address: str
    table: tuple[str, str]


Task = Stretch | Packed | Sheet | TableOf


@dataclass(slots=True)
class Outcome:
    """What became of a task."""

    octets: int = 0
    tallies: dict[Place, Tally] = field(default_factory=dict)
    rows: dict[Place, int] = field(default_factory=dict)
    sketches: dict[Place, Sketch] = field(default_factory=dict)
    alike: dict[Place, Find] = field(default_factory=dict)
    gaps: list[tuple[Place, str]] = field(default_factory=list)

    def merge(self, other: Outcome) -> None:
        """Take another outcome."""
        self.octets += other.octets
        self.gaps += other.gaps
        self.alike |= other.alike
        for place, tally in other.tallies.items():
            self.tallies.setdefault(place, Tally(tally.rows)).merge(tally)
        for place, rows in other.rows.items():
            self.rows[place] = self.rows.get(place, 0) + rows
        for place, sketch in other.sketches.items():
            if place in self.sketches:
                self.sketches[place].merge(sketch)
            else:
                self.sketches[place] = sketch


@dataclass(frozen=True, slots=True, repr=False)
class Worker:
    """What a process does tasks with. Without a `sketch_key` nobody asks for shared keys."""

    search: Search
    read_rows: ReadRows
    sketch_key: bytes | None

    def do(self, task: Task) -> Outcome:
        """The outcome of a task; what cannot be read is part of it."""
        outcome = Outcome()
        try:
            match task:
                case Stretch():
                    self._stretch(task, outcome)
                case Packed():
                    self._packed(task, outcome)
                case Sheet():
                    self._sheet(task, outcome)
                case TableOf():
                    self._table(task, outcome)
        except Refusal as refusal:
            outcome.gaps.append((task.place, refusal.detail))
        except (*UNPACKING, TooMuch) as error:
            outcome.gaps.append((task.place, told(error)))
        return outcome

    def _stretch(self, task: Stretch, outcome: Outcome) -> None:
        tally = outcome.tallies.setdefault(task.place, Tally(rows=False))
        with task.path.open("rb") as file:
            for octets, low, high, base in pieces_of(file, task.start, task.end):
                tally.add(self.search.look(octets), low, high, base)
                outcome.octets += high - low

    def _packed(self, task: Packed, outcome: Outcome) -> None:
        for name, pieces in unpacked(task.path, task.kind):
            place = Place(task.place.system, f"{task.place.source}!{name}" if name else task.place.source)
            tally = outcome.tallies.setdefault(place, Tally(rows=False))
            for octets, low, high, base in pieces:
                tally.add(self.search.look(octets), low, high, base)
                outcome.octets += high - low

    def _sheet(self, task: Sheet, outcome: Outcome) -> None:
        csv.field_size_limit(_CELL)
        with task.path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = csv.reader((line.replace("\0", "") for line in file), delimiter=task.separator)
            try:
                names = next(rows, [])
                while batch := [row for row, _ in zip(rows, range(2000), strict=False)]:
                    for number, name in enumerate(names):
                        cells = [row[number].encode() for row in batch if len(row) > number and row[number]]
                        self._draw(Place(task.place.system, task.place.source, name), cells, outcome)
            except csv.Error:
                return  # all of its octets are looked at anyway

    def _table(self, task: TableOf, outcome: Outcome) -> None:
        columns: list[_Column] = []
        for names, rows in self.read_rows(task.address, task.table):
            columns = columns or [_Column(Place(task.place.system, task.place.source, name)) for name in names]
            for column, values in zip(columns, zip(*rows, strict=True), strict=False):
                cells = [octets_of(value) for value in values]
                self._draw(column.place, [cell for cell in cells if cell], outcome)
                outcome.octets += column.take(cells, self.search)
        for column in columns:
            column.flush(self.search)
            outcome.tallies[column.place] = column.tally
            outcome.rows[column.place] = column.rows
            if find := column.likeness.find():
                outcome.alike[column.place] = find

    def _draw(self, place: Place, cells: Iterable[bytes], outcome: Outcome) -> None:
        if self.sketch_key is not None:
            sketch = outcome.sketches.setdefault(place, Sketch(self.sketch_key))
            if not sketch.hopeless:
                sketch.add(cells)


def octets_of(value: object) -> bytes:
    """A value of a database as octets; nothing for none."""
    match value:
        case None:
            return b""
        case bytes() | memoryview() | bytearray():
            return bytes(value)
        case str():
            return value.encode("utf-8", "surrogateescape")
        case Decimal():
            return f"{value:f}".encode()
        case dict() | list():
            return json.dumps(value, default=str, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return str(value).encode()


@dataclass(slots=True)
class _Column:
    """Cells of a column, collected until it is worth looking at them."""

    place: Place
    tally: Tally = field(default_factory=lambda: Tally(rows=True))
    likeness: Likeness = field(default_factory=Likeness)
    rows: int = 0
    cells: list[bytes] = field(default_factory=list)
    size: int = 0

    def take(self, cells: Sequence[bytes], search: Search) -> int:
        """How many octets they are."""
        octets = 0
        for cell in cells:
            self.cells.append(cell)
            self.size += len(cell)
            octets += len(cell)
            if self.size > PIECE:
                self.flush(search)
        return octets

    def flush(self, search: Search) -> None:
        """Look at what was collected: at text as it is, at other octets in hex too, in which their ends are seen."""
        written = [cell if _is_text(cell) else cell.hex().encode() for cell in self.cells]
        self._look(written, search)
        if any(len(cell) > _SHORT and kept is not cell for cell, kept in zip(self.cells, written, strict=True)):
            self._look([b"" if kept is cell else cell for cell, kept in zip(self.cells, written, strict=True)], search)
        self.likeness.add(self.cells, self.rows + 1)
        self.rows += len(self.cells)
        self.cells, self.size = [], 0

    def _look(self, cells: Sequence[bytes], search: Search) -> None:
        lengths = np.fromiter((len(cell) + 1 for cell in cells), np.intp, len(cells))
        self.tally.add_rows(search.look(b"\n".join(cells)), np.cumsum(lengths) - lengths, self.rows + 1)


def _is_text(cell: bytes) -> bool:
    if cell.isascii():
        return True
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True
