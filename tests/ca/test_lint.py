"""The linter passes what the profiles promise and stops everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.lint import lint_tbs
from ca.lint_frames import fits
from ca.octets import tbs_fields
from ca.tbs import build_tbs
from domain import der, oids
from domain.certificates import Kind, Validity
from domain.errors import Code, Refusal
from domain.names import Name, directory_name, distribution_point_name, encode_name, municipal_directory, uri
from domain.signing import LintedTbs
from policies.plan import CertificatePlan, Locations
from policies.profile import ExtensionRow
from tests.support.authority import (
    ITEMS,
    LOCATIONS,
    NAMES,
    NOW,
    authority_plan,
    leaf_plan,
    make_issuer,
    responder_plan,
    signer_of,
)

PLANS = {
    "signature-rsa2048": leaf_plan("signature-rsa2048"),
    "signature-rsa2048-general": leaf_plan("signature-rsa2048-general"),
    "signature-p384": leaf_plan("signature-p384"),
    "authentication-rsa2048": leaf_plan("authentication-rsa2048"),
    "authentication-p384": leaf_plan("authentication-p384"),
    "ca-rsa2048": authority_plan(Kind.SIGNATURE, "g1"),
    "ca-p384": authority_plan(Kind.AUTHENTICATION, "g2"),
    "ocsp-responder": responder_plan(Kind.AUTHENTICATION, "g1"),
    "ocsp-responder-p384": responder_plan(Kind.SIGNATURE, "g2"),
}
SIGNING, AUTHENTICATION = PLANS["signature-rsa2048"], PLANS["authentication-rsa2048"]
AUTHORITY, RESPONDER = PLANS["ca-rsa2048"], PLANS["ocsp-responder"]
RSA, P384 = signer_of(SIGNING).algorithm, signer_of(PLANS["signature-p384"]).algorithm


def lint(tbs: bytes, plan: CertificatePlan) -> LintedTbs:
    return lint_tbs(tbs, plan.profile, plan.issuer, signer_of(plan).algorithm)


def faults_of(tbs: bytes, plan: CertificatePlan) -> str:
    with pytest.raises(Refusal) as refusal:
        lint(tbs, plan)
    assert refusal.value.code is Code.LINT
    return refusal.value.detail


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_what_the_builder_writes_passes(plan: CertificatePlan) -> None:
    tbs = build_tbs(plan, signer_of(plan).algorithm)
    assert lint(tbs, plan).redeem() == tbs


def test_certificates_without_locations_pass() -> None:
    plan = leaf_plan(locations=Locations())
    tbs = build_tbs(plan, RSA)
    assert b"http://pki.example" not in tbs
    assert lint(tbs, plan).redeem() == tbs


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param(datetime(2032, 11, 3, 14, 59, 59, tzinfo=UTC), id="issued in the window of renewal"),
        pytest.param(datetime(2033, 4, 1, 14, 59, 59, tzinfo=UTC), id="issued in the first second of a birthday"),
    ],
)
def test_a_renewal_may_run_through_the_sixth_birthday(ends: datetime) -> None:
    begin = datetime(2027, 3, 31, 15, tzinfo=UTC)
    plan = replace(leaf_plan(), validity=Validity(begin, ends))
    longer = replace(plan, validity=Validity(begin, ends + timedelta(days=366)))
    issuer = replace(make_issuer(Kind.SIGNATURE), validity=Validity(begin, datetime(2060, 1, 1, tzinfo=UTC)))
    tbs = build_tbs(plan, RSA)
    assert lint_tbs(tbs, plan.profile, issuer, RSA).redeem() == tbs
    with pytest.raises(Refusal, match="longer than the rule"):
        lint_tbs(build_tbs(longer, RSA), plan.profile, issuer, RSA)


@pytest.mark.parametrize("birth_date", ["000000000", "319881100", "400000000", "000001103"])
def test_a_birth_date_may_be_unknown_in_part(birth_date: str) -> None:
    plan = leaf_plan(items=replace(ITEMS, birth_date=birth_date))
    tbs = build_tbs(plan, RSA)
    assert lint(tbs, plan).redeem() == tbs


def with_extensions(plan: CertificatePlan, *rows: ExtensionRow) -> CertificatePlan:
    return replace(plan, profile=replace(plan.profile, extensions=rows))


def without_extension(plan: CertificatePlan, name: str) -> CertificatePlan:
    return with_extensions(plan, *(row for row in plan.profile.extensions if row.name != name))


def changed(plan: CertificatePlan, name: str, **change: object) -> CertificatePlan:
    """The plan with another row of that name."""
    rows = plan.profile.extensions
    return with_extensions(plan, *(replace(row, **change) if row.name == name else row for row in rows))  # type: ignore[arg-type]


def reordered(plan: CertificatePlan) -> CertificatePlan:
    first, second, *rest = plan.profile.extensions
    return with_extensions(plan, second, first, *rest)


def twice_located(directory: Name) -> bytes:
    location = uri("http://pki.example/crl/signature-g1/13221.crl")
    return der.explicit(0, der.explicit(0, directory_name(directory), location, location))


OTHER_ISSUER = make_issuer(Kind.AUTHENTICATION)
OTHER_GENERATION = make_issuer(Kind.SIGNATURE, "g2")
ASSUMED = replace(make_issuer(), subject=encode_name(((oids.COUNTRY, "JP"), (oids.ORGANIZATION, "JPKI"))))
END = SIGNING.validity.not_after
ELSEWHERE = municipal_directory(NAMES[Kind.AUTHENTICATION].subject, "Tokyo-to", "Kiyose-shi")
HOME = municipal_directory(NAMES[Kind.SIGNATURE].subject, "Tokyo-to", "Kiyose-shi")
NEIGHBOUR = municipal_directory(NAMES[Kind.SIGNATURE].subject, "Tokyo-to", "Hino-shi")
RELATIVE = der.sequence(der.oid(oids.COMMON_NAME), der.tlv(der.UTF8_STRING, b"Kiyose-shi CRLDP"))
POLICY = {"oid": "2.999.8.5.1.1.20", "cps": "http://jpki-demo.example/cps.html"}

BROKEN_PLANS: list[tuple[str, CertificatePlan, CertificatePlan, str]] = [
    ("another name for the issuer", SIGNING, replace(SIGNING, issuer=ASSUMED), "octet for octet"),
    (
        "the key identifier of another generation",
        SIGNING,
        replace(SIGNING, issuer=OTHER_GENERATION),
        "authority-key-id",
    ),
    (
        "the alternative name of another authority",
        SIGNING,
        replace(SIGNING, names=NAMES[Kind.AUTHENTICATION]),
        "issuer-alt",
    ),
    (
        "a validity beyond the issuer's",
        SIGNING,
        replace(SIGNING, validity=Validity(NOW, NOW + timedelta(4000))),
        "within",
    ),
    (
        "a validity before the issuer's",
        SIGNING,
        replace(SIGNING, validity=Validity(NOW - timedelta(400), END - timedelta(365))),
        "within",
    ),
    ("a validity beyond the rule", SIGNING, replace(SIGNING, validity=Validity(NOW, END + timedelta(731))), "longer"),
    ("one second too many", SIGNING, replace(SIGNING, validity=Validity(NOW, END + timedelta(0, 1))), "last second"),
    (
        "a responder that lives a second too long",
        RESPONDER,
        replace(RESPONDER, validity=Validity(NOW, NOW + timedelta(90))),
        "longer",
    ),
    ("a subject without localities", SIGNING, replace(SIGNING, subject=AUTHENTICATION.subject), "scheme"),
    ("a subject with localities", AUTHENTICATION, replace(AUTHENTICATION, subject=SIGNING.subject), "scheme"),
    (
        "the holder's name in the subject",
        AUTHENTICATION,
        replace(AUTHENTICATION, subject=(AUTHENTICATION.subject[0], (oids.COMMON_NAME, ITEMS.name))),
        "common name",
    ),
    (
        "an elliptic key under an RSA profile",
        SIGNING,
        replace(SIGNING, spki=PLANS["signature-p384"].spki),
        "the key is none",
    ),
    ("a key identifier of another key", SIGNING, replace(SIGNING, key_identifier=bytes(20)), "subject-key-identifier"),
    ("extensions in another order", SIGNING, reordered(SIGNING), "in their order"),
    ("an extension missing", SIGNING, without_extension(SIGNING, "certificate-policies"), "in their order"),
    (
        "an extension too many",
        AUTHENTICATION,
        with_extensions(
            AUTHENTICATION, *AUTHENTICATION.profile.extensions, ExtensionRow("ocsp-nocheck", False, "null", "test")
        ),
        "in their order",
    ),
    (
        "a flag that should be absent",
        SIGNING,
        changed(SIGNING, "subject-alt-name", critical=True),
        "subject-alt-name is critical",
    ),
    (
        "a flag that should be there",
        SIGNING,
        changed(SIGNING, "key-usage", critical=False),
        "key-usage is not critical",
    ),
    (
        "a key usage too many",
        SIGNING,
        changed(SIGNING, "key-usage", value=("digital-signature", "key-cert-sign")),
        "key-usage",
    ),
    ("a key usage too few", SIGNING, changed(SIGNING, "key-usage", value=("digital-signature",)), "key-usage"),
    (
        "another purpose",
        AUTHENTICATION,
        changed(AUTHENTICATION, "extended-key-usage", value=("ocsp-signing",)),
        "extended-key-usage",
    ),
    (
        "another policy",
        SIGNING,
        changed(SIGNING, "certificate-policies", value=POLICY | {"oid": "1.2.392.200149.8.5.1.1.20"}),
        "certificate-policies",
    ),
    (
        "another practice statement",
        SIGNING,
        changed(SIGNING, "certificate-policies", value=POLICY | {"cps": "http://elsewhere.example/"}),
        "certificate-policies",
    ),
    (
        "an authority that is none",
        AUTHORITY,
        changed(AUTHORITY, "basic-constraints", value={"ca": False}),
        "basic-constraints",
    ),
    (
        "the four items where the authority's name belongs",
        AUTHORITY,
        replace(changed(AUTHORITY, "subject-alt-name", value="four-items"), four_items=ITEMS),
        "four items",
    ),
    (
        "the four items in an authentication certificate",
        AUTHENTICATION,
        replace(
            with_extensions(
                AUTHENTICATION,
                *AUTHENTICATION.profile.extensions,
                ExtensionRow("subject-alt-name", False, "four-items", "test"),
            ),
            four_items=ITEMS,
        ),
        "must not tell",
    ),
    (
        "the authority's name where the four items belong",
        SIGNING,
        changed(SIGNING, "subject-alt-name", value="authority-alternative"),
        "subject-alt-name",
    ),
    (
        "flags that do not fit the name",
        SIGNING,
        replace(SIGNING, four_items=replace(ITEMS, name_substitutes="0")),
        "subject-alt",
    ),
    (
        "flags that do not fit the address",
        SIGNING,
        replace(SIGNING, four_items=replace(ITEMS, address_substitutes="2" * 16)),
        "subject-alt-name",
    ),
    ("no name", SIGNING, replace(SIGNING, four_items=replace(ITEMS, name="", name_substitutes="")), "subject-alt-name"),
    (
        "a birth date without era",
        SIGNING,
        replace(SIGNING, four_items=replace(ITEMS, birth_date="19881103")),
        "subject-alt",
    ),
    (
        "a birth date of another era",
        SIGNING,
        replace(SIGNING, four_items=replace(ITEMS, birth_date="419881103")),
        "subject-alt",
    ),
    (
        "a birth date that is not in the calendar",
        SIGNING,
        replace(SIGNING, four_items=replace(ITEMS, birth_date="319881131")),
        "subject-alt",
    ),
    ("a sex nobody knows", SIGNING, replace(SIGNING, four_items=replace(ITEMS, sex="4")), "subject-alt-name"),
    (
        "the distribution point of another authority",
        SIGNING,
        replace(SIGNING, distribution_point=distribution_point_name(ELSEWHERE, None)),
        "crl-distribution-points",
    ),
    (
        "the distribution point of no municipality",
        SIGNING,
        replace(SIGNING, distribution_point=distribution_point_name(NAMES[Kind.SIGNATURE].subject, None)),
        "crl-distribution-points",
    ),
    (
        "the location of another generation's list",
        SIGNING,
        replace(
            SIGNING, distribution_point=distribution_point_name(HOME, "http://pki.example/crl/signature-g2/13221.crl")
        ),
        "crl-distribution-points",
    ),
    (
        "a location that is no list",
        SIGNING,
        replace(SIGNING, distribution_point=distribution_point_name(HOME, "http://pki.example/crl/signature-g1/13221")),
        "crl-distribution-points",
    ),
    (
        "a distribution point without directory entry",
        SIGNING,
        replace(
            SIGNING,
            distribution_point=der.explicit(0, der.explicit(0, uri("http://pki.example/crl/signature-g1/1.crl"))),
        ),
        "crl-distribution-points",
    ),
    (
        "a distribution point relative to the issuer",
        SIGNING,
        replace(SIGNING, distribution_point=der.explicit(0, der.explicit(1, RELATIVE))),
        "crl-distribution-points",
    ),
    (
        "two locations of one list",
        SIGNING,
        replace(SIGNING, distribution_point=twice_located(HOME)),
        "crl-distribution-points",
    ),
    (
        "the distribution point of another municipality",
        SIGNING,
        replace(SIGNING, distribution_point=distribution_point_name(NEIGHBOUR, None)),
        "crl-distribution-points",
    ),
    (
        "the distribution point of somebody else in an authority's certificate",
        AUTHORITY,
        replace(AUTHORITY, distribution_point=distribution_point_name(HOME, None)),
        "crl-distribution-points",
    ),
    (
        "a location that is no URL",
        SIGNING,
        replace(SIGNING, locations=replace(LOCATIONS, ocsp="pki.example")),
        "authority-info-access",
    ),
]


@pytest.mark.parametrize(
    ("promised", "built", "word"), [row[1:] for row in BROKEN_PLANS], ids=[row[0] for row in BROKEN_PLANS]
)
def test_a_plan_that_breaks_its_profile_is_stopped(
    promised: CertificatePlan, built: CertificatePlan, word: str
) -> None:
    lint(build_tbs(promised, RSA), promised)  # what is known to be right lets nothing else pass
    assert word in faults_of(build_tbs(built, RSA), promised)


def swapped(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Replaces octets by as many others, so that no length changes."""
    assert len(old) == len(new)

    def swap(tbs: bytes) -> bytes:
        assert tbs.count(old) == 1
        return tbs.replace(old, new)

    return swap


