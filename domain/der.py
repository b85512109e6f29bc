"""DER: write the few shapes this authority writes, read strictly (definite, shortest, nothing trailing).

Source: X.690 §§8, 10, 11. Checked in tests against asn1crypto and cryptography.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, ENUMERATED = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A
UTF8_STRING, PRINTABLE_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x13, 0x16, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31


Octets = bytes | memoryview
"""What can be read: lists of millions of entries are looked at where they lie."""


class DerError(ValueError):
    """The octets are not the DER they should be."""


def tlv(tag: int, *contents: bytes) -> bytes:
    """Tag, shortest definite length, contents joined. `tag` is one identifier octet."""
    body = b"".join(contents) if len(contents) != 1 else contents[0]
    length = len(body)
    return (bytes((tag, length)) if length < 0x80 else header(tag, length)) + body


def header(tag: int, length: int) -> bytes:
    """Tag and length octets for contents of `length` octets."""
    if length < 0x80:
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(octets))) + octets


def sequence(*contents: bytes) -> bytes:
    """A SEQUENCE of elements that are encoded already."""
    return tlv(SEQUENCE, *contents)


def integer(value: int) -> bytes:
    """An INTEGER of the fewest octets, with its sign (X.690 §8.3)."""
    return tlv(INTEGER, value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, signed=True))


def boolean(value: bool) -> bytes:
    """A BOOLEAN; TRUE is FF (X.690 §11.1)."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


def octet_string(octets: bytes) -> bytes:
    """An OCTET STRING."""
    return tlv(OCTET_STRING, octets)


def bit_string(octets: bytes) -> bytes:
    """A BIT STRING of whole octets."""
    return tlv(BIT_STRING, b"\x00", octets)


def explicit(number: int, *contents: bytes) -> bytes:
    """[number] EXPLICIT, and [number] IMPLICIT of a constructed type when given that type's contents."""
    return tlv(0xA0 | number, *contents)


def implicit(number: int, content: bytes) -> bytes:
    """[number] IMPLICIT of a primitive type."""
    return tlv(0x80 | number, content)


@lru_cache(maxsize=1024)
def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER from its dotted form. Cached: the same few come back in every certificate."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    return tlv(OID, b"".join(_base128(arc) for arc in (first * 40 + second, *rest)))


def _base128(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(arc & 0x7F | 0x80)
    return bytes(reversed(octets))


def generalized_time(moment: datetime) -> bytes:
    """GeneralizedTime in UTC, whole seconds. OCSP and InvalidityDate use it always (RFC 6960 §4.2.2.1)."""
    return tlv(GENERALIZED_TIME, f"{_utc(moment):%Y%m%d%H%M%SZ}".encode())


@lru_cache(maxsize=4096)
def time(moment: datetime) -> bytes:
    """X.509 Time: UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5). Certificates and CRLs only."""
    utc = _utc(moment)
    return tlv(UTC_TIME, f"{utc:%y%m%d%H%M%SZ}".encode()) if utc.year < 2050 else generalized_time(utc)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None or moment.microsecond:
        raise ValueError("want an aware time in whole seconds")
    return moment.astimezone(UTC)


def read(octets: Octets, offset: int = 0, end: int | None = None) -> tuple[int, int, int]:
    """(tag, start of contents, end of contents) of the element at `offset`. Raises DerError."""
    limit = len(octets) if end is None else end
    if offset + 2 > limit:
        raise DerError("the octets end too early")
    tag, length, start = octets[offset], octets[offset + 1], offset + 2
    if tag & 0x1F == 0x1F:
        raise DerError("long tags are not used here")
    if length >= 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise DerError("indefinite or absurd length")
        if start + count > limit:
            raise DerError("the octets end too early")
        length = int.from_bytes(octets[start : start + count])
        start += count
        if length < 0x80 or length >> 8 * (count - 1) == 0:
            raise DerError("a length is not in its shortest form")
    if start + length > limit:
        raise DerError("the octets end too early")
    return tag, start, start + length


def expect(octets: Octets, tag: int, offset: int = 0, end: int | None = None) -> tuple[int, int]:
    """(start, end) of the contents of the element at `offset`, which must have `tag`."""
    found, start, stop = read(octets, offset, end)
    if found != tag:
        raise DerError(f"want tag {tag:#04x}, got {found:#04x}")
    return start, stop


def only(octets: Octets, tag: int) -> tuple[int, int]:
    """(start, end) of the contents of the one element that `octets` is, with nothing trailing."""
    start, stop = expect(octets, tag)
    if stop != len(octets):
        raise DerError("there are octets after the end")
    return start, stop


def elements(octets: Octets, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """(tag, offset, start, end) of each element between `start` and `end`."""
    while start < end:
        tag, content, stop = read(octets, start, end)
        yield tag, start, content, stop
        start = stop


def read_integer(octets: Octets, start: int, end: int) -> int:
    """The INTEGER whose contents lie there; refuses padding."""
    content = octets[start:end]
    if not content:
        raise DerError("an INTEGER has no octets")
    if len(content) > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1)):
        raise DerError("an INTEGER is not in its shortest form")
    return int.from_bytes(content, signed=True)
