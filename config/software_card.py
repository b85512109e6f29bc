"""A card in software: a key and its certificate in files, for demonstrations."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from domain.errors import Code, Refusal


@dataclass(frozen=True, slots=True, repr=False)
class SoftwareCard:
    """`certificate` is DER; the key signs as a card does: RSA PKCS#1 v1.5 with SHA-256, or ECDSA P-384 with SHA-384."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: bytes

    @classmethod
    def read(cls, key: bytes, certificate: bytes) -> SoftwareCard:
        """From a private key (PEM, not encrypted) and its certificate (PEM or DER). Raises Refusal(MALFORMED)."""
        try:
            load = x509.load_pem_x509_certificate if b"-----BEGIN" in certificate else x509.load_der_x509_certificate
            parsed, opened = load(certificate), load_pem_private_key(key, None)
        except (ValueError, TypeError):
            raise Refusal(Code.MALFORMED, "want a private key in PEM without passphrase, and its certificate") from None
        if not isinstance(opened, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise Refusal(Code.MALFORMED, "want a key of type RSA or on an elliptic curve")
        if opened.public_key() != parsed.public_key():
            raise Refusal(Code.MALFORMED, "the key is not that of the certificate")
        return cls(opened, parsed.public_bytes(Encoding.DER))

    def sign(self, octets: bytes) -> bytes:
        """The card's signature over these octets."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(octets, ec.ECDSA(hashes.SHA384()))
