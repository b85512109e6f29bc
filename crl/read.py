"""Revocation lists read back, strictly: exactly the shape this authority writes, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from domain import der, oids
from domain.revocation import CrlReason

_V2 = b"\x02\x01\x01"
_EXTENSIONS = (
    (oids.AUTHORITY_KEY_IDENTIFIER, False),
    (oids.CRL_NUMBER, False),
    (oids.ISSUING_DISTRIBUTION_POINT, True),
)

# X.509 Time: UTCTime through 2049 (its years 50 to 99 mean 19xx and are refused), GeneralizedTime from 2050.
_DAY_AND_CLOCK = rb"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\dZ"
_TIME = rb"(?:\x17\x0d[0-4]\d%b|\x18\x0f(?:20[5-9]\d|2[1-9]\d\d|[3-9]\d{3})%b)" % (_DAY_AND_CLOCK, _DAY_AND_CLOCK)
_ONE_TIME = re.compile(_TIME)
_REASON = rb"\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01[\x01-\x06]"
# One entry: its length, its serial (16 octets with the top bits 01), and its tail (the time and perhaps a reason).
_ENTRY = re.compile(rb"\x30(.)\x02\x10([\x40-\x7f].{15})(%b(?:%b)?)" % (_TIME, _REASON), re.DOTALL)
_HEADERS = 4 + 16
_REASONS = tuple(CrlReason)  # by their numbers, which have no gap


@dataclass(frozen=True, slots=True, repr=False)
class RevocationList:
    """What a list says. `algorithm`, `issuer` and `point` (the content of issuingDistributionPoint) are DER.

    `tails` maps the 16 octets of each serial, in the order of the list, to the rest of its entry: `read_tail` reads it.
    """

    algorithm: bytes
    issuer: bytes
    this_update: datetime
    next_update: datetime
    authority_key: bytes
    number: int
    point: bytes
    tails: Mapping[bytes, bytes]


def read_list(octets: bytes) -> RevocationList:
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


def read_tbs(tbs: bytes) -> RevocationList:
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
    authority_key, number, point = _extensions(tbs[start:end])
    return RevocationList(
        algorithm=tbs[algorithm[1] : algorithm[3]],
        issuer=tbs[issuer[1] : issuer[3]],
        this_update=_time(tbs[this_update[1] : this_update[3]]),
        next_update=_time(tbs[next_update[1] : next_update[3]]),
        authority_key=authority_key,
        number=number,
        point=point,
        tails=_tails(tbs[first:last]),
    )


def read_tail(tail: bytes) -> tuple[datetime, CrlReason]:
    """Revocation time and reason of an entry, from its tail in `RevocationList.tails`. Raises DerError for a day that
    does not exist."""
    end = 2 + tail[1]
    return _moment(tail[:end]), _REASONS[tail[-1]] if len(tail) > end else CrlReason.UNSPECIFIED


def _tails(content: bytes) -> dict[bytes, bytes]:
    """The entries by serial. They must tile the content, each with its own length, in strictly rising order."""
    found = _ENTRY.findall(content)
    if any(length[0] != _HEADERS - 2 + len(tail) for length, _, tail in found):
        raise der.DerError("an entry has another length than it says")
    tails = {serial: tail for _, serial, tail in found}
    if _HEADERS * len(found) + sum(map(len, tails.values())) != len(content):
        raise der.DerError("the entries are not all of the shapes this authority writes, each serial once")
    if any(earlier >= later for earlier, later in pairwise(tails)):
        raise der.DerError("the entries are not in the order of their serials")
    return tails


def _time(element: bytes) -> datetime:
    if _ONE_TIME.fullmatch(element) is None:
        raise der.DerError("a time is not in the form that its year asks for")
    return _moment(element)


def _moment(element: bytes) -> datetime:
    """The instant of a Time that has the right form."""
    text = element[2:].decode() if element[0] == der.GENERALIZED_TIME else f"20{element[2:].decode()}"
    try:
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}")
    except ValueError:
        raise der.DerError("a time names a day that does not exist") from None


def _extensions(wrapped: bytes) -> tuple[bytes, int, bytes]:
    """(key identifier, list number, issuingDistributionPoint) from the three extensions, in their order."""
    rows = list(der.elements(wrapped, *der.only(wrapped, der.SEQUENCE)))
    if len(rows) != len(_EXTENSIONS):
        raise der.DerError("a list has three extensions")
    values = []
    for (_, offset, _, stop), (oid, critical) in zip(rows, _EXTENSIONS, strict=True):
        head = der.oid(oid) + (der.boolean(True) if critical else b"")
        start, end = der.only(wrapped[offset:stop], der.SEQUENCE)
        body = wrapped[offset:stop][start:end]
        if not body.startswith(head):
            raise der.DerError("the extensions are not the ones this authority writes, in their order")
        value = body[len(head) :]
        value_start, value_end = der.only(value, der.OCTET_STRING)
        values.append(value[value_start:value_end])
    authority_key, number, point = values
    der.only(point, der.SEQUENCE)
    return _key_identifier(authority_key), der.read_integer(number, *der.only(number, der.INTEGER)), point


def _key_identifier(value: bytes) -> bytes:
    """The key identifier, which is all that our authorityKeyIdentifier holds (RFC 5280 §4.2.1.1)."""
    start, end = der.only(value, der.SEQUENCE)
    key_start, key_end = der.expect(value, 0x80, start, end)
    if key_end != end:
        raise der.DerError("authorityKeyIdentifier holds more than the key")
    return value[key_start:key_end]
