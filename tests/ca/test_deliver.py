"""Renewal in two steps: the new certificates wait, the old ones stay, and the report of the delivery exchanges them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from cryptography import x509

from ca.authority import Authority
from ca.deliver import report_delivery, withdraw_overdue
from ca.issue import issue
from ca.visibility import visibility_of
from domain.applications import Card, DeliveryReport, HandOver, IssuedPair
from domain.birth import BirthDate
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import Act, EventType
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.people import ResidentState
from domain.revocation import CrlReason, RevocationCause
from policies.issuance import TWO_STEPS, IssuanceRule
from policies.rulebook import rules_behind
from tests.support.authority import (
    CARD,
    KIYOSE_CITY,
    NOW,
    SAPPORO_CITY,
    add_resident,
    make_application,
    make_authority,
    make_generation,
)
from tests.support.house import HOUR, House
from tests.support.memory import MemoryStore
from tests.support.notices import applied, ending, make_intake, notice
from tests.support.requests import make_pair
from tests.support.residents import attributes, resident_code
from tests.support.signers import WrappedSigner, authority_signer
from tests.support.stores import sqlite_store

OLD_CARD = replace(CARD, id="old card", expires_on=date(2027, 6, 30))
"""Its certificates end in three months: they can be renewed on the day after they are issued."""

SIXTH_BIRTHDAY = datetime(2032, 11, 3, 14, 59, 59, tzinfo=UTC)
MONTH = timedelta(days=30)


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def house(memory: MemoryStore, tmp_path: Path) -> House:
    return House(memory.begin, memory, tmp_path / "crl", lambda key_id, octets, signature: True)


def renewed(house: House, **changes: Any) -> IssuedPair:
    """A pair of resident 1 that ends before long, and the one that is to follow it."""
    house.issue(card=OLD_CARD, key="the old one")
    house.clock.forward(HOUR)
    return house.issue(**{"key": "the new one", **changes})


def states(house: House) -> list[tuple[int, str, str, bool]]:
    """(application, kind, status, pending) of certificates that have not ended."""
    with house.begin(write=False) as work:
        rows = [row for row in work.certificates.all() if row.ended_at is None]
    return sorted(
        (row.application_id, row.kind.value, house.status.status_of(row.issuer, row.serial).word, row.pending)
        for row in rows
    )


def pair_of(application: int, *, pending: bool = False, word: str = "good") -> list[tuple[int, str, str, bool]]:
    return [(application, "authentication", word, pending), (application, "signature", word, pending)]


def reasons(house: House) -> dict[tuple[int, str], tuple[str, CrlReason]]:
    """(application, kind) of what is revoked, and why."""
    with house.begin(write=False) as work:
        rows = {(row.issuer, row.serial): row for row in work.certificates.all()}
        return {
            (rows[r.issuer, r.serial].application_id, rows[r.issuer, r.serial].kind.value): (r.cause.value, r.reason)
            for r in work.revocations.all()
        }


def refused(house: House, key: str = "the new one", outcome: HandOver = HandOver.DELIVERED) -> Code:
    with pytest.raises(Refusal) as refusal:
        house.deliver(key, outcome)
    return refusal.value.code


# The window, and what a renewal is


def test_in_the_last_three_months_a_pair_is_renewed_to_the_sixth_birthday(house: House) -> None:
    pair = renewed(house)
    assert pair.pending
    for octets in pair.certificates.values():
        assert x509.load_der_x509_certificate(octets).not_valid_after_utc == SIXTH_BIRTHDAY


def test_before_that_it_cannot_be_renewed(house: House) -> None:
    house.issue(card=replace(OLD_CARD, expires_on=date(2027, 7, 1)))
    house.clock.now = datetime(2027, 4, 1, 14, 59, 59, tzinfo=UTC)
    with pytest.raises(Refusal, match="cannot be renewed yet") as refusal:
        house.issue()
    assert (refusal.value.code, refusal.value.facts) == (Code.LIVE_PAIR, {"kinds": ["signature", "authentication"]})
    house.clock.now += timedelta(seconds=1)  # 2 April in Japan
    assert house.issue().pending


@pytest.mark.parametrize("card", [OLD_CARD, CARD], ids=["in its last months", "before them"])
def test_what_is_on_hold_is_not_renewed(house: House, card: Card) -> None:
    house.issue(card=card)
    house.revoke(1, RevocationCause.TEMPORARY_STOP)
    with pytest.raises(Refusal, match="on hold") as refusal:
        house.issue()
    assert refusal.value.code is Code.LIVE_PAIR


def test_old_and_new_ones_are_good_until_the_delivery(house: House) -> None:
    renewed(house)
    assert states(house) == pair_of(1) + pair_of(2, pending=True)
    assert house.faults() == []
    assert "certificates that wait for their hand-over: 2" in house.notes()


def test_the_delivery_makes_the_new_ones_live_and_supersedes_the_old_ones(house: House) -> None:
    renewed(house)
    receipt = house.deliver("the new one")
    assert (receipt.live, receipt.revoked, receipt.repeated) == (tuple(Kind), tuple(Kind), False)
    assert states(house) == pair_of(2)
    assert set(reasons(house).values()) == {("renewal", CrlReason.SUPERSEDED)}
    assert {application for application, _ in reasons(house)} == {1}
    assert house.faults() == []


def test_the_receipt_says_which_lists_showed_that_the_old_ones_are_superseded(house: House) -> None:
    renewed(house)
    receipt = house.deliver("the new one")
    house.publish()
    found = visibility_of(house.begin, receipt.id, KIYOSE_CITY)
    assert (found.revoked, found.in_ocsp_at) == (("signature", "authentication"), receipt.committed_at)
    assert [showing.change.count for showing in found.showings] == [1, 1]
    assert found.in_lists_at == house.clock.now


def test_a_repeated_report_gets_the_same_receipt_and_changes_nothing(house: House, memory: MemoryStore) -> None:
    renewed(house)
    first = house.deliver("the new one")
    rows = len(memory.tables.audit)
    house.clock.forward(HOUR)
    assert house.deliver("the new one") == replace(first, repeated=True)
    assert len(memory.tables.audit) == rows


def test_the_chain_of_predecessors_is_kept(house: House, memory: MemoryStore) -> None:
    renewed(house)
    house.deliver("the new one", HandOver.REFUSED)
    house.issue(key="once more")
    house.deliver("once more")
    house.revoke(1, RevocationCause.HOLDER_REQUEST, Kind.SIGNATURE)
    house.issue(requests={Kind.SIGNATURE: house.requests("rsa")[Kind.SIGNATURE]}, key="signing alone")
    links = {(row.application_id, row.kind.value): row.predecessor for row in memory.tables.certificates.values()}
    assert links == {
        **{(1, kind.value): None for kind in Kind},
        **{(2, kind.value): 1 for kind in Kind},
        **{(3, kind.value): 1 for kind in Kind},  # what was never delivered is nobody's predecessor
        (4, "signature"): 3,
    }
    assert house.faults() == []


def test_whoever_renews_waits_for_the_report_before_applying_again(house: House) -> None:
    renewed(house)
    with pytest.raises(Refusal, match="wait for their hand-over") as refusal:
        house.issue()
    assert (refusal.value.code, refusal.value.facts) == (Code.LIVE_PAIR, {"pending": ["signature", "authentication"]})


def test_a_signing_certificate_alone_does_not_slip_in_beside_a_pair_that_waits(house: House) -> None:
    renewed(house)
    house.move(1)
    add_resident(house.authority)  # the four items as the application writes them
    with pytest.raises(Refusal) as refusal:
        house.issue(requests={Kind.SIGNATURE: house.requests()[Kind.SIGNATURE]})
    assert refusal.value.code is Code.LIVE_PAIR


def test_an_old_pair_that_expired_meanwhile_is_not_revoked(house: House) -> None:
    renewed(house)
    house.clock.now = datetime(2027, 6, 30, 15, 0, 0, tzinfo=UTC)
    assert house.deliver("the new one").revoked == ()
    assert states(house) == pair_of(2)
    assert reasons(house) == {}
    assert house.faults(delivery_within=10 * MONTH) == []


# Refused, or never reported


def test_a_refused_delivery_ends_the_new_ones_and_leaves_the_old_ones(house: House) -> None:
    renewed(house)
    receipt = house.deliver("the new one", HandOver.REFUSED)
    assert (receipt.live, receipt.revoked) == ((), tuple(Kind))
    assert states(house) == pair_of(1)
    assert set(reasons(house).values()) == {("never-delivered", CrlReason.UNSPECIFIED)}
    assert house.faults() == []
    assert house.issue().pending


def test_first_certificates_are_live_at_once_and_a_refusal_ends_them(house: House) -> None:
    assert not house.issue(key="the first").pending
    assert states(house) == pair_of(1)
    house.deliver("the first", HandOver.REFUSED)
    assert states(house) == []
    assert set(reasons(house).values()) == {("never-delivered", CrlReason.UNSPECIFIED)}


def test_a_delivery_in_one_step_may_be_reported_and_changes_nothing(house: House) -> None:
    house.issue(key="the first")
    receipt = house.deliver("the first")
    assert (receipt.live, receipt.revoked) == (tuple(Kind), ())
    assert refused(house, "the first", HandOver.REFUSED) is Code.IDEMPOTENCY_MISMATCH


def test_what_is_not_reported_in_time_is_withdrawn(house: House) -> None:
    renewed(house)
    at = house.clock.now
    house.clock.forward(MONTH)
    assert withdraw_overdue(house.authority, at, "publisher:test") == 0
    assert withdraw_overdue(house.authority, at + timedelta(seconds=1), "publisher:test") == 1
    assert withdraw_overdue(house.authority, at + timedelta(seconds=1), "publisher:test") == 0
    assert states(house) == pair_of(1)
    assert set(reasons(house).values()) == {("never-delivered", CrlReason.UNSPECIFIED)}
    assert house.faults() == []
    assert refused(house) is Code.NOT_PENDING


def test_what_waits_too_long_is_named_by_the_check(house: House) -> None:
    renewed(house)
    house.clock.forward(2 * MONTH)
    assert [text for text in house.faults() if "should have been revoked" in text] != []


def test_many_are_withdrawn_in_several_transactions(memory: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ca.deliver._AT_ONCE", 1)
    authority = make_authority(memory, issuance=steps(IssuanceRule.FIRST_ISSUE, TWO_STEPS))
    for number in range(1, 4):
        add_resident(authority, resident_code(number))
        code = resident_code(number)
        issue(authority, make_application(key=f"of {number}", resident_code=code, requests=make_pair(number=number)))
    commits = memory.commits
    assert withdraw_overdue(authority, NOW + MONTH, "publisher:test") == 3
    assert memory.commits == commits + 3


def steps(rule: IssuanceRule, value: int) -> Any:
    """The table of issuance with another number in one row."""
    rules = make_authority().issuance
    return {**rules, rule: replace(rules[rule], value=value)}


def test_the_trail_says_by_which_row_each_was_issued(house: House, memory: MemoryStore) -> None:
    renewed(house)
    house.deliver("the new one")
    house.revoke(1, RevocationCause.HOLDER_REQUEST, Kind.SIGNATURE)
    house.issue(requests={Kind.SIGNATURE: house.requests()[Kind.SIGNATURE]}, key="the other one")
    house.revoke(1, RevocationCause.CARD_LOST)
    house.issue(key="a new card's")
    rows = [json.loads(row.body) for row in memory.tables.audit.values()]
    behind = {
        row["facts"]["application"]: rules_behind(Act.RESERVED, row["facts"])[0]
        for row in rows
        if row["act"] == Act.RESERVED.value
    }
    assert behind == {
        1: "issuance/first-issue",
        2: "issuance/replacement",
        3: "issuance/addition",
        4: "issuance/first-issue",
    }


@pytest.mark.parametrize("rule", [IssuanceRule.FIRST_ISSUE, IssuanceRule.ADDITION])
def test_the_table_says_what_is_handed_over_in_two_steps(house: House, rule: IssuanceRule) -> None:
    alone = rule is IssuanceRule.ADDITION
    if alone:
        house.issue(key="before")
        house.revoke(1, RevocationCause.HOLDER_REQUEST, Kind.SIGNATURE)
    house.authority = replace(house.authority, issuance=steps(rule, TWO_STEPS))
    requests = house.requests()
    kinds = [Kind.SIGNATURE] if alone else list(Kind)
    pair = house.issue(key="slowly", requests={kind: requests[kind] for kind in kinds})
    assert pair.pending
    assert house.faults() == []
    assert set(house.deliver("slowly").live) == set(kinds)
    assert house.faults() == []
    assert not any(pending for *_, pending in states(house))


# Who may report, and when


@pytest.mark.parametrize(
    ("caller", "applicant", "code"),
    [
        pytest.param(SAPPORO_CITY, KIYOSE_CITY.label, Code.NOT_ADMITTED, id="another-municipality"),
        pytest.param(SAPPORO_CITY, SAPPORO_CITY.label, Code.NOT_FOUND, id="another-municipality-s-own-key"),
        pytest.param(Party(9, Role.REGISTER, "juki"), KIYOSE_CITY.label, Code.NOT_ADMITTED, id="the-register"),
        pytest.param(replace(KIYOSE_CITY, suspended_at=NOW), KIYOSE_CITY.label, Code.NOT_ADMITTED, id="one-suspended"),
        pytest.param(LOCAL_OPERATOR, KIYOSE_CITY.label, None, id="an-operator-for-the-municipality"),
    ],
)
def test_a_municipality_reports_its_own_deliveries(
    house: House, caller: Party, applicant: str, code: Code | None
) -> None:
    renewed(house)
    report = DeliveryReport(caller, applicant, "the new one", HandOver.DELIVERED)
    if code is None:
        assert report_delivery(house.authority, report).live == tuple(Kind)
        return
    with pytest.raises(Refusal) as refusal:
        report_delivery(house.authority, report)
    assert refusal.value.code is code
    assert states(house) == pair_of(1) + pair_of(2, pending=True)


def test_an_unfinished_application_is_finished_first(house: House) -> None:
    house.issue(card=OLD_CARD, key="the old one")
    house.clock.forward(HOUR)
    away = WrappedSigner(authority_signer("authentication", "g1"), away=True)
    well = house.authority
    house.authority = replace(well, generations=(make_generation(), make_generation(Kind.AUTHENTICATION, signer=away)))
    requests = house.requests()
    with pytest.raises(Refusal):
        house.issue(key="the new one", requests=requests)
    house.authority = well
    assert refused(house) is Code.IN_PROGRESS
    assert withdraw_overdue(well, house.clock.now + MONTH, "publisher:test") == 0
    assert house.issue(key="the new one", requests=requests).repeated
    assert states(house) == pair_of(1) + pair_of(2, pending=True)
    assert house.deliver("the new one").live == tuple(Kind)
    assert house.faults() == []


def test_the_key_of_a_delivery_is_no_key_of_a_revocation(house: House) -> None:
    renewed(house, key="revocation 1")
    house.deliver("revocation 1")
    assert house.revoke(1).revoked == tuple(Kind)


# What happens between issue and delivery


def test_a_move_revokes_both_signing_certificates_and_the_rest_is_delivered(house: House) -> None:
    renewed(house)
    assert house.move(1).revoked == (Kind.SIGNATURE,)
    assert states(house) == [(1, "authentication", "good", False), (2, "authentication", "good", True)]
    receipt = house.deliver("the new one")
    assert (receipt.live, receipt.revoked) == ((Kind.AUTHENTICATION,), (Kind.AUTHENTICATION,))
    assert states(house) == [(2, "authentication", "good", False)]
    assert house.faults() == []


def test_death_ends_old_and_new_ones_and_nothing_can_be_delivered(house: House) -> None:
    renewed(house)
    event = ending(EventType.DEATH, code=resident_code(1))
    applied(make_intake(house.begin, house.clock.now, house.authority.sealer), event)
    assert states(house) == []
    assert refused(house) is Code.NOT_PENDING
    assert len(reasons(house)) == 4
    assert house.faults() == []


def test_a_minor_correction_leaves_all_as_it_is(house: House) -> None:
    renewed(house)
    event = notice(
        EventType.MINOR_CORRECTION, attributes(name="霧嶋　透子"), code=resident_code(1), effective_on=date(2027, 4, 1)
    )
    applied(make_intake(house.begin, house.clock.now, house.authority.sealer), event)
    assert states(house) == pair_of(1) + pair_of(2, pending=True)


def test_a_hold_stops_old_and_new_ones_and_the_delivery(house: House) -> None:
    renewed(house)
    house.revoke(1, RevocationCause.TEMPORARY_STOP)
    assert states(house) == pair_of(1, word="revoked") + pair_of(2, pending=True, word="revoked")
    assert refused(house) is Code.NOT_PENDING
    assert house.deliver("the new one", HandOver.REFUSED).revoked == tuple(Kind)
    assert states(house) == pair_of(1, word="revoked")
    assert house.faults() == []


def test_a_lost_card_ends_both_pairs(house: House) -> None:
    renewed(house)
    house.revoke(1, RevocationCause.CARD_LOST)
    assert states(house) == []
    assert refused(house, outcome=HandOver.REFUSED) is Code.NOT_PENDING
    assert house.faults() == []


def test_never_delivered_is_what_waits_and_the_old_ones_stay(house: House) -> None:
    renewed(house)
    assert house.revoke(1, RevocationCause.NEVER_DELIVERED).revoked == tuple(Kind)
    assert states(house) == pair_of(1)
    assert refused(house, outcome=HandOver.REFUSED) is Code.NOT_PENDING
    assert house.revoke(1, RevocationCause.NEVER_DELIVERED).revoked == tuple(Kind)  # nothing waits: the live ones
    assert states(house) == []


def test_a_cause_that_names_the_renewal_leaves_what_waits(house: House) -> None:
    renewed(house)
    house.revoke(1, RevocationCause.RENEWAL)
    assert states(house) == pair_of(2, pending=True)
    assert house.deliver("the new one").live == tuple(Kind)
    assert house.faults() == []


# Crashes and races


@pytest.mark.parametrize("fault", ["lost", "kept"])
@pytest.mark.parametrize("outcome", list(HandOver))
def test_a_commit_that_fails_is_repeated_without_harm(
    house: House, memory: MemoryStore, fault: Literal["lost", "kept"], outcome: HandOver
) -> None:
    renewed(house)
    memory.faults[memory.commits + 1] = fault
    assert refused(house, outcome=outcome) is Code.STORE_UNAVAILABLE
    assert house.faults() == []
    assert house.deliver("the new one", outcome).repeated is (fault == "kept")
    assert states(house) == pair_of(2 if outcome is HandOver.DELIVERED else 1)
    assert house.faults() == []


def outcome_of(authority: Authority, number: int) -> Code | None:
    try:
        issue(authority, make_application(key=f"renewal {number}", requests=make_pair(number=number)))
    except Refusal as refusal:
        return refusal.code
    return None


def test_of_five_renewals_at_once_one_waits_and_reports_at_once_exchange_once(tmp_path: Path) -> None:
    with sqlite_store(tmp_path) as store:
        authority = make_authority(begin=store.begin)
        add_resident(authority)
        issue(authority, make_application(card=OLD_CARD))
        with ThreadPoolExecutor(5) as pool:
            outcomes = list(pool.map(lambda number: outcome_of(authority, number), range(1, 6)))
        assert outcomes.count(None) == 1
        assert set(outcomes) <= {None, Code.LIVE_PAIR, Code.IN_PROGRESS}
        key = f"renewal {outcomes.index(None) + 1}"
        report = DeliveryReport(KIYOSE_CITY, KIYOSE_CITY.label, key, HandOver.DELIVERED)
        with ThreadPoolExecutor(5) as pool:
            receipts = list(pool.map(lambda _: report_delivery(authority, report), range(5)))
        assert sum(not receipt.repeated for receipt in receipts) == 1
        with store.begin(write=False) as work:
            rows = list(work.certificates.all())
            told = [row.body for row in work.audit.rows()]
        assert [row.pending for row in rows] == [False] * 4
        assert sorted(row.kind.value for row in rows if row.ended_at is None) == ["authentication", "signature"]
        assert sum(Act.DELIVERED.value in body for body in told) == 2


def test_who_has_moved_out_meanwhile_still_gets_what_waits(house: House) -> None:
    renewed(house)
    add_resident(house.authority, state=ResidentState.MOVING)
    assert house.deliver("the new one").live == tuple(Kind)


# Who may have which


def test_adults_under_guardianship_get_the_authentication_certificate_alone(house: House) -> None:
    with pytest.raises(Refusal) as refusal:
        house.issue(under_guardianship=True)
    assert refusal.value.code is Code.UNDER_GUARDIANSHIP
    alone = {Kind.AUTHENTICATION: house.requests()[Kind.AUTHENTICATION]}
    assert set(house.issue(requests=alone, under_guardianship=True).certificates) == {Kind.AUTHENTICATION}
    assert house.faults() == []


def test_a_renewal_under_guardianship_leaves_no_signing_certificate(house: House) -> None:
    """It never outlives the authentication certificate beside it."""
    house.issue(card=OLD_CARD)
    house.clock.forward(HOUR)
    alone = {Kind.AUTHENTICATION: house.requests()[Kind.AUTHENTICATION]}
    assert house.issue(key="alone", requests=alone, under_guardianship=True).pending
    receipt = house.deliver("alone")
    assert (receipt.live, receipt.revoked) == ((Kind.AUTHENTICATION,), tuple(Kind))
    assert states(house) == [(2, "authentication", "good", False)]
    assert house.faults() == []


def test_at_fifteen_the_signing_certificate_is_added_and_the_next_renewal_is_of_both(house: House) -> None:
    child = attributes(birth_date=BirthDate(2012, 4, 10))
    add_resident(house.authority, items=child)
    card = replace(CARD, expires_on=date(2027, 6, 30))
    alone = {Kind.AUTHENTICATION: house.requests()[Kind.AUTHENTICATION]}
    house.issue(attributes=child, card=card, requests=alone, key="at fourteen")
    house.clock.now = datetime(2027, 4, 10, 3, tzinfo=UTC)
    signing = {Kind.SIGNATURE: house.requests()[Kind.SIGNATURE]}
    added = house.issue(attributes=child, card=card, requests=signing, key="at fifteen")
    assert not added.pending
    end = x509.load_der_x509_certificate(added.certificates[Kind.SIGNATURE]).not_valid_after_utc
    assert end == datetime(2027, 6, 30, 14, 59, 59, tzinfo=UTC)  # with the authentication certificate
    house.issue(attributes=child, card=replace(card, expires_on=date(2032, 4, 10)), key="renewal")
    assert set(house.deliver("renewal").revoked) == set(Kind)
    assert house.faults() == []


def test_a_card_cannot_be_valid_for_ever(house: House) -> None:
    with pytest.raises(Refusal) as refusal:
        house.issue(card=replace(CARD, expires_on=date(2036, 11, 4)))
    assert refusal.value.code is Code.CARD_LIFE
