"""Certificates on a phone: applied for with a signature by the card, and never longer than it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ca.issue import issue
from ca.proof import proof_content
from domain.certificates import Carrier, Kind
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR
from domain.revocation import CrlReason, RevocationCause
from tests.support.authority import CARD, add_resident, make_application, make_authority, make_generation
from tests.support.house import HOUR, House
from tests.support.memory import MemoryStore
from tests.support.proofs import proven
from tests.support.requests import holder_key, make_pair
from tests.support.residents import attributes

SHORT_CARD = replace(CARD, expires_on=date(2028, 6, 30))
PHONE: dict[str, Any] = {"carrier": Carrier.MOBILE_DEVICE}


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def house(memory: MemoryStore, tmp_path: Path) -> House:
    return House(memory.begin, memory, tmp_path / "crl", lambda key_id, octets, signature: True)


def refusal(house: House, **changes: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        house.issue(**{**PHONE, **changes})
    return refused.value


def live(house: House) -> set[tuple[str, str, int]]:
    """(kind, carrier, application) of what has not ended."""
    with house.begin(write=False) as work:
        return {
            (row.kind.value, row.carrier.value, row.application_id)
            for row in work.certificates.all()
            if row.ended_at is None
        }


def pair_on(carrier: str, application: int) -> set[tuple[str, str, int]]:
    return {(kind.value, carrier, application) for kind in Kind}


@pytest.mark.parametrize("keys", ["rsa", "ec"])
def test_who_signs_with_the_card_gets_a_pair_on_the_phone(house: House, keys: str) -> None:
    house.issue(requests=house.requests(keys), card=SHORT_CARD)
    pair = house.issue(requests=house.requests("ec"), **PHONE)
    assert not pair.pending
    policies = {
        kind: x509.load_der_x509_certificate(octets)
        .extensions.get_extension_for_class(x509.CertificatePolicies)
        .value[0]
        .policy_identifier.dotted_string
        for kind, octets in pair.certificates.items()
    }
    assert policies == {Kind.SIGNATURE: "2.999.8.5.1.1.40", Kind.AUTHENTICATION: "2.999.8.5.1.3.40"}
    assert live(house) == pair_on("card", 1) | pair_on("mobile-device", 2)
    assert house.faults() == []


def test_nothing_on_the_phone_outlives_the_card_s_signing_certificate(house: House) -> None:
    house.issue(card=SHORT_CARD)
    pair = house.issue(**PHONE)  # the application tells of a card that is valid longer
    ends = {x509.load_der_x509_certificate(octets).not_valid_after_utc for octets in pair.certificates.values()}
    assert ends == {datetime(2028, 6, 30, 14, 59, 59, tzinfo=UTC)}


def test_what_was_signed_says_all_that_is_applied_for_in_lines() -> None:
    application = make_application(**PHONE, card=SHORT_CARD)
    said = proof_content(application).decode()
    assert said.startswith(
        "JPKI application for certificates on a mobile device, version 1\nmunicipality_code=132217\n"
    )
    assert "card_expires_on=2028-06-30\n" in said
    changes: list[dict[str, Any]] = [
        {"card": replace(SHORT_CARD, id="another")},
        {"card": CARD},
        {"attributes": attributes(name="霧島　蒼")},
        {"requests": make_pair(number=1)},
        {"requests": {Kind.SIGNATURE: make_pair()[Kind.SIGNATURE]}},
    ]
    others = [proof_content(replace(application, **change)) for change in changes]
    assert len({proof_content(application), *others}) == 1 + len(changes)


def test_a_proof_by_another_key_or_over_another_content_is_refused(house: House) -> None:
    house.issue()
    application = make_application(key="phone", requests=make_pair(number=3), **PHONE)
    wrong = [
        proven(application, holder_key("rsa", 1)).proof,  # the authentication key of the same card
        proven(application, holder_key("ec", 0)).proof,
        proven(replace(application, card=SHORT_CARD), holder_key()).proof,
        b"\x00" * 256,
        b"",
    ]
    for proof in wrong:
        with pytest.raises(Refusal) as refused:
            issue(house.authority, replace(application, proof=proof))
        assert (refused.value.code, refused.value.pointer) == (Code.BAD_PROOF, "/proof")
    assert issue(house.authority, application).certificates


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        pytest.param({**PHONE, "proof": None}, "/proof", id="none for a phone"),
        pytest.param({"proof": b"signature"}, "/proof", id="one for a card"),
        pytest.param(
            {**PHONE, "requests": {Kind.AUTHENTICATION: make_pair()[Kind.AUTHENTICATION]}},
            "/requests",
            id="a phone without signing certificate",
        ),
    ],
)
def test_the_shape_of_the_application_is_judged(house: House, changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refusal) as refused:
        issue(house.authority, make_application(**changes))
    assert refused.value.code is Code.MALFORMED
    assert refused.value.pointer in (pointer, None if pointer == "/requests" else pointer)


def test_without_a_card_in_force_there_is_nothing_for_the_phone(house: House) -> None:
    application = make_application(key="phone", requests=make_pair(number=3), **PHONE)
    for act in (None, RevocationCause.TEMPORARY_STOP, RevocationCause.CARD_LOST):
        if act is RevocationCause.TEMPORARY_STOP:
            house.issue()
        if act:
            house.revoke(1, act)
        with pytest.raises(Refusal) as refused:
            issue(house.authority, application)
        assert refused.value.code is Code.NO_LIVE_CERTIFICATE


def test_a_card_that_waits_for_its_hand_over_signs_nothing_yet(house: House) -> None:
    house.issue(card=replace(CARD, expires_on=date(2027, 6, 30)), key="old")
    house.clock.forward(HOUR)
    new = house.requests()
    old = dict(house._cards)
    house.issue(requests=new, key="new")
    assert refusal(house).code is Code.BAD_PROOF
    house.deliver("new")
    assert house.issue(**PHONE).certificates
    house._cards.update(old)
    assert refusal(house, requests=house.requests("ec")).code in (Code.BAD_PROOF, Code.LIVE_PAIR)


def test_the_phone_is_renewed_in_two_steps_and_leaves_the_card_alone(house: House) -> None:
    house.issue()
    house.issue(card=replace(CARD, expires_on=date(2027, 6, 30)), **PHONE)
    house.clock.forward(HOUR)
    assert house.issue(key="new phone", **PHONE).pending
    house.deliver("new phone")
    assert live(house) == pair_on("card", 1) | pair_on("mobile-device", 3)
    assert house.faults() == []


def test_a_renewed_card_ends_what_is_on_the_phone_as_the_table_says(house: House, memory: MemoryStore) -> None:
    house.issue(card=replace(CARD, expires_on=date(2027, 6, 30)))
    house.issue(**PHONE)
    house.clock.forward(HOUR)
    house.issue(key="new card")
    assert live(house) == pair_on("card", 1) | pair_on("mobile-device", 2) | pair_on("card", 3)
    house.deliver("new card")
    assert live(house) == pair_on("card", 3)
    assert {row.reason for row in memory.tables.revocations.values()} == {CrlReason.SUPERSEDED}
    assert house.faults() == []


def test_with_the_card_the_phone_ends(house: House) -> None:
    house.issue()
    house.issue(**PHONE)
    house.revoke(1, RevocationCause.CARD_ENDED)
    assert live(house) == set()


def test_a_move_ends_both_signing_certificates_and_the_card_comes_first(house: House) -> None:
    house.issue()
    house.issue(**PHONE)
    house.move(1)
    assert live(house) == {("authentication", "card", 1), ("authentication", "mobile-device", 2)}
    add_resident(house.authority)  # the four items as the applications write them
    signing = {Kind.SIGNATURE: house.requests()[Kind.SIGNATURE]}
    assert refusal(house, requests=signing).code is Code.NO_LIVE_CERTIFICATE
    house.issue(requests={Kind.SIGNATURE: house.requests()[Kind.SIGNATURE]})
    assert set(house.issue(requests=signing, **PHONE).certificates) == {Kind.SIGNATURE}
    assert house.faults() == []


def test_an_operator_hands_on_what_was_applied_for_online(house: House) -> None:
    house.issue()
    assert house.issue(caller=LOCAL_OPERATOR, **PHONE).certificates


def test_a_generation_without_a_profile_for_phones_issues_none() -> None:
    generations = tuple(make_generation(kind, mobile_profile=None) for kind in Kind)
    authority = make_authority(generations=generations)
    add_resident(authority)
    issue(authority, make_application())
    with pytest.raises(Refusal) as refused:
        issue(authority, make_application(key="phone", requests=make_pair(number=1), **PHONE))
    assert (refused.value.code, refused.value.pointer) == (Code.MALFORMED, "/requests/signature")


def test_a_profile_for_phones_certifies_what_the_one_for_cards_does() -> None:
    other = make_generation(label="g2").mobile_profile
    with pytest.raises(Refusal, match="another purpose or key"):
        make_authority(generations=(make_generation(mobile_profile=other), make_generation(Kind.AUTHENTICATION)))
