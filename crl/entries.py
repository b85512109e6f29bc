"""Entries of a revocation list, written for many rows at once: each reason and form of time is a frame to fill."""

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
_GENERALIZED = 8
"""Added to the reason, it names the shape of an entry from 2050 on."""


def encode_rows(rows: Rows) -> bytes:
    """revokedCertificates entries (DER), side by side, in the order of the rows.

    Every serial has 16 octets, so entries of one reason and one form of time differ in serial and digits only, and
    are filled in column by column (about 0.1 µs each, for lists of 10⁵ to 10⁷ entries).
    Raises ValueError for a time before 1970 or after 2199.
    """
    days, clock = np.divmod(rows.seconds, _DAY)
    if len(days) and not 0 <= int(days.min()) <= int(days.max()) < len(_dates()):
        raise ValueError(f"revocations happen from {_FIRST_YEAR} to {_END_YEAR - 1}")
    shapes = np.where(days >= _DAY_OF_2050, rows.reasons | np.uint8(_GENERALIZED), rows.reasons)
    present = np.flatnonzero(np.bincount(shapes)).tolist()
    if len(present) == 1:
        return _filled(present[0], rows.serials, days, clock).tobytes()
    width = max((_frame(shape).itemsize for shape in present), default=0)
    octets, kept = np.zeros((len(rows), width), np.uint8), np.zeros((len(rows), width), np.bool_)
    for shape in present:
        chosen = np.flatnonzero(shapes == shape)
        filled = _filled(shape, rows.serials[chosen], days[chosen], clock[chosen])
        octets[chosen, : filled.itemsize] = filled.view(np.uint8).reshape(len(chosen), -1)
        kept[chosen, : filled.itemsize] = True
    return octets[kept].tobytes()


def _filled(
    shape: int, serials: NDArray[np.bytes_], days: NDArray[np.int64], clock: NDArray[np.int64]
) -> NDArray[np.void]:
    """One frame for each row, with its serial, day and time of day."""
    frame = _frame(shape)
    entries = np.full(len(days), frame)
    entries["serial"] = serials
    entries["day"] = _dates()[days] if shape & _GENERALIZED else _short_dates()[days]
    entries["clock"] = _clocks()[clock]
    return entries


@lru_cache(maxsize=16)
def _frame(shape: int) -> np.void:
    """An entry of that shape with places for the serial, the day and the time of day."""
    tag, digits = (der.GENERALIZED_TIME, 8) if shape & _GENERALIZED else (der.UTC_TIME, 6)
    time = der.tlv(tag, bytes(digits + 6) + b"Z")
    entry = der.sequence(der.tlv(der.INTEGER, bytes(OCTETS)), time, _extensions(CrlReason(shape & ~_GENERALIZED)))
    parts = [("head", 4), ("serial", OCTETS), ("form", 2), ("day", digits), ("clock", 6)]
    parts.append(("tail", len(entry) - sum(length for _, length in parts)))
    frame: np.void = np.frombuffer(entry, [(name, f"S{length}") for name, length in parts])[0]
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
