"""Guessing without a key: hashes that anybody can make of a code, keys that lie around, and what chance looks like."""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from base64 import b64decode
from binascii import Error
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from residents.sealing import INDEX_LABEL

HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512_256", "sha3_256", "blake2b", "blake2s")
"""Of those that this machine's OpenSSL has."""

FORMS: dict[str, Callable[[str], bytes]] = {
    "digits": lambda code: code.encode(),
    "digits and line end": lambda code: f"{code}\n".encode(),
    "ten digits": lambda code: code[:10].encode(),
    "UTF-16": lambda code: code.encode("utf-16-le"),
    "integer of 8 octets": lambda code: int(code).to_bytes(8),
    "integer of 5 octets": lambda code: int(code).to_bytes(5),
    "with the label of our index": lambda code: INDEX_LABEL + code.encode(),
}
"""What could be hashed."""

_WEAK = (
    b"",
    b"\x00" * 32,
    b"\xff" * 32,
    b"key",
    b"secret",
    b"password",
    b"jpki",
    b"changeit",
    b"resident",
    INDEX_LABEL,
)
_HEX = re.compile(rb"[0-9A-Fa-f]{32,}")
_BASE_64 = re.compile(rb"[A-Za-z0-9+/]{22,}={0,2}")
PREFIX = 16
"""Octets of a hash that are compared, so that shortened ones are found too."""


def unkeyed(code: str) -> Iterator[tuple[str, bytes]]:
    """(what was done, the first octets) of every hash of every form of a code."""
    for form, octets in ((name, make(code)) for name, make in FORMS.items()):
        for name in HASHES:
            if name in hashlib.algorithms_available:
                yield f"{name} of {form}", hashlib.new(name, octets, usedforsecurity=False).digest()[:PREFIX]


def tokens(octets: bytes) -> Iterator[bytes]:
    """What could be a hash or a key in a value: all of it, and what is written in it as hex or base64."""
    if PREFIX <= len(octets) <= 64:
        yield octets
    for token in _HEX.findall(octets):
        yield bytes.fromhex(token[: len(token) // 2 * 2].decode())
    for token in _BASE_64.findall(octets):
        try:
            yield b64decode(token[: len(token) // 4 * 4])
        except Error:
            continue


@dataclass(frozen=True, slots=True)
class Guess:
    """What was tried on the index, how often, and how often it was right."""

    what: str
    tried: int
    right: int


def guess_keys(codes: Sequence[str], indexes: frozenset[bytes], found: Iterable[bytes]) -> Guess:
    """Try our own construction with weak keys, and with everything of a key's size that the database itself holds."""
    keys = {*_WEAK, *(hashlib.sha256(weak).digest() for weak in _WEAK), *found}
    right = tried = 0
    for key in keys:
        for code in codes:
            tried += 1
            right += hmac.digest(key, INDEX_LABEL + code.encode(), "sha256") in indexes
    return Guess(f"our HMAC under {len(keys)} keys that are weak or lie in the copy", tried, right)


def guess_salts(codes: Sequence[str], indexes: frozenset[bytes], rows: int) -> Guess:
    """Try hashes that are salted with the row's number."""
    right = tried = 0
    for row in range(1, rows + 1):
        for code in codes:
            for octets in (f"{row}{code}", f"{code}{row}", f"{row}:{code}"):
                tried += 1
                right += hashlib.sha256(octets.encode()).digest() in indexes
    return Guess("sha256 salted with the number of the row", tried, right)


@dataclass(frozen=True, slots=True)
class Shape:
    """What values look like together: how many, how many different, their lengths, and how far their octets are from
    chance: `spread` is 0 for as even as expected, in standard deviations of a chi-square of 255 degrees of freedom;
    `shrinks` the part that a packer can save."""

    count: int
    different: int
    lengths: tuple[int, ...]
    spread: float
    shrinks: float

    def faults(self, what: str) -> list[str]:
        """Sentences on what is not like chance."""
        found = []
        if self.different != self.count:
            found.append(f"{self.count - self.different} of {what} stand more than once")
        if len(self.lengths) > 1:
            found.append(f"{what} have different lengths")
        if self.spread > 6:
            found.append(f"octets of {what} are uneven")
        if self.shrinks > 0.01:
            found.append(f"{what} can be packed")
        return found


def shape_of(values: Sequence[bytes], skip: int = 0) -> Shape:
    """The shape of values, of which the first `skip` octets say what they are."""
    octets = b"".join(value[skip:] for value in values)
    even = len(octets) / 256
    counts = Counter(octets)
    square = sum((counts[octet] - even) ** 2 / even for octet in range(256)) if octets else 0.0
    packed = len(zlib.compress(octets, 9)) / len(octets) if octets else 1.0
    return Shape(
        len(values),
        len(set(values)),
        tuple(sorted({len(value) for value in values})),
        max(0.0, (square - 255) / 510**0.5) if len(octets) >= 10_000 else 0.0,
        max(0.0, 1 - packed),
    )


def order_told(codes: Sequence[str]) -> float:
    """How far the order of rows tells the order of codes, from 0 (nothing) to 1 (all of it): Spearman's rank
    correlation, without its sign."""
    count = len(codes)
    if count < 2:
        return 0.0
    ranks = {code: rank for rank, code in enumerate(sorted(codes))}
    distance = sum((ranks[code] - place) ** 2 for place, code in enumerate(codes))
    return float(abs(1 - 6 * distance / (count * (count**2 - 1))))


def order_by_chance(count: int) -> float:
    """What `order_told` stays below for rows in no order, but for one case of some ten thousand."""
    return float(4 / max(count - 1, 1) ** 0.5)
