"""PKCS#10 requests over fresh RSA-2048 keys, by the thousand, made in a process of their own."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

_EXPONENT = 65537
_BATCH = 100
_AHEAD = 4
"""Batches that are made before anybody asks."""

_primes: list[int] = []


class RequestMill:
    """As many requests (DER) as are asked for, each over another key.

    Any two keys may share a prime, which makes them worthless outside a demonstration, and a hundred times quicker to
    make than sound ones. Everything that is signed is signed for real.
    """

    def __init__(self) -> None:
        self._process = ProcessPoolExecutor(1, get_context("spawn"))
        self._coming: deque[Future[list[bytes]]] = deque()
        self._asked = 0
        self._made: Iterator[tuple[int, bytes]] = iter(())

    def __next__(self) -> tuple[int, bytes]:
        """The number of a key, and the request over it."""
        for made in self._made:
            return made
        while len(self._coming) < _AHEAD:
            self._coming.append(self._process.submit(make_requests, self._asked, _BATCH))
            self._asked += _BATCH
        first = self._asked - _BATCH * len(self._coming)
        self._made = enumerate(self._coming.popleft().result(), start=first)
        return next(self)

    def sign(self, number: int, content: bytes) -> bytes:
        """The signature of the key with that number, which only the other process has."""
        return self._process.submit(sign, number, content).result()

    def close(self) -> None:
        self._process.shutdown(cancel_futures=True)


def make_requests(first: int, count: int) -> list[bytes]:
    """The requests with these numbers; the same process makes another key for each number."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return [
        builder.sign(_key(number), hashes.SHA256()).public_bytes(Encoding.DER) for number in range(first, first + count)
    ]


def sign(number: int, content: bytes) -> bytes:
    """By SHA-256 and PKCS #1 v1.5, as today's card signs."""
    return _key(number).sign(content, padding.PKCS1v15(), hashes.SHA256())


def _key(number: int) -> rsa.RSAPrivateKey:
    """Number n stands for the pair of primes in row r and column n - r(r-1)/2 of a triangle."""
    row = (1 + math.isqrt(1 + 8 * number)) // 2
    while len(_primes) <= row:
        numbers = rsa.generate_private_key(_EXPONENT, 2048).private_numbers()
        _primes.extend((numbers.p, numbers.q))
    p, q = _primes[row], _primes[number - row * (row - 1) // 2]
    d = rsa.rsa_recover_private_exponent(_EXPONENT, p, q)
    parts = (p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    return rsa.RSAPrivateNumbers(*parts, public).private_key(unsafe_skip_rsa_key_validation=True)
