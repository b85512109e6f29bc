"""Signed requests: whose key made the signature."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from domain import der, oids
from domain.errors import Code, Refusal
from ocsp.request import read_request
from ocsp.requestor import signer_fingerprint
from tests.support.authority import NOW, make_issuer
from tests.support.people import serial_of
from tests.support.requests import holder_key
from tests.support.responder import NULL, make_cert_id, make_ocsp_request, make_tbs_request, sign_ocsp_request
from tests.support.signers import PrivateKey, stored_keys

TBS = make_tbs_request(make_cert_id(serial_of("asked about")), nonce=b"n" * 16)
RSA_1024, RSA_3072, RSA_E3, P256, P521, ED25519 = stored_keys("odd-keys")
P384, RSA_2048 = holder_key("ec"), holder_key("rsa")
ALGORITHMS = {
    "sha384-rsa": (oids.SHA384_WITH_RSA, NULL),
    "sha512-rsa": (oids.SHA512_WITH_RSA, NULL),
    "sha1-rsa": ("1.2.840.113549.1.1.5", NULL),
    "sha384-ecdsa": (oids.ECDSA_WITH_SHA384, b""),
    "sha512-ecdsa": (oids.ECDSA_WITH_SHA512, b""),
    "sha1-ecdsa": ("1.2.840.10045.4.1", b""),
}


@cache
def certificate(key: PrivateKey) -> bytes:
    """A self-signed certificate (DER): who issued it is the register's business."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "verifier")])
    return (
        x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=365))
        .sign(key, None if key is ED25519 else hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def fingerprint(octets: bytes) -> bytes | None:
    return signer_fingerprint(read_request(octets, 4))


@pytest.mark.parametrize(
    "key", [RSA_2048, RSA_3072, P256, P384, P521], ids=["rsa-2048", "rsa-3072", "p256", "p384", "p521"]
)
def test_a_sound_signature_gives_the_fingerprint_of_its_certificate(key: PrivateKey) -> None:
    octets = sign_ocsp_request(TBS, key, certificate(key))
    assert fingerprint(octets) == hashlib.sha256(certificate(key)).digest()


@pytest.mark.parametrize("name", ["sha384-rsa", "sha512-rsa", "sha384-ecdsa", "sha512-ecdsa"])
def test_longer_hashes_are_accepted(name: str) -> None:
    hash_, _, kind = name.partition("-")
    key = RSA_2048 if kind == "rsa" else P384
    oid, parameters = ALGORITHMS[name]
    algorithm = der.sequence(der.oid(oid), parameters)
    octets = sign_ocsp_request(TBS, key, certificate(key), algorithm=algorithm, hash_=hash_)
    assert fingerprint(octets) == hashlib.sha256(certificate(key)).digest()


def test_the_first_certificate_is_the_signers() -> None:
    octets = sign_ocsp_request(TBS, P256, certificate(P256), make_issuer().certificate)
    assert fingerprint(octets) == hashlib.sha256(certificate(P256)).digest()


def test_an_unsigned_request_has_no_fingerprint() -> None:
    assert fingerprint(make_ocsp_request(make_cert_id(1))) is None


def bad() -> dict[str, bytes]:
    signed = sign_ocsp_request(TBS, P256, certificate(P256))
    sha1_rsa, sha1_ecdsa = (
        der.sequence(der.oid(oid), parameters) for oid, parameters in (ALGORITHMS["sha1-rsa"], ALGORITHMS["sha1-ecdsa"])
    )
    return {
        "another nonce": signed.replace(b"n" * 16, b"m" * 16),
        "another key": sign_ocsp_request(TBS, P256, certificate(P384)),
        "another kind of key": sign_ocsp_request(TBS, P256, certificate(RSA_2048)),
        "another algorithm": sign_ocsp_request(
            TBS, P256, certificate(P256), algorithm=der.sequence(der.oid(oids.ECDSA_WITH_SHA384))
        ),
        "an unknown algorithm": sign_ocsp_request(
            TBS, P256, certificate(P256), algorithm=der.sequence(der.oid("2.999.1"))
        ),
        "parameters that ecdsa has not": sign_ocsp_request(
            TBS, P256, certificate(P256), algorithm=der.sequence(der.oid(oids.ECDSA_WITH_SHA256), NULL)
        ),
        "sha-1 with rsa": sign_ocsp_request(TBS, RSA_2048, certificate(RSA_2048), algorithm=sha1_rsa, hash_="sha1"),
        "sha-1 with ecdsa": sign_ocsp_request(TBS, P256, certificate(P256), algorithm=sha1_ecdsa, hash_="sha1"),
        "a short key": sign_ocsp_request(TBS, RSA_1024, certificate(RSA_1024)),
        "ed25519": sign_ocsp_request(TBS, P256, certificate(ED25519)),
        "no certificate": sign_ocsp_request(TBS, P256),
        "something else as certificate": sign_ocsp_request(TBS, P256, der.sequence(der.integer(1))),
        "a certificate without a key": sign_ocsp_request(TBS, P256, der.sequence(der.sequence(der.integer(1)))),
        "a certificate with something else as key": sign_ocsp_request(
            TBS, P256, der.sequence(der.sequence(*[der.integer(1)] * 6))
        ),
    }


@pytest.mark.parametrize("case", bad())
def test_anything_else_is_not_a_valid_signature(case: str) -> None:
    with pytest.raises(Refusal) as refusal:
        fingerprint(bad()[case])
    assert refusal.value.code is Code.BAD_REQUEST_SIGNATURE


def test_a_huge_key_is_not_tried() -> None:
    """A stranger must not be able to make checking expensive."""
    modulus = (1 << 8191) + 1
    numbers = rsa.RSAPublicNumbers(65537, modulus)
    huge = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(numbers.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(P256, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    algorithm = der.sequence(der.oid(oids.SHA256_WITH_RSA), NULL)
    with pytest.raises(Refusal) as refusal:
        fingerprint(sign_ocsp_request(TBS, P256, huge, algorithm=algorithm))
    assert refusal.value.code is Code.BAD_REQUEST_SIGNATURE
