"""The entries of an earlier list, gone through beside those of a later one: what is octet-equal is passed over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crl.entry_reader import let_go, read_block, require_order
from crl.rows import Rows
from domain.der import DerError

_BLOCK = 1 << 18
"""Octets read together: about as many entries as come from the database together."""


class Earlier:
    """Entries in the order of their serials, each given once or passed over."""

    def __init__(self, content: bytes | memoryview, *, whole: bool = True, block: int = _BLOCK) -> None:
        """`content` are the octets within revokedCertificates. Of one that is not `whole`, being damaged perhaps, the
        entries before the damage are given; elsewhere damage raises DerError."""
        self._content, self._whole, self._block = content, whole, block
        self._at, self._last = 0, b""
        self._read: tuple[Rows, NDArray[np.int64]] | None = None

    def skip(self, octets: bytes) -> bool:
        """Pass over the next entries if they are these octets, which must be whole entries themselves."""
        end = self._at + len(octets)
        if bytes(self._content[self._at : end]) != octets:
            return False
        self._at, self._read = end, None
        let_go(self._content)
        return True

    def up_to(self, last: bytes | None) -> Rows | None:
        """The next entries up to that of the serial `last` (16 octets), or whatever follows; some at a time, and None
        when there are no more. Raises DerError for what this authority does not write."""
        try:
            rows, ends = self._next()
        except DerError:
            if self._whole:
                raise
            self._content = self._content[: self._at]
            return None
        covered = len(rows) if last is None else int(np.searchsorted(rows.serials, last, "right"))
        if not covered:
            return None
        self._at += int(ends[covered - 1])
        self._last = rows.serials[covered - 1]
        self._read = (rows[covered:], ends[covered:] - ends[covered - 1]) if covered < len(rows) else None
        return rows[:covered]

    def _next(self) -> tuple[Rows, NDArray[np.int64]]:
        """What is read already, or the next block, and where each entry ends behind the place that was reached."""
        if self._read is None:
            if self._at >= len(self._content):
                return Rows.none(), np.empty(0, np.int64)
            self._read = read_block(self._content, self._at, self._block)
            require_order(self._last, self._read[0])
            let_go(self._content)
        return self._read
