"""Keyed digests of eight octets: what a filter holds instead of serials, and what finds are told apart by."""

from __future__ import annotations

import hashlib
import hmac
from enum import Enum

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from domain.serial import OCTETS

Words = NDArray[np.uint64]

KEY_OCTETS = 32
HALF = OCTETS // 2
"""Octets of which one digest is made. A serial has two halves; of a hash the first eight octets count."""


class Part(Enum):
    """Of what a digest is, each kind under a key of its own."""

    FIRST = "first-half"
    LAST = "last-half"
    HASH = "hash"
    SALTED = "salted-hash"


WIDTHS = {Part.FIRST: 24, Part.LAST: 24, Part.HASH: 32, Part.SALTED: 32}
"""Bits that tables keep of digests: few of halves, so that most of what a guesser finds is wrong."""


class Digester:
    """Digests under one key and one salt: a block of AES each, which nobody without the key can tell from chance."""

    __slots__ = ("_ciphers",)

    def __init__(self, key: bytes, salt: bytes) -> None:
        if len(key) != KEY_OCTETS:
            raise ValueError(f"want a key of {KEY_OCTETS} octets")
        self._ciphers = {part: _cipher(key, salt, part.value) for part in Part}

    def digests(self, part: Part, values: Words) -> Words:
        """Two words in a row for each value: eight octets read as one number, the first octet the highest."""
        blocks = np.zeros((len(values), 2), "<u8")
        blocks[:, 0] = values
        octets = self._ciphers[part].encryptor().update(blocks.data.cast("B")) if len(values) else b""
        return np.frombuffer(octets, "<u8").reshape(-1, 2)


def key_check(key: bytes, salt: bytes) -> str:
    """What tells a wrong key from the right one, and nothing else."""
    return hmac.new(key, b"jpki scan filter key check\x00" + salt, hashlib.sha256).hexdigest()[:16]


def halves(serials: bytes | memoryview) -> tuple[Words, Words]:
    """The first and the last halves of serials of 16 octets each, side by side."""
    both = np.frombuffer(serials, ">u8").reshape(-1, 2).astype(np.uint64)
    return both[:, 0], both[:, 1]


def _cipher(key: bytes, salt: bytes, purpose: str) -> Cipher[modes.ECB]:
    derived = hmac.new(key, b"jpki scan filter\x00" + purpose.encode() + b"\x00" + salt, hashlib.sha256).digest()
    return Cipher(algorithms.AES256(derived), modes.ECB())  # noqa: S305 - one block each: a keyed permutation
