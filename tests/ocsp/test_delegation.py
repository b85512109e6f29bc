"""Responder certificates that speak for their issuer, and those that do not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from domain.certificates import Kind, Validity
from domain.errors import Code, Refusal
from ocsp.delegation import delegate
from tests.support.authority import NOW, make_issuer, make_responder_certificate
from tests.support.responder import GENERATIONS
from tests.support.signers import PrivateKey, authority_signer, responder_signer

SIGNER = responder_signer("signature", "g1")
OCSP_SIGNING: tuple[x509.ExtensionType, bool] = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), True)
NOCHECK: tuple[x509.ExtensionType, bool] = (x509.OCSPNoCheck(), False)


def make_certificate(
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (OCSP_SIGNING, NOCHECK),
    *,
    authority: PrivateKey | None = None,
    life: timedelta = timedelta(days=30),
) -> bytes:
    assert isinstance(SIGNER.key, ec.EllipticCurvePrivateKey)
    issuer = x509.load_der_x509_certificate(make_issuer().certificate)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "responder")]))
        .issuer_name(issuer.subject)
        .public_key(SIGNER.key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + life)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    signed = builder.sign(authority or authority_signer("signature", "g1").key, hashes.SHA256())
    return signed.public_bytes(Encoding.DER)


@pytest.mark.parametrize(("kind", "generation"), GENERATIONS, ids=lambda value: getattr(value, "value", value))
def test_the_certificates_of_our_profiles_are_taken(kind: Kind, generation: str) -> None:
    issuer, certificate = make_issuer(kind, generation), make_responder_certificate(kind, generation)
    key = delegate(issuer, certificate, responder_signer(kind.value, generation))
    parsed = x509.load_der_x509_certificate(certificate)
    assert (key.issuer, key.certificate) == (issuer, certificate)
    assert key.validity == Validity(parsed.not_valid_before_utc, parsed.not_valid_after_utc)


def test_the_needed_extensions_are_enough() -> None:
    assert delegate(make_issuer(), make_certificate(), SIGNER).certificate == make_certificate()


def wrong() -> dict[str, tuple[bytes, str]]:
    client = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), True)
    return {
        "octets that are no certificate": (b"\x30\x00", "can be read"),
        "a certificate of another generation": (make_responder_certificate(generation="g2"), "not issued by"),
        "a certificate of the other authority": (make_responder_certificate(Kind.AUTHENTICATION), "not issued by"),
        "our name under another signature": (
            make_certificate(authority=authority_signer("authentication", "g1").key),
            "not issued by",
        ),
        "no extended key usage": (make_certificate([NOCHECK]), "lacks the extended key usage"),
        "another extended key usage": (make_certificate([client, NOCHECK]), "lacks the extended key usage"),
        "no ocsp-nocheck": (make_certificate([OCSP_SIGNING]), "lacks ocsp-nocheck"),
        "a life beyond the issuer's": (make_certificate(life=timedelta(days=36500)), "not within the issuer's"),
    }


@pytest.mark.parametrize("case", wrong())
def test_anything_else_is_a_fault_of_the_configuration(case: str) -> None:
    certificate, what = wrong()[case]
    with pytest.raises(Refusal, match=what) as refusal:
        delegate(make_issuer(), certificate, SIGNER)
    assert refusal.value.code is Code.BAD_CONFIGURATION
    assert "signature-g1" in refusal.value.detail


def test_the_key_of_another_responder_is_refused() -> None:
    with pytest.raises(Refusal, match="not the signer's"):
        delegate(make_issuer(), make_certificate(), responder_signer("authentication", "g1"))


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(Refusal, match="key usage OCSPSigning; it lacks ocsp-nocheck"):
        delegate(make_issuer(), make_certificate([]), SIGNER)
