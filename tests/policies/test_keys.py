from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from itertools import combinations
from random import Random

import pytest
from asn1crypto.keys import PublicKeyInfo
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from domain.errors import Code, Refusal
from policies import keys
from policies.keys import SubjectKey, accept_key, has_close_factors, has_small_factor, is_roca, key_identifier
from tests.support.signers import key_bits_of, spki_of, stored_keys

RSA, EC = ("rsa-2048",), ("ec-p384",)


@cache
def good_primes() -> tuple[int, ...]:
    """The primes of all RSA-2048 keys on file."""
    numbers = [key.private_numbers() for key in stored_keys("holders-rsa2048") if isinstance(key, rsa.RSAPrivateKey)]
    return tuple(prime for number in numbers for prime in (number.p, number.q))


def good_moduli() -> list[int]:
    """The products of any two of them: as many sound keys as a test wants, without making one."""
    return [p * q for p, q in combinations(good_primes(), 2) if (p * q).bit_length() == 2048]


def rsa_key(modulus: int, exponent: int | None = 65537, name: str = "rsa-2048") -> SubjectKey:
    return SubjectKey("rsa", name, f"{modulus:x}".encode(), b"", modulus, exponent)


def refused(key: SubjectKey, accepted: tuple[str, ...] = RSA, known_weak: frozenset[bytes] = frozenset()) -> str:
    with pytest.raises(Refusal) as refusal:
        accept_key(key, accepted, known_weak)
    assert refusal.value.code is Code.BAD_KEY
    return refusal.value.detail


def is_prime(number: int) -> bool:
    """Miller-Rabin with fixed bases: enough for numbers nobody chose against it."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19):
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def next_prime(number: int) -> int:
    number |= 1
    while not is_prime(number):
        number += 2
    return number


def roca_prime(random: Random) -> int:
    """A 1024-bit prime as the weak library made them for RSA-2048: k·M + (65537^a mod M), M the first 126 primes."""
    product = 1
    for prime in [2, *(n for n in range(3, 702, 2) if is_prime(n) or n in (3, 5, 7, 11, 13, 17, 19))]:
        product *= prime
    while True:
        top = random.randrange((3 << 1022) // product, (1 << 1024) // product)
        candidate = top * product + pow(65537, random.getrandbits(256), product)
        if candidate.bit_length() == 1024 and is_prime(candidate):
            return candidate


@pytest.mark.parametrize("name", ["holders-rsa2048", "authorities-rsa2048"])
def test_sound_rsa_keys_are_accepted(name: str) -> None:
    for key in stored_keys(name):
        assert isinstance(key, rsa.RSAPrivateKey)
        numbers = key.public_key().public_numbers()
        subject = SubjectKey("rsa", "rsa-2048", spki_of(key), key_bits_of(key), numbers.n, numbers.e)
        accept_key(subject, RSA, frozenset())
        assert subject.digest == hashlib.sha256(spki_of(key)).digest()


def test_no_sound_modulus_is_taken_for_a_weak_one() -> None:
    moduli = good_moduli()
    assert len(moduli) > 200
    assert not any(has_small_factor(modulus) or is_roca(modulus) or has_close_factors(modulus) for modulus in moduli)


def test_an_elliptic_key_is_judged_by_its_name() -> None:
    key = stored_keys("holders-p384")[0]
    subject = SubjectKey("ec", "ec-p384", spki_of(key), key_bits_of(key))
    accept_key(subject, EC, frozenset())
    assert refused(subject, RSA) == "want a key of type rsa-2048, got ec-p384"


def test_a_key_of_another_size_is_refused_by_name_or_by_its_modulus() -> None:
    assert "got rsa-1024" in refused(rsa_key(good_moduli()[0] >> 1024, name="rsa-1024"))
    assert "exactly 2048 bits, got 2047" in refused(rsa_key(good_moduli()[0] >> 1))


@pytest.mark.parametrize("exponent", [None, 1, 3, 65536, 65539])
def test_the_exponent_is_65537_and_no_other(exponent: int | None) -> None:
    assert refused(rsa_key(good_moduli()[0], exponent)) == "the RSA exponent must be 65537"


def test_a_key_without_a_modulus_is_refused() -> None:
    assert "got 0" in refused(replace(rsa_key(good_moduli()[0]), modulus=None))


def test_a_known_weak_key_is_refused_whatever_its_type() -> None:
    modulus = good_moduli()[0]
    assert "known weak" in refused(rsa_key(modulus), known_weak=frozenset({rsa_key(modulus).digest}))
    elliptic = SubjectKey("ec", "ec-p384", b"spki", b"point")
    assert "known weak" in refused(elliptic, EC, frozenset({elliptic.digest}))


@pytest.mark.parametrize("factor", [2, 3, 751])
def test_a_small_factor_is_found(factor: int) -> None:
    largest = (1 << 2048) - 1
    modulus = largest - largest % factor
    assert has_small_factor(modulus)
    assert "prime factor below 752" in refused(rsa_key(modulus))


def test_a_factor_just_above_the_bound_is_not_looked_for() -> None:
    assert not has_small_factor(757 * good_primes()[0])


def test_close_primes_are_found() -> None:
    p = next_prime((3 << 1022) + 0xC0FFEE)
    assert "too close together" in refused(rsa_key(p * next_prime(p + 2)))
    assert "too close together" in refused(rsa_key(p * p))


def test_primes_that_differ_in_their_upper_half_are_not_close() -> None:
    p = next_prime((3 << 1022) + 0xC0FFEE)
    assert not has_close_factors(p * next_prime(p + (1 << 600)))


def test_the_structure_of_roca_is_found() -> None:
    random = Random(2017)
    p, q = roca_prime(random), roca_prime(random)
    assert is_roca(p * q)
    assert "CVE-2017-15361" in refused(rsa_key(p * q))
    # One weak prime is not the structure.
    assert not is_roca(p * good_primes()[0])


def test_the_fingerprint_tells_little_by_chance() -> None:
    chance = 1.0
    for prime, powers in keys._roca_powers():
        chance *= len(powers) / (prime - 1)
    assert chance < 2**-27


def test_key_identifiers_are_those_of_two_other_libraries() -> None:
    for key in (stored_keys("holders-rsa2048")[0], stored_keys("holders-p384")[0]):
        identifier = key_identifier(key_bits_of(key))
        assert identifier == x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest
        assert identifier == PublicKeyInfo.load(spki_of(key), strict=True).sha1


def test_a_key_prints_neither_its_octets_nor_its_modulus() -> None:
    key = rsa_key(good_moduli()[0])
    assert repr(key) == "SubjectKey(type='rsa', name='rsa-2048', exponent=65537)"
