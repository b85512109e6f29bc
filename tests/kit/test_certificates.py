"""Holders' certificates: both kinds, both generations, cards and phones; and everything that makes one unacceptable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from domain.certificates import Kind as IssuedKind
from jpki_verify import Code, Kind, Rejected
from jpki_verify.anchors import Anchor, fingerprint, read_certificate
from jpki_verify.certificates import accept
from jpki_verify.items import items_of
from jpki_verify.settings import Trust
from tests.support.authority import NOW
from tests.support.operator import POLICIES
from tests.support.requests import holder_key
from tests.support.signers import authority_signer, stored_keys
from tests.support.specimens import holder_certificate, make_anchor

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
ENDS = datetime(2031, 11, 3, 14, 59, 59, tzinfo=UTC)
TRUST = Trust((), {kind: frozenset(POLICIES[kind.value]) for kind in Kind}, frozenset())
ANCHORS = tuple(make_anchor(kind, generation) for kind in IssuedKind for generation in ("g1", "g2"))
PROFILES = [
    f"{kind}{carrier}-{key}"
    for kind in ("signature", "authentication")
    for carrier in ("", "-mobile")
    for key in ("rsa2048", "p384")
]


def code_of(octets: bytes, kind: Kind, now: datetime = NOW, trust: Trust = TRUST) -> Code | None:
    try:
        accept(octets, kind, ANCHORS, trust, now)
    except Rejected as rejected:
        return rejected.code
    return None


def kind_of(profile: str) -> Kind:
    return Kind(profile.partition("-")[0])


@pytest.mark.parametrize("profile", [*PROFILES, "signature-rsa2048-general"])
def test_every_profile_is_accepted_as_its_own_kind_only(profile: str) -> None:
    certificate = holder_certificate(profile)
    other = next(kind for kind in Kind if kind is not kind_of(profile))
    assert code_of(certificate, kind_of(profile)) is None
    assert code_of(certificate, other) is Code.WRONG_KIND


def test_pem_is_read_as_well() -> None:
    pem = read_certificate(holder_certificate("signature-p384")).public_bytes(Encoding.PEM)
    assert code_of(pem, Kind.SIGNATURE) is None


def test_both_ends_of_the_validity_belong_to_it() -> None:
    certificate = holder_certificate("signature-rsa2048")
    assert code_of(certificate, Kind.SIGNATURE, NOW) is None
    assert code_of(certificate, Kind.SIGNATURE, NOW - SECOND) is Code.NOT_YET_VALID
    assert code_of(certificate, Kind.SIGNATURE, ENDS) is None
    assert code_of(certificate, Kind.SIGNATURE, ENDS + SECOND) is Code.EXPIRED


def test_an_authority_that_is_over_is_trusted_no_more() -> None:
    certificate = holder_certificate("signature-rsa2048")
    over = ANCHORS[0].certificate.not_valid_after_utc + SECOND
    assert code_of(certificate, Kind.SIGNATURE, over) is Code.UNKNOWN_ISSUER


def test_a_certificate_that_is_distrusted_is_refused() -> None:
    certificate = holder_certificate("signature-rsa2048")
    trust = Trust((), TRUST.policies, frozenset({fingerprint(read_certificate(certificate))}))
    assert code_of(certificate, Kind.SIGNATURE, trust=trust) is Code.UNKNOWN_ISSUER


@pytest.mark.parametrize("octets", [b"", b"\x30\x00", b"-----BEGIN CERTIFICATE-----\nAAAA\n", b"x" * 70_000], ids=len)
def test_what_is_no_certificate(octets: bytes) -> None:
    assert code_of(octets, Kind.SIGNATURE) is Code.NO_CERTIFICATE


def test_a_serial_below_zero_is_none() -> None:
    octets = holder_certificate("signature-rsa2048")
    serial = read_certificate(octets).serial_number.to_bytes(16)
    broken = octets.replace(serial, bytes((serial[0] | 0x80,)) + serial[1:])
    assert code_of(broken, Kind.SIGNATURE) in (Code.NO_CERTIFICATE, Code.UNKNOWN_ISSUER)


def usage(**bits: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**dict.fromkeys(names, False) | bits)


def policy(*oids: str) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in oids])


SIGNS = usage(digital_signature=True, content_commitment=True)
LOGS_IN = usage(digital_signature=True)
SIGNING, LOGIN = POLICIES["signature"][0], POLICIES["authentication"][0]
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.999.7"), b"\x05\x00")


def forge(
    *extensions: tuple[x509.ExtensionType, bool], kind: str = "signature", key: Any = None, **parts: Any
) -> bytes:
    """A certificate by the authority's own key that says what it must not."""
    signer = parts.get("signer") or authority_signer(kind, "g1").key
    anchor = next(one for one in ANCHORS if one.kind.value == kind).certificate
    public = (key or holder_key("rsa")).public_key()
    begins = parts.get("begins", NOW - DAY)
    built = x509.CertificateBuilder(anchor.subject, anchor.subject, public, 5, begins, NOW + DAY)
    for extension, critical in extensions:
        built = built.add_extension(extension, critical=critical)
    return built.sign(signer, parts.get("hash", hashes.SHA256())).public_bytes(Encoding.DER)


