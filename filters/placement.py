"""Where a certificate stands in a filter: numbers drawn from its serial under a key, alike for one and for millions."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from domain.serial import OCTETS

WIDTH = 128
"""Bits of a row of a system of equations: longer rows waste less and take longer."""

CHANCE_OCTETS = 8
"""The first half of a salt is chance; the other half is made of it with the key, so that a key is known to be the right
one: with any other, a filter would say anything."""

_PREFIX = b"jpki revocation filter\x00"

Words = NDArray[np.uint64]


def salt_of(key: bytes, chance: bytes) -> bytes:
    """The salt of a filter that is made with that key, from CHANCE_OCTETS of chance."""
    return chance + hmac.digest(key, _PREFIX + b"salt\x00" + chance, "sha256")[:CHANCE_OCTETS]


def opens(key: bytes, salt: bytes) -> bool:
    """Whether the filter with that salt was made with that key."""
    return hmac.compare_digest(salt, salt_of(key, salt[:CHANCE_OCTETS]))


@dataclass(frozen=True, slots=True, repr=False)
class Places:
    """For each of some certificates: where its row begins, as a fraction of 2³² of the length, and the two words of its
    coefficients, the lower first. The lowest coefficient is 1."""

    fractions: Words
    low: Words
    high: Words

    def __len__(self) -> int:
        return len(self.fractions)

    def __getitem__(self, part: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Places:
        return Places(self.fractions[part], self.low[part], self.high[part])

    def starts(self, length: int) -> NDArray[np.int64]:
        """Where the rows begin among `length` unknowns."""
        return ((self.fractions * np.uint64(length - WIDTH + 1)) >> np.uint64(32)).astype(np.int64)


class Placement:
    """Draws places under a key. A serial is one block of AES, which makes of it what nobody without the key can tell
    from chance, and does so for millions of serials in one call."""

    __slots__ = ("_coefficients", "_fractions")

    def __init__(self, key: bytes, salt: bytes) -> None:
        """`key` belongs to a class of verifiers, `salt` to one filter: no two filters place a certificate alike."""
        self._fractions = _cipher(key, salt, b"fractions")
        self._coefficients = tuple(_cipher(key, salt, name) for name in (b"first", b"second"))

    def places(self, serials: bytes | memoryview) -> tuple[Places, Places]:
        """The places in the first and in the second system, of serials of 16 octets each, side by side."""
        if len(serials) % OCTETS:
            raise ValueError("want serials of 16 octets each")
        halves = _words(self._fractions, serials)
        first, second = (_words(cipher, serials) for cipher in self._coefficients)
        one, shift = np.uint64(1), np.uint64(32)
        return (
            Places(halves[:, 0] >> shift, first[:, 0] | one, first[:, 1]),
            Places(halves[:, 1] >> shift, second[:, 0] | one, second[:, 1]),
        )


def _cipher(key: bytes, salt: bytes, purpose: bytes) -> Cipher[modes.ECB]:
    derived = hmac.new(key, _PREFIX + purpose + b"\x00" + salt, hashlib.sha256).digest()
    return Cipher(algorithms.AES256(derived), modes.ECB())  # noqa: S305 - one block each, and no two serials are equal


def _words(cipher: Cipher[modes.ECB], serials: bytes | memoryview) -> Words:
    return np.frombuffer(cipher.encryptor().update(serials), "<u8").reshape(-1, 2).astype(np.uint64)
