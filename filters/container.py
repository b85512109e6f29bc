"""The file of a filter: DER, signed by the authority whose certificates it is about.

RevocationFilter ::= SEQUENCE { toBeSigned, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
toBeSigned ::= SEQUENCE { version INTEGER (1), signature AlgorithmIdentifier, issuer UTF8String,
    keyIdentifier OCTET STRING, class UTF8String, number INTEGER, base [0] EXPLICIT INTEGER OPTIONAL, covers,
    thisUpdate, nextUpdate GeneralizedTime, salt OCTET STRING, first, second Ribbon }
Ribbon ::= SEQUENCE { length INTEGER, columns SEQUENCE OF OCTET STRING }
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from domain import der
from domain.certificates import IssuerId
from filters.build import SALT_OCTETS, RevocationFilter
from filters.ribbon import Ribbon

_VERSION = 1
_MOST_COLUMNS = 32


@dataclass(frozen=True, slots=True)
class FilterLabel:
    """Whose certificates a filter is about, for which class of verifiers, and when. `base` is None for a filter that
    stands alone, and the number of the one it changes for a delta. Certificates whose validity begins after `covers`
    are not in it; from the second after `next_update` on it must not be used."""

    issuer: IssuerId
    key_identifier: bytes
    verifiers: str
    number: int
    base: int | None
    covers: datetime
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True, repr=False)
class FilterFile:
    """A filter file as read; `tbs`, `algorithm` and `signature` are for whoever verifies it."""

    label: FilterLabel
    filter: RevocationFilter
    tbs: bytes
    algorithm: bytes
    signature: bytes


def encode_filter(label: FilterLabel, found: RevocationFilter, algorithm: bytes) -> bytes:
    """The octets to be signed with that algorithm (DER both)."""
    return der.sequence(
        der.integer(_VERSION),
        algorithm,
        der.tlv(der.UTF8_STRING, label.issuer.encode()),
        der.octet_string(label.key_identifier),
        der.tlv(der.UTF8_STRING, label.verifiers.encode()),
        der.integer(label.number),
        b"" if label.base is None else der.explicit(0, der.integer(label.base)),
        *(der.generalized_time(moment) for moment in (label.covers, label.this_update, label.next_update)),
        der.octet_string(found.salt),
        _ribbon(found.first),
        _ribbon(found.second),
    )


def read_filter(octets: bytes) -> FilterFile:
    """The content of a file. Its signature is not verified. Raises DerError for anything that is no filter file."""
    parts = list(der.elements(octets, *der.only(octets, der.SEQUENCE)))
    if [part[0] for part in parts] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        raise der.DerError("this is no filter file")
    (_, tbs_start, _, tbs_end), (_, algorithm_start, _, algorithm_end), (_, _, bits, end) = parts
    if octets[bits : bits + 1] != b"\x00":
        raise der.DerError("a signature is made of whole octets")
    tbs = octets[tbs_start:tbs_end]
    algorithm = octets[algorithm_start:algorithm_end]
    label, found = _read_tbs(tbs, algorithm)
    return FilterFile(label, found, tbs, algorithm, octets[bits + 1 : end])


def _ribbon(ribbon: Ribbon) -> bytes:
    return der.sequence(der.integer(ribbon.length), der.sequence(*map(der.octet_string, ribbon.columns)))


def _read_tbs(tbs: bytes, algorithm: bytes) -> tuple[FilterLabel, RevocationFilter]:
    fields = [(tag, tbs[start:end]) for tag, _, start, end in der.elements(tbs, *der.only(tbs, der.SEQUENCE))]
    base = None
    if len(fields) == 13 and fields[6][0] == 0xA0:
        wrapped = fields.pop(6)[1]
        base = der.read_integer(wrapped, *der.only(wrapped, der.INTEGER))
    tags = [der.INTEGER, der.SEQUENCE, der.UTF8_STRING, der.OCTET_STRING, der.UTF8_STRING, der.INTEGER]
    tags += [der.GENERALIZED_TIME] * 3 + [der.OCTET_STRING] + [der.SEQUENCE] * 2
    if [tag for tag, _ in fields] != tags:
        raise der.DerError("the fields of the filter are not those of this version")
    version, inside, issuer, key_identifier, verifiers, number, covers, begins, ends, salt, first, second = (
        content for _, content in fields
    )
    if version != bytes((_VERSION,)):
        raise der.DerError("a filter has version 1 here")
    if der.sequence(inside) != algorithm:
        raise der.DerError("the signature algorithms inside and outside differ")
    if len(salt) != SALT_OCTETS:
        raise der.DerError("a salt has another length")
    label = FilterLabel(
        issuer=IssuerId(_text(issuer)),
        key_identifier=key_identifier,
        verifiers=_text(verifiers),
        number=der.read_integer(number, 0, len(number)),
        base=base,
        covers=_time(covers),
        this_update=_time(begins),
        next_update=_time(ends),
    )
    return label, RevocationFilter(salt, _read_ribbon(first), _read_ribbon(second))


def _read_ribbon(content: bytes) -> Ribbon:
    parts = list(der.elements(content, 0, len(content)))
    if [part[0] for part in parts] != [der.INTEGER, der.SEQUENCE]:
        raise der.DerError("a ribbon has a length and columns")
    (_, _, start, end), (_, _, first, last) = parts
    columns: list[bytes] = []
    for tag, _, column_start, column_end in der.elements(content, first, last):
        if tag != der.OCTET_STRING or len(columns) == _MOST_COLUMNS:
            raise der.DerError("columns are octet strings, and few")
        columns.append(content[column_start:column_end])
    try:
        return Ribbon(der.read_integer(content, start, end), tuple(columns))
    except ValueError as error:
        raise der.DerError(str(error)) from None


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise der.DerError("a text is not UTF-8") from None


def _time(content: bytes) -> datetime:
    try:
        return datetime.strptime(content.decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise der.DerError("a time is not in the form that it has here") from None
