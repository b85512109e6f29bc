"""Revocation lists read back, strictly: exactly the shape this authority writes, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from crl.entry_reader import read_entries
from crl.rows import Rows
from domain import der, oids
from domain.revocation import CrlReason

_V2 = b"\x02\x01\x01"
_EXTENSIONS = (
    (oids.AUTHORITY_KEY_IDENTIFIER, False),
    (oids.CRL_NUMBER, False),
    (oids.ISSUING_DISTRIBUTION_POINT, True),
    (oids.FRESHEST_CRL, False),
)
# X.509 Time: UTCTime through 2049 (its years 50 to 99 mean 19xx and are refused), GeneralizedTime from 2050.
_DAY_AND_CLOCK = rb"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\dZ"
_TIME = re.compile(
    rb"(?:\x17\x0d[0-4]\d%b|\x18\x0f(?:20[5-9]\d|2[1-9]\d\d|[3-9]\d{3})%b)" % (_DAY_AND_CLOCK, _DAY_AND_CLOCK)
)


@dataclass(frozen=True, slots=True, repr=False)
class RevocationList:
    """What a list says. `algorithm`, `issuer` and `point` (the content of issuingDistributionPoint) are DER, and so is
    `freshest`, where a delta list lies; `entries`
    are the octets within revokedCertificates, which only `rows` and `find` look at."""

    algorithm: bytes
    issuer: bytes
    this_update: datetime
    next_update: datetime
    authority_key: bytes
    number: int
    point: bytes
    entries: bytes | memoryview
    freshest: bytes = b""

    def rows(self) -> Iterator[Rows]:
        """The entries, some at a time. Raises DerError where they are not what this authority writes."""
        return read_entries(self.entries)

    def find(self, serial: bytes) -> tuple[datetime, CrlReason] | None:
        """Time and reason of the entry with these 16 octets, if there is one. Raises as `rows` does."""
        for rows in self.rows():
            place = int(np.searchsorted(rows.serials, serial))
            if place < len(rows) and rows.serials[place] == serial.rstrip(b"\x00"):
                return datetime.fromtimestamp(int(rows.seconds[place]), UTC), CrlReason(int(rows.reasons[place]))
        return None


def read_list(octets: bytes | memoryview) -> RevocationList:
    """A CertificateList. Its signature is not verified. Raises DerError for anything this authority does not write."""
    start, end = der.only(octets, der.SEQUENCE)
    _, _, tbs_end = der.read(octets, start, end)
    found = read_tbs(octets[start:tbs_end])
    _, _, algorithm_end = der.read(octets, tbs_end, end)
    if octets[tbs_end:algorithm_end] != found.algorithm:
        raise der.DerError("the signature algorithms inside and outside differ")
    if der.expect(octets, der.BIT_STRING, algorithm_end, end)[1] != end:
        raise der.DerError("there is something after the signature")
    return found


def read_tbs(tbs: bytes | memoryview) -> RevocationList:
    """A TBSCertList (RFC 5280 §5.1.2). Raises DerError for anything this authority does not write."""
    parts = list(der.elements(tbs, *der.only(tbs, der.SEQUENCE)))
    if len(parts) == 6:  # no revokedCertificates
        parts.insert(5, (der.SEQUENCE, 0, 0, 0))
    if len(parts) != 7:
        raise der.DerError("a list has six fields, or seven with entries")
    version, algorithm, issuer, this_update, next_update, (entries_tag, _, first, last), (tag, _, start, end) = parts
    if tbs[version[1] : version[3]] != _V2:
        raise der.DerError("a list has version 2")
    if (algorithm[0], issuer[0], entries_tag, tag) != (der.SEQUENCE, der.SEQUENCE, der.SEQUENCE, 0xA0):
        raise der.DerError("the fields of the list are not the ones this authority writes")
    if last and first == last:
        raise der.DerError("a list without entries has no revokedCertificates")
    authority_key, number, point, freshest = _extensions(bytes(tbs[start:end]))
    return RevocationList(
        algorithm=bytes(tbs[algorithm[1] : algorithm[3]]),
        issuer=bytes(tbs[issuer[1] : issuer[3]]),
        this_update=_time(bytes(tbs[this_update[1] : this_update[3]])),
        next_update=_time(bytes(tbs[next_update[1] : next_update[3]])),
        authority_key=authority_key,
        number=number,
        point=point,
        entries=tbs[first:last],
        freshest=freshest,
    )


def _time(element: bytes) -> datetime:
    """The instant of a Time. Raises DerError for one in another form, or of a day that does not exist."""
    if _TIME.fullmatch(element) is None:
        raise der.DerError("a time is not in the form that its year asks for")
    text = element[2:].decode() if element[0] == der.GENERALIZED_TIME else f"20{element[2:].decode()}"
    try:
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}")
    except ValueError:
        raise der.DerError("a time names a day that does not exist") from None


def _extensions(wrapped: bytes) -> tuple[bytes, int, bytes, bytes]:
    """(key identifier, list number, issuingDistributionPoint, freshestCRL or nothing) from the extensions, in their
    order."""
    rows = list(der.elements(wrapped, *der.only(wrapped, der.SEQUENCE)))
    if len(rows) not in (len(_EXTENSIONS), len(_EXTENSIONS) - 1):
        raise der.DerError("a list has three extensions, or four where it has a delta list")
    values = []
    for (_, offset, _, stop), (oid, critical) in zip(rows, _EXTENSIONS, strict=False):
        head = der.oid(oid) + (der.boolean(True) if critical else b"")
        start, end = der.only(wrapped[offset:stop], der.SEQUENCE)
        body = wrapped[offset:stop][start:end]
        if not body.startswith(head):
            raise der.DerError("the extensions are not the ones this authority writes, in their order")
        value = body[len(head) :]
        value_start, value_end = der.only(value, der.OCTET_STRING)
        values.append(value[value_start:value_end])
    authority_key, number, point, freshest = (*values, b"")[:4]
    der.only(point, der.SEQUENCE)
    return _key_identifier(authority_key), der.read_integer(number, *der.only(number, der.INTEGER)), point, freshest


def _key_identifier(value: bytes) -> bytes:
    """The key identifier, which is all that our authorityKeyIdentifier holds (RFC 5280 §4.2.1.1)."""
    start, end = der.only(value, der.SEQUENCE)
    key_start, key_end = der.expect(value, 0x80, start, end)
    if key_end != end:
        raise der.DerError("authorityKeyIdentifier holds more than the key")
    return value[key_start:key_end]
