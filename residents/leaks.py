"""Leaks of resident codes: ways in which one could stand in octets, and a search for known ones in all of them.

Nothing here has a key. What is searched for are codes that are known from elsewhere.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from domain.chance import by_chance

DIGITS = 11
_SPACE = 10**DIGITS
_FULL_WIDTH = re.compile(rb"\xef\xbc[\x90-\x99](?:\xef\xbc[\x90-\x99]){10,}")
_HEX = re.compile("(?:3[0-9]){11,}")
_EMPTY = bytes(24)
_LONG_EMPTY = re.compile(rb"\x00{24,}")
_BIG_ENDIAN = re.compile(rb"\x00(?=([\x00-\x17].{4}))", re.DOTALL)


def _marks(*octets: range) -> bytes:
    """A table that turns these octets into M, NUL (if it is none of them) into Z, and all others into a dot."""
    marked = {octet for each in octets for octet in each}
    return bytes(ord("M") if octet in marked else ord("Z") if octet == 0 else ord(".") for octet in range(256))


_DIGIT = _marks(range(0x30, 0x3A))
_BASE_64 = _marks(range(0x30, 0x3A), range(0x41, 0x5B), range(0x61, 0x7B), *(range(o, o + 1) for o in b"+/-_"))
_PACKED_DIGITS = _marks(*(range(high * 16, high * 16 + 10) for high in range(10)))


def _spans(octets: bytes, table: bytes, unit: bytes, least: int) -> Iterator[tuple[int, int]]:
    """Where what the table marks comes in runs of `unit`, at least that often; much quicker than a pattern."""
    marked = octets.translate(table)
    needle, step = unit * least, len(unit)
    begin = marked.find(needle)
    while begin >= 0:
        end = begin + len(needle)
        while marked.startswith(unit, end):
            end += step
        yield begin, end
        begin = marked.find(needle, end)


def _digits(octets: bytes) -> Iterator[str]:
    for begin, end in _spans(octets, _DIGIT, b"M", DIGITS):
        yield octets[begin:end].decode("ascii")


def _hex(octets: bytes) -> Iterator[str]:
    """The hex of a digit is two digits."""
    for begin, end in _spans(octets, _DIGIT, b"M", 2 * DIGITS):
        for run in _HEX.findall(octets[begin:end].decode("ascii")):
            yield run[1::2]


def _utf_16(unit: bytes, at: int) -> Callable[[bytes], Iterator[str]]:
    def read(octets: bytes) -> Iterator[str]:
        for begin, end in _spans(octets, _DIGIT, unit, DIGITS):
            yield octets[begin + at : end : 2].decode("ascii")

    return read


def _full_width(octets: bytes) -> Iterator[str]:
    for run in _FULL_WIDTH.findall(octets):
        yield "".join(chr(ord(character) - 0xFEE0) for character in run.decode())


def _base_64(octets: bytes) -> Iterator[str]:
    for begin, end in _spans(octets, _BASE_64, b"M", 15):
        token = octets[begin:end].replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):
            part = token[start : start + (len(token) - start) // 4 * 4]
            yield from _digits(base64.b64decode(part))


def _packed(octets: bytes) -> Iterator[str]:
    """Two digits in an octet; the odd one in the half before or behind."""
    for begin, end in _spans(octets, _PACKED_DIGITS, b"M", 5):
        if octets.count(0, begin, end) < end - begin:
            yield from re.findall("[0-9]{11,}", octets[max(begin - 1, 0) : end + 1].hex())


def _big_endian(octets: bytes) -> Iterator[str]:
    for found in _BIG_ENDIAN.findall(octets):
        if any(found):
            yield f"{int.from_bytes(found):011d}"


def _little_endian(octets: bytes) -> Iterator[str]:
    at = octets.find(0, 5)
    while at >= 0:
        if octets[at - 1] <= 0x17 and (number := int.from_bytes(octets[at - 5 : at], "little")):
            yield f"{number:011d}"
        at = octets.find(0, at + 1)


ENCODINGS: dict[str, Callable[[bytes], Iterator[str]]] = {
    "decimal digits": _digits,
    "full-width digits": _full_width,
    "UTF-16, low octet first": _utf_16(b"MZ", 0),
    "UTF-16, high octet first": _utf_16(b"ZM", 1),
    "hex of the digits": _hex,
    "base64 of the digits": _base_64,
    "packed, two digits an octet": _packed,
    "integer, high octet first": _big_endian,
    "integer, low octet first": _little_endian,
}
"""How a code could be written, and the runs of digits that are written so in some octets."""


@dataclass
class Search:
    """A search for `known` codes. `tried` counts what could have been one, `found` what was, by encoding and place."""

    known: Collection[str]
    tried: Counter[str] = field(default_factory=Counter)
    found: Counter[tuple[str, str]] = field(default_factory=Counter)

    def look(self, octets: bytes, place: str) -> None:
        """Look for codes in these octets, written in any way."""
        if _EMPTY in octets:
            octets = _LONG_EMPTY.sub(bytes(12), octets)  # unused pages; enough is left to be part of a number
        for encoding, runs in ENCODINGS.items():
            for run in runs(octets):
                for start in range(len(run) - DIGITS + 1):
                    window = run[start : start + DIGITS]
                    self.tried[encoding] += 1
                    if window in self.known or window[::-1] in self.known:
                        self.found[encoding, place] += 1

    def look_at_number(self, number: int, place: str) -> None:
        """A number as the database keeps it."""
        if 0 <= number < _SPACE:
            self.tried["number"] += 1
            if f"{number:011d}" in self.known:
                self.found["number", place] += 1

    def expected(self, encoding: str) -> float:
        """How many of what was tried would be one of the known codes by chance, in both directions."""
        return float(2 * self.tried[encoding] * len(self.known) / _SPACE)

    def suspicious(self) -> list[tuple[str, str, int]]:
        """(encoding, place, how often), where it is more than chance."""
        by_encoding = Counter[str]()
        for (encoding, _), count in self.found.items():
            by_encoding[encoding] += count
        odd = {encoding for encoding, count in by_encoding.items() if not by_chance(count, self.expected(encoding))}
        return [(encoding, place, n) for (encoding, place), n in sorted(self.found.items()) if encoding in odd]


def written(code: str) -> dict[str, bytes]:
    """The code in every encoding that is searched for: what a search must find."""
    packed = bytes.fromhex(f"0{code}")
    return {
        "decimal digits": code.encode(),
        "full-width digits": "".join(chr(ord(digit) + 0xFEE0) for digit in code).encode(),
        "UTF-16, low octet first": code.encode("utf-16-le"),
        "UTF-16, high octet first": code.encode("utf-16-be"),
        "hex of the digits": code.encode().hex().encode(),
        "base64 of the digits": base64.b64encode(b"x" + code.encode()),
        "packed, two digits an octet": b"\xff" + packed + b"\xff",
        "integer, high octet first": int(code).to_bytes(8),
        "integer, low octet first": int(code).to_bytes(8, "little"),
    }


def controls(code: str) -> dict[str, bool]:
    """Whether the search finds a code that was planted among other octets, for every encoding."""
    around = bytes(range(128, 256))
    outcomes = {}
    for encoding, octets in written(code).items():
        search = Search({code})
        search.look(around + octets + around, "control")
        outcomes[encoding] = search.found[encoding, "control"] == 1
    return outcomes


def chunks(octets: Iterable[bytes], overlap: int = 64) -> Iterator[bytes]:
    """Octets that come in pieces, each with the end of the one before, so that nothing is missed in between."""
    tail = b""
    for piece in octets:
        yield tail + piece
        tail = piece[-overlap:]
