"""Applications become pairs of certificates, all or nothing, and once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509

from ca.authority import Authority
from ca.course import Course
from ca.issue import issue
from ca.revoke import revoke_resident
from domain.applications import CertificateText, IssuanceApplication
from domain.birth import BirthDate
from domain.certificates import Carrier, CertificateState, IssuerId, Kind
from domain.errors import Code, Refusal
from domain.events import Act
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.people import ResidentState, Sex
from domain.revocation import RevocationCause
from tests.support.authority import (
    CARD,
    ITEMS_ON_RECORD,
    KIYOSE,
    KIYOSE_CITY,
    NOW,
    RESIDENT,
    SAPPORO,
    SAPPORO_CITY,
    CountedChance,
    TurnedClock,
    add_resident,
    make_application,
    make_authority,
    make_generation,
    make_issuer,
    make_revocation,
)
from tests.support.memory import MemoryStore
from tests.support.requests import make_pair, make_request
from tests.support.residents import attributes, resident_code
from tests.support.signers import WrappedSigner, authority_signer, spki_of, stored_keys
from tests.support.variants import make_substitution

CHILD = attributes(birth_date=BirthDate(2020, 5, 5))
CHILD_CARD = replace(CARD, expires_on=date(2031, 4, 20))


def refusal_of(authority: Authority, application: IssuanceApplication) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        issue(authority, application)
    return refusal.value


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def authority(store: MemoryStore) -> Authority:
    """Both authorities, with resident 1 of 清瀬市 on record."""
    made = make_authority(store)
    add_resident(made)
    return made


def bodies(store: MemoryStore) -> list[dict[str, Any]]:
    """The audit rows so far."""
    return [json.loads(row.body) for row in store.tables.audit.values()]


@pytest.mark.parametrize(("keys", "generation"), [("rsa", "g1"), ("ec", "g2")])
def test_a_pair_is_issued_by_the_generation_of_its_keys(authority: Authority, keys: str, generation: str) -> None:
    pair = issue(authority, make_application(requests=make_pair(keys)))
    assert not pair.repeated
    for kind in Kind:
        certificate = x509.load_der_x509_certificate(pair.certificates[kind])
        issuer = x509.load_der_x509_certificate(make_issuer(kind, generation).certificate)
        certificate.verify_directly_issued_by(issuer)
        request = x509.load_der_x509_csr(make_pair(keys)[kind])
        assert spki_of(certificate.public_key()) == spki_of(request.public_key())  # type: ignore[arg-type]


def test_certificates_begin_now_and_end_on_the_fifth_birthday(authority: Authority) -> None:
    pair = issue(authority, make_application())
    for der_ in pair.certificates.values():
        certificate = x509.load_der_x509_certificate(der_)
        assert certificate.not_valid_before_utc == NOW
        assert certificate.not_valid_after_utc == datetime(2031, 11, 3, 14, 59, 59, tzinfo=UTC)


def test_certificates_do_not_outlive_the_card(authority: Authority) -> None:
    pair = issue(authority, make_application(card=replace(CARD, expires_on=date(2029, 3, 31))))
    ends = {x509.load_der_x509_certificate(der_).not_valid_after_utc for der_ in pair.certificates.values()}
    assert ends == {datetime(2029, 3, 31, 14, 59, 59, tzinfo=UTC)}


def test_only_the_signing_certificate_tells_who_it_is(authority: Authority) -> None:
    pair = issue(authority, make_application())
    assert ITEMS_ON_RECORD.name.encode() in pair.certificates[Kind.SIGNATURE]
    assert ITEMS_ON_RECORD.name.encode() not in pair.certificates[Kind.AUTHENTICATION]
    assert ITEMS_ON_RECORD.address.encode() not in pair.certificates[Kind.AUTHENTICATION]


def test_nothing_ties_the_two_certificates_of_a_pair_together(authority: Authority) -> None:
    pair = issue(authority, make_application())
    first, second = (x509.load_der_x509_certificate(der_) for der_ in pair.certificates.values())
    assert first.serial_number != second.serial_number
    names = [
        certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value for certificate in (first, second)
    ]
    assert names[0] != names[1]


def test_the_records_say_what_was_issued(authority: Authority, store: MemoryStore) -> None:
    pair = issue(authority, make_application())
    rows = {row.kind: row for row in store.tables.certificates.values()}
    assert set(rows) == set(Kind)
    for kind, row in rows.items():
        certificate = x509.load_der_x509_certificate(pair.certificates[kind])
        assert row.state is CertificateState.ISSUED
        assert row.der == pair.certificates[kind]
        assert row.serial.value == certificate.serial_number
        assert row.validity.not_after == certificate.not_valid_after_utc
        assert row.spki_digest == hashlib.sha256(spki_of(certificate.public_key())).digest()  # type: ignore[arg-type]
        assert (row.carrier, row.municipality, row.ended_at) == (Carrier.CARD, KIYOSE.code, None)
    assert store.tables.applications[pair.application_id].issued_at == NOW


def test_the_trail_says_what_was_done_and_names_nobody(authority: Authority, store: MemoryStore) -> None:
    pair = issue(authority, make_application())
    acts = [(body["act"], body["facts"]["kind"]) for body in bodies(store)]
    reserved, issued = Act.RESERVED.value, Act.ISSUED.value
    assert acts == [(act, kind.value) for act in (reserved, issued) for kind in Kind]
    said = "\n".join(row.body for row in store.tables.audit.values())
    assert {body["facts"]["application"] for body in bodies(store)} == {pair.application_id}
    for row in store.tables.certificates.values():
        assert row.serial.octets.hex() not in said
        assert str(row.serial.value) not in said
    for secret in (RESIDENT.digits, ITEMS_ON_RECORD.name, ITEMS_ON_RECORD.address):
        assert secret not in said


def test_what_is_issued_prints_nothing_of_its_holder(authority: Authority, store: MemoryStore) -> None:
    course = Course(authority, make_application(), NOW)
    pair = issue(authority, make_application())
    rows = tuple(store.tables.certificates.values())
    secrets = [ITEMS_ON_RECORD.name.encode(), *(row.serial.octets for row in rows)]
    secrets += [draft.serial.octets for draft in course.drafts.values()]
    said = repr((pair, rows, course.drafts))
    assert [secret for secret in secrets if repr(secret)[2:-1] in said] == []


def test_reservation_is_committed_before_the_first_signature(store: MemoryStore) -> None:
    """At each signature, both rows with their octets are on record already."""
    seen: list[list[CertificateState]] = []

    class Watching(WrappedSigner):
        def sign(self, message: bytes | memoryview) -> bytes:
            rows = list(store.tables.certificates.values())
            assert message in [row.der for row in rows]
            seen.append([row.state for row in rows])
            return super().sign(message)

    authority = make_authority(
        store,
        generations=tuple(make_generation(kind, signer=Watching(authority_signer(kind.value, "g1"))) for kind in Kind),
    )
    add_resident(authority)
    issue(authority, make_application())
    assert seen == [[CertificateState.RESERVED] * 2] * 2


def test_no_signature_is_made_inside_a_transaction(store: MemoryStore) -> None:
    class Watching(WrappedSigner):
        def sign(self, message: bytes | memoryview) -> bytes:
            assert not store.writing.locked()
            return super().sign(message)

    authority = make_authority(
        store,
        generations=tuple(make_generation(kind, signer=Watching(authority_signer(kind.value, "g1"))) for kind in Kind),
    )
    add_resident(authority)
    assert set(issue(authority, make_application()).certificates) == set(Kind)


def test_the_clock_is_read_once(store: MemoryStore) -> None:
    readings: list[datetime] = []

    def clock() -> datetime:
        readings.append(NOW)
        return NOW

    authority = make_authority(store)
    add_resident(authority)
    issue(replace(authority, clock=clock), make_application())
    assert len(readings) == 1


# Who may apply, and for whom


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        pytest.param({"caller": SAPPORO_CITY}, Code.WRONG_MUNICIPALITY, id="another-municipality"),
        pytest.param({"municipality": SAPPORO.code}, Code.WRONG_MUNICIPALITY, id="for-another-municipality"),
        pytest.param({"caller": Party(9, Role.REGISTER, "juki")}, Code.NOT_ADMITTED, id="the-register"),
        pytest.param(
            {"caller": replace(KIYOSE_CITY, suspended_at=NOW)}, Code.NOT_ADMITTED, id="a-suspended-municipality"
        ),
        pytest.param(
            {"caller": replace(KIYOSE_CITY, in_force_until=NOW - timedelta(seconds=1))},
            Code.NOT_ADMITTED,
            id="a-municipality-whose-period-ended",
        ),
        pytest.param({"resident_code": resident_code(2)}, Code.UNKNOWN_RESIDENT, id="an-unknown-resident"),
        pytest.param(
            {"caller": SAPPORO_CITY, "municipality": SAPPORO.code},
            Code.UNKNOWN_RESIDENT,
            id="a-resident-of-another-municipality",
        ),
        pytest.param({"requests": {}}, Code.MALFORMED, id="no-request"),
        pytest.param(
            {"requests": {Kind.AUTHENTICATION: make_request()}}, Code.MALFORMED, id="authentication-alone-for-an-adult"
        ),
        pytest.param(
            {"requests": {Kind.SIGNATURE: make_request()}},
            Code.NO_LIVE_CERTIFICATE,
            id="signing-alone-without-the-other",
        ),
        pytest.param({"card": replace(CARD, expires_on=date(2027, 3, 31))}, Code.CARD_EXPIRED, id="an-expired-card"),
        pytest.param(
            {"attributes": replace(ITEMS_ON_RECORD, sex=Sex.MALE)}, Code.ITEMS_DIFFER, id="another-sex-than-on-record"
        ),
    ],
)
def test_an_application_is_refused(
    authority: Authority, store: MemoryStore, overrides: dict[str, object], code: Code
) -> None:
    assert refusal_of(authority, make_application(**overrides)).code is code
    assert not store.tables.certificates
    assert not store.tables.applications


def test_an_operator_applies_for_any_municipality_under_its_own_name(authority: Authority, store: MemoryStore) -> None:
    pair = issue(authority, make_application(caller=LOCAL_OPERATOR))
    assert set(pair.certificates) == set(Kind)
    assert {body["actor"] for body in bodies(store)} == {"operator:terminal"}
    assert {row.municipality for row in store.tables.certificates.values()} == {KIYOSE.code}


def test_a_stranger_and_a_resident_of_another_place_are_refused_in_the_same_words(authority: Authority) -> None:
    stranger = make_application(caller=SAPPORO_CITY, municipality=SAPPORO.code, resident_code=resident_code(2))
    elsewhere = make_application(caller=SAPPORO_CITY, municipality=SAPPORO.code)
    first, second = refusal_of(authority, stranger), refusal_of(authority, elsewhere)
    assert (first.code, first.detail, first.pointer) == (second.code, second.detail, second.pointer)


@pytest.mark.parametrize("state", [state for state in ResidentState if state is not ResidentState.PRESENT])
def test_who_has_left_the_register_gets_nothing(authority: Authority, state: ResidentState) -> None:
    add_resident(authority, state=state)
    assert refusal_of(authority, make_application()).code is Code.RESIDENT_GONE


def test_differing_items_are_named_and_not_told(authority: Authority) -> None:
    other = attributes(name="霧島　蒼", birth_date=BirthDate(1990, 1, 1))
    refusal = refusal_of(authority, make_application(attributes=other))
    assert refusal.facts == {"items": ["name", "birth_date"]}
    for secret in ("霧島", "1990", "1988"):
        assert secret not in str(refusal)


def test_a_municipality_that_is_not_in_the_table_is_a_fault_of_ours(store: MemoryStore) -> None:
    authority = make_authority(store, municipalities={SAPPORO.code: SAPPORO})
    add_resident(authority)
    assert refusal_of(authority, make_application()).code is Code.BAD_CONFIGURATION


# Keys


@pytest.mark.parametrize(
    ("requests", "code", "pointer"),
    [
        pytest.param(
            {Kind.SIGNATURE: b"junk", Kind.AUTHENTICATION: make_request()},
            Code.MALFORMED,
            "/requests/signature",
            id="a-request-that-cannot-be-read",
        ),
        pytest.param(
            {Kind.SIGNATURE: make_request(), Kind.AUTHENTICATION: make_request(key=stored_keys("odd-keys")[0])},
            Code.BAD_KEY,
            "/requests/authentication",
            id="a-key-that-is-too-short",
        ),
        pytest.param(
            {Kind.SIGNATURE: make_request(key=stored_keys("odd-keys")[2]), Kind.AUTHENTICATION: make_request()},
            Code.BAD_KEY,
            "/requests/signature",
            id="an-exponent-that-is-another",
        ),
        pytest.param(
            {Kind.SIGNATURE: make_request(), Kind.AUTHENTICATION: make_request()},
            Code.SAME_KEY,
            None,
            id="one-key-twice",
        ),
        pytest.param(
            {Kind.SIGNATURE: make_request("rsa"), Kind.AUTHENTICATION: make_request("ec")},
            Code.BAD_KEY,
            None,
            id="keys-of-two-generations",
        ),
    ],
)
def test_requests_are_judged(
    authority: Authority, store: MemoryStore, requests: dict[Kind, bytes], code: Code, pointer: str | None
) -> None:
    refusal = refusal_of(authority, make_application(requests=requests))
    assert (refusal.code, refusal.pointer) == (code, pointer)
    assert not store.tables.applications


def test_a_key_on_the_list_of_weak_keys_is_refused(store: MemoryStore) -> None:
    weak = hashlib.sha256(spki_of(x509.load_der_x509_csr(make_request()).public_key())).digest()  # type: ignore[arg-type]
    authority = make_authority(store, known_weak=frozenset({weak}))
    add_resident(authority)
    assert refusal_of(authority, make_application()).code is Code.BAD_KEY


def test_a_key_is_certified_once_and_for_one_person(authority: Authority, store: MemoryStore) -> None:
    issue(authority, make_application())
    other = make_application(resident_code=resident_code(2), key="application 2")
    add_resident(authority, resident_code(2))
    assert refusal_of(authority, other).code is Code.KEY_USED_BEFORE
    assert len(store.tables.certificates) == 2
    assert len(store.tables.applications) == 1


def test_a_key_stays_used_after_its_certificate_is_revoked(authority: Authority) -> None:
    issue(authority, make_application())
    revoke_resident(authority, make_revocation())
    again = make_application(key="application 2")
    assert refusal_of(authority, again).code is Code.KEY_USED_BEFORE


# Substitute characters


def test_substitutes_are_written_and_their_places_told(authority: Authority) -> None:
    items = attributes(name="髙橋　志乃", address="東京都清瀬市霞野２－１４")
    add_resident(authority, items=items)
    pair = issue(authority, make_application(attributes=items))
    assert pair.substituted == {"name": (0,), "address": ()}
    assert pair.substitutions == (make_substitution(),)
    assert "高橋　志乃".encode() in pair.certificates[Kind.SIGNATURE]
    assert b"\x0c\x0510000" in pair.certificates[Kind.SIGNATURE]


def test_a_substitute_may_be_proposed(authority: Authority) -> None:
    items = attributes(name="\U00020bb7田　志乃")
    add_resident(authority, items=items)
    proposed = CertificateText(name="吉田　志乃")
    pair = issue(authority, make_application(attributes=items, text=proposed))
    assert pair.substituted["name"] == (0,)
    assert pair.substitutions == (make_substitution(register="\U00020bb7", certificate="吉", confirmed=True),)
    assert "吉田　志乃".encode() in pair.certificates[Kind.SIGNATURE]


def test_a_character_without_substitute_asks_for_one(authority: Authority) -> None:
    items = attributes(name="\u3403田　志乃")
    add_resident(authority, items=items)
    refusal = refusal_of(authority, make_application(attributes=items))
    assert (refusal.code, refusal.pointer) == (Code.SUBSTITUTE_NEEDED, "/attributes/name")
    assert refusal.facts == {"positions": [0]}


WEAK = attributes(name="\u9fcb田　志乃", address="東京都清瀬市霞野\ue000－１４")


def test_a_weak_substitute_waits_for_the_holders_word(authority: Authority) -> None:
    add_resident(authority, items=WEAK)
    refusal = refusal_of(authority, make_application(attributes=WEAK))
    assert (refusal.code, refusal.pointer) == (Code.SUBSTITUTE_UNCONFIRMED, "/attributes/name")
    confirmed = CertificateText(name="禧田　志乃", address="東京都清瀬市霞野二－１４")
    pair = issue(authority, make_application(attributes=WEAK, text=confirmed))
    assert pair.substituted == {"name": (0,), "address": (8,)}
    assert [(s.item, s.rule.rule.value, s.confirmed) for s in pair.substitutions] == [
        ("name", "mj-inference", True),
        ("address", "holder", True),
    ]


def test_a_repeat_lists_the_same_substitutes(authority: Authority) -> None:
    add_resident(authority, items=WEAK)
    application = make_application(
        attributes=WEAK, text=CertificateText(name="禧田　志乃", address="東京都清瀬市霞野二－１４")
    )
    first = issue(authority, application)
    assert issue(authority, application) == replace(first, repeated=True)


def test_the_audit_trail_knows_the_rule_of_a_substitute_and_not_the_character(
    authority: Authority, store: MemoryStore
) -> None:
    items = attributes(name="髙橋　志乃", address="東京都清瀬市霞野２－１４")
    add_resident(authority, items=items)
    issue(authority, make_application(attributes=items))
    (listed,) = [body["facts"]["substitutes"] for body in bodies(store) if "substitutes" in body["facts"]]
    assert listed == [{"item": "name", "position": 0, "rule": "mj-unification", "confirmed": False}]


# Children


def test_a_child_gets_the_authentication_certificate_alone(authority: Authority) -> None:
    add_resident(authority, items=CHILD)
    pair = issue(
        authority, make_application(attributes=CHILD, card=CHILD_CARD, requests={Kind.AUTHENTICATION: make_request()})
    )
    assert set(pair.certificates) == {Kind.AUTHENTICATION}
    assert pair.substituted == {}


def test_a_child_gets_no_pair(authority: Authority) -> None:
    add_resident(authority, items=CHILD)
    assert refusal_of(authority, make_application(attributes=CHILD, card=CHILD_CARD)).code is Code.UNDER_AGE


def test_who_has_turned_fifteen_adds_the_signing_certificate(authority: Authority) -> None:
    youth = attributes(birth_date=BirthDate(2012, 4, 20))
    add_resident(authority, items=youth)
    alone = make_application(attributes=youth, card=CHILD_CARD, requests={Kind.AUTHENTICATION: make_request(number=0)})
    first = issue(authority, alone)
    grown = replace(authority, clock=TurnedClock(NOW + timedelta(days=30)))
    signing = {Kind.SIGNATURE: make_request(number=1)}
    added = issue(grown, replace(alone, key="at fifteen", requests=signing))
    assert set(added.certificates) == {Kind.SIGNATURE}
    assert issue(grown, alone).certificates == first.certificates


# Birth dates that are not wholly known


def test_a_birth_date_is_certified_as_far_as_it_is_known(authority: Authority) -> None:
    unsure = attributes(birth_date=BirthDate.read("showa XXXX-11-XX"))
    add_resident(authority, items=unsure)
    pair = issue(authority, make_application(attributes=unsure))
    certificate = x509.load_der_x509_certificate(pair.certificates[Kind.SIGNATURE])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    others = {name.type_id.dotted_string: name.value[2:] for name in names if isinstance(name, x509.OtherName)}
    assert others["1.2.392.200149.8.5.5.4"] == b"300001100"
    judged = asn1_x509.Certificate.load(pair.certificates[Kind.SIGNATURE]).subject_alt_name_value
    assert judged[1].native["value"] == "300001100"
    # The first of November is the earliest that the birthday can be.
    assert certificate.not_valid_after_utc == datetime(2031, 11, 1, 14, 59, 59, tzinfo=UTC)


def test_who_may_be_a_child_gets_the_authentication_certificate_alone(authority: Authority) -> None:
    unsure = attributes(birth_date=BirthDate.read("XXXX-11-03"))
    add_resident(authority, items=unsure)
    assert refusal_of(authority, make_application(attributes=unsure)).code is Code.UNDER_AGE
    alone = make_application(attributes=unsure, key="alone", requests={Kind.AUTHENTICATION: make_request()})
    assert set(issue(authority, alone).certificates) == {Kind.AUTHENTICATION}


def test_a_birth_date_that_the_register_knows_less_of_differs(authority: Authority) -> None:
    unsure = attributes(birth_date=BirthDate.read("1988-11-XX"))
    add_resident(authority, items=unsure)
    assert refusal_of(authority, make_application()).facts == {"items": ["birth_date"]}
    assert set(issue(authority, make_application(attributes=unsure)).certificates) == set(Kind)


# Re-issue of the signing certificate


def test_a_signing_certificate_is_issued_anew_after_a_change_of_the_register(
    authority: Authority, store: MemoryStore
) -> None:
    issue(authority, make_application(card=replace(CARD, expires_on=date(2030, 1, 10))))
    moved = attributes(address="東京都清瀬市月見坂１－２－７")
    revoke_signing_only(authority)
    add_resident(authority, items=moved)
    again = make_application(key="after the move", attributes=moved, requests={Kind.SIGNATURE: make_request(number=2)})
    pair = issue(authority, again)
    assert set(pair.certificates) == {Kind.SIGNATURE}
    renewed = x509.load_der_x509_certificate(pair.certificates[Kind.SIGNATURE])
    # The new card date would allow until 2031-11-03: the authentication certificate ends first.
    assert renewed.not_valid_after_utc == datetime(2030, 1, 10, 14, 59, 59, tzinfo=UTC)
    assert len([row for row in store.tables.certificates.values() if row.ended_at is None]) == 2


def revoke_signing_only(authority: Authority) -> None:
    revoke_resident(authority, make_revocation(kinds=frozenset({Kind.SIGNATURE})))


SIGNING_ALONE = make_application(key="signing alone", requests={Kind.SIGNATURE: make_request(number=2)})


def test_a_live_signing_certificate_is_in_the_way_of_another(authority: Authority) -> None:
    issue(authority, make_application())
    refusal = refusal_of(authority, SIGNING_ALONE)
    assert (refusal.code, refusal.facts) == (Code.LIVE_PAIR, {"kinds": ["signature"]})


def test_a_revoked_authentication_certificate_carries_no_signing_certificate(authority: Authority) -> None:
    issue(authority, make_application())
    revoke_resident(authority, make_revocation())
    assert refusal_of(authority, SIGNING_ALONE).code is Code.NO_LIVE_CERTIFICATE


def test_a_held_authentication_certificate_carries_no_signing_certificate(authority: Authority) -> None:
    issue(authority, make_application())
    revoke_signing_only(authority)
    revoke_resident(authority, make_revocation(key="hold", cause=RevocationCause.TEMPORARY_STOP))
    assert refusal_of(authority, SIGNING_ALONE).code is Code.NO_LIVE_CERTIFICATE


def test_an_authentication_certificate_on_a_card_carries_none_on_a_phone(authority: Authority) -> None:
    issue(authority, make_application())
    alone = make_application(key="alone", requests=SIGNING_ALONE.requests, carrier=Carrier.MOBILE_DEVICE)
    assert refusal_of(authority, alone).code is Code.NO_LIVE_CERTIFICATE


# One live certificate of a kind


def test_a_live_pair_is_in_the_way_of_another(authority: Authority, store: MemoryStore) -> None:
    issue(authority, make_application())
    refusal = refusal_of(authority, make_application(key="again", requests=make_pair(number=1)))
    assert (refusal.code, refusal.facts) == (Code.LIVE_PAIR, {"kinds": ["signature", "authentication"]})
    assert len(store.tables.certificates) == 2


def test_a_held_pair_is_still_in_the_way(authority: Authority) -> None:
    issue(authority, make_application())
    revoke_resident(authority, make_revocation(cause=RevocationCause.TEMPORARY_STOP))
    assert refusal_of(authority, make_application(key="again", requests=make_pair(number=1))).code is Code.LIVE_PAIR


def test_a_revoked_pair_makes_room(authority: Authority) -> None:
    first = issue(authority, make_application())
    revoke_resident(authority, make_revocation())
    second = issue(authority, make_application(key="again", requests=make_pair(number=1)))
    assert second.application_id != first.application_id


def test_a_card_and_a_phone_carry_a_pair_each(authority: Authority, store: MemoryStore) -> None:
    issue(authority, make_application())
    issue(authority, make_application(key="phone", requests=make_pair(number=1), carrier=Carrier.MOBILE_DEVICE))
    assert len(store.tables.certificates) == 4


def test_an_expired_pair_is_ended_and_makes_room(authority: Authority, store: MemoryStore) -> None:
    issue(authority, make_application())
    later = replace(authority, clock=TurnedClock(datetime(2031, 11, 3, 15, 0, 0, tzinfo=UTC)))
    issue(later, make_application(key="five years on", requests=make_pair(number=1)))
    rows = list(store.tables.certificates.values())
    assert [row.ended_at for row in rows] == [datetime(2031, 11, 3, 14, 59, 59, tzinfo=UTC)] * 2 + [None] * 2
    expired = [body for body in bodies(store) if body["act"] == Act.EXPIRED.value]
    assert [body["facts"]["kind"] for body in expired] == ["signature", "authentication"]


def test_a_pair_in_its_last_second_is_still_the_live_one(authority: Authority, store: MemoryStore) -> None:
    first = issue(authority, make_application(card=replace(CARD, expires_on=date(2028, 11, 3))))
    later = replace(authority, clock=TurnedClock(datetime(2028, 11, 3, 14, 59, 59, tzinfo=UTC)))
    second = issue(later, make_application(key="in time", requests=make_pair(number=1)))
    assert second.pending
    rows = [row for row in store.tables.certificates.values() if row.ended_at is None]
    assert [(row.application_id, row.pending) for row in rows] == [
        *[(first.application_id, False)] * 2,
        *[(second.application_id, True)] * 2,
    ]


# Repeating an application


def test_a_repeat_gets_the_same_certificates(authority: Authority, store: MemoryStore) -> None:
    first = issue(authority, make_application())
    rows = len(store.tables.audit)
    again = issue(authority, make_application())
    assert (again.application_id, again.certificates, again.substituted) == (
        first.application_id,
        first.certificates,
        first.substituted,
    )
    assert again.repeated
    assert len(store.tables.audit) == rows


def test_a_repeat_gets_the_same_certificates_even_after_they_were_revoked(authority: Authority) -> None:
    first = issue(authority, make_application())
    revoke_resident(authority, make_revocation())
    assert issue(authority, make_application()).certificates == first.certificates


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({"resident_code": resident_code(2)}, id="another-resident"),
        pytest.param({"attributes": attributes(name="霧島　蒼")}, id="another-name"),
        pytest.param({"card": replace(CARD, id="card 2")}, id="another-card"),
        pytest.param({"card": replace(CARD, expires_on=date(2030, 1, 1))}, id="another-day"),
        pytest.param({"carrier": Carrier.MOBILE_DEVICE}, id="another-carrier"),
        pytest.param({"text": CertificateText(name="霧島　透子")}, id="a-proposed-text"),
        pytest.param({"requests": make_pair(number=1)}, id="other-keys"),
        pytest.param({"requests": {Kind.SIGNATURE: make_pair()[Kind.SIGNATURE]}}, id="one-request-less"),
    ],
)
def test_the_key_of_an_earlier_application_serves_no_other(authority: Authority, overrides: dict[str, object]) -> None:
    issue(authority, make_application())
    assert refusal_of(authority, make_application(**overrides)).code is Code.IDEMPOTENCY_MISMATCH


def test_the_keys_of_two_callers_are_two_keys(authority: Authority) -> None:
    issue(authority, make_application())
    add_resident(authority, resident_code(2), municipality=SAPPORO)
    other = make_application(
        caller=SAPPORO_CITY, municipality=SAPPORO.code, resident_code=resident_code(2), requests=make_pair(number=1)
    )
    assert not issue(authority, other).repeated


def test_the_same_world_issues_the_same_octets() -> None:
    def world() -> dict[Kind, bytes]:
        authority = make_authority(random=CountedChance())
        add_resident(authority)
        return dict(issue(authority, make_application()).certificates)

    assert world() == world()


def test_the_answer_names_its_issuers_in_the_records(authority: Authority, store: MemoryStore) -> None:
    issue(authority, make_application(requests=make_pair("ec")))
    assert {issuer for issuer, _ in store.tables.certificates} == {
        IssuerId("signature-g2"),
        IssuerId("authentication-g2"),
    }
