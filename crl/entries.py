"""Entries of a revocation list, written for many rows at once: each shape is a frame to fill."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from crl.rows import Rows
from domain import der, oids
from domain.revocation import CrlReason
from domain.serial import OCTETS

_DAY = 86_400
_FIRST_YEAR, _END_YEAR = 1970, 2200
_DAY_OF_2050, _END_DAY = (int(np.datetime64(f"{year}-01-01", "D").astype(np.int64)) for year in (2050, _END_YEAR))


def encode_rows(rows: Rows) -> bytes:
    """revokedCertificates entries (DER), side by side, in the order of the rows.

    Every serial has 16 octets and every reason one, so entries of one shape differ in these and in digits only, and are
    filled in column by column (some 15 ns each, for lists of 10⁵ to 10⁷ entries).
    Raises ValueError for a time before 1970 or after 2199.
    """
    days = rows.seconds // _DAY
    clock = rows.seconds - days * _DAY
    if len(days) and not 0 <= int(days.min()) <= int(days.max()) < _END_DAY:
        raise ValueError(f"revocations happen from {_FIRST_YEAR} to {_END_YEAR - 1}")
    generalized, tail = days >= _DAY_OF_2050, _tail()
    sizes = np.where(generalized, _head(True).itemsize, _head(False).itemsize)
    lengths = sizes + (rows.reasons != 0) * tail.itemsize
    ends = np.cumsum(lengths)
    starts, whole = ends - lengths, int(lengths.sum())
    octets = bytearray(whole + tail.itemsize)
    # Tails first, for every row: where there is no reason, the head of the next row goes over it.
    tails = _repeated(tail, len(rows))
    tails["reason"] = rows.reasons
    _put(octets, starts + sizes, tails)
    for form in (False, True):
        these = generalized == form
        if not these.any():
            continue
        chosen = slice(None) if these.all() else np.flatnonzero(these)
        heads = _repeated(_head(form), int(these.sum()))
        heads["length"] = lengths[chosen] - 2
        heads["serial"] = rows.serials[chosen]
        heads["clock"] = _clocks().take(clock[chosen])
        heads["day"] = _days(form).take(days[chosen])
        _put(octets, starts[chosen], heads)
    return bytes(memoryview(octets)[:whole])


def _repeated(part: np.void, times: int) -> NDArray[np.void]:
    """The same as `numpy.full`, and quicker."""
    return np.frombuffer(bytearray(part.tobytes() * times), part.dtype)


def _put(octets: bytearray, places: NDArray[np.int64], parts: NDArray[np.void]) -> None:
    """Write each part at its place."""
    size = parts.itemsize
    np.ndarray((len(octets) - size + 1,), f"V{size}", octets, strides=(1,))[places] = parts.view(f"V{size}")


@lru_cache(maxsize=2)
def _head(generalized: bool) -> np.void:
    """How an entry begins, with places for its length, the serial, the day and the time of day.

    Eight octets are looked up and put in place in a third of the time of six. So the day comes with what stands before
    it, and the time of day, which must be put there first, with something in the place of the last digit of the day.
    """
    tag, digits = (der.GENERALIZED_TIME, 8) if generalized else (der.UTC_TIME, 6)
    entry = der.sequence(der.tlv(der.INTEGER, bytes(OCTETS)), der.tlv(tag, bytes(digits + 6) + b"Z"))
    places = {"length": ("u1", 1), "serial": (f"S{OCTETS}", 4), "clock": ("u8", -8), "day": ("u8", -15)}
    return _framed(entry, places)


@lru_cache(maxsize=1)
def _tail() -> np.void:
    """How an entry with a reason ends, with a place for it."""
    return _framed(_extensions(CrlReason.KEY_COMPROMISE), {"reason": ("u1", -1)})


def _framed(octets: bytes, places: Mapping[str, tuple[str, int]]) -> np.void:
    """The octets, with fields of these types at these places, counted from the end where they are negative."""
    formats, offsets = zip(*places.values(), strict=True)
    shape = {
        "names": list(places),
        "formats": formats,
        "offsets": [offset % len(octets) for offset in offsets],
        "itemsize": len(octets),
    }
    framed: np.void = np.frombuffer(octets, np.dtype(shape))[0]  # type: ignore[call-overload]
    return framed


def _extensions(reason: CrlReason) -> bytes:
    """crlEntryExtensions with the reasonCode, or nothing for *unspecified* (RFC 5280 §5.3.1). Reasons are at most 6:
    removeFromCRL belongs to delta lists and is not in `CrlReason`."""
    if reason is CrlReason.UNSPECIFIED:
        return b""
    code = der.octet_string(der.tlv(der.ENUMERATED, bytes((reason,))))
    return der.sequence(der.sequence(der.oid(oids.CRL_REASON), code))


@lru_cache(maxsize=2)
def _days(generalized: bool) -> NDArray[np.uint64]:
    """Eight octets that end with the digits of the day, of every day that has that form (RFC 5280 §4.1.2.5)."""
    days = np.arange(_END_DAY if generalized else _DAY_OF_2050).astype("datetime64[D]")
    texts = (day.replace("-", "").encode() for day in np.datetime_as_string(days).tolist())
    before = der.tlv(der.UTC_TIME, bytes(13))[:2]
    return np.frombuffer(b"".join(text if generalized else before + text[2:] for text in texts), np.uint64)


@lru_cache(maxsize=1)
def _clocks() -> NDArray[np.uint64]:
    """Eight octets that end with HHMMSSZ, of every second of a day."""
    texts = (b"?%02d%02d%02dZ" % (second // 3600, second // 60 % 60, second % 60) for second in range(_DAY))
    return np.frombuffer(b"".join(texts), np.uint64)
