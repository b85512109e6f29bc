"""The octets of one list, which grow outwards from its entries: a list of millions is never copied."""

from __future__ import annotations

from domain import der

_ROOM = 4096
"""Octets kept free in front for what comes before the entries: a name, times, and headers."""


class ListOctets:
    """Entries first; then what stands before and behind them, and the headers of the SEQUENCEs around."""

    __slots__ = ("_buffer", "_start", "entries")

    def __init__(self) -> None:
        self._buffer = bytearray(_ROOM)
        self._start = _ROOM
        self.entries = 0
        """How many entries were put in."""

    def __len__(self) -> int:
        return len(self._buffer) - self._start

    def add(self, entries: bytes, count: int) -> None:
        """Put encoded entries behind those that are there."""
        self._buffer += entries
        self.entries += count

    def put_before(self, octets: bytes) -> None:
        """Have the content begin with `octets`. Raises ValueError when there is no room."""
        if len(octets) > self._start:
            raise ValueError("there is no room before the content")
        self._buffer[self._start - len(octets) : self._start] = octets
        self._start -= len(octets)

    def put_behind(self, octets: bytes) -> None:
        """Have the content end with `octets`."""
        self._buffer += octets

    def enclose(self) -> None:
        """Make the content a SEQUENCE."""
        self.put_before(der.header(der.SEQUENCE, len(self)))

    def view(self) -> memoryview:
        """The content. As long as the view is not released nothing can be put in."""
        return memoryview(self._buffer)[self._start :].toreadonly()
