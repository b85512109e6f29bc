"""Keys that two systems share: columns of tokens that have more values in common than chance allows."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from domain.chance import by_chance
from scan.places import Place

KEPT = 8192
"""So many of the lowest keyed digests of a column stand for all of them."""

_TRIAL = 500
_SAMPLE = 20_000
_WIDTH = 32
_LEAST_DIFFERENT = 20
_LEAST_COMMON = 3
_LEAST_BITS = 40
"""Columns whose values would be alike by chance more often than once in 2⁴⁰ pairs are no keys: dates, amounts, names,
numbers of telephones."""

_RARELY = 1e-6
_ALL = 2.0**64
_HEX = re.compile(rb"[0-9A-Fa-f]{16,}")
_DIGITS = re.compile(rb"[0-9]{12,}")
_TOKEN = re.compile(rb"[0-9A-Za-z+/_-]{11,}={0,2}")


def canonical(value: bytes) -> bytes | None:
    """A token as octets, alike for hex, UUIDs, base64 and octets as they are; None for what is no token."""
    text = value.strip()
    bare = text.translate(None, b"-:{} ")
    if _DIGITS.fullmatch(bare):
        return bare
    if _HEX.fullmatch(bare) and len(bare) % 2 == 0:
        return bytes.fromhex(bare.decode())
    if _TOKEN.fullmatch(text):
        if re.search(rb"[A-Z]", text) and re.search(rb"[a-z]", text):
            plain = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
            if len(plain) % 4 != 1:
                return base64.b64decode(plain + b"=" * (-len(plain) % 4))
        return text
    if len(value) >= 8 and any(octet < 32 or octet > 126 for octet in value) and not _readable(value):
        return value
    return None


def _readable(value: bytes) -> bool:
    try:
        return value.decode().isprintable()
    except UnicodeDecodeError:
        return False


@dataclass(slots=True, repr=False)
class Sketch:
    """A column, as far as it takes to compare it: never a value of it."""

    key: bytes
    rows: int = 0
    tokens: int = 0
    lowest: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    full: bool = False
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((_WIDTH + 1, 257), np.int64))

    @property
    def hopeless(self) -> bool:
        """Whether this is no column of tokens, so that nothing more needs to be added."""
        return self.rows >= _TRIAL and self.tokens < self.rows * 9 // 10

    def add(self, values: Iterable[bytes]) -> None:
        """Take values of some rows more."""
        digests = []
        for value in values:
            self.rows += 1
            token = canonical(value)
            if token is None:
                if self.hopeless:
                    return
                continue
            self.tokens += 1
            if self.tokens <= _SAMPLE:
                self._count(token)
            digests.append(int.from_bytes(hashlib.blake2b(token, digest_size=8, key=self.key).digest()))
        self._keep(np.array(digests, np.uint64))

    def merge(self, other: Sketch) -> None:
        """Take another sketch of the same column under the same key."""
        self.rows, self.tokens, self.full = self.rows + other.rows, self.tokens + other.tokens, self.full or other.full
        self.counts += other.counts
        self._keep(other.lowest)

    def _keep(self, digests: NDArray[np.uint64]) -> None:
        self.lowest = np.union1d(self.lowest, digests)
        if len(self.lowest) > KEPT:
            self.lowest, self.full = self.lowest[:KEPT], True

    def _count(self, token: bytes) -> None:
        head = np.frombuffer(token[:_WIDTH], np.uint8)
        self.counts[np.arange(len(head)), head] += 1
        self.counts[np.arange(len(head), _WIDTH), 256] += 1
        self.counts[_WIDTH, min(len(token), 256)] += 1

    @property
    def reach(self) -> float:
        """Up to which digest all are kept, as a share of all digests."""
        return float(self.lowest[-1]) / _ALL if self.full else 1.0

    @property
    def different(self) -> int:
        """How many values there are, about."""
        return round(len(self.lowest) / self.reach) if len(self.lowest) else 0

    @property
    def is_key(self) -> bool:
        """Whether it could be a key: tokens, and many of them."""
        return self.tokens >= self.rows * 9 // 10 and self.different >= _LEAST_DIFFERENT


@dataclass(frozen=True, slots=True)
class SharedKey:
    """Two columns of different systems with so many values in `common`, about, where `chance` explains so many."""

    one: Place
    other: Place
    one_different: int
    other_different: int
    common: int
    chance: float


def shared_keys(columns: Sequence[tuple[Place, Sketch]]) -> list[SharedKey]:
    """Columns that two systems can be joined by."""
    found = []
    keys = [(place, sketch) for place, sketch in columns if sketch.is_key]
    for (one, first), (other, second) in combinations(keys, 2):
        if one.system == other.system:
            continue
        reach = min(first.reach, second.reach)
        limit = np.uint64(min(int(reach * _ALL), 2**64 - 1))
        common = len(np.intersect1d(first.lowest[first.lowest <= limit], second.lowest[second.lowest <= limit]))
        if common < _LEAST_COMMON:
            continue
        alike = _alike(first, second)
        chance = first.different * second.different * alike
        if alike <= 2.0**-_LEAST_BITS and not by_chance(common, chance * reach, _RARELY):
            shared = round(common / reach)
            found.append(SharedKey(one, other, first.different, second.different, shared, chance))
    return found


def _alike(one: Sketch, other: Sketch) -> float:
    """How probable it is that a value of either is one of the other, if octets came up as they do and by chance."""
    shares = [sketch.counts / np.maximum(sketch.counts.sum(axis=1, keepdims=True), 1) for sketch in (one, other)]
    return float(np.prod((shares[0] * shares[1]).sum(axis=1)))
