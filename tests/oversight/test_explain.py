"""Explanations: what led to a status, in order, and what verifiers see of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from domain.certificates import Carrier, CertificateState, Kind
from domain.errors import Code, Refusal
from domain.events import Act, EventType
from domain.people import ResidentState
from domain.revocation import CauseRule, CrlReason, RevocationCause
from domain.status import GOOD, UNKNOWN
from oversight.explain import Account, Explanation, Subject, explain
from policies.events import EventRule
from tests.support.authority import KIYOSE
from tests.support.house import PATIENCE, House, live
from tests.support.lists import SCOPE
from tests.support.memory import MemoryStore
from tests.support.residents import resident_code
from tests.support.stores import Store


def explained(house: House, number: int = 1) -> Explanation:
    return explain(house.inspection(), list(house.authority.sealer.indexes(resident_code(number))))


def account_of(house: House, application: int, kind: Kind) -> Account:
    (account,) = explain(house.inspection(), (application, kind)).accounts
    return account


def test_a_good_certificate_has_a_short_story(house: House) -> None:
    house.issue(1)
    house.publish()
    account = account_of(house, 1, Kind.AUTHENTICATION)
    assert [(step.act, step.actor) for step in account.steps] == [
        (Act.RESERVED, "municipality:kiyose"),
        (Act.ISSUED, "municipality:kiyose"),
    ]
    assert (account.status, account.ended_at, account.state) == (GOOD, None, CertificateState.ISSUED)
    assert account.listing.record is not None
    assert (account.listing.record.number, account.listing.entry, account.listing.due) == (1, None, None)


def test_a_hold_that_became_a_revocation_names_both_causes(lived: House) -> None:
    account = account_of(lived, 2, Kind.SIGNATURE)
    causes = [step.rule.cause for step in account.steps if isinstance(step.rule, CauseRule)]
    assert [step.act for step in account.steps][2:] == [Act.HELD, Act.REVOKED]
    assert causes == [RevocationCause.TEMPORARY_STOP, RevocationCause.CARD_LOST]
    held, revoked = account.steps[2:]
    assert held.at < revoked.at == account.ended_at
    assert (account.status.word, account.status.revoked_at) == ("revoked", held.at)
    assert account.listing.entry == (held.at, CrlReason.KEY_COMPROMISE)


def test_a_resident_has_all_certificates_explained_in_order(lived: House) -> None:
    accounts = explained(lived, 2).accounts
    assert [account.application for account in accounts] == [2, 2, 3, 3, 5, 5]
    assert [account.status.word for account in accounts] == ["revoked"] * 4 + ["good"] * 2
    assert [(account.application, account.status.word) for account in explained(lived, 1).accounts] == [
        (1, "revoked"),
        (1, "good"),
        (4, "good"),
    ]


def test_a_revocation_after_a_notice_names_the_notice_and_the_law(house: House) -> None:
    house.issue(1)
    house.move()
    explanation = explained(house)
    (change,) = explanation.changes
    assert (change.actor, change.act) == ("register:juki", Act.RESIDENT_CHANGED)
    assert isinstance(change.rule, EventRule)
    assert change.rule.event is EventType.MOVE_WITHIN
    revoked = {account.kind: account.steps[-1] for account in explanation.accounts}
    rule = revoked[Kind.SIGNATURE].rule
    assert isinstance(rule, CauseRule)
    assert (rule.cause, "法 §12" in rule.source) == (RevocationCause.RESIDENT_EVENT, True)
    assert revoked[Kind.AUTHENTICATION].act is Act.ISSUED


def test_what_a_cause_does_on_a_phone_has_a_source_of_its_own(lived: House) -> None:
    sources = {}
    for application, carrier in ((2, Carrier.CARD), (3, Carrier.MOBILE_DEVICE)):
        rule = account_of(lived, application, Kind.SIGNATURE).steps[-1].rule
        assert isinstance(rule, CauseRule)
        effect = lived.authority.causes[RevocationCause.CARD_LOST].effects[Kind.SIGNATURE, carrier]
        assert (rule.source, rule.verified) == (effect.source, effect.verified)
        sources[carrier] = rule.source
    assert sources[Carrier.CARD] != sources[Carrier.MOBILE_DEVICE]


def test_a_revocation_that_is_not_listed_yet_says_by_when_it_will_be(house: House) -> None:
    house.issue(1)
    house.publish()
    house.revoke(1)
    at = house.clock.now
    listing = account_of(house, 1, Kind.SIGNATURE).listing
    assert (listing.entry, listing.due) == (None, at + PATIENCE)
    house.publish()
    listing = account_of(house, 1, Kind.SIGNATURE).listing
    assert (listing.entry, listing.due) == ((at, CrlReason.CESSATION_OF_OPERATION), None)


def test_a_certificate_that_expired_is_due_on_no_list(house: House) -> None:
    house.issue(1)
    house.revoke(1)
    house.clock.now = account_of(house, 1, Kind.SIGNATURE).validity.not_after + timedelta(seconds=1)
    assert account_of(house, 1, Kind.SIGNATURE).listing.due is None


def test_without_a_list_there_is_nothing_to_show(house: House) -> None:
    house.issue(1)
    assert account_of(house, 1, Kind.SIGNATURE).listing.record is None


def test_a_list_that_cannot_be_read_lists_nothing(lived: House, memory: MemoryStore) -> None:
    (lived.directory / SCOPE.path).write_bytes(b"<html>")
    assert account_of(lived, 1, Kind.SIGNATURE).listing.entry is None


def test_an_unfinished_application_is_unknown_to_ocsp(house: House, memory: MemoryStore) -> None:
    memory.faults[memory.commits + 2] = "lost"
    with pytest.raises(Refusal):
        house.issue(1)
    account = account_of(house, 1, Kind.SIGNATURE)
    assert (account.status, account.state, len(account.steps)) == (UNKNOWN, CertificateState.RESERVED, 1)


def test_rows_that_are_no_events_are_passed_over(lived: House, memory: MemoryStore) -> None:
    before = account_of(lived, 1, Kind.SIGNATURE)
    memory.tables.audit[99] = replace(memory.tables.audit[1], sequence=99, body='"application":1 "resident":1')
    assert account_of(lived, 1, Kind.SIGNATURE) == before


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        pytest.param([bytes(32)], Code.UNKNOWN_RESIDENT, id="a-resident-nobody-knows"),
        pytest.param((77, Kind.SIGNATURE), Code.NOT_FOUND, id="an-application-that-never-was"),
        pytest.param((4, Kind.AUTHENTICATION), Code.NOT_FOUND, id="a-kind-that-was-not-applied-for"),
    ],
)
def test_what_is_not_on_record_is_refused(lived: House, subject: Subject, code: Code) -> None:
    with pytest.raises(Refusal) as refused:
        explain(lived.inspection(), subject)
    assert refused.value.code is code


def test_a_resident_without_certificates_is_explained_too(house: House) -> None:
    explanation = explained(house, 3)
    assert (explanation.resident, explanation.municipality) == (ResidentState.PRESENT, KIYOSE.code)
    assert (explanation.changes, explanation.accounts) == ((), ())


def test_every_store_tells_the_same_story(store: Store, memory: MemoryStore, tmp_path: Path) -> None:
    houses = [
        House(begin, status, tmp_path / name, lambda key_id, octets, signature: True)
        for name, begin, status in (("sql", store.begin, store.status), ("memory", memory.begin, memory))
    ]
    for house in houses:
        live(house)
    assert explained(houses[0], 2) == explained(houses[1], 2)
