"""Certificates of every stored profile: two other encoders write the same, openssl and pkilint accept them."""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from ca.extensions import FOUR_ITEMS
from ca.tbs import build_tbs
from domain.certificates import Kind, Validity
from domain.names import Name, municipal_directory
from domain.serial import SerialNumber
from domain.signing import assemble
from policies.plan import CertificatePlan
from tests.support.authority import NOW, authority_plan, leaf_plan, responder_plan, signer_of
from tests.support.linters import lint_certificate
from tests.support.profiles import PROFILE_NAMES

PLANS = {
    "signature-rsa2048": leaf_plan("signature-rsa2048"),
    "signature-rsa2048-general": leaf_plan("signature-rsa2048-general"),
    "signature-p384": leaf_plan("signature-p384"),
    "signature-mobile-rsa2048": leaf_plan("signature-mobile-rsa2048"),
    "signature-mobile-p384": leaf_plan("signature-mobile-p384"),
    "authentication-mobile-rsa2048": leaf_plan("authentication-mobile-rsa2048"),
    "authentication-mobile-p384": leaf_plan("authentication-mobile-p384"),
    "authentication-rsa2048": leaf_plan("authentication-rsa2048"),
    "authentication-p384": leaf_plan("authentication-p384"),
    "ca-rsa2048": authority_plan(Kind.SIGNATURE, "g1"),
    "ca-p384": authority_plan(Kind.AUTHENTICATION, "g2"),
    "ocsp-responder": responder_plan(Kind.AUTHENTICATION, "g1"),
    "ocsp-responder-p384": responder_plan(Kind.SIGNATURE, "g2"),
}
EVERY_PLAN = pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)


def certificate_of(plan: CertificatePlan) -> bytes:
    signer = signer_of(plan)
    tbs = build_tbs(plan, signer.algorithm)
    return assemble(tbs, signer.algorithm, signer.sign(tbs))


def pyca_name(name: Name) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.ObjectIdentifier(kind), value) for kind, value in name])


def url(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)


def usage(*, sign: bool = False, commit: bool = False, authority: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(sign, commit, False, False, False, authority, authority, False, False)


def point(directory: Name, location: str) -> x509.CRLDistributionPoints:
    names = [x509.DirectoryName(pyca_name(directory)), url(location)]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])


def expected_extensions(profile: str, plan: CertificatePlan) -> list[tuple[x509.ExtensionType, bool]]:
    """The extensions of a stored profile, written down here a second time."""
    alternative = [x509.DirectoryName(pyca_name(plan.names.alternative))]
    key_id = x509.SubjectKeyIdentifier.from_public_key(load_der_public_key(plan.spki))  # type: ignore[arg-type]
    if plan.issuer is None:
        issuer_id = "signature-g1" if profile == "ca-rsa2048" else "authentication-g2"
        return [
            (usage(authority=True), True),
            (x509.SubjectAlternativeName(alternative), False),
            (x509.BasicConstraints(True, None), True),
            (point(plan.names.subject, f"http://pki.example/crl/{issuer_id}/ca.crl"), False),
            (key_id, False),
        ]
    issuer_key = x509.AuthorityKeyIdentifier(plan.issuer.key_identifier, None, None)
    if profile.startswith("ocsp"):
        return [
            (usage(sign=True), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False),
            (x509.OCSPNoCheck(), False),
            (issuer_key, False),
            (key_id, False),
        ]
    directory = municipal_directory(plan.names.subject, "Tokyo-to", "Kiyose-shi")
    accesses = [
        x509.AccessDescription(Access.OCSP, url("http://pki.example/ocsp")),
        x509.AccessDescription(Access.CA_ISSUERS, url(f"http://pki.example/ca/{plan.issuer.id}.cer")),
    ]
    policy = {
        "signature": "2.999.8.5.1.1.40" if "mobile" in profile else "2.999.8.5.1.1.20",
        "authentication": "2.999.8.5.1.3.40" if "mobile" in profile else "2.999.8.5.1.3.30",
    }[profile.partition("-")[0]]
    statement = x509.PolicyInformation(x509.ObjectIdentifier(policy), ["http://jpki-demo.example/cps.html"])
    others = [
        x509.OtherName(x509.ObjectIdentifier(kind), core.UTF8String(getattr(plan.four_items, field)).dump())
        for kind, field in FOUR_ITEMS
        if plan.four_items
    ]
    first: list[tuple[x509.ExtensionType, bool]] = (
        [(usage(sign=True, commit=True), True), (x509.SubjectAlternativeName(others), False)]
        if profile.startswith("signature")
        else [(usage(sign=True), True), (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)]
    )
    return [
        *first,
        (x509.CertificatePolicies([statement]), profile != "signature-rsa2048-general"),
        (x509.IssuerAlternativeName(alternative), False),
        (point(directory, f"http://pki.example/crl/{plan.issuer.id}/13221.crl"), False),
        (x509.AuthorityInformationAccess(accesses), False),
        (issuer_key, False),
        (key_id, False),
    ]


def test_every_stored_profile_is_here() -> None:
    assert set(PLANS) == set(PROFILE_NAMES)


