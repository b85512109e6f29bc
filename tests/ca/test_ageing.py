"""Ageing: an old hold is reported once, or revoked where the table says so, and keeps its time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from ca.ageing import BATCH, Aged, age_holds
from ca.authority import Authority
from ca.hold import HoldRequest, place_hold
from domain.certificates import Carrier
from domain.errors import Code, Refusal
from domain.holds import AgeWord
from domain.parties import LOCAL_OPERATOR
from domain.revocation import CrlReason, RevocationCause
from tests.support.authority import (
    RESIDENT,
    TurnedClock,
)
from tests.support.carriers import carriers_in_use
from tests.support.memory import MemoryStore

DAY = timedelta(days=1)
ACTOR = "publisher:test"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def authority(store: MemoryStore, clock: TurnedClock) -> Authority:
    """Resident 1 has a pair on card and phone, held now."""
    made = carriers_in_use(store, clock)
    place_hold(made, HoldRequest(LOCAL_OPERATOR, "stop", RESIDENT))
    return made


def revoking(authority: Authority, cause: RevocationCause = RevocationCause.CARD_LOST) -> Authority:
    """Cards are revoked after a week; phones are reported after a month, as ever."""
    ages = dict(authority.holds.ages)
    ages[Carrier.CARD] = replace(ages[Carrier.CARD], days=7, effect=AgeWord.REVOKED, cause=cause)
    return replace(authority, holds=replace(authority.holds, ages=ages))


def test_a_young_hold_is_left_alone(authority: Authority, store: MemoryStore, clock: TurnedClock) -> None:
    rows = len(store.tables.audit)
    clock.forward(30 * DAY)
    assert age_holds(authority, ACTOR) == Aged()
    assert len(store.tables.audit) == rows


def test_an_old_hold_is_reported_once_and_stands(authority: Authority, store: MemoryStore, clock: TurnedClock) -> None:
    before = dict(store.tables.revocations)
    clock.forward(30 * DAY + timedelta(seconds=1))
    assert age_holds(authority, ACTOR) == Aged(reported=4)
    assert age_holds(authority, ACTOR) == Aged()
    assert store.tables.revocations == before
    told = [json.loads(row.body) for row in store.tables.audit.values() if "hold-aged" in row.body]
    assert [(body["actor"], body["facts"]["effect"], body["facts"]["days"]) for body in told] == [
        (ACTOR, "reported", 30)
    ] * 4
    assert {body["facts"]["carrier"] for body in told} == {carrier.value for carrier in Carrier}


def test_an_old_hold_is_revoked_where_the_table_says_so(
    authority: Authority, store: MemoryStore, clock: TurnedClock
) -> None:
    held_at = clock.now
    clock.forward(8 * DAY)
    assert age_holds(revoking(authority), ACTOR) == Aged(revoked=2)
    cards = [
        store.tables.revocations[name] for name, row in store.tables.certificates.items() if row.carrier is Carrier.CARD
    ]
    assert {(row.cause, row.reason, row.revoked_at) for row in cards} == {
        (RevocationCause.CARD_LOST, CrlReason.KEY_COMPROMISE, held_at)
    }
    ended = {row.ended_at for row in store.tables.certificates.values() if row.carrier is Carrier.CARD}
    assert ended == {clock.now}
    assert age_holds(revoking(authority), ACTOR) == Aged()


def test_what_was_only_reported_is_revoked_when_the_table_changes(authority: Authority, clock: TurnedClock) -> None:
    clock.forward(31 * DAY)
    assert age_holds(authority, ACTOR) == Aged(reported=4)
    assert age_holds(revoking(authority), ACTOR) == Aged(revoked=2)


def test_a_cause_that_spares_a_certificate_is_no_end_of_a_hold(authority: Authority) -> None:
    with pytest.raises(Refusal) as caught:
        revoking(authority, RevocationCause.RESIDENT_EVENT)
    assert caught.value.code is Code.BAD_CONFIGURATION
    assert caught.value.detail == (
        "holds of authentication on card are to end for the cause resident-event, which does not revoke them"
    )


def test_a_round_that_is_cut_off_goes_on_where_it_was(
    authority: Authority, store: MemoryStore, clock: TurnedClock
) -> None:
    clock.forward(31 * DAY)
    store.faults[store.commits + 2] = "lost"  # cards are reported in the first commit, phones in the second
    with pytest.raises(Refusal):
        age_holds(authority, ACTOR)
    assert len(store.tables.reported) == 2
    assert age_holds(authority, ACTOR) == Aged(reported=2)
    assert BATCH > 2
