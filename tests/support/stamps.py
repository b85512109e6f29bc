"""Authorities of time stamps, made up on the spot."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache, partial

from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from tests.support.authority import NOW
from tests.support.requests import holder_key

HOUR = timedelta(hours=1)
KEYS = {"stamps": partial(holder_key, "rsa", 10), "others": partial(holder_key, "rsa", 11)}


@cache
def stamp_authority(label: str) -> bytes:
    """A certificate (DER) for time stamps, of nobody else."""
    key = KEYS[label]()
    assert isinstance(key, rsa.RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, label)])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, NOW - 999 * HOUR, NOW + 99_999 * HOUR)
    return builder.add_extension(usage, critical=True).sign(key, SHA256()).public_bytes(Encoding.DER)


def stamper(label: str, at: datetime) -> DummyTimeStamper:
    key = KEYS[label]().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    certificate = asn1_x509.Certificate.load(stamp_authority(label))
    return DummyTimeStamper(certificate, keys.PrivateKeyInfo.load(key), fixed_dt=at)
