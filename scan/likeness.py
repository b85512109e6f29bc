"""Columns that look like serials although the filter knows none of them: newer ones, or another authority's alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from domain.serial import OCTETS, SerialNumber
from scan.search import Trace
from scan.shared import canonical
from scan.tally import Find

SAMPLE = 2000
_LEAST = 20
"""By chance so many values of 16 octets all begin with the bits 01 once in 10¹² columns."""


@dataclass(slots=True)
class Likeness:
    """What a sample of a column looks like. Of its values it keeps rows and hashes that only this process can make."""

    values: int = 0
    words: int = 0
    rows: list[int] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)

    def add(self, cells: Iterable[bytes], row: int) -> None:
        """Take cells, the first of which is in that row."""
        if self.values >= SAMPLE:
            return
        for number, cell in enumerate(cells, row):
            if not cell:
                continue
            self.values += 1
            octets = _octets(cell)
            if octets is not None and SerialNumber.known(int.from_bytes(octets)):
                self.rows.append(number)
                self.marks.append(hash(octets) & 0xFFFFFFFFFFFFFFFF)
                self.words += all(0x20 <= octet < 0x7F for octet in octets)

    def find(self) -> Find | None:
        """The find, when nine of ten values are such numbers, differ, and are not words."""
        alike, different = len(self.rows), len(set(self.marks))
        if alike < max(_LEAST, self.values * 9 // 10) or different < alike * 9 // 10 or self.words * 2 > alike:
            return None
        return Find(Trace.ALIKE, "16 octets", np.array(self.rows, np.intp), np.array(self.marks, np.uint64))


def _octets(cell: bytes) -> bytes | None:
    text = cell.strip()
    if text.isdigit() and len(text) in (38, 39):
        return int(text).to_bytes(17)[1:]
    token = canonical(cell)
    return token if token is not None and len(token) == OCTETS else None