def test_a_forged_one_without_a_fault_passes() -> None:
    assert code_of(forge((SIGNS, True), (policy(SIGNING), True)), Kind.SIGNATURE) is None, "those below have one fault"
    made = forge((LOGS_IN, True), (policy(LOGIN), True), kind="authentication")
    assert code_of(made, Kind.AUTHENTICATION) is None


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        pytest.param(forge((policy(SIGNING), True)), Code.WRONG_PROFILE, id="no-key-usage"),
        pytest.param(forge((LOGS_IN, True), (policy(SIGNING), True)), Code.WRONG_PROFILE, id="usage-of-the-other-kind"),
        pytest.param(
            forge(
                (usage(digital_signature=True, content_commitment=True, key_cert_sign=True), True),
                (policy(SIGNING), True),
            ),
            Code.WRONG_PROFILE,
            id="usage-of-an-authority",
        ),
        pytest.param(forge((SIGNS, True)), Code.WRONG_PROFILE, id="no-policy"),
        pytest.param(forge((SIGNS, True), (policy("2.999.1"), True)), Code.WRONG_PROFILE, id="another-policy"),
        pytest.param(forge((SIGNS, True), (policy(LOGIN), True)), Code.WRONG_KIND, id="policy-of-the-other-kind"),
        pytest.param(forge((SIGNS, True), (policy(SIGNING, LOGIN), True)), Code.WRONG_KIND, id="policies-of-both"),
        pytest.param(
            forge((SIGNS, True), (policy(SIGNING), True), (x509.BasicConstraints(True, None), True)),
            Code.WRONG_PROFILE,
            id="an-authority",
        ),
        pytest.param(
            forge((SIGNS, True), (policy(SIGNING), True), (UNKNOWN, True)), Code.WRONG_PROFILE, id="something-critical"
        ),
        pytest.param(
            forge(
                (SIGNS, True),
                (policy(SIGNING), True),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False),
            ),
            Code.WRONG_PROFILE,
            id="for-something-else",
        ),
        pytest.param(
            forge((SIGNS, True), (policy(SIGNING), True), key=stored_keys("odd-keys")[3]),
            Code.WRONG_PROFILE,
            id="a-key-of-another-type",
        ),
        pytest.param(
            forge((SIGNS, True), (policy(SIGNING), True), key=stored_keys("odd-keys")[0]),
            Code.WRONG_PROFILE,
            id="a-weak-key",
        ),
        pytest.param(
            forge((SIGNS, True), (policy(SIGNING), True), signer=stored_keys("odd-keys")[1]),
            Code.UNKNOWN_ISSUER,
            id="by-somebody-else-of-the-same-name",
        ),
        pytest.param(
            forge(
                (SIGNS, True),
                (policy(SIGNING), True),
                signer=authority_signer("signature", "g2").key,
                hash=hashes.SHA384(),
            ),
            None,
            id="by-another-generation-of-the-same-name-which-is-an-anchor-too",
        ),
    ],
)
def test_what_is_not_as_its_profile_says(octets: bytes, code: Code | None) -> None:
    assert code_of(octets, Kind.SIGNATURE) is code


def test_a_refusal_names_nobody() -> None:
    with pytest.raises(Rejected) as caught:
        accept(forge((SIGNS, True)), Kind.SIGNATURE, ANCHORS, TRUST, NOW)
    assert str(caught.value) == (
        "wrong-profile: the certificate is not as its profile says: it was not issued under a policy that you trust"
    )


def test_accepted_certificates_and_anchors_do_not_print_themselves() -> None:
    holder = accept(holder_certificate("signature-rsa2048"), Kind.SIGNATURE, ANCHORS, TRUST, NOW)
    assert str(holder.certificate.serial_number) not in repr(holder)
    assert "霧島" not in repr(items_of(holder.certificate))
    assert isinstance(holder.anchor, Anchor)


def test_the_four_items_of_a_signing_certificate() -> None:
    items = items_of(read_certificate(holder_certificate("signature-rsa2048")))
    assert items
    assert (items.name, items.address) == ("霧島　透子", "東京都清瀬市霞野２－１４－３０５")
    assert (items.birth_date, items.sex) == ("319881103", "2")
    assert items_of(read_certificate(holder_certificate("authentication-rsa2048"))) is None
