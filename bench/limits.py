"""Limits: what the machine gives at most, whatever the program around it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from bench.figures import Slice, repeat

P256 = "P-256 signatures"
RSA = "RSA-2048 signatures"
DISK = "durable writes"

_CHUNK = 50


def p256(seconds: float) -> Slice:
    """ECDSA with SHA-256 as the library makes it quickest: the nonce by chance and not by RFC 6979."""
    key, ecdsa, message = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256()), bytes(200)

    def step() -> int:
        for _ in range(_CHUNK):
            key.sign(message, ecdsa)
        return _CHUNK

    return repeat(step, seconds)


def rsa2048(seconds: float) -> Slice:
    """PKCS#1 v1.5 with SHA-256 over as many octets as a certificate has."""
    key, pkcs1, sha256 = rsa.generate_private_key(65537, 2048), padding.PKCS1v15(), hashes.SHA256()
    message = bytes(1500)

    def step() -> int:
        for _ in range(_CHUNK):
            key.sign(message, pkcs1, sha256)
        return _CHUNK

    return repeat(step, seconds)


def durable_writes(folder: Path, seconds: float) -> Slice:
    """Writes of 32 KiB over a file that is there already, each followed by fdatasync: what a commit waits for."""
    octets = os.urandom(32 * 1024)
    path = folder / "durable"
    path.write_bytes(octets)

    def step() -> int:
        with path.open("r+b", buffering=0) as file:
            for _ in range(10):
                file.seek(0)
                file.write(octets)
                os.fdatasync(file.fileno())
        return 10

    return repeat(step, seconds)


def sha256(octets: bytes, items: int, seconds: float) -> Slice:
    """Hashing of `octets`, which hold `items` items: no signature over them can be quicker."""

    def step() -> int:
        hashlib.sha256(octets).digest()
        return items

    return repeat(step, seconds)
