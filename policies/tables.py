"""Tables of rules as they come out of TOML: rows with known columns, and all faults of a table at once."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

E = TypeVar("E")


class TableFaults(ValueError):
    """All faults of one table at once, each a sentence that names its row."""

    def __init__(self, name: str, faults: Sequence[str]) -> None:
        super().__init__(f"table {name}: " + "; ".join(faults))
        self.name = name
        self.faults = tuple(faults)


@dataclass(slots=True)
class Row:
    """One row under judgement. Readers note a fault and return a stand-in, so that reading goes on."""

    place: str
    content: Mapping[str, object]
    faults: list[str]

    def fault(self, what: str) -> None:
        self.faults.append(f"{self.place}: {what}")

    def text(self, column: str) -> str:
        value = self.content.get(column)
        if not isinstance(value, str) or not value.strip():
            self.fault(f"{column}: want a text")
            return ""
        return value

    def flag(self, column: str) -> bool:
        value = self.content.get(column)
        if not isinstance(value, bool):
            self.fault(f"{column}: want true or false")
        return value is True

    def integer(self, column: str, low: int, high: int) -> int:
        value = self.content.get(column)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.fault(f"{column}: want a number from {low} to {high}")
            return low
        return value

    def choice(self, column: str, choices: Mapping[str, E]) -> E | None:
        value = self.content.get(column)
        if not isinstance(value, str) or value not in choices:
            self.fault(f"{column}: want one of {', '.join(choices)}")
            return None
        return choices[value]

    def choices(self, column: str, choices: Mapping[str, E]) -> frozenset[E]:
        values = self.content.get(column)
        words = [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
        if not words or words != values or len(set(words)) < len(words) or not choices.keys() >= set(words):
            self.fault(f"{column}: want a list of {', '.join(choices)}, each once")
            return frozenset()
        return frozenset(choices[word] for word in words)

    def parts(self, column: str, columns: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
        """The tables that the row holds in a list, with unknown columns noted."""
        found = self.content.get(column)
        if not isinstance(found, list) or not found or not all(isinstance(part, dict) for part in found):
            self.fault(f"{column}: want a list of tables")
            return []
        parts = [Row(f"{self.place}, {column} {number}", part, self.faults) for number, part in enumerate(found, 1)]
        for part in parts:
            part.note_unknown(columns, optional)
        return parts

    def note_unknown(self, columns: Sequence[str], optional: Sequence[str] = ()) -> None:
        for column in self.content:
            if column not in columns and column not in optional:
                self.fault(f"{column}: nobody knows this key; is it misspelt?")


@dataclass(slots=True)
class Table:
    """The rows of the one list of tables that a document holds under `name`."""

    name: str
    faults: list[str] = field(default_factory=list)

    def rows(self, content: Mapping[str, object], columns: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
        """The rows, with unknown columns noted; those that are missing are when they are read."""
        self.faults += [f"{key}: nobody knows this key; is it misspelt?" for key in content if key != self.name]
        found = content.get(self.name)
        if not isinstance(found, list) or not found or not all(isinstance(row, dict) for row in found):
            self.faults.append(f"{self.name}: want a list of tables")
            return []
        rows = [Row(f"{self.name} {number}", row, self.faults) for number, row in enumerate(found, start=1)]
        for row in rows:
            row.note_unknown(columns, optional)
        return rows

    def one(self, name: str, content: Mapping[str, object], columns: Sequence[str]) -> Row | None:
        """The one table that the document holds under `name`."""
        found = content.get(name)
        if not isinstance(found, dict):
            self.faults.append(f"{name}: want a table")
            return None
        row = Row(name, found, self.faults)
        row.note_unknown(columns)
        return row

    def require_all(self, wanted: Mapping[str, object], found: Container[object]) -> None:
        """Note what has no row, then raise TableFaults if anything was noted. A row with faults is not missed twice."""
        if not self.faults:
            self.faults += [f"{self.name}: {word} has no row" for word, value in wanted.items() if value not in found]
        self.done()

    def done(self) -> None:
        """Raise TableFaults if anything was noted."""
        if self.faults:
            raise TableFaults(self.name, self.faults)
