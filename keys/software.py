"""Keys in encrypted PKCS#8 files, held in this process's memory."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_der_x509_certificate

from domain.errors import Code, Refusal
from keys.algorithms import PublicKey, algorithm_of, ecdsa_of, hash_of, key_id_of, public_octets

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class SoftwareSigner:
    """A `Signer` over a key in memory. Loaded once: reading RSA-2048 from PEM costs as much as a hundred signatures.

    Equal octets get equal signatures (RSA PKCS#1 v1.5, ECDSA by RFC 6979, Ed25519), so a certificate that is signed
    again from its stored TBS is the same certificate; unless `repeatable` is False, which makes ECDSA a tenth quicker.
    Safe to share between threads and across fork.
    """

    __slots__ = ("_key", "algorithm", "key_id", "public", "sign")

    sign: Callable[[bytes | memoryview], bytes]
    """Signature octets over a message."""

    def __init__(self, key: PrivateKey, *, repeatable: bool = True) -> None:
        """Raises ValueError for a kind of key that is not used here."""
        public: PublicKey = key.public_key()
        self.algorithm = algorithm_of(public)
        self.public = public_octets(public)
        self.key_id = key_id_of(self.public)
        self.sign = _sign_of(key, repeatable)
        self._key = key

    @classmethod
    def from_pem(
        cls, pem: bytes, passphrase: bytes, certificate: bytes | None = None, *, repeatable: bool = True
    ) -> SoftwareSigner:
        """The signer for an encrypted PKCS#8 key (PEM), checked against the `certificate` (DER) it belongs to.

        Raises Refusal(BAD_CONFIGURATION) when the file is not such a key, is not encrypted, does not open with the
        passphrase, is too weak, or belongs to another certificate.
        """
        try:
            key = load_pem_private_key(pem, passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            # The library's text may describe what it found inside: it is left out.
            raise Refusal(
                Code.BAD_CONFIGURATION,
                "the key file does not open: it must be an encrypted PKCS#8 key, and the passphrase must be its own",
            ) from None
        if not isinstance(key, PrivateKey):
            raise Refusal(Code.BAD_CONFIGURATION, "the key file holds a kind of key that does not sign here")
        try:
            signer = cls(key, repeatable=repeatable)
        except ValueError as error:
            raise Refusal(Code.BAD_CONFIGURATION, str(error)) from None
        if certificate is not None and _certified(certificate) != signer.public:
            raise Refusal(
                Code.BAD_CONFIGURATION,
                "the key does not belong to its certificate; check which files the configuration names",
            )
        return signer

    def sign_digest(self, digest: bytes) -> bytes:
        """As `domain.ports.Signer` has it. Raises TypeError for Ed25519, which signs no digests."""
        match self._key:
            case rsa.RSAPrivateKey():
                return self._key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
            case ec.EllipticCurvePrivateKey():
                hashed = Prehashed(hash_of(self._key.curve))
                return self._key.sign(digest, ec.ECDSA(hashed, deterministic_signing=True))
        raise TypeError("Ed25519 signs messages and no digests")

    def __repr__(self) -> str:
        return f"SoftwareSigner(key_id={self.key_id})"

    def __reduce__(self) -> str:
        raise TypeError("a private key does not leave its process")


def _sign_of(key: PrivateKey, repeatable: bool) -> Callable[[bytes | memoryview], bytes]:
    """The key's signing with its algorithm made once: to make it anew costs a tenth of a P-256 signature."""
    match key:
        case rsa.RSAPrivateKey():
            pkcs1, with_sha256 = padding.PKCS1v15(), hashes.SHA256()
            # The library takes every buffer; what it says of its types is narrower for RSA.
            return lambda message: key.sign(cast(bytes, message), pkcs1, with_sha256)
        case ec.EllipticCurvePrivateKey():
            if repeatable or key.curve.key_size != 256:
                ecdsa = ecdsa_of(key.curve)
                return lambda message: key.sign(message, ecdsa)
            # Hashed here: what the library would set up for it takes longer than the hash.
            of_digest = ec.ECDSA(Prehashed(hashes.SHA256()))
            return lambda message: key.sign(sha256(message).digest(), of_digest)
        case ed25519.Ed25519PrivateKey():
            return key.sign


def _certified(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate (DER)."""
    try:
        key = load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Refusal(Code.BAD_CONFIGURATION, "the certificate beside the key cannot be read") from None
    return public_octets(key) if isinstance(key, PublicKey) else b""
