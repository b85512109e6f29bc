"""Authorities certify themselves and their responders, and are read back octet for octet."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from ca.generation import certify_authority, certify_responder, issuer_of
from domain.certificates import IssuerId, Kind
from domain.errors import Code, Refusal
from tests.support.authority import (
    NOW,
    authority_plan,
    make_issuer,
    make_responder_certificate,
    responder_plan,
)
from tests.support.signers import WrappedSigner, authority_signer, stored_keys

GENERATIONS = [(kind, generation) for kind in Kind for generation in ("g1", "g2")]
EVERY_GENERATION = pytest.mark.parametrize(
    ("kind", "generation"), GENERATIONS, ids=[f"{kind.value}-{generation}" for kind, generation in GENERATIONS]
)


@EVERY_GENERATION
def test_an_authority_certifies_itself(kind: Kind, generation: str) -> None:
    issuer = make_issuer(kind, generation)
    certificate = x509.load_der_x509_certificate(issuer.certificate)
    certificate.verify_directly_issued_by(certificate)
    assert issuer.id == f"{kind.value}-{generation}"
    assert issuer.kind is kind


@EVERY_GENERATION
def test_an_issuer_is_its_certificate_octet_for_octet(kind: Kind, generation: str) -> None:
    issuer = make_issuer(kind, generation)
    parsed = asn1.Certificate.load(issuer.certificate, strict=True)
    assert issuer.subject == parsed.subject.dump()
    assert issuer.spki == parsed.public_key.dump()
    assert issuer.public_key == parsed.public_key["public_key"].contents[1:]
    assert issuer.key_identifier == parsed.key_identifier == hashlib.sha1(issuer.public_key).digest()
    assert (issuer.validity.not_before, issuer.validity.not_after) == (parsed.not_valid_before, parsed.not_valid_after)


def test_generations_share_their_name_and_not_their_key() -> None:
    first, second = make_issuer(Kind.SIGNATURE, "g1"), make_issuer(Kind.SIGNATURE, "g2")
    assert first.subject == second.subject
    assert first.key_identifier != second.key_identifier


@EVERY_GENERATION
def test_a_responder_is_certified_by_the_key_it_answers_for(kind: Kind, generation: str) -> None:
    issuer = x509.load_der_x509_certificate(make_issuer(kind, generation).certificate)
    responder = x509.load_der_x509_certificate(make_responder_certificate(kind, generation))
    responder.verify_directly_issued_by(issuer)
    assert responder.not_valid_after_utc <= issuer.not_valid_after_utc


def test_the_same_plan_gives_the_same_certificate() -> None:
    plan, signer = authority_plan(), authority_signer("signature", "g1")
    assert certify_authority(plan, signer) == certify_authority(plan, signer)


@pytest.mark.parametrize(
    "signer",
    [
        pytest.param(authority_signer("authentication", "g1"), id="the-signer-holds-another-key"),
        pytest.param(WrappedSigner(authority_signer("signature", "g1"), damaged=True), id="the-signature-is-damaged"),
        pytest.param(WrappedSigner(authority_signer("signature", "g1"), away=True), id="the-key-store-is-away"),
    ],
)
def test_a_signature_that_does_not_fit_never_leaves(signer: WrappedSigner) -> None:
    for certify, plan in ((certify_authority, authority_plan()), (certify_responder, responder_plan())):
        with pytest.raises(Refusal) as refusal:
            certify(plan, signer)
        assert refusal.value.code is Code.SIGNER_UNAVAILABLE


def test_the_signer_of_another_generation_is_refused_although_the_names_are_equal() -> None:
    plan = replace(responder_plan(), issuer=make_issuer(Kind.SIGNATURE, "g2"))
    with pytest.raises(Refusal) as refusal:
        certify_responder(plan, authority_signer("signature", "g1"))
    assert refusal.value.code is Code.SIGNER_UNAVAILABLE


def self_signed(constraints: x509.BasicConstraints | None, *, authority: bool) -> bytes:
    """A self-signed certificate with a key usage of an authority, or none of it."""
    key = stored_keys("authorities-rsa2048")[0]
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "JP")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1)).add_extension(
        x509.KeyUsage(True, False, False, False, False, authority, authority, False, False), critical=True
    )
    if constraints is not None:
        builder = builder.add_extension(constraints, critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(make_issuer().certificate[:-1], id="a-cut-certificate"),
        pytest.param(make_issuer().certificate[:-1] + b"\x00", id="a-certificate-that-does-not-verify"),
        pytest.param(make_responder_certificate(), id="a-responder"),
        pytest.param(self_signed(x509.BasicConstraints(False, None), authority=True), id="nobody's-authority"),
        pytest.param(
            self_signed(x509.BasicConstraints(True, 0), authority=False), id="an-authority-that-signs-nothing"
        ),
        pytest.param(self_signed(None, authority=True), id="a-certificate-without-constraints"),
    ],
)
def test_what_is_no_authority_is_refused(octets: bytes) -> None:
    with pytest.raises(Refusal, match="signature-g1") as refusal:
        issuer_of(octets, IssuerId("signature-g1"), Kind.SIGNATURE)
    assert refusal.value.code is Code.BAD_CONFIGURATION
