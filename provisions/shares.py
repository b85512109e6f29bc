"""Shares of the key for unlocking: any two of three give the key, and one alone gives nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from domain.errors import Code, Refusal

SHARES = 3
_HEAD = "jpki-unlocking-share"


@dataclass(frozen=True, slots=True)
class Share:
    """One officer's part. `number` is from 1; `octets` are 32."""

    number: int
    octets: bytes = field(repr=False)


def split(private: bytes, random: bytes) -> Iterator[Share]:
    """Shares by Shamir's scheme with two needed, octet by octet in GF(2^8); `random` is the slope.

    With one share every key is as likely as any other: for each there is one slope that fits.
    """
    for number in range(1, SHARES + 1):
        yield Share(number, bytes(key ^ _times(number, slope) for key, slope in zip(private, random, strict=True)))


def join(one: Share, other: Share) -> bytes:
    """The key. Raises Refusal(MALFORMED) for two copies of one share."""
    if one.number == other.number:
        raise Refusal(Code.MALFORMED, "these are two copies of one share; the share of another officer is needed")
    # f(0) of the line through both: slope = (a ^ b) / (m ^ n), and f(0) = a ^ m * slope.
    over = _inverse(one.number ^ other.number)
    return bytes(a ^ _times(one.number, _times(a ^ b, over)) for a, b in zip(one.octets, other.octets, strict=True))


def public_of(private: bytes) -> bytes:
    """The public half (32 octets) of an X25519 key."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def write_share(share: Share) -> str:
    """One line for an officer to keep, with a check that catches slips of the pen."""
    return f"{_HEAD} {share.number} {share.octets.hex()} {_check(share)}\n"


def read_share(text: str) -> Share:
    """Raises Refusal(MALFORMED)."""
    match text.split():
        case [head, number, octets, check] if head == _HEAD and number in ("1", "2", "3"):
            try:
                share = Share(int(number), bytes.fromhex(octets))
            except ValueError:
                share = Share(0, b"")
            if len(share.octets) == 32 and check == _check(share):
                return share
    raise Refusal(Code.MALFORMED, "this is no share of the key for unlocking, or it was copied wrong")


def _check(share: Share) -> str:
    return hashlib.sha256(b"%d" % share.number + share.octets).hexdigest()[:8]


def _times(left: int, right: int) -> int:
    """The product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1."""
    product = 0
    while right:
        product ^= left if right & 1 else 0
        left = left << 1 ^ (0x11B if left & 0x80 else 0)
        right >>= 1
    return product


def _inverse(value: int) -> int:
    return next(other for other in range(1, 256) if _times(value, other) == 1)
