"""No certificate leaves whose signature does not fit."""

from __future__ import annotations

import pytest
from cryptography import x509

from ca.lint import lint_tbs
from ca.signature import sign_certificate
from ca.tbs import build_tbs
from domain.errors import Code, Refusal
from domain.signing import LintedTbs
from tests.support.authority import leaf_plan, make_issuer, signer_of
from tests.support.signers import KeySigner, WrappedSigner, stored_keys

PROFILES = pytest.mark.parametrize("profile", ["signature-rsa2048", "authentication-p384"])


def linted(profile: str) -> LintedTbs:
    plan = leaf_plan(profile)
    algorithm = signer_of(plan).algorithm
    return lint_tbs(build_tbs(plan, algorithm), plan.profile, plan.issuer, algorithm)


@PROFILES
def test_a_certificate_is_the_linted_octets_and_a_signature_that_fits(profile: str) -> None:
    plan = leaf_plan(profile)
    assert plan.issuer is not None
    octets = sign_certificate(linted(profile), signer_of(plan), plan.issuer)
    certificate = x509.load_der_x509_certificate(octets)
    assert certificate.tbs_certificate_bytes == linted(profile).redeem()
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(plan.issuer.certificate))


@PROFILES
def test_a_damaged_signature_is_refused(profile: str) -> None:
    plan = leaf_plan(profile)
    with pytest.raises(Refusal) as refusal:
        sign_certificate(linted(profile), WrappedSigner(signer_of(plan), damaged=True), plan.issuer)
    assert refusal.value.code is Code.SIGNER_UNAVAILABLE


@PROFILES
def test_the_signature_of_another_key_is_refused(profile: str) -> None:
    plan = leaf_plan(profile)
    other = KeySigner(stored_keys("holders-rsa2048" if "rsa" in profile else "holders-p384")[5])
    with pytest.raises(Refusal) as refusal:
        sign_certificate(linted(profile), other, plan.issuer)
    assert refusal.value.code is Code.SIGNER_UNAVAILABLE


def test_linted_octets_are_signed_once() -> None:
    once, plan = linted("signature-rsa2048"), leaf_plan("signature-rsa2048")
    sign_certificate(once, signer_of(plan), make_issuer())
    with pytest.raises(RuntimeError, match="signed already"):
        sign_certificate(once, signer_of(plan), make_issuer())
