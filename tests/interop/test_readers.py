"""cryptography and asn1crypto read what is served, and find it as it was meant."""

from __future__ import annotations

import pytest
from asn1crypto import core
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from domain.certificates import IssuerId, Kind
from domain.people import MunicipalityCode
from tests.interop.exhibits import ask
from tests.interop.fates import ISSUERS
from tests.interop.scene import Scene, fetch, list_address
from tests.ocsp.judges import judged_by_asn1crypto, judged_by_cryptography
from tests.support.authority import KIYOSE
from tests.support.residents import HINO

pytestmark = pytest.mark.interop

EVERY_ISSUER = pytest.mark.parametrize("issuer", ISSUERS)
REVOKED = {
    Kind.SIGNATURE: {
        "card-lost": "key_compromise",
        "stopped": "certificate_hold",
        "holder-moved": "affiliation_changed",
    },
    Kind.AUTHENTICATION: {"card-lost": "key_compromise", "stopped": "certificate_hold"},
}


def issued(scene: Scene, issuer: IssuerId) -> dict[str, bytes]:
    """Certificates by fate, without the forged and altered ones."""
    found = {fate: octets for (by, fate), octets in scene.certificates.items() if by == issuer}
    return {fate: octets for fate, octets in found.items() if fate not in ("forged", "altered")}


@EVERY_ISSUER
def test_certificates_lead_to_issuer_list_and_responder(scene: Scene, issuer: IssuerId) -> None:
    for octets in issued(scene, issuer).values():
        certificate = x509.load_der_x509_certificate(octets)
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        places = {row.access_method: row.access_location.value for row in access}
        assert places == {
            Access.OCSP: f"{scene.public.url}/ocsp",
            Access.CA_ISSUERS: f"{scene.public.url}/ca/{issuer}.cer",
        }
        above = x509.load_der_x509_certificate(fetch(places[Access.CA_ISSUERS]))
        certificate.verify_directly_issued_by(above)
        assert list_address(octets) == f"{scene.public.url}/crl/{issuer}/{KIYOSE.code.area}.crl"


@EVERY_ISSUER
def test_certificates_are_written_as_asn1crypto_writes_them(scene: Scene, issuer: IssuerId) -> None:
    for octets in (*issued(scene, issuer).values(), fetch(f"{scene.public.url}/ca/{issuer}.cer")):
        certificate = asn1_x509.Certificate.load(octets, strict=True)
        assert certificate.native is not None  # reads every part
        assert certificate.dump(force=True) == octets


@EVERY_ISSUER
@pytest.mark.parametrize("municipality", [KIYOSE.code, HINO, None], ids=["kiyose", "hino", "authorities"])
def test_lists_are_signed_numbered_and_bound_to_their_place(
    scene: Scene, issuer: IssuerId, municipality: MunicipalityCode | None
) -> None:
    octets = scene.list_of(issuer, municipality)
    read = x509.load_der_x509_crl(octets)
    above = x509.load_der_x509_certificate(fetch(f"{scene.public.url}/ca/{issuer}.cer"))
    assert read.is_signature_valid(above.public_key())  # type: ignore[arg-type]
    assert read.issuer.public_bytes() == above.subject.public_bytes()
    assert read.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2
    place = read.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert place.critical
    assert (place.value.only_contains_ca_certs, place.value.only_contains_user_certs) == (
        municipality is None,
        municipality is not None,
    )
    again = asn1_crl.CertificateList.load(octets, strict=True)
    assert again.native is not None
    assert again.dump(force=True) == octets


@EVERY_ISSUER
def test_the_place_of_a_list_is_octet_for_octet_that_of_its_certificates(scene: Scene, issuer: IssuerId) -> None:
    (of_list,) = (
        extension["extn_value"].parsed["distribution_point"].dump()
        for extension in asn1_crl.CertificateList.load(scene.list_of(issuer, KIYOSE.code))["tbs_cert_list"][
            "crl_extensions"
        ]
        if extension["extn_id"].native == "issuing_distribution_point"
    )
    for octets in issued(scene, issuer).values():
        (point,) = asn1_x509.Certificate.load(octets).crl_distribution_points_value
        assert point["distribution_point"].dump() == of_list


