"""Entries of a revocation list: sorted by serial, each serial once, written from one frame per day and reason."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from domain import der, oids
from domain.revocation import CrlReason, Revocation
from domain.serial import OCTETS

# SEQUENCE and INTEGER headers: an entry and a serial of 16 octets both have short lengths.
_SERIAL = 4
_TWO_DIGITS = tuple(b"%02d" % value for value in range(60))


def encode_entries(revocations: Iterable[Revocation]) -> list[bytes]:
    """One revokedCertificates entry (DER) per serial, in the order of the serials. A repeated serial counts once.

    Every serial has 16 octets, so entries of one day and one reason differ only in serial and time of day: they are
    filled into a frame instead of being assembled (about 1 µs each, for lists of 10⁵ to 10⁶ entries).
    Raises ValueError for a time that is naive or has fractions of a second.
    """
    frames: dict[int, bytes] = {}
    entries: dict[bytes, bytes] = {}
    for revocation in revocations:
        moment, reason, serial = revocation.revoked_at, revocation.reason, revocation.serial.octets
        if moment.tzinfo is not UTC or moment.microsecond:
            moment = _whole_seconds_utc(moment)
        shape = moment.toordinal() << 3 | reason
        if (frame := frames.get(shape)) is None:
            frame = frames[shape] = _frame(moment, reason)
        entries[serial] = frame % (
            serial,
            _TWO_DIGITS[moment.hour],
            _TWO_DIGITS[moment.minute],
            _TWO_DIGITS[moment.second],
        )
    return [entries[serial] for serial in sorted(entries)]


def tails_of(entries: Iterable[bytes]) -> dict[bytes, bytes]:
    """What follows the serial of each encoded entry, by the serial's octets: as `crl.read` gives it for a list."""
    return {entry[_SERIAL : _SERIAL + OCTETS]: entry[_SERIAL + OCTETS :] for entry in entries}


def _frame(day: datetime, reason: CrlReason) -> bytes:
    """An entry of that day and reason with places for the serial, the hour, the minute and the second."""
    entry = der.sequence(der.tlv(der.INTEGER, bytes(OCTETS)), der.time(day), _extensions(reason))
    time = _SERIAL + OCTETS
    zulu = entry.index(b"Z", time)
    return entry[:_SERIAL] + b"%b" + entry[time : zulu - 6] + b"%b%b%b" + entry[zulu:]


def _extensions(reason: CrlReason) -> bytes:
    """crlEntryExtensions with the reasonCode, or nothing for *unspecified* (RFC 5280 §5.3.1). Reasons are at most 6:
    removeFromCRL belongs to delta lists and is not in `CrlReason`."""
    if reason is CrlReason.UNSPECIFIED:
        return b""
    code = der.octet_string(der.tlv(der.ENUMERATED, bytes((reason,))))
    return der.sequence(der.sequence(der.oid(oids.CRL_REASON), code))


def _whole_seconds_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None or moment.microsecond:
        raise ValueError("want an aware time in whole seconds")
    return moment.astimezone(UTC)
