"""Entries of a revocation list, written for many rows at once: each shape is a frame to fill."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from crl.rows import Rows
from domain import der, oids
from domain.revocation import CrlReason
from domain.serial import OCTETS

_DAY = 86_400
_FIRST_YEAR, _END_YEAR = 1970, 2200
_DAY_OF_2050 = int(np.datetime64("2050-01-01", "D").astype(np.int64))
_REASONED, _GENERALIZED = 1, 2
"""Together they name the shape of an entry: one with a reason, one from 2050 on."""


def encode_rows(rows: Rows) -> bytes:
    """revokedCertificates entries (DER), side by side, in the order of the rows.

    Every serial has 16 octets and every reason one, so entries of one shape differ in these and in digits only, and are
    filled in column by column (about 0.1 µs each, for lists of 10⁵ to 10⁷ entries).
    Raises ValueError for a time before 1970 or after 2199.
    """
    days, clock = np.divmod(rows.seconds, _DAY)
    if len(days) and not 0 <= int(days.min()) <= int(days.max()) < len(_dates()):
        raise ValueError(f"revocations happen from {_FIRST_YEAR} to {_END_YEAR - 1}")
    shapes = (days >= _DAY_OF_2050) * np.uint8(_GENERALIZED) | (rows.reasons != 0)
    present = np.flatnonzero(np.bincount(shapes)).tolist()
    if len(present) == 1:
        return _filled(present[0], rows, days, clock).tobytes()
    lengths = _lengths()[shapes]
    ends = np.cumsum(lengths)
    octets, starts = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8), ends - lengths
    for shape in present:
        chosen = np.flatnonzero(shapes == shape)
        filled = _filled(shape, rows[chosen], days[chosen], clock[chosen]).view(np.uint8).reshape(len(chosen), -1)
        length = filled.shape[1]
        windows = np.ndarray((len(octets) - length + 1, length), np.uint8, octets, strides=(1, 1))
        windows[starts[chosen]] = filled
    return octets.tobytes()


def _filled(shape: int, rows: Rows, days: NDArray[np.int64], clock: NDArray[np.int64]) -> NDArray[np.void]:
    """One frame for each row, with its serial, day, time of day and reason."""
    frame = _frame(shape)
    entries = np.full(len(days), frame)
    entries["serial"] = rows.serials
    entries["day"] = _dates()[days] if shape & _GENERALIZED else _short_dates()[days]
    entries["clock"] = _clocks()[clock]
    if shape & _REASONED:
        entries["reason"] = rows.reasons
    return entries


@lru_cache(maxsize=1)
def _lengths() -> NDArray[np.int64]:
    """Octets of an entry of each shape."""
    return np.array([_frame(shape).itemsize for shape in range(_REASONED + _GENERALIZED + 1)])


@lru_cache(maxsize=4)
def _frame(shape: int) -> np.void:
    """An entry of that shape with places for the serial, the day, the time of day and the reason."""
    tag, digits = (der.GENERALIZED_TIME, 8) if shape & _GENERALIZED else (der.UTC_TIME, 6)
    time = der.tlv(tag, bytes(digits + 6) + b"Z")
    reason = CrlReason.KEY_COMPROMISE if shape & _REASONED else CrlReason.UNSPECIFIED
    entry = der.sequence(der.tlv(der.INTEGER, bytes(OCTETS)), time, _extensions(reason))
    parts = [("head", "S4"), ("serial", f"S{OCTETS}"), ("form", "S2"), ("day", f"S{digits}"), ("clock", "S6")]
    parts.append(("tail", f"S{len(entry) - 4 - OCTETS - 2 - digits - 6 - bool(shape & _REASONED)}"))
    if shape & _REASONED:
        parts.append(("reason", "u1"))
    frame: np.void = np.frombuffer(entry, parts)[0]
    return frame


def _extensions(reason: CrlReason) -> bytes:
    """crlEntryExtensions with the reasonCode, or nothing for *unspecified* (RFC 5280 §5.3.1). Reasons are at most 6:
    removeFromCRL belongs to delta lists and is not in `CrlReason`."""
    if reason is CrlReason.UNSPECIFIED:
        return b""
    code = der.octet_string(der.tlv(der.ENUMERATED, bytes((reason,))))
    return der.sequence(der.sequence(der.oid(oids.CRL_REASON), code))


@lru_cache(maxsize=1)
def _dates() -> NDArray[np.bytes_]:
    """YYYYMMDD of every day from 1970 on."""
    days = np.arange(f"{_FIRST_YEAR}-01-01", f"{_END_YEAR}-01-01", dtype="datetime64[D]")
    return np.char.replace(np.datetime_as_string(days), "-", "").astype("S8")


@lru_cache(maxsize=1)
def _short_dates() -> NDArray[np.bytes_]:
    """YYMMDD of every day from 1970 on (UTCTime, RFC 5280 §4.1.2.5.1)."""
    digits = _dates().view(np.uint8).reshape(-1, 8)[:, 2:]
    return np.ascontiguousarray(digits).view("S6")[:, 0]


@lru_cache(maxsize=1)
def _clocks() -> NDArray[np.bytes_]:
    """HHMMSS of every second of a day."""
    return np.array([b"%02d%02d%02d" % (s // 3600, s // 60 % 60, s % 60) for s in range(_DAY)], "S6")