@EVERY_ISSUER
def test_a_list_has_every_revoked_certificate_with_its_reason_and_nothing_else(scene: Scene, issuer: IssuerId) -> None:
    kind = Kind(issuer.partition("-")[0])
    expected = {scene.serial(issuer, fate): reason for fate, reason in REVOKED[kind].items()}
    by_cryptography = {
        entry.serial_number: entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.name
        for entry in x509.load_der_x509_crl(scene.list_of(issuer, KIYOSE.code))
    }
    assert by_cryptography == expected
    rows = asn1_crl.CertificateList.load(scene.list_of(issuer, KIYOSE.code))["tbs_cert_list"]["revoked_certificates"]
    assert {row["user_certificate"].native: row.crl_reason_value.native for row in rows} == expected


@EVERY_ISSUER
@pytest.mark.parametrize("municipality", [HINO, None], ids=["hino", "authorities"])
def test_a_list_of_nothing_has_no_entries_at_all(
    scene: Scene, issuer: IssuerId, municipality: MunicipalityCode | None
) -> None:
    octets = scene.list_of(issuer, municipality)
    assert len(x509.load_der_x509_crl(octets)) == 0
    revoked = asn1_crl.CertificateList.load(octets)["tbs_cert_list"]["revoked_certificates"]
    assert isinstance(revoked, core.Void)


@EVERY_ISSUER
def test_answers(scene: Scene, issuer: IssuerId) -> None:
    kind = Kind(issuer.partition("-")[0])
    for fate in issued(scene, issuer):
        octets = ask(scene, issuer, fate)
        (single,) = judged_by_cryptography(octets, scene.services.issuers[issuer]).responses
        (again,) = judged_by_asn1crypto(octets).response_data["responses"]
        assert single.serial_number == again["cert_id"]["serial_number"].native == scene.serial(issuer, fate)
        if reason := REVOKED[kind].get(fate):
            assert single.certificate_status is ocsp.OCSPCertStatus.REVOKED
            assert single.revocation_reason is not None
            assert single.revocation_reason.name == again["cert_status"].chosen["revocation_reason"].native == reason
        else:
            word = "unknown" if fate in ("unrecorded", "expired") else "good"
            assert single.certificate_status.name.lower() == again["cert_status"].name == word


@EVERY_ISSUER
def test_lists_and_answers_agree_on_when(scene: Scene, issuer: IssuerId) -> None:
    listed = {entry.serial_number: entry for entry in x509.load_der_x509_crl(scene.list_of(issuer, KIYOSE.code))}
    for fate in REVOKED[Kind(issuer.partition("-")[0])]:
        (single,) = ocsp.load_der_ocsp_response(ask(scene, issuer, fate)).responses
        assert single.revocation_time_utc == listed[single.serial_number].revocation_date_utc


@pytest.mark.parametrize(
    ("issuer", "fate", "told", "verdict"),
    [
        pytest.param("signature-g1", "good", False, "unaccounted-for critical", id="critical-policies-are-refused"),
        pytest.param("signature-g1", "good", True, "", id="unless-it-is-told-of-them"),
        pytest.param("authentication-g2", "good", True, "", id="as-in-authentication-certificates"),
        pytest.param("signature-g1", "general", False, "", id="the-general-profile-needs-no-telling"),
        pytest.param("signature-g1", "expired", True, "not valid at validation time", id="what-expired-is-refused"),
        pytest.param("signature-g2", "forged", True, "signature does not match", id="what-is-forged-is-refused"),
    ],
)
def test_the_path_verifier_of_cryptography(scene: Scene, issuer: str, fate: str, told: bool, verdict: str) -> None:
    builder = PolicyBuilder().store(Store([x509.load_pem_x509_certificate(scene.anchor(issuer).read_bytes())]))
    if told:
        builder = builder.extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(),
            ee_policy=ExtensionPolicy.permit_all().may_be_present(
                x509.CertificatePolicies, Criticality.AGNOSTIC, lambda _policy, _certificate, _policies: None
            ),
        )
    leaf = x509.load_der_x509_certificate(scene.certificates[IssuerId(issuer), fate])
    if verdict:
        with pytest.raises(VerificationError, match=verdict):
            builder.build_client_verifier().verify(leaf, [])
    else:
        assert len(builder.build_client_verifier().verify(leaf, []).chain) == 2
