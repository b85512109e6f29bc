"""Certificates that only carry a key."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from keys.generation import new_key
from keys.software import PrivateKey


def certificate_over(key: PrivateKey) -> bytes:
    """A certificate (DER) over that key, signed by nobody in particular."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "key")])
    start, end = datetime(2027, 4, 1, tzinfo=UTC), datetime(2028, 4, 1, tzinfo=UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, start, end)
    return built.sign(new_key("ec-p256"), hashes.SHA256()).public_bytes(Encoding.DER)
