"""Where something is in a text with columns: a table in CSV, the statements of a dump."""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from dataclasses import dataclass
from mmap import mmap

Text = bytes | mmap
SEPARATORS = (",", "\t", ";", "|")
_LONGEST_LINE = 1 << 20
_COPY = re.compile(rb'^COPY ([\w."]+) \(([^)\n]*)\) FROM stdin;\r?$', re.MULTILINE)
_INSERT = re.compile(rb'INSERT INTO ([\w."`\[\]]+)', re.IGNORECASE)
_MOST_STATEMENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Spreadsheet:
    """The columns of a text whose first line names them."""

    separator: str
    columns: tuple[str, ...]

    @classmethod
    def of(cls, head: bytes) -> Spreadsheet | None:
        """The columns that the first line of `head` names; None when it names fewer than two."""
        line = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")
        separator = max(SEPARATORS, key=line.count)
        if len(line) > _LONGEST_LINE or not line.count(separator):
            return None
        return cls(separator, tuple(_cells(line, separator)))

    def column(self, text: Text, place: int) -> str:
        """The column that the octet at `place` belongs to; empty when no column has a name for it."""
        start = text.rfind(b"\n", max(0, place - _LONGEST_LINE), place) + 1
        before = _cells(text[start : place + 1].decode("utf-8", "replace"), self.separator)
        return self.columns[len(before) - 1] if 0 < len(before) <= len(self.columns) else ""


class Dump:
    """The tables of a dump in SQL, and the columns where the dump names them once and lists rows behind tabs."""

    def __init__(self, text: Text) -> None:
        found: list[tuple[int, str, tuple[str, ...]]] = []
        for match in _COPY.finditer(text):
            columns = tuple(name.strip(' "') for name in match[2].decode("utf-8", "replace").split(","))
            found.append((match.start(), _name(match[1]), columns))
        for number, match in enumerate(_INSERT.finditer(text)):
            if number == _MOST_STATEMENTS:
                break
            found.append((match.start(), _name(match[1]), ()))
        found.sort(key=lambda row: row[0])
        self._starts, self._found = [start for start, _, _ in found], found

    def column(self, text: Text, place: int) -> str:
        """Table and column, or the table alone; empty outside of statements that list rows."""
        number = bisect_right(self._starts, place) - 1
        if number < 0:
            return ""
        _, table, columns = self._found[number]
        if not columns:
            return table
        start = text.rfind(b"\n", max(0, place - _LONGEST_LINE), place) + 1
        nth = bytes(text[start:place]).count(b"\t")
        return f"{table}.{columns[nth]}" if nth < len(columns) else table


def layout_of(name: str, text: Text) -> Spreadsheet | Dump | None:
    """How a file of that name is laid out, if it is a table or a dump."""
    if name.lower().endswith((".csv", ".tsv")):
        return Spreadsheet.of(text[:_LONGEST_LINE])
    return Dump(text) if name.lower().endswith((".sql", ".dump", ".pgsql")) else None


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line.replace("\0", "")], delimiter=separator), [])
    except csv.Error:
        return line.split(separator)


def _name(octets: bytes) -> str:
    return octets.decode("utf-8", "replace").translate({ord(mark): None for mark in '"`[]'})
