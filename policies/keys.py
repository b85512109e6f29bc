"""Which public keys may be certified: type, size, exponent, and the published ways an RSA modulus can be weak."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Set
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from domain.errors import Code, Refusal

EXPONENT = 65537
"""The only RSA exponent of the service (read-out of cards and CA certificates)."""

SMALLEST_FACTOR = 752
"""No prime below this divides a sound RSA modulus (NIST SP 800-89 §5.3.3, asked for by the CA/Browser Forum too)."""

_RSA_BITS = {"rsa-2048": 2048}
_FERMAT_ROUNDS = 100
_DIVISORS = (16, 9, 5, 7, 11, 13, 17)
_DIVISOR = math.prod(_DIVISORS)


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """A public key somebody wants certified. `name` is the key as profiles call it (`rsa-2048`, `ec-p384`).

    `spki` is the DER SubjectPublicKeyInfo; `public_key` the content of its BIT STRING; `modulus` and `exponent`
    are set exactly for RSA keys.
    """

    type: Literal["rsa", "ec"]
    name: str
    spki: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    modulus: int | None = field(default=None, repr=False)
    exponent: int | None = None
    digest: bytes = field(init=False, repr=False, compare=False)
    """SHA-256 of the SubjectPublicKeyInfo: how keys are compared and remembered."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(self.spki).digest())


def key_identifier(public_key: bytes) -> bytes:
    """20 octets: SHA-1 of the content of the subjectPublicKey BIT STRING (RFC 5280 §4.2.1.2, method 1)."""
    return hashlib.sha1(public_key, usedforsecurity=False).digest()


def accept_key(key: SubjectKey, accepted: Collection[str], known_weak: Set[bytes]) -> None:
    """Return if `key` is of an `accepted` name and not weak. Raises Refusal(BAD_KEY) with the reason.

    `known_weak` holds the digests of published keys. An RSA key is tried for the weaknesses that need no secret:
    prime factors below 752, factors close together, and the ROCA structure (CVE-2017-15361).
    """
    if key.name not in accepted:
        raise _bad_key(f"want a key of type {' or '.join(accepted)}, got {key.name}")
    if key.digest in known_weak:
        raise _bad_key("this key is on the list of known weak keys; make a new one with sound randomness")
    if key.type == "rsa":
        _accept_rsa(key.name, key.modulus or 0, key.exponent)


def _accept_rsa(name: str, modulus: int, exponent: int | None) -> None:
    if exponent != EXPONENT:
        raise _bad_key(f"the RSA exponent must be {EXPONENT}")
    if modulus.bit_length() != _RSA_BITS[name]:
        raise _bad_key(f"the RSA modulus must have exactly {_RSA_BITS[name]} bits, got {modulus.bit_length()}")
    if has_small_factor(modulus):
        raise _bad_key(f"the RSA modulus has a prime factor below {SMALLEST_FACTOR}")
    if is_roca(modulus):
        raise _bad_key("the RSA modulus was made by a library with the ROCA weakness (CVE-2017-15361)")
    if has_close_factors(modulus):
        raise _bad_key("the two primes of the RSA modulus lie too close together")


def _bad_key(detail: str) -> Refusal:
    return Refusal(Code.BAD_KEY, detail)


def has_small_factor(modulus: int) -> bool:
    """Whether a prime below 752 divides `modulus`; an even modulus is such a one (NIST SP 800-89 §5.3.3).

    A bound of 65536 finds a chance prime product no better and costs more than the signature of the certificate.
    """
    return math.gcd(modulus, _primorial()) != 1


def has_close_factors(modulus: int) -> bool:
    """Whether a hundred steps of Fermat's method factor `modulus`: it then is `(a + b)(a - b)` with a small `b`."""
    a = math.isqrt(modulus - 1) + 1
    square = a * a - modulus
    # Step n looks at `(a + n)² - modulus`, and first at its remainders: few of them are those of squares.
    residue, slope = square % _DIVISOR, 2 * a % _DIVISOR
    steps = -1
    for divisor, masks in _square_steps():
        steps &= masks[residue % divisor * divisor + slope % divisor]
    while steps:
        n = (steps & -steps).bit_length() - 1
        candidate = square + n * (2 * a + n)
        if math.isqrt(candidate) ** 2 == candidate:
            return True
        steps &= steps - 1
    return False


@cache
def _square_steps() -> tuple[tuple[int, tuple[int, ...]], ...]:
    """For each divisor, by remainders of square and slope: the steps n (as bits) after which a square's is left."""
    found = []
    for divisor in _DIVISORS:
        squares = {n * n % divisor for n in range(divisor)}
        found.append((divisor, tuple(
            sum(1 << n for n in range(_FERMAT_ROUNDS) if (residue + n * (slope + n)) % divisor in squares)
            for residue in range(divisor)
            for slope in range(divisor)
        )))  # fmt: skip
    return tuple(found)


def is_roca(modulus: int) -> bool:
    """Whether `modulus` is a power of 65537 modulo each prime up to 167.

    The weak library makes primes `k·M + (65537^a mod M)` for M a product of the first primes, so its moduli are powers
    of 65537 modulo M too. A sound modulus passes for one by chance once in more than 2^27.
    Source: Nemec et al., The Return of Coppersmith's Attack, CCS 2017, §4.
    """
    residue = modulus % _roca_product()
    return all(residue % prime in powers for prime, powers in _roca_powers())


@cache
def _primorial() -> int:
    return math.prod(_primes_below(SMALLEST_FACTOR))


@cache
def _roca_powers() -> tuple[tuple[int, frozenset[int]], ...]:
    """For each prime, the residues that powers of 65537 take."""
    return tuple(
        (prime, frozenset(pow(65537, exponent, prime) for exponent in range(prime - 1))) for prime in _primes_below(168)
    )


@cache
def _roca_product() -> int:
    return math.prod(_primes_below(168))


def _primes_below(limit: int) -> list[int]:
    sieve = bytearray([1]) * limit
    sieve[:2] = b"\0\0"
    for number in range(2, math.isqrt(limit) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return [number for number in range(limit) if sieve[number]]
