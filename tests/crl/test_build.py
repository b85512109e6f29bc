"""Lists of every shape: two other libraries read them as meant, openssl and pkilint accept them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import core
from asn1crypto import crl as asn1_crl
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca.tbs import build_tbs as build_leaf
from crl.scope import issuing_distribution_point
from domain import oids
from domain.lists import Scope
from domain.revocation import CrlReason
from domain.signing import assemble
from tests.support.authority import KIYOSE, leaf_plan
from tests.support.linters import lint_list
from tests.support.lists import (
    AUTHORITY_SCOPE,
    ELSEWHERE,
    ISSUERS,
    NOW,
    POLICY,
    SCOPE,
    SIGNERS,
    make_list,
    make_plan,
    make_revocation,
    make_tbs,
    openssl,
    point_of,
)

REVOKED = [make_revocation(reason.name, reason) for reason in CrlReason]
EVE_OF_2050, YEAR_2050 = datetime(2049, 12, 31, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)

LISTS = {
    "an-empty-list": make_list(),
    "one-entry": make_list(REVOKED[:1]),
    "every-reason": make_list(REVOKED),
    "a-thousand-entries": make_list([make_revocation(f"holder {number}") for number in range(1000)]),
    "the-authoritys-own-list": make_list(scope=AUTHORITY_SCOPE),
    "across-2050": make_list([make_revocation(revoked_at=YEAR_2050)], this_update=EVE_OF_2050, next_update=YEAR_2050),
    "the-largest-number": make_list(number=(1 << 159) - 1),
    **{
        f"an-entry-of-{issuer}": make_list([make_revocation(scope=scope)], scope)
        for issuer in ISSUERS
        for scope in [Scope(issuer, KIYOSE.code)]
    },
}
every_list = pytest.mark.parametrize("octets", LISTS.values(), ids=LISTS)


def issuer_of(octets: bytes) -> x509.Certificate:
    """The certificate of the key that signed the list, found by the key identifier that the list names."""
    keys = x509.load_der_x509_crl(octets).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    return x509.load_der_x509_certificate(
        next(issuer.certificate for issuer in ISSUERS.values() if issuer.key_identifier == keys.key_identifier)
    )


@every_list
def test_cryptography_verifies_the_list_under_its_issuer(octets: bytes) -> None:
    issuer = issuer_of(octets)
    found = x509.load_der_x509_crl(octets)
    assert found.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    assert found.issuer.public_bytes() == issuer.subject.public_bytes()


def test_cryptography_reads_the_fields_and_extensions_as_meant() -> None:
    found = x509.load_der_x509_crl(make_list(REVOKED))
    assert (found.last_update_utc, found.next_update_utc) == POLICY.window(NOW)
    extensions = [(extension.oid.dotted_string, extension.critical) for extension in found.extensions]
    assert extensions == [
        (oids.AUTHORITY_KEY_IDENTIFIER, False),
        (oids.CRL_NUMBER, False),
        (oids.ISSUING_DISTRIBUTION_POINT, True),
    ]
    assert found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 7
    keys = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert (keys.authority_cert_issuer, keys.authority_cert_serial_number) == (None, None)
    assert {entry.serial_number for entry in found} == {revocation.serial.value for revocation in REVOKED}


@pytest.mark.parametrize(
    ("octets", "users", "authorities"),
    [
        pytest.param(LISTS["every-reason"], True, False, id="a-municipality-lists-holders-only"),
        pytest.param(LISTS["the-authoritys-own-list"], False, True, id="the-authority-lists-authorities-only"),
    ],
)
def test_what_a_list_is_about(octets: bytes, users: bool, authorities: bool) -> None:
    point = x509.load_der_x509_crl(octets).extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert point.critical
    assert point.value.only_contains_user_certs is users
    assert point.value.only_contains_ca_certs is authorities
    assert point.value.full_name is not None
    assert [type(part) for part in point.value.full_name] == [x509.DirectoryName, x509.UniformResourceIdentifier]
    assert not point.value.indirect_crl
    assert not point.value.only_contains_attribute_certs


@every_list
def test_asn1crypto_writes_the_list_back_octet_for_octet(octets: bytes) -> None:
    found = asn1_crl.CertificateList.load(octets, strict=True)
    assert found.native["tbs_cert_list"]["version"] == "v2"
    assert found.dump(force=True) == octets


@pytest.mark.parametrize("scope", [SCOPE, AUTHORITY_SCOPE], ids=["of-a-municipality", "of-the-authority"])
def test_cryptography_writes_the_same_issuing_distribution_point(scope: Scope) -> None:
    found = x509.load_der_x509_crl(make_list(scope=scope))
    point = found.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    assert point.public_bytes() == issuing_distribution_point(scope, point_of(scope))


def test_a_list_without_entries_has_no_revoked_certificates_at_all() -> None:
    found = asn1_crl.CertificateList.load(make_list(), strict=True)["tbs_cert_list"]
    assert isinstance(found["revoked_certificates"], core.Void)


@pytest.mark.interop
@every_list
def test_openssl_verifies_the_list(octets: bytes, tmp_path: Path) -> None:
    (tmp_path / "list.crl").write_bytes(octets)
    (tmp_path / "ca.pem").write_bytes(issuer_of(octets).public_bytes(Encoding.PEM))
    verified = openssl(
        *("crl", "-inform", "DER", "-in", "list.crl", "-CAfile", "ca.pem", "-noout", "-verify"), folder=tmp_path
    )
    assert (verified.returncode, verified.stderr.strip()) == (0, "verify OK")


@every_list
def test_pkilint_finds_nothing(octets: bytes) -> None:
    assert lint_list(octets) == set()


def test_pkilint_would_have_found_an_empty_sequence_of_entries() -> None:
    plan = make_plan()
    tbs = make_tbs(plan, [b""])
    octets = assemble(tbs, plan.algorithm, SIGNERS[SCOPE.issuer].sign(tbs))
    assert lint_list(octets) == {"pkix.crl_revoked_certificates_empty"}


LEAF = leaf_plan()


@pytest.mark.interop
@pytest.mark.parametrize(
    ("octets", "verdict"),
    [
        pytest.param(make_list([make_revocation("somebody else")]), "leaf.pem: OK", id="not-on-the-list-is-good"),
        pytest.param(make_list([make_revocation(LEAF.serial)]), "certificate revoked", id="on-the-list-is-revoked"),
        pytest.param(
            make_list([make_revocation(LEAF.serial, CrlReason.CERTIFICATE_HOLD)]),
            "certificate revoked",
            id="so-is-a-hold",
        ),
        pytest.param(make_list(scope=ELSEWHERE), "different CRL scope", id="another-municipalitys-list-proves-nothing"),
        pytest.param(
            make_list(scope=AUTHORITY_SCOPE), "different CRL scope", id="the-authoritys-own-list-proves-nothing"
        ),
    ],
)
def test_openssl_judges_a_leaf_by_the_list(octets: bytes, verdict: str, tmp_path: Path) -> None:
    (tmp_path / "list.pem").write_bytes(x509.load_der_x509_crl(octets).public_bytes(Encoding.PEM))
    (tmp_path / "ca.pem").write_bytes(issuer_of(octets).public_bytes(Encoding.PEM))
    signer = SIGNERS[SCOPE.issuer]
    tbs = build_leaf(LEAF, signer.algorithm)
    leaf = x509.load_der_x509_certificate(assemble(tbs, signer.algorithm, signer.sign(tbs)))
    (tmp_path / "leaf.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
    at = str(int(NOW.timestamp()))
    judged = openssl(
        *("verify", "-crl_check", "-attime", at, "-CAfile", "ca.pem", "-CRLfile", "list.pem", "leaf.pem"),
        folder=tmp_path,
    )
    assert verdict in judged.stdout + judged.stderr
