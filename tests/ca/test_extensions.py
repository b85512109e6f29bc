"""Every extension value against two independent encoders."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from asn1crypto import core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from ca.extensions import EXTENSIONS, FOUR_ITEMS, encode_extensions
from domain import der, oids
from domain.certificates import Issuer, IssuerId, Kind, Validity
from domain.errors import Code, Refusal
from domain.names import Name, distribution_point_name, encode_name
from domain.serial import SerialNumber
from policies.extension_rules import EXTENSIONS as RULES
from policies.extension_rules import KEY_USAGES
from policies.plan import AuthorityNames, CertificatePlan, FourItems, Locations
from policies.profile import ExtensionRow, Profile, ValidityRule

SUBJECT: Name = ((oids.COUNTRY, "JP"), (oids.ORGANIZATION, "JPKI-DEMO"), (oids.ORGANIZATIONAL_UNIT, "for tests"))
ALTERNATIVE: Name = ((oids.COUNTRY, "JP"), (oids.ORGANIZATION, "公的個人認証サービス（デモ）"))
VALIDITY = Validity(datetime(2027, 4, 1, tzinfo=UTC), datetime(2032, 2, 17, 14, 59, 59, tzinfo=UTC))
KEY_ID, OWN_KEY_ID = bytes(range(20)), bytes(range(100, 120))
ISSUER = Issuer(IssuerId("signature-g1"), Kind.SIGNATURE, b"", encode_name(SUBJECT), b"", b"", KEY_ID, VALIDITY)
LOCATIONS = Locations("http://pki.example/crl", "http://pki.example/ocsp", "http://pki.example/ca")
ITEMS = FourItems("公的　花子", "00100", "2", "320000229", "東京都清瀬市中里５－８４２", "000000000000")
POINT = distribution_point_name(SUBJECT, "http://pki.example/crl/signature-g1/13221.crl")


def plan_of(
    *rows: ExtensionRow,
    issuer: Issuer | None = ISSUER,
    items: FourItems | None = ITEMS,
    point: bytes | None = POINT,
    locations: Locations = LOCATIONS,
) -> CertificatePlan:
    profile = Profile("test", "signature", "", (), "", ValidityRule(years=1), rows, "test", "00")
    return CertificatePlan(
        profile,
        issuer,
        AuthorityNames(SUBJECT, ALTERNATIVE),
        SerialNumber.drawn_from(bytes(16)),
        SUBJECT,
        VALIDITY,
        b"",
        OWN_KEY_ID,
        point,
        locations,
        items,
    )


def pyca_name(name: Name) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.ObjectIdentifier(kind), value) for kind, value in name])


def other_name(kind: str, text: str) -> x509.OtherName:
    return x509.OtherName(x509.ObjectIdentifier(kind), core.UTF8String(text).dump())


PYCA_USAGE = {
    "digital_signature": False,
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "key_cert_sign": False,
    "crl_sign": False,
    "encipher_only": False,
    "decipher_only": False,
}

CASES: list[tuple[str, str, object, x509.ExtensionType, type[core.Asn1Value]]] = [
    (
        "the key usage of a signing certificate",
        "key-usage",
        ["digital-signature", "content-commitment"],
        x509.KeyUsage(**PYCA_USAGE | {"digital_signature": True, "content_commitment": True}),
        asn1.KeyUsage,
    ),
    (
        "the key usage of an authority",
        "key-usage",
        ["key-cert-sign", "crl-sign"],
        x509.KeyUsage(**PYCA_USAGE | {"key_cert_sign": True, "crl_sign": True}),
        asn1.KeyUsage,
    ),
    (
        "client authentication",
        "extended-key-usage",
        ["client-auth"],
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),
        asn1.ExtKeyUsageSyntax,
    ),
    (
        "OCSP signing",
        "extended-key-usage",
        ["ocsp-signing"],
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]),
        asn1.ExtKeyUsageSyntax,
    ),
    (
        "the four items",
        "subject-alt-name",
        "four-items",
        x509.SubjectAlternativeName([other_name(kind, getattr(ITEMS, field)) for kind, field in FOUR_ITEMS]),
        asn1.GeneralNames,
    ),
    (
        "the authority's alternative name as its own",
        "subject-alt-name",
        "authority-alternative",
        x509.SubjectAlternativeName([x509.DirectoryName(pyca_name(ALTERNATIVE))]),
        asn1.GeneralNames,
    ),
    (
        "the authority's alternative name as the issuer's",
        "issuer-alt-name",
        "authority-alternative",
        x509.IssuerAlternativeName([x509.DirectoryName(pyca_name(ALTERNATIVE))]),
        asn1.GeneralNames,
    ),
    (
        "a policy with a practice statement",
        "certificate-policies",
        {"oid": "2.999.1.1.20", "cps": "http://pki.example/cps.html"},
        x509.CertificatePolicies(
            [x509.PolicyInformation(x509.ObjectIdentifier("2.999.1.1.20"), ["http://pki.example/cps.html"])]
        ),
        asn1.CertificatePolicies,
    ),
    (
        "an authority without path length",
        "basic-constraints",
        {"ca": True},
        x509.BasicConstraints(True, None),
        asn1.BasicConstraints,
    ),
    (
        "no authority, by default and therefore not written",
        "basic-constraints",
        {"ca": False},
        x509.BasicConstraints(False, None),
        asn1.BasicConstraints,
    ),
    (
        "a distribution point with directory name and URL",
        "crl-distribution-points",
        "municipality",
        x509.CRLDistributionPoints(
            [
                x509.DistributionPoint(
                    [
                        x509.DirectoryName(pyca_name(SUBJECT)),
                        x509.UniformResourceIdentifier("http://pki.example/crl/signature-g1/13221.crl"),
                    ],
                    None,
                    None,
                    None,
                )
            ]
        ),
        asn1.CRLDistributionPoints,
    ),
    (
        "locations of OCSP and issuer",
        "authority-info-access",
        "locations",
        x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(
                    AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://pki.example/ocsp")
                ),
                x509.AccessDescription(
                    AuthorityInformationAccessOID.CA_ISSUERS,
                    x509.UniformResourceIdentifier("http://pki.example/ca/signature-g1.cer"),
                ),
            ]
        ),
        asn1.AuthorityInfoAccessSyntax,
    ),
    (
        "the issuer's key identifier alone",
        "authority-key-identifier",
        "key-id",
        x509.AuthorityKeyIdentifier(KEY_ID, None, None),
        asn1.AuthorityKeyIdentifier,
    ),
    (
        "the subject's key identifier",
        "subject-key-identifier",
        "sha1",
        x509.SubjectKeyIdentifier(OWN_KEY_ID),
        core.OctetString,
    ),
    ("no check of the responder", "ocsp-nocheck", "null", x509.OCSPNoCheck(), core.Null),
]


@pytest.mark.parametrize(("name", "value", "pyca", "shape"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_a_value_is_what_two_other_encoders_write(
    name: str, value: object, pyca: x509.ExtensionType, shape: type[core.Asn1Value]
) -> None:
    dotted, encode = EXTENSIONS[name]
    written = encode(plan_of(), value)
    assert written == pyca.public_bytes()
    assert dotted == pyca.oid.dotted_string
    assert written is not None
    parsed = shape.load(written, strict=True)
    assert parsed.native is not None or name == "ocsp-nocheck"
    assert parsed.dump(force=True) == written


def test_every_extension_is_compared() -> None:
    assert {case[1] for case in CASES} == set(EXTENSIONS)


def test_every_name_a_profile_may_use_can_be_written() -> None:
    assert set(EXTENSIONS) == set(RULES)


@given(st.lists(st.sampled_from(KEY_USAGES), min_size=1, unique=True))
def test_any_key_usage_drops_trailing_zero_bits(names: list[str]) -> None:
    written = EXTENSIONS["key-usage"][1](plan_of(), names)
    flags = PYCA_USAGE | {name.replace("-", "_"): True for name in names}
    if (flags["encipher_only"] or flags["decipher_only"]) and not flags["key_agreement"]:
        with pytest.raises(ValueError, match="key_agreement"):
            x509.KeyUsage(**flags)  # these two mean nothing alone, and this judge refuses them
        return
    assert written == x509.KeyUsage(**flags).public_bytes()


@given(st.builds(FourItems, *(st.text(st.characters(codec="utf-8"), max_size=60) for _ in range(6))))
def test_any_four_items_come_back_in_the_order_of_the_card(items: FourItems) -> None:
    written = EXTENSIONS["subject-alt-name"][1](plan_of(items=items), "four-items")
    names = asn1.GeneralNames.load(written, strict=True)
    found = [(name.chosen["type_id"].dotted, name.chosen["value"].parsed.native) for name in names]
    assert found == [(kind, getattr(items, field)) for kind, field in FOUR_ITEMS]
    assert [kind.rsplit(".", 1)[1] for kind, _ in found] == ["1", "4", "3", "5", "2", "6"]


def test_without_locations_there_is_no_access_extension() -> None:
    row = ExtensionRow("authority-info-access", False, "locations", "test")
    assert encode_extensions(plan_of(row, locations=Locations())) == der.sequence()


@pytest.mark.parametrize(
    ("locations", "count"),
    [
        pytest.param(Locations(ocsp="http://pki.example/ocsp"), 1, id="status-only"),
        pytest.param(Locations(issuers="http://pki.example/ca"), 1, id="issuers-only"),
        pytest.param(LOCATIONS, 2, id="both"),
    ],
)
def test_only_configured_locations_are_written(locations: Locations, count: int) -> None:
    written = EXTENSIONS["authority-info-access"][1](plan_of(locations=locations), "locations")
    assert len(asn1.AuthorityInfoAccessSyntax.load(written, strict=True)) == count


def test_a_self_signed_certificate_names_its_own_key() -> None:
    written = EXTENSIONS["authority-key-identifier"][1](plan_of(issuer=None), "key-id")
    assert written == x509.AuthorityKeyIdentifier(OWN_KEY_ID, None, None).public_bytes()


@pytest.mark.parametrize(
    ("plan", "name", "value"),
    [
        pytest.param(plan_of(items=None), "subject-alt-name", "four-items", id="four-items-without-items"),
        pytest.param(plan_of(), "subject-alt-name", "something-else", id="an-alternative-name-nobody-knows"),
        pytest.param(plan_of(point=None), "crl-distribution-points", "municipality", id="a-point-without-a-name"),
    ],
)
def test_a_plan_that_lacks_what_the_profile_writes_is_refused(plan: CertificatePlan, name: str, value: object) -> None:
    with pytest.raises(Refusal) as refusal:
        EXTENSIONS[name][1](plan, value)
    assert refusal.value.code is Code.BAD_PLAN


def test_extensions_keep_the_order_of_the_rows_and_write_critical_only_when_true() -> None:
    rows = (
        ExtensionRow("subject-key-identifier", False, "sha1", "test"),
        ExtensionRow("key-usage", True, ["digital-signature"], "test"),
        ExtensionRow("ocsp-nocheck", False, "null", "test"),
    )
    parsed = asn1.Extensions.load(encode_extensions(plan_of(*rows)), strict=True)
    assert [(row["extn_id"].dotted, row["critical"].native) for row in parsed] == [
        (oids.SUBJECT_KEY_IDENTIFIER, False),
        (oids.KEY_USAGE, True),
        (oids.OCSP_NOCHECK, False),
    ]
    assert parsed.dump(force=True) == encode_extensions(plan_of(*rows))
