"""Octets of certificates taken apart: the fields of a TBSCertificate as slices, and the bits of a public key."""

from __future__ import annotations

from collections.abc import Iterator
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
_COUNTRY = der.oid(oids.COUNTRY)


class TbsFields(NamedTuple):
    """The fields of a version 3 TBSCertificate, each the whole DER element as it stands there.

    `extensions` are (identifier element, whether critical, content of the OCTET STRING), in their order.
    """

    version: bytes
    serial: bytes
    algorithm: bytes
    issuer: bytes
    not_before: bytes
    not_after: bytes
    subject: bytes
    spki: bytes
    extensions: tuple[tuple[bytes, bool, bytes], ...]


def tbs_fields(tbs: bytes) -> TbsFields:
    """The fields of a TBSCertificate (RFC 5280 §4.1), read strictly; raises DerError for any other shape.

    A FALSE `critical` must be absent, as defaults are in DER (X.690 §11.5).
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
        extensions=tuple(_extension(tbs, element) for element in der.elements(tbs, start, stop)),
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


def _extension(tbs: bytes, element: _Element) -> tuple[bytes, bool, bytes]:
    tag, _, start, end = element
    found = list(der.elements(tbs, start, end))
    tags = [tag, *(part[0] for part in found)]
    critical = tags == [der.SEQUENCE, der.OID, der.BOOLEAN, der.OCTET_STRING]
    if not critical and tags != [der.SEQUENCE, der.OID, der.OCTET_STRING]:
        raise DerError("an extension has another shape")
    if critical and _whole(tbs, found[1]) != _TRUE:
        raise DerError("critical is written, but is not TRUE in DER")
    return _whole(tbs, found[0]), critical, tbs[found[-1][2] : found[-1][3]]


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


def tbs_of(certificate: bytes) -> bytes:
    """The TBSCertificate element of a certificate (DER). Raises DerError."""
    start, end = der.only(certificate, der.SEQUENCE)
    _, stop = der.expect(certificate, der.SEQUENCE, start, end)
    return certificate[start:stop]


def key_bits(spki: bytes) -> bytes:
    """Content of the BIT STRING in a SubjectPublicKeyInfo (DER): what key identifiers are made over."""
    start, end = der.only(spki, der.SEQUENCE)
    _, _, algorithm_end = der.read(spki, start, end)
    start, end = der.expect(spki, der.BIT_STRING, algorithm_end, end)
    return spki[start + 1 : end]
