"""The base of a status model: very many statuses in one file that is made once and then only read.

Records stand in the order of their serials, each where its serial, which chance spread evenly, lets expect it, or soon
behind as there is room: a look-up reads one place. A search tree takes twice the room once it has grown.
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
_HEAD = struct.Struct("<8sQQQ")
"""The kind of file, how many records, for how many there is room, and by how many places one may be late."""
_FORM = b"jpkibas2"
_FIRST = struct.Struct(">I")
_FULL = 0.85
"""The share of the places that are taken: three records are looked at on average."""
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
        form, self.count, places, late = _HEAD.unpack_from(octets)
        if form != _FORM:
            raise ValueError("this file is no base of a status model")
        self.find = _finder(octets, places, (late + 1) * _WIDTH)
        """The entry of a serial of 16 octets, or None."""

    def blocks(self) -> Iterator[Records]:
        """All records, some thousands at a time."""
        with self._path.open("rb") as file:
            file.seek(_HEAD.size)
            while octets := file.read(_BLOCK * _WIDTH):
                block = records(octets)
                yield block[block["mark"] != 0]


def write_base(path: Path, blocks: Iterable[Records], now: int) -> int:
    """Make a base of these records; how many are in it. Of records with one serial the last counts. What is GONE, or
    has ended by `now` (seconds since 1970), is left out.

    `path` is written in place: have nobody look there before this returns. Takes little memory, whatever their number.
    """
    with ExitStack() as stack:
        heaps = [stack.enter_context(tempfile.TemporaryFile(dir=path.parent)) for _ in range(_HEAPS)]
        given = sum(_scatter(block, heaps) for block in blocks)
        places = int(given / _FULL) + 1
        count = free = late = 0
        with path.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.seek(_HEAD.size)
            for heap in heaps:
                heap.seek(0)
                kept, order = _newest(records(heap.read()), now)
                if not len(kept):
                    continue
                wanted = (order >> np.uint64(34)).astype(np.int64) * places >> 30
                taken = _places(wanted, free)
                row = np.zeros(int(taken[-1]) + 1 - free, RECORD)
                row[taken - free] = kept
                file.write(row.tobytes())
                count, free, late = count + len(kept), int(taken[-1]) + 1, max(late, int((taken - wanted).max()))
            file.seek(0)
            file.write(_HEAD.pack(_FORM, count, places, late))
    return count


def _places(wanted: NDArray[np.int64], free: int) -> NDArray[np.int64]:
    """Where records go that want these places, which do not decrease, if `free` is the first that may be taken: none
    before the one it wants, and each behind the last."""
    numbers = np.arange(len(wanted))
    ahead = wanted - numbers
    ahead[0] = max(ahead[0], free)
    return np.asarray(np.maximum.accumulate(ahead) + numbers)


def _finder(octets: mmap.mmap, places: int, reach: int) -> Callable[[bytes], bytes | None]:
    """A look-up takes less than a microsecond, of which names would be a good part: they are found beforehand.

    The two top bits of serials are 01 in all, so a serial's place is counted from where that begins.
    """
    start = _HEAD.size - places * _WIDTH
    first, search = _FIRST.unpack_from, octets.find

    def find(serial: bytes) -> bytes | None:
        low = (first(serial)[0] * places >> 30) * _WIDTH + start
        high = low + reach
        at = search(serial, low, high)
        while at >= 0:
            if not (at - low) % _WIDTH:
                return octets[at + _OCTETS : at + _WIDTH]
            at = search(serial, at + 1, high)
        return None

    return find


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
