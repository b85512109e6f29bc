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
"""Octets looked at together: as many as stay in a processor's cache with what is made of them."""

_REASON = bytes.fromhex("300c300a0603551d1504030a01")
_TAIL = np.dtype([("first", "<u8"), ("second", "<u4"), ("third", "u1"), ("reason", "u1")])
"""What stands behind the time where there is a reason: these octets, and the reason."""

_PARTS = (("first", 0, 8), ("second", 8, 12), ("third", 12, 13))

_UTC, _GENERALIZED = 6, 8
"""Digits of a day in each form of time."""


def _head(digits: int) -> np.dtype[np.void]:
    """What every entry with that form of time begins with."""
    fields = [("tag", "u1"), ("length", "u1"), ("integer", "<u2"), ("serial", SERIAL)]
    return np.dtype([*fields, ("form", "<u2"), ("digits", "u1", digits + 6), ("zone", "u1")])


_HEADS = {digits: _head(digits) for digits in (_UTC, _GENERALIZED)}
_INTEGER = int.from_bytes((der.INTEGER, SERIAL.itemsize), "little")
_FORMS = {
    _UTC: int.from_bytes((der.UTC_TIME, _UTC + 7), "little"),
    _GENERALIZED: int.from_bytes((der.GENERALIZED_TIME, _GENERALIZED + 7), "little"),
}
# By the four lengths that an entry can have.
_DIGITS, _REASONED = np.zeros(256, np.uint8), np.zeros(256, np.bool_)
for _digits, _dtype in _HEADS.items():
    _DIGITS[[_dtype.itemsize, _dtype.itemsize + _TAIL.itemsize]] = _digits
    _REASONED[_dtype.itemsize + _TAIL.itemsize] = True


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
    # Their first halves, as numbers, differ nearly always, and are compared in a fifth of the time.
    halves = rows.serials.view(">u8")[:: SERIAL.itemsize // 8].astype(np.uint64)
    rising = (halves[1:] > halves[:-1]).all() or (rows.serials[1:] > rows.serials[:-1]).all()
    if not (rows.serials[0] > last and rising):
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
    if not len(starts) or (whole and ends[-1] != len(octets)) or lengths.max() > 255 or not _DIGITS[lengths].all():
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
    digits, reasoned = _DIGITS[lengths], _REASONED[lengths]
    found = Rows(np.empty(len(starts), SERIAL), np.empty(len(starts), np.int64), np.zeros(len(starts), np.uint8))
    for form in np.flatnonzero(np.bincount(digits)).tolist():
        these = digits == form
        chosen = slice(None) if these.all() else np.flatnonzero(these)
        heads = _cut(octets, starts[chosen], _HEADS[form])
        fixed = (("tag", der.SEQUENCE), ("integer", _INTEGER), ("form", _FORMS[form]), ("zone", ord("Z")))
        found.serials[chosen], found.seconds[chosen] = heads["serial"], _seconds(heads["digits"])
        if not _all(heads, *fixed):
            raise _shapeless()
    if (found.serials.view(np.uint8)[:: SERIAL.itemsize] >> 6 != 1).any():
        raise _shapeless()
    tails = _cut(octets, (starts + lengths)[reasoned] - _TAIL.itemsize, _TAIL)
    reasons = found.reasons[reasoned] = tails["reason"]
    parts = ((name, int.from_bytes(_REASON[at:end], "little")) for name, at, end in _PARTS)
    if not (_all(tails, *parts) and ((reasons >= 1) & (reasons <= 6)).all()):
        raise _shapeless()
    return found


def _cut(octets: NDArray[np.uint8], starts: NDArray[np.int64], shape: np.dtype[np.void]) -> NDArray[np.void]:
    """What begins at these places. Whatever begins anywhere: numpy's own sliding windows take longer to make than to
    use."""
    size = shape.itemsize
    if len(octets) < size:
        return np.empty(0, shape)
    return np.ndarray((len(octets) - size + 1,), f"V{size}", octets, strides=(1,))[starts].view(shape)


def _all(entries: NDArray[np.void], *fixed: tuple[str, int]) -> bool:
    """Whether these fields are the same everywhere."""
    return all(bool((entries[name] == value).all()) for name, value in fixed)


def _shapeless() -> der.DerError:
    return der.DerError("an entry is not of a shape that this authority writes")


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
