"""Signers for tests: keys on file, deterministic signatures, and signers that fail."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from domain import der, oids
from domain.errors import Code, Refusal

KEYS = Path(__file__).with_name("keys")

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


@cache
def stored_keys(name: str) -> tuple[PrivateKey, ...]:
    """The private keys of one file of `tests/support/keys/`, in order."""
    blocks = re.findall(rb"-----BEGIN.*?-----END[^\n]*\n", (KEYS / f"{name}.pem").read_bytes(), re.DOTALL)
    keys = [serialization.load_pem_private_key(block, None, unsafe_skip_rsa_key_validation=True) for block in blocks]
    for key in keys:
        assert isinstance(key, PrivateKey)
    return tuple(key for key in keys if isinstance(key, PrivateKey))


def spki_of(key: PrivateKey | PublicKey) -> bytes:
    """SubjectPublicKeyInfo (DER) of a key."""
    public = key if isinstance(key, PublicKey) else key.public_key()
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_bits_of(key: PrivateKey | PublicKey) -> bytes:
    """Content of the subjectPublicKey BIT STRING: what key identifiers are made over."""
    spki = spki_of(key)
    outer, end = der.only(spki, der.SEQUENCE)
    _, _, algorithm_end = der.read(spki, outer, end)
    start, stop = der.expect(spki, der.BIT_STRING, algorithm_end, end)
    return spki[start + 1 : stop]


@dataclass(frozen=True, slots=True)
class KeySigner:
    """SHA-256 with RSA PKCS#1 v1.5, SHA-384 with P-384, SHA-256 with P-256; the same octets give the same signature."""

    key: PrivateKey

    @property
    def algorithm(self) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return der.sequence(der.oid(oids.SHA256_WITH_RSA), der.tlv(der.NULL, b""))
        assert isinstance(self.key, ec.EllipticCurvePrivateKey)
        return der.sequence(der.oid(oids.ECDSA_WITH_SHA384 if self.key.key_size == 384 else oids.ECDSA_WITH_SHA256))

    @property
    def key_id(self) -> str:
        return hashlib.sha1(key_bits_of(self.key)).hexdigest()

    def sign(self, message: bytes | memoryview) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(bytes(message), padding.PKCS1v15(), hashes.SHA256())
        assert isinstance(self.key, ec.EllipticCurvePrivateKey)
        hash_ = hashes.SHA384() if self.key.key_size == 384 else hashes.SHA256()
        return self.key.sign(message, ec.ECDSA(hash_, deterministic_signing=True))

    def sign_digest(self, digest: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        assert isinstance(self.key, ec.EllipticCurvePrivateKey)
        hash_ = hashes.SHA384() if self.key.key_size == 384 else hashes.SHA256()
        return self.key.sign(digest, ec.ECDSA(Prehashed(hash_), deterministic_signing=True))


class WrappedSigner:
    """Another signer and how it behaves: counts what it signs, can be away, can return damaged signatures."""

    def __init__(self, inner: KeySigner, *, away: bool = False, damaged: bool = False) -> None:
        self.inner = inner
        self.away = away
        self.damaged = damaged
        self.signed: list[bytes] = []

    @property
    def algorithm(self) -> bytes:
        return self.inner.algorithm

    @property
    def key_id(self) -> str:
        return self.inner.key_id

    def sign(self, message: bytes | memoryview) -> bytes:
        return self._signed(self.inner.sign, bytes(message))

    def sign_digest(self, digest: bytes) -> bytes:
        return self._signed(self.inner.sign_digest, digest)

    def _signed(self, sign: Callable[[bytes], bytes], message: bytes) -> bytes:
        if self.away:
            raise Refusal(Code.SIGNER_UNAVAILABLE, "the key is away; try again later")
        self.signed.append(message)
        signature = sign(message)
        return signature[:-1] + bytes((signature[-1] ^ 1,)) if self.damaged else signature


def authority_signer(kind: str, generation: str) -> KeySigner:
    """The signer of `signature` or `authentication` in generation `g1` (RSA-2048) or `g2` (P-384)."""
    keys = stored_keys("authorities-rsa2048" if generation == "g1" else "authorities-p384")
    return KeySigner(keys[("signature", "authentication").index(kind)])


def responder_signer(kind: str, generation: str) -> KeySigner:
    """The P-256 signer of that issuer's OCSP responder."""
    issuers = [("signature", "g1"), ("authentication", "g1"), ("signature", "g2"), ("authentication", "g2")]
    return KeySigner(stored_keys("responders-p256")[issuers.index((kind, generation))])