@pytest.mark.parametrize(("profile", "plan"), PLANS.items(), ids=PLANS)
def test_the_octets_are_those_of_another_builder(profile: str, plan: CertificatePlan) -> None:
    builder = (
        x509.CertificateBuilder()
        .serial_number(plan.serial.value)
        .issuer_name(pyca_name(plan.names.subject))
        .subject_name(pyca_name(plan.subject))
        .not_valid_before(plan.validity.not_before)
        .not_valid_after(plan.validity.not_after)
        .public_key(load_der_public_key(plan.spki))  # type: ignore[arg-type]
    )
    for value, critical in expected_extensions(profile, plan):
        builder = builder.add_extension(value, critical)
    signer = signer_of(plan)
    hash_ = hashes.SHA384() if profile.endswith("p384") else hashes.SHA256()
    theirs = builder.sign(
        signer.key, hash_, ecdsa_deterministic=None if isinstance(signer.key, rsa.RSAPrivateKey) else True
    )
    assert build_tbs(plan, signer.algorithm) == theirs.tbs_certificate_bytes
    assert certificate_of(plan) == theirs.public_bytes(Encoding.DER)


@EVERY_PLAN
def test_a_third_encoder_reads_it_strictly_and_writes_it_alike(plan: CertificatePlan) -> None:
    octets = certificate_of(plan)
    parsed = asn1.Certificate.load(octets, strict=True)
    tbs = parsed["tbs_certificate"]
    assert tbs["version"].native == "v3"
    assert tbs["serial_number"].native == plan.serial.value
    assert parsed.not_valid_before == plan.validity.not_before
    assert parsed.not_valid_after == plan.validity.not_after
    assert parsed.public_key.dump() == plan.spki
    assert tbs.native["extensions"]
    assert parsed.key_identifier == parsed.public_key.sha1
    assert parsed.dump(force=True) == octets


@EVERY_PLAN
def test_the_issuer_name_is_the_subject_of_the_issuer_octet_for_octet(plan: CertificatePlan) -> None:
    parsed = asn1.Certificate.load(certificate_of(plan), strict=True)
    issuer = plan.issuer.subject if plan.issuer else parsed.subject.dump()
    assert parsed.issuer.dump() == issuer


@EVERY_PLAN
def test_openssl_reads_it(plan: CertificatePlan, tmp_path: Path) -> None:
    path = tmp_path / "certificate.der"
    path.write_bytes(certificate_of(plan))
    printed = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-in", path, "-noout", "-text"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Version: 3" in printed.stdout
    assert "JPKI-DEMO" in printed.stdout
    assert not printed.stderr


@EVERY_PLAN
def test_openssl_accepts_the_chain_under_its_strictest_rules(plan: CertificatePlan, tmp_path: Path) -> None:
    octets = certificate_of(plan)
    anchor, leaf = tmp_path / "anchor.pem", tmp_path / "leaf.pem"
    for path, der_ in ((anchor, plan.issuer.certificate if plan.issuer else octets), (leaf, octets)):
        path.write_bytes(x509.load_der_x509_certificate(der_).public_bytes(Encoding.PEM))
    verified = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-attime", str(int(NOW.timestamp()) + 86_400), "-CAfile", anchor, leaf],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.stdout.endswith("leaf.pem: OK\n"), verified.stderr


EXPECTED = tomllib.loads(Path(__file__).with_name("pkilint_expected.toml").read_text(encoding="utf-8"))


def expected_findings(profile: str, policy: str) -> set[str]:
    return {row["code"] for row in EXPECTED["finding"] if profile in row["profiles"] and policy in row["policies"]}


@pytest.mark.parametrize(("profile", "plan"), PLANS.items(), ids=PLANS)
def test_pkilint_finds_only_what_is_expected(profile: str, plan: CertificatePlan) -> None:
    assert lint_certificate(certificate_of(plan)) == expected_findings(profile, "stored")


READABLE = {"oid": "1.3.6.1.4.1.32473.1", "cps": "http://jpki-demo.example/cps.html"}
"""A policy under the arc for documentation of RFC 5612, which pkilint's decoder can read."""


@pytest.mark.parametrize(("profile", "plan"), PLANS.items(), ids=PLANS)
def test_pkilint_finds_only_what_is_expected_under_a_policy_it_can_read(profile: str, plan: CertificatePlan) -> None:
    rows = (
        replace(row, value=READABLE) if row.name == "certificate-policies" else row for row in plan.profile.extensions
    )
    octets = certificate_of(replace(plan, profile=replace(plan.profile, extensions=tuple(rows))))
    assert lint_certificate(octets) == expected_findings(profile, "readable")


def test_every_expected_finding_has_a_reason() -> None:
    assert all(row["reason"] and set(row["profiles"]) <= set(PLANS) for row in EXPECTED["finding"])


@given(st.binary(min_size=16, max_size=16))
def test_any_serial_takes_sixteen_octets(octets: bytes) -> None:
    plan = PLANS["authentication-p384"]
    serial = SerialNumber.drawn_from(octets)
    tbs = build_tbs(replace(plan, serial=serial), signer_of(plan).algorithm)
    assert b"\x02\x10" + serial.octets in tbs
    assert len(tbs) == len(build_tbs(plan, signer_of(plan).algorithm))


SECONDS = st.integers(0, 150 * 366 * 86_400).map(
    lambda seconds: datetime(1950, 1, 1, tzinfo=UTC) + timedelta(0, seconds)
)


@given(SECONDS, st.integers(0, 50 * 366 * 86_400).map(lambda seconds: timedelta(seconds=seconds)))
def test_any_validity_comes_back(begin: datetime, life: timedelta) -> None:
    plan = replace(PLANS["authentication-p384"], validity=Validity(begin, begin + life))
    parsed = x509.load_der_x509_certificate(certificate_of(plan))
    assert (parsed.not_valid_before_utc, parsed.not_valid_after_utc) == (begin, begin + life)
