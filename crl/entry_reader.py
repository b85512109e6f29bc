"""Entries of a list read back, many at once and strictly. Shares no code with the encoder."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from crl.rows import SERIAL, Rows
from domain import der

_BLOCK = 1 << 20
"""Octets looked at together."""

_HEADS = 2 + 2 + SERIAL.itemsize
_REASON = bytes.fromhex("300c300a0603551d1504030a01")
_UTC, _GENERALIZED = (b"\x17\x0d", 6), (b"\x18\x0f", 8)
# The four lengths an entry can have, with its form of time and whether it has a reason.
_SHAPES = {
    _HEADS + 2 + digits + 7 + (len(_REASON) + 1 if reasoned else 0): (form, digits, reasoned)
    for form, digits in (_UTC, _GENERALIZED)
    for reasoned in (False, True)
}


def read_entries(content: bytes | memoryview) -> Iterator[Rows]:
    """The entries that tile `content`, block by block. Raises DerError for any that this authority does not write, and
    where they do not rise strictly by their serials."""
    position, last = 0, b""
    while position < len(content):
        rows, ends = read_block(content, position, _BLOCK)
        require_order(last, rows)
        last = rows.serials[-1]
        yield rows
        position += int(ends[-1])
        let_go(content)


def read_block(content: bytes | memoryview, position: int, size: int) -> tuple[Rows, NDArray[np.int64]]:
    """The entries that lie whole within the next `size` octets, of which there is at least one, and where each ends
    behind `position`. Raises DerError."""
    octets = np.frombuffer(content[position : position + size], np.uint8)
    starts, lengths = _tiles(octets, whole=position + size >= len(content))
    return _rows(octets, starts, lengths), starts + lengths


def require_order(last: bytes, rows: Rows) -> None:
    """Raises DerError where the rows do not rise strictly by their serials, from behind `last` on."""
    if not (rows.serials[0] > last and bool(np.all(rows.serials[1:] > rows.serials[:-1]))):
        raise der.DerError("the entries are not in the order of their serials, each serial once")


def let_go(content: bytes | memoryview) -> None:
    """What was read of a file need not stay in memory."""
    if isinstance(content, memoryview) and isinstance(content.obj, mmap.mmap):
        content.obj.madvise(mmap.MADV_DONTNEED)


def _tiles(octets: NDArray[np.uint8], *, whole: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where entries begin and how long they are; the last one may be cut off unless this is the `whole` rest.

    Every place that looks like a beginning is taken for one. Octets within a serial may look like that by chance, once
    in thousands of millions: then the entries are walked through one by one.
    """
    starts = np.flatnonzero(octets[3:] == SERIAL.itemsize)
    starts = starts[(octets[starts] == der.SEQUENCE) & (octets[starts + 2] == der.INTEGER)]
    ends = starts + 2 + octets[starts + 1]
    if not len(starts) or starts[0] != 0 or (starts[1:] != ends[:-1]).any():
        starts, ends = _walked(octets)
    if ends[-1] > len(octets) and not whole:
        starts, ends = starts[:-1], ends[:-1]
    lengths = ends - starts
    if not len(starts) or (whole and ends[-1] != len(octets)) or not np.isin(lengths, list(_SHAPES)).all():
        raise der.DerError("the entries do not tile their list in lengths that this authority writes")
    return starts, lengths


def _walked(octets: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same, each entry found by the length of the one before; the last may reach beyond the octets."""
    bounds = [0]
    while bounds[-1] + 2 <= len(octets):
        bounds.append(bounds[-1] + int(octets[bounds[-1] + 1]) + 2)
    if len(bounds) < 2:
        raise der.DerError("an entry is cut off")
    return np.array(bounds[:-1]), np.array(bounds[1:])


def _rows(octets: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Rows:
    """What the entries say, each of the shape that its length asks for."""
    present = np.flatnonzero(np.bincount(lengths)).tolist()
    if len(present) == 1:
        return _read(octets[: len(starts) * present[0]].reshape(-1, present[0]), present[0])
    found = Rows(np.empty(len(starts), SERIAL), np.empty(len(starts), np.int64), np.empty(len(starts), np.uint8))
    for length in present:
        chosen = np.flatnonzero(lengths == length)
        # Whatever begins anywhere: numpy's own sliding windows take longer to make than to use.
        windows = np.ndarray((len(octets) - length + 1, length), np.uint8, octets, strides=(1, 1))
        read = _read(windows[starts[chosen]], length)
        found.serials[chosen], found.seconds[chosen], found.reasons[chosen] = read.serials, read.seconds, read.reasons
    return found


def _read(entries: NDArray[np.uint8], length: int) -> Rows:
    """What entries of one length say, an entry a line."""
    frame, fixed = _frame(length)
    _, digits, reasoned = _SHAPES[length]
    top, reasons = entries[:, 4], entries[:, -1] if reasoned else np.zeros(len(entries), np.uint8)
    sound = bool((entries == frame).all(axis=0)[fixed].all()) and bool((top >> 6 == 1).all())
    if not sound or (reasoned and not ((reasons >= 1) & (reasons <= 6)).all()):
        raise der.DerError("an entry is not of a shape that this authority writes")
    serials = np.ascontiguousarray(entries[:, 4:_HEADS]).view(SERIAL)[:, 0]
    return Rows(serials, _seconds(entries[:, _HEADS + 2 : _HEADS + 2 + digits + 6]), reasons)


@lru_cache(maxsize=len(_SHAPES))
def _frame(length: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """An entry of that length, and which of its octets are always these."""
    form, digits, reasoned = _SHAPES[length]
    head = bytes((der.SEQUENCE, length - 2, der.INTEGER, SERIAL.itemsize))
    parts = [(head, True), (bytes(SERIAL.itemsize), False), (form, True), (bytes(digits + 6), False), (b"Z", True)]
    parts += [(_REASON, True), (b"\x00", False)] if reasoned else []
    fixed = np.repeat([kept for _, kept in parts], [len(octets) for octets, _ in parts])
    return np.frombuffer(b"".join(octets for octets, _ in parts), np.uint8), fixed


def _seconds(text: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Seconds since 1970 of digits, a time a line: years of two digits are those of UTCTime, and only 2000 to 2049 are
    right; years of four digits are right from 2050 on (RFC 5280 §4.1.2.5)."""
    digits = np.ascontiguousarray(text.T) - np.uint8(ord("0"))
    if (digits > 9).any():
        raise der.DerError("a time is not made of digits")
    *years, month, day, hour, minute, second = digits[0::2] * np.uint8(10) + digits[1::2]
    year = years[0] + np.int64(2000) if len(years) == 1 else years[0] * np.int64(100) + years[1]
    if not ((year < 2050).all() if len(years) == 1 else (year >= 2050).all()):
        raise der.DerError("a time is not in the form that its year asks for")
    if not ((month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60)).all():
        raise der.DerError("a time has a part that is out of range")
    begins, months = _months(), (year - 1970) * 12 + month - 1
    if (begins[months] + day > begins[months + 1]).any():
        raise der.DerError("a time names a day that does not exist")
    found: NDArray[np.int64] = (
        (begins[months] + (day - 1)) * 86_400 + hour * np.int64(3_600) + minute * np.int64(60) + second
    )
    return found


@lru_cache(maxsize=1)
def _months() -> NDArray[np.int64]:
    """The days since 1970 at which each month begins, up to the year 10000."""
    return np.arange("1970-01", "10000-02", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
