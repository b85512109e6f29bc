"""Octets of certificates taken apart: the fields of a TBSCertificate as slices, and the bits of a public key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from domain import der, oids
from domain.der import DerError

PARSING_FAULTS = (
    ValueError,  # DerError too
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""Whatever the library and our own reader find wrong in octets comes as one of these."""

_FIELD_TAGS = [0xA0, der.INTEGER, *[der.SEQUENCE] * 5, 0xA3]
_TRUE = der.boolean(True)
_COUNTRY, _COMMON_NAME = der.oid(oids.COUNTRY), der.oid(oids.COMMON_NAME)


class TbsFields(NamedTuple):
    """The fields of a version 3 TBSCertificate, each the whole DER element as it stands there.

    `extensions` are whole elements too, in their order; `extension_parts` takes one apart.
    """

    version: bytes
    serial: bytes
    algorithm: bytes
    issuer: bytes
    not_before: bytes
    not_after: bytes
    subject: bytes
    spki: bytes
    extensions: tuple[bytes, ...]


def tbs_fields(tbs: bytes) -> TbsFields:
    """The fields of a TBSCertificate (RFC 5280 §4.1), read strictly; raises DerError for any other shape.

    Extensions are found, and not looked into.
    """
    found = list(der.elements(tbs, *der.only(tbs, der.SEQUENCE)))
    if [tag for tag, *_ in found] != _FIELD_TAGS:
        raise DerError("the fields are not those of a certificate of version 3 with extensions")
    version, serial, algorithm, issuer, validity, subject, spki, wrapped = found
    begin, end = _pair(der.elements(tbs, validity[2], validity[3]))
    start, stop = der.expect(tbs, der.SEQUENCE, wrapped[2], wrapped[3])
    if stop != wrapped[3]:
        raise DerError("there are octets after the extensions")
    return TbsFields(
        version=_whole(tbs, version),
        serial=_whole(tbs, serial),
        algorithm=_whole(tbs, algorithm),
        issuer=_whole(tbs, issuer),
        not_before=_whole(tbs, begin),
        not_after=_whole(tbs, end),
        subject=_whole(tbs, subject),
        spki=_whole(tbs, spki),
        extensions=tuple([tbs[begin:end] for _, begin, _, end in der.elements(tbs, start, stop)]),
    )


_Element = tuple[int, int, int, int]
"""(tag, offset, start of contents, end), as `der.elements` gives them."""


def _whole(octets: bytes, element: _Element) -> bytes:
    return octets[element[1] : element[3]]


def _pair(elements: Iterator[_Element]) -> tuple[_Element, _Element]:
    found = tuple(elements)
    if len(found) != 2:
        raise DerError(f"want two elements, got {len(found)}")
    return found


def extension_parts(element: bytes) -> tuple[bytes, bool, bytes]:
    """(identifier element, whether critical, content of the OCTET STRING) of an Extension (DER). Raises DerError.

    A FALSE `critical` must be absent, as defaults are in DER (X.690 §11.5).
    """
    found = list(der.elements(element, *der.only(element, der.SEQUENCE)))
    tags = [part[0] for part in found]
    critical = tags == [der.OID, der.BOOLEAN, der.OCTET_STRING]
    if not critical and tags != [der.OID, der.OCTET_STRING]:
        raise DerError("an extension has another shape")
    if critical and _whole(element, found[1]) != _TRUE:
        raise DerError("critical is written, but is not TRUE in DER")
    return _whole(element, found[0]), critical, element[found[-1][2] : found[-1][3]]


NameParts = tuple[tuple[bytes, bytes], ...]


@lru_cache(maxsize=64)
def name_parts(name: bytes) -> NameParts:
    """(type element, value octets) of each attribute in a Name (DER).

    Raises DerError unless each stands alone in its set, C as PrintableString and all others as UTF8String, as
    `domain.names.encode_name` writes them.
    """
    # Cached because the names of the issuers come back with every certificate.
    parts = []
    for set_tag, _, set_start, set_end in der.elements(name, *der.only(name, der.SEQUENCE)):
        start, end = der.expect(name, der.SEQUENCE, set_start, set_end)
        kind, value = _pair(der.elements(name, start, end))
        attribute = _whole(name, kind)
        string = der.PRINTABLE_STRING if attribute == _COUNTRY else der.UTF8_STRING
        if set_tag != der.SET or end != set_end or kind[0] != der.OID or value[0] != string:
            raise DerError("an attribute of a name is not one string of the right type in its own set")
        parts.append((attribute, name[value[2] : value[3]]))
    return tuple(parts)


_IDENTIFIER_OCTETS = 23
# SET { SEQUENCE { commonName, UTF8String } }, but for the octets of the identifier.
_IDENTIFIER_HEAD = der.tlv(
    der.SET, der.sequence(der.oid(oids.COMMON_NAME), der.tlv(der.UTF8_STRING, bytes(_IDENTIFIER_OCTETS)))
)[:-_IDENTIFIER_OCTETS]


def place_of(subject: bytes) -> bytes:
    """A subject (DER) without the identifier of its holder: the same octets for all holders of a municipality. A
    subject that does not end with an identifier stays whole."""
    place = subject[:-_IDENTIFIER_OCTETS]
    return place if place.endswith(_IDENTIFIER_HEAD) else subject


def subject_parts(subject: bytes) -> NameParts:
    """`name_parts`, quick for holders: what stands before the identifier comes back with every neighbour."""
    place = place_of(subject)
    if place is subject:
        return name_parts(subject)
    return (*_parts_of_place(place), (_COMMON_NAME, subject[-_IDENTIFIER_OCTETS:]))


@lru_cache(maxsize=4096)
def _parts_of_place(place: bytes) -> NameParts:
    return name_parts(place + bytes(_IDENTIFIER_OCTETS))[:-1]


def tbs_of(certificate: bytes) -> bytes:
    """The TBSCertificate element of a certificate (DER). Raises DerError."""
    start, end = der.only(certificate, der.SEQUENCE)
    _, stop = der.expect(certificate, der.SEQUENCE, start, end)
    return certificate[start:stop]


_DIGITS = re.compile(rb"[0-9]+Z")


@lru_cache(maxsize=1024)
def moment_of(time: bytes) -> datetime:
    """The moment of an X.509 Time (DER) of either type: whole seconds, Z (RFC 5280 §4.1.2.5). Raises ValueError."""
    tag, start, end = der.read(time)
    text = time[start:end]
    if (tag, len(text)) not in ((der.UTC_TIME, 13), (der.GENERALIZED_TIME, 15)) or not _DIGITS.fullmatch(text):
        raise DerError("a time is neither a UTCTime nor a GeneralizedTime as certificates write them")
    year, rest = int(text[:-11]), text[-11:-1]
    if tag == der.UTC_TIME:
        year += 1900 if year >= 50 else 2000
    return datetime(year, *(int(rest[i : i + 2]) for i in range(0, 10, 2)), tzinfo=UTC)  # type: ignore[arg-type,misc]


def key_bits(spki: bytes) -> bytes:
    """Content of the BIT STRING in a SubjectPublicKeyInfo (DER): what key identifiers are made over."""
    start, end = der.only(spki, der.SEQUENCE)
    _, _, algorithm_end = der.read(spki, start, end)
    start, end = der.expect(spki, der.BIT_STRING, algorithm_end, end)
    return spki[start + 1 : end]
