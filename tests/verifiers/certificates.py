"""Credential certificates for tests of the register."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.signers import PrivateKey, stored_keys

NOT_BEFORE = datetime(2027, 1, 1, tzinfo=UTC)
LIFE = timedelta(days=365)


def make_credential_certificate(name: str = "verifier", key: PrivateKey | None = None) -> bytes:
    """A self-signed certificate (DER) for the year 2027; equal names do not make equal certificates but for RSA."""
    key = key or stored_keys("responders-p256")[0]
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, NOT_BEFORE, NOT_BEFORE + LIFE)
    hash_ = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, hash_).public_bytes(Encoding.DER)
