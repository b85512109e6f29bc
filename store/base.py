"""The base of a status model: very many statuses in one file that is made once and then only read.

Records stand in the order of their serials, behind an index by the first bits, which chance spreads evenly: a look-up
reads two numbers of the index and the few records between them. A search tree takes twice the room once it has grown.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ENTRY = struct.Struct(">BIIB")
"""Mark of the issuer, end of validity, when revoked (seconds since 1970), and why or NOT_REVOKED."""

NOT_REVOKED = 255
GONE = bytes(ENTRY.size)
"""The entry of what has no status any more; issuers' marks begin at 1."""

RECORD = np.dtype(
    [("high", ">u8"), ("low", ">u8"), ("mark", "u1"), ("not_after", ">u4"), ("revoked_at", ">u4"), ("reason", "u1")]
)
"""A serial and its entry."""

Records = NDArray[np.void]

_OCTETS = 16
_WIDTH = RECORD.itemsize
_HEAD = struct.Struct("<8sI")
_FORM = b"jpkibase"
_HEAD_SIZE = _HEAD.size
_BOUNDS = struct.Struct("<II")
_FIRST = struct.Struct(">I")
_PER_SLOT = 4
"""Records for one number of the index, on average."""
_MOST_BITS = 28
_HEAPS = 64
_BLOCK = 1 << 16


def records(octets: bytes) -> Records:
    """Serials, each with its entry behind it, as records."""
    return np.frombuffer(octets, RECORD)


class StatusBase:
    """A base that was made; threads may share it. Raises FileNotFoundError, and ValueError for another kind of file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            octets = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        form, bits = _HEAD.unpack_from(octets)
        if form != _FORM:
            raise ValueError("this file is no base of a status model")
        self._start = _start(bits)
        self.count = (len(octets) - self._start) // _WIDTH
        self.find = _finder(octets, bits)
        """The entry of a serial of 16 octets, or None."""

    def blocks(self) -> Iterator[Records]:
        """All records, some thousands at a time."""
        with self._path.open("rb") as file:
            file.seek(self._start)
            while octets := file.read(_BLOCK * _WIDTH):
                yield records(octets)


def write_base(path: Path, blocks: Iterable[Records], now: int) -> int:
    """Make a base of these records; how many are in it. Of records with one serial the last counts. What is GONE, or
    has ended by `now` (seconds since 1970), is left out.

    `path` is written in place: have nobody look there before this returns. Takes little memory, whatever their number.
    """
    with ExitStack() as stack:
        heaps = [stack.enter_context(tempfile.TemporaryFile(dir=path.parent)) for _ in range(_HEAPS)]
        given = sum(_scatter(block, heaps) for block in blocks)
        bits = min(max((given // _PER_SLOT).bit_length(), 8), _MOST_BITS)
        counts = np.zeros((1 << bits) + 1, np.uint32)
        with path.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.seek(_start(bits))
            for heap in heaps:
                heap.seek(0)
                kept, order = _newest(records(heap.read()), now)
                slots = (order >> np.uint64(64 - bits)).astype(np.int64)
                counts[1:] += np.bincount(slots, minlength=1 << bits).astype(np.uint32)
                file.write(kept.tobytes())
            file.seek(0)
            file.write(_HEAD.pack(_FORM, bits))
            file.write(np.cumsum(counts, dtype=np.uint32).astype("<u4").tobytes())
    return int(counts.sum())


def _finder(octets: mmap.mmap, bits: int) -> Callable[[bytes], bytes | None]:
    """A look-up takes a microsecond, of which names would be a good part: they are found beforehand."""
    start, drop = _start(bits), 32 - bits
    first, bounds, search = _FIRST.unpack_from, _BOUNDS.unpack_from, octets.find

    def find(serial: bytes) -> bytes | None:
        low, high = bounds(octets, _HEAD_SIZE + ((first(serial)[0] << 2 & 0xFFFFFFFF) >> drop) * 4)
        low = start + low * _WIDTH
        high = start + high * _WIDTH
        at = search(serial, low, high)
        while at >= 0 and (at - low) % _WIDTH:
            at = search(serial, at + 1, high)
        return octets[at + _OCTETS : at + _WIDTH] if at >= 0 else None

    return find


def _start(bits: int) -> int:
    """Where records begin."""
    return _HEAD_SIZE + 4 * ((1 << bits) + 1)


def _order(high: NDArray[Any]) -> NDArray[np.uint64]:
    """By what records are sorted first: the serial without its two top bits, which are the same in all."""
    octets = high.astype(np.uint64)
    return octets << np.uint64(2) | octets >> np.uint64(62)


def _scatter(block: Records, heaps: Sequence[Any]) -> int:
    """Put records on heaps by their serials' first bits, each heap in the order given."""
    heap_of = (_order(block["high"]) >> np.uint64(64 - (_HEAPS - 1).bit_length())).astype(np.uint8)
    order = np.argsort(heap_of, kind="stable")
    ends = np.cumsum(np.bincount(heap_of, minlength=_HEAPS))
    sorted_ = block[order]
    start = 0
    for heap, end in zip(heaps, ends.tolist(), strict=True):
        heap.write(sorted_[start:end].tobytes())
        start = end
    return len(block)


def _newest(heap: Records, now: int) -> tuple[Records, NDArray[np.uint64]]:
    """The last record of each serial, in order, with what they are sorted by."""
    order = _order(heap["high"])
    low = heap["low"].astype(np.uint64)
    by = np.lexsort((np.arange(len(heap)), low, order))
    heap, order, low = heap[by], order[by], low[by]
    last = np.ones(len(heap), bool)
    last[:-1] = (order[1:] != order[:-1]) | (low[1:] != low[:-1])
    last &= (heap["mark"] != 0) & (heap["not_after"] >= now)
    return heap[last], order[last]