SERIAL = SIGNING.serial.octets
BEGIN = der.time(NOW)
SIGNING_TBS = build_tbs(SIGNING, RSA)
ALTERNATIVE = der.oid(oids.SUBJECT_ALT_NAME)


def with_validity(*times: bytes) -> Callable[[bytes], bytes]:
    """Puts other times in the place of the validity."""

    def replace_times(tbs: bytes) -> bytes:
        before, after = tbs.split(der.sequence(BEGIN, der.time(END)))
        return der.sequence(before[4:], der.sequence(*times), after)

    return replace_times


def short_modulus(tbs: bytes) -> bytes:
    place = tbs.index(bytes.fromhex("0282010100")) + 5
    return tbs[:place] + b"\x7f" + tbs[place + 1 :]


BROKEN_OCTETS: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("version 2", swapped(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01"), ""),
    ("an end before the beginning", swapped(der.time(END), b"\x17\x0d270331145959Z"), "before it begins"),
    ("version 1 written out", swapped(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x00"), ""),
    ("a serial below its range", swapped(SERIAL, b"\x3f" + SERIAL[1:]), "serial"),
    ("a negative serial", swapped(SERIAL, b"\xff\x00" + SERIAL[2:]), "serial"),
    ("another signature algorithm", lambda tbs: tbs.replace(RSA[-4:], b"\x01\x0c\x05\x00"), "algorithm"),
    ("a UTCTime called GeneralizedTime", swapped(BEGIN, b"\x18\x0d270401000000Z"), "cannot be read"),
    ("a GeneralizedTime before 2050", with_validity(der.generalized_time(NOW), der.time(END)), "wrong type"),
    ("a time with fractions", with_validity(b"\x18\x1120270401000000.5Z", der.time(END)), "cannot be read"),
    ("three times", with_validity(BEGIN, BEGIN, der.time(END)), "cannot be read"),
    ("a modulus that is too short", short_modulus, "the key is none"),
    (
        "an exponent of three octets that is another",
        swapped(b"\x02\x03\x01\x00\x01\xa3", b"\x02\x03\x01\x00\x03\xa3"),
        "the key",
    ),
    (
        "a country in UTF-8",
        lambda tbs: tbs.replace(b"\x06\x03U\x04\x06\x13\x02JP", b"\x06\x03U\x04\x06\x0c\x02JP"),
        "octet",
    ),
    ("critical written as 1", lambda tbs: tbs.replace(b"\x01\x01\xff", b"\x01\x01\x01"), "cannot be read"),
    ("critical FALSE written out", lambda tbs: tbs.replace(b"\x01\x01\xff", b"\x01\x01\x00"), "cannot be read"),
    ("an octet after the end", lambda tbs: tbs + b"\x00", "cannot be read"),
    ("nothing", lambda _: b"", "cannot be read"),
    ("a key usage with a bit too many in its octet", swapped(b"\x03\x02\x06\xc0", b"\x03\x02\x05\xc0"), "key-usage"),
    ("an otherName that is no UTF8String", swapped(b"\x0c\x05" + b"00000", b"\x13\x05" + b"00000"), ""),
]


@pytest.mark.parametrize(("change", "word"), [row[1:] for row in BROKEN_OCTETS], ids=[row[0] for row in BROKEN_OCTETS])
def test_altered_octets_are_stopped(change: Callable[[bytes], bytes], word: str) -> None:
    lint(SIGNING_TBS, SIGNING)
    altered = change(SIGNING_TBS)
    assert altered != SIGNING_TBS
    assert word in faults_of(altered, SIGNING)


def test_a_year_from_2050_must_be_a_generalized_time() -> None:
    plan = authority_plan(Kind.SIGNATURE, "g2")
    later = replace(
        plan, validity=Validity(datetime(2040, 1, 1, tzinfo=UTC), datetime(2059, 12, 31, 14, 59, 59, tzinfo=UTC))
    )
    tbs = build_tbs(later, P384)
    assert lint_tbs(tbs, plan.profile, None, P384).redeem() == tbs
    begin = tbs.index(der.time(later.validity.not_before))
    assert tbs[begin + 15] == der.GENERALIZED_TIME


def test_the_profile_of_another_certificate_is_not_met() -> None:
    assert "in their order" in faults_of(SIGNING_TBS, AUTHENTICATION)


def test_a_self_signed_certificate_passes_for_no_other() -> None:
    tbs = build_tbs(AUTHORITY, RSA)
    with pytest.raises(Refusal, match="octet for octet"):
        lint_tbs(tbs, AUTHORITY.profile, OTHER_ISSUER, RSA)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_every_flipped_bit_is_found_unless_it_is_part_of_what_a_holder_may_be() -> None:
    lint(SIGNING_TBS, SIGNING)
    missed = set()
    for bit in range(len(SIGNING_TBS) * 8):
        flipped = bytearray(SIGNING_TBS)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            lint(bytes(flipped), SIGNING)
        except Refusal:
            continue
        missed.add(bit // 8)
    assert {place for place in missed if not any(start <= place < end for start, end in FREE)} == set()


def _free_spans() -> list[tuple[int, int]]:
    """Where the linter cannot know better: serial, time, place, identifier, texts of items and locations."""
    texts = [value.encode() for _, value in SIGNING.subject[1:]]
    texts += [getattr(ITEMS, field).encode() for field in ITEMS.__slots__]
    texts += [SERIAL, BEGIN[2:], der.time(END)[2:]]
    texts += [b"http://pki.example/ocsp", b"http://pki.example/ca/signature-g1.cer"]
    texts += [b"http://pki.example/crl/signature-g1/13221.crl"]
    spans = []
    for text in texts:
        place = SIGNING_TBS.find(text)
        while place >= 0:
            spans.append((place, place + len(text)))
            place = SIGNING_TBS.find(text, place + 1)
    return spans


FREE = _free_spans()


def verdict(tbs: bytes, plan: CertificatePlan) -> bool:
    try:
        lint(tbs, plan)
    except Refusal:
        return False
    return True


def unknown(plan: CertificatePlan) -> CertificatePlan:
    """The same plan by a profile of which nothing is known from certificates that passed before."""
    return replace(plan, profile=replace(plan.profile))


@pytest.mark.parametrize("name", ["signature-rsa2048", "authentication-rsa2048", "signature-p384"])
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@given(data=st.data())
def test_the_quick_judge_passes_nothing_that_the_whole_one_stops(name: str, data: st.DataObject) -> None:
    """The first sees that most octets are what they were in a certificate that passed; the other looks into all."""
    plan = PLANS[name]
    tbs = build_tbs(plan, signer_of(plan).algorithm)
    lint(tbs, plan)
    place = data.draw(st.integers(0, len(tbs) - 1))
    old = data.draw(st.sampled_from([b"", tbs[place : place + 1], tbs[place : place + 2]]))
    new = data.draw(st.binary(max_size=2))
    altered = tbs[:place] + new + tbs[place + len(old) :]
    assert verdict(altered, plan) == verdict(altered, unknown(plan))


@given(data=st.data())
def test_four_items_that_are_read_quickly_are_those_that_another_library_reads(data: st.DataObject) -> None:
    names = next(element for element in tbs_fields(SIGNING_TBS).extensions if ALTERNATIVE in element)
    place, octet = data.draw(st.integers(0, len(names) - 1)), data.draw(st.integers(0, 255))
    altered = SIGNING_TBS.replace(names, names[:place] + bytes([octet]) + names[place + 1 :])
    lint(SIGNING_TBS, SIGNING)
    assert verdict(altered, SIGNING) == verdict(altered, unknown(SIGNING))


@pytest.mark.parametrize("name", ["signature-rsa2048", "authentication-rsa2048", "authentication-p384"])
def test_a_second_certificate_of_a_place_is_judged_quickly(name: str) -> None:
    plan = PLANS[name]
    tbs = build_tbs(plan, signer_of(plan).algorithm)
    lint(tbs, plan)
    assert plan.issuer is not None
    assert fits(tbs, plan.profile, plan.issuer, signer_of(plan).algorithm)
    assert not fits(tbs, unknown(plan).profile, plan.issuer, signer_of(plan).algorithm)


@pytest.mark.parametrize("length", [1, 39, 40, 100])
def test_names_of_any_length_are_judged_alike(length: int) -> None:
    items = replace(ITEMS, name="霧" * length, name_substitutes="0" * length)
    for plan in (leaf_plan(items=items), unknown(leaf_plan(items=items))):
        tbs = build_tbs(plan, RSA)
        assert lint(tbs, plan).redeem() == tbs


def test_a_detail_names_no_serial_and_none_of_the_four_items() -> None:
    detail = faults_of(
        build_tbs(replace(SIGNING, four_items=replace(ITEMS, sex="4"), spki=PLANS["ca-p384"].spki), RSA), SIGNING
    )
    assert ITEMS.name not in detail
    assert SERIAL.hex() not in detail.lower()
