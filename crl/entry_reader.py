"""Entries of a list read back, many at once and strictly. Shares no code with the encoder."""

from __future__ import annotations

from collections.abc import Iterator

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
        octets = np.frombuffer(content[position : position + _BLOCK], np.uint8)
        starts, lengths = _tiles(octets, whole=position + _BLOCK >= len(content))
        rows = _rows(octets, starts, lengths)
        serials = rows.serials
        if not (serials[0] > last and bool(np.all(serials[1:] > serials[:-1]))):
            raise der.DerError("the entries are not in the order of their serials, each serial once")
        last = serials[-1]
        yield rows
        position += int(starts[-1] + lengths[-1])


def _tiles(octets: NDArray[np.uint8], *, whole: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where entries begin and how long they are; the last one may be cut off unless this is the `whole` rest.

    Every place that looks like a beginning is taken for one. Octets within a serial may look like that by chance, once
    in thousands of millions: then the entries are walked through one by one.
    """
    looks = (octets[:-3] == der.SEQUENCE) & (octets[2:-1] == der.INTEGER) & (octets[3:] == SERIAL.itemsize)
    starts = np.flatnonzero(looks)
    ends = starts + octets[starts + 1] + 2
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
    found = Rows(np.empty(len(starts), SERIAL), np.empty(len(starts), np.int64), np.zeros(len(starts), np.uint8))
    present = np.unique(lengths).tolist()
    for length in present:
        chosen = slice(None) if len(present) == 1 else lengths == length
        if len(present) == 1:
            entries = octets[: len(starts) * length].reshape(-1, length)
        else:
            entries = octets[starts[chosen][:, None] + np.arange(length)]
        serials, seconds, reasons = _read(np.ascontiguousarray(entries), length)
        found.serials[chosen], found.seconds[chosen] = serials, seconds
        if reasons is not None:
            found.reasons[chosen] = reasons
    return found


def _read(
    entries: NDArray[np.uint8], length: int
) -> tuple[NDArray[np.bytes_], NDArray[np.int64], NDArray[np.uint8] | None]:
    """Serials, times, and reasons if there are any, of entries of one length."""
    form, digits, reasoned = _SHAPES[length]
    fields = [("head", "S4"), ("serial", SERIAL), ("form", "S2"), ("time", f"S{digits + 6}"), ("zulu", "S1")]
    if reasoned:
        fields += [("extension", f"S{len(_REASON)}"), ("reason", "u1")]
    table = entries.view(fields)[:, 0]
    top = entries[:, 4]
    sound = (table["head"] == bytes((der.SEQUENCE, length - 2, der.INTEGER, SERIAL.itemsize))) & (top >> 6 == 1)
    sound &= (table["form"] == form) & (table["zulu"] == b"Z")
    if reasoned:
        sound &= (table["extension"] == _REASON) & (table["reason"] >= 1) & (table["reason"] <= 6)
    if not sound.all():
        raise der.DerError("an entry is not of a shape that this authority writes")
    seconds = _seconds(np.ascontiguousarray(table["time"]).view(np.uint8).reshape(len(entries), -1))
    return table["serial"], seconds, table["reason"] if reasoned else None


def _seconds(text: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Seconds since 1970 of digits: years of two digits are those of UTCTime, and only 2000 to 2049 are right; years of
    four digits are right from 2050 on (RFC 5280 §4.1.2.5)."""
    digits = text - np.uint8(ord("0"))
    if (digits > 9).any():
        raise der.DerError("a time is not made of digits")
    pairs = digits[:, 0::2].astype(np.int64) * 10 + digits[:, 1::2]
    short = pairs.shape[1] == 6
    year = pairs[:, 0] + 2000 if short else pairs[:, 0] * 100 + pairs[:, 1]
    month, day, hour, minute, second = (pairs[:, column] for column in range(-5, 0))
    if not ((year < 2050).all() if short else (year >= 2050).all()):
        raise der.DerError("a time is not in the form that its year asks for")
    if not ((month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60)).all():
        raise der.DerError("a time has a part that is out of range")
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    if (days.astype("datetime64[M]") != months).any():
        raise der.DerError("a time names a day that does not exist")
    found: NDArray[np.int64] = days.astype(np.int64) * 86_400 + hour * 3_600 + minute * 60 + second
    return found
