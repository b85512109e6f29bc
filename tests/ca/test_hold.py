"""Holds: at any hour, by code or by the four items, once, and telling nobody who lives where."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from ca.authority import Authority
from ca.desk import Name
from ca.hold import HoldRequest, place_hold, preview_hold
from ca.revoke import revoke_resident
from domain.certificates import Carrier, Kind
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.revocation import CertificateEffect, CrlReason, RevocationCause
from tests.support.authority import (
    ITEMS_ON_RECORD,
    KIYOSE_CITY,
    RESIDENT,
    SAPPORO_CITY,
    TurnedClock,
    add_resident,
    make_revocation,
)
from tests.support.carriers import carriers_in_use
from tests.support.memory import MemoryStore
from tests.support.residents import resident_code

DESK = Party(9, Role.DESK, "call-centre")
HOUR = timedelta(hours=1)
PHONE = frozenset({Carrier.MOBILE_DEVICE})
NOBODY = replace(ITEMS_ON_RECORD, name="榎戸　冬子")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def authority(store: MemoryStore, clock: TurnedClock) -> Authority:
    """Resident 1 of 清瀬市 has a pair on the card and one on the phone."""
    made = carriers_in_use(store, clock)
    clock.forward(HOUR)
    return made


def asked(
    who: Name = RESIDENT, key: str = "stop", caller: Party = DESK, carriers: Iterable[Carrier] = ()
) -> HoldRequest:
    return HoldRequest(caller, key, who, frozenset(carriers) or None)


def words(store: MemoryStore) -> dict[tuple[str, str], str]:
    return {
        (row.kind.value, row.carrier.value): store.status_of(*name).word
        for name, row in store.tables.certificates.items()
    }


def told(effects: Iterable[CertificateEffect]) -> dict[tuple[str, str], str]:
    return {(effect.kind.value, effect.carrier.value): effect.effect.value for effect in effects}


def refused(authority: Authority, request: HoldRequest) -> Refusal:
    with pytest.raises(Refusal) as caught:
        place_hold(authority, request)
    return caught.value


def acts(store: MemoryStore) -> list[str]:
    return [json.loads(row.body)["act"] for row in store.tables.audit.values()]


EVERYTHING = {(kind.value, carrier.value) for kind in Kind for carrier in Carrier}


@pytest.mark.parametrize("who", [RESIDENT, ITEMS_ON_RECORD], ids=["by-code", "by-the-items"])
def test_a_hold_hits_every_carrier_at_once(
    authority: Authority, store: MemoryStore, clock: TurnedClock, who: Name
) -> None:
    receipt = place_hold(authority, asked(who))
    assert (receipt.cause, receipt.revoked, receipt.committed_at) == (
        RevocationCause.TEMPORARY_STOP,
        tuple(Kind),
        clock.now,
    )
    assert told(receipt.effects) == dict.fromkeys(EVERYTHING, "held")
    assert words(store) == dict.fromkeys(EVERYTHING, "revoked")
    assert {row.reason for row in store.tables.revocations.values()} == {CrlReason.CERTIFICATE_HOLD}
    assert all(row.ended_at is None for row in store.tables.certificates.values())
    assert acts(store).count("certificate-held") == 4


def test_only_what_is_lost_is_held_when_it_is_named(authority: Authority, store: MemoryStore) -> None:
    receipt = place_hold(authority, asked(carriers=PHONE))
    held = {place for place, effect in told(receipt.effects).items() if effect == "held"}
    assert held == {place for place, word in words(store).items() if word == "revoked"}
    assert {carrier for _, carrier in held} == {"mobile-device"}


def test_a_rehearsal_says_it_all_and_holds_nothing(authority: Authority, store: MemoryStore) -> None:
    seen = preview_hold(authority, asked(carriers=PHONE))
    assert set(words(store).values()) == {"good"}
    assert place_hold(authority, asked(carriers=PHONE)).effects == seen.effects


def test_a_repeat_gets_the_same_receipt(authority: Authority, clock: TurnedClock) -> None:
    first = place_hold(authority, asked(ITEMS_ON_RECORD))
    clock.forward(HOUR)
    assert place_hold(authority, asked(ITEMS_ON_RECORD)) == first
    assert preview_hold(authority, asked(ITEMS_ON_RECORD)).effects == first.effects
    assert refused(authority, asked()).code is Code.IDEMPOTENCY_MISMATCH


def test_a_second_hold_is_refused_and_says_since_when(
    authority: Authority, store: MemoryStore, clock: TurnedClock
) -> None:
    place_hold(authority, asked())
    since = f"{clock.now:%Y-%m-%dT%H:%M:%SZ}"
    clock.forward(HOUR)
    refusal = refused(authority, asked(key="again"))
    assert refusal.code is Code.ALREADY_APPLIED
    assert f"held since {since}" in refusal.detail


def test_a_second_hold_adds_what_was_not_held(authority: Authority) -> None:
    place_hold(authority, asked(carriers=PHONE))
    effects = told(place_hold(authority, asked(key="all")).effects)
    assert effects == {place: "held" if place[1] == "card" else "stays-held" for place in EVERYTHING}


def test_what_is_revoked_cannot_be_held(authority: Authority) -> None:
    revoke_resident(authority, make_revocation())
    assert refused(authority, asked()).code is Code.NO_LIVE_CERTIFICATE


@pytest.mark.parametrize(
    ("caller", "code"),
    [
        pytest.param(Party(5, Role.REGISTER, "juki"), Code.CAUSE_NOT_ALLOWED, id="the-register"),
        pytest.param(Party(6, Role.VERIFIER, "bank"), Code.CAUSE_NOT_ALLOWED, id="a-verifier"),
        pytest.param(SAPPORO_CITY, Code.UNKNOWN_RESIDENT, id="another-municipality"),
    ],
)
def test_not_everybody_may(authority: Authority, caller: Party, code: Code) -> None:
    for who in (RESIDENT, ITEMS_ON_RECORD):
        assert refused(authority, asked(who, caller=caller)).code is code


def test_a_desk_that_is_suspended_may_not(authority: Authority, clock: TurnedClock) -> None:
    suspended = replace(DESK, suspended_at=clock.now)
    assert refused(authority, asked(caller=suspended)).code is Code.NOT_ADMITTED


def test_municipality_and_operator_may(authority: Authority) -> None:
    phone = place_hold(authority, asked(carriers=PHONE, caller=KIYOSE_CITY, key="by-the-municipality"))
    rest = place_hold(authority, asked(ITEMS_ON_RECORD, caller=LOCAL_OPERATOR))
    assert set(phone.revoked) == set(rest.revoked) == set(Kind)


def test_the_desk_revokes_nothing(authority: Authority) -> None:
    for cause in RevocationCause:
        if cause is not RevocationCause.TEMPORARY_STOP:
            with pytest.raises(Refusal) as caught:
                revoke_resident(authority, make_revocation(caller=DESK, cause=cause))
            assert caught.value.code is Code.CAUSE_NOT_ALLOWED


# By the items: whoever is not found, not alone, or has nothing to be held, is nobody


def twin(authority: Authority) -> Name:
    """Another resident has the same items."""
    add_resident(authority, resident_code(2))
    return ITEMS_ON_RECORD


def without_certificates(authority: Authority) -> Name:
    add_resident(authority, resident_code(3), NOBODY)
    return NOBODY


def revoked(authority: Authority) -> Name:
    revoke_resident(authority, make_revocation())
    return ITEMS_ON_RECORD


CASES = [
    pytest.param(lambda _: NOBODY, id="nobody"),
    pytest.param(twin, id="two"),
    pytest.param(without_certificates, id="somebody-without-certificates"),
    pytest.param(revoked, id="somebody-whose-certificates-are-revoked"),
]


@pytest.mark.parametrize("prepare", CASES)
@pytest.mark.parametrize("act", [place_hold, preview_hold])
def test_what_leads_to_nobody_is_refused_alike(
    authority: Authority, store: MemoryStore, prepare: object, act: object
) -> None:
    who = prepare(authority)  # type: ignore[operator]
    before = dict(store.tables.revocations)
    with pytest.raises(Refusal) as caught:
        act(authority, asked(who))  # type: ignore[operator]
    refusal = caught.value
    assert (refusal.code, refusal.pointer, refusal.facts) == (Code.UNKNOWN_RESIDENT, "/attributes", {})
    assert refusal.detail.startswith("these items lead to nobody whose certificates could be stopped")
    assert store.tables.revocations == before
    assert len(store.tables.misses) == 1
    last = json.loads(store.tables.audit[max(store.tables.audit)].body)
    assert (last["act"], last["actor"], last["facts"]) == (
        "hold-missed",
        DESK.label,
        {"by": "items", "why": "unknown-resident"},
    )


def test_nothing_of_the_items_is_told_or_kept(authority: Authority, store: MemoryStore) -> None:
    refusal = refused(authority, asked(NOBODY))
    place_hold(authority, asked(ITEMS_ON_RECORD))
    whole = "".join(row.body for row in store.tables.audit.values()) + repr(refusal) + repr(asked(NOBODY))
    whole += repr(store.tables.matches) + repr(store.tables.misses)
    for item in (NOBODY.name, ITEMS_ON_RECORD.name, ITEMS_ON_RECORD.address, RESIDENT.digits):
        assert item not in whole
        assert item.encode().hex() not in whole


def test_who_moved_is_found_by_the_new_items_only(authority: Authority) -> None:
    moved = replace(ITEMS_ON_RECORD, address="東京都清瀬市月見坂１－２－７")
    assert refused(authority, asked(moved)).code is Code.UNKNOWN_RESIDENT
    add_resident(authority, items=moved)
    assert refused(authority, asked(ITEMS_ON_RECORD)).code is Code.UNKNOWN_RESIDENT
    assert place_hold(authority, asked(moved)).revoked == tuple(Kind)


def test_items_match_however_they_are_written(authority: Authority) -> None:
    spoken = replace(ITEMS_ON_RECORD, name=ITEMS_ON_RECORD.name.replace("\u3000", " "))
    assert place_hold(authority, asked(spoken)).revoked == tuple(Kind)


# Attempts are bounded


def bound(authority: Authority) -> Authority:
    desk = replace(authority.holds.desk, attempts=3, window=HOUR)
    return replace(authority, holds=replace(authority.holds, desk=desk))


@pytest.mark.parametrize("wrong", [NOBODY, resident_code(8)], ids=["items", "codes"])
def test_guessing_ends_after_some_attempts_and_begins_again_later(
    authority: Authority, store: MemoryStore, clock: TurnedClock, wrong: Name
) -> None:
    bounded = bound(authority)
    for attempt in range(3):
        assert refused(bounded, asked(wrong, f"guess {attempt}")).code is Code.UNKNOWN_RESIDENT
    for who in (ITEMS_ON_RECORD, RESIDENT, wrong):
        refusal = refused(bounded, asked(who))
        assert (refusal.code, refusal.facts) == (Code.TOO_MANY_ATTEMPTS, {"attempts": 3, "window_minutes": 60})
    assert len(store.tables.misses) == 3
    assert place_hold(bounded, asked(caller=LOCAL_OPERATOR)).revoked == tuple(Kind)
    clock.forward(HOUR + timedelta(seconds=1))
    assert refused(bounded, asked(wrong)).code is Code.UNKNOWN_RESIDENT


def test_a_repeat_is_answered_though_no_attempt_is_left(authority: Authority) -> None:
    bounded = bound(authority)
    receipt = place_hold(bounded, asked(key="first"))
    for attempt in range(3):
        refused(bounded, asked(NOBODY, f"guess {attempt}"))
    assert place_hold(bounded, asked(key="first")) == receipt


def test_rehearsals_with_the_items_count_although_they_find_somebody(authority: Authority, store: MemoryStore) -> None:
    """Or the desk could ask quietly who lives where."""
    bounded = bound(authority)
    for _ in range(3):
        preview_hold(bounded, asked(ITEMS_ON_RECORD))
    with pytest.raises(Refusal) as caught:
        preview_hold(bounded, asked(ITEMS_ON_RECORD))
    assert caught.value.code is Code.TOO_MANY_ATTEMPTS
    assert acts(store).count("hold-missed") == 3


def test_rehearsals_with_the_code_count_when_they_find_nobody(authority: Authority, store: MemoryStore) -> None:
    preview_hold(authority, asked())
    assert not store.tables.misses
    with pytest.raises(Refusal):
        preview_hold(authority, asked(resident_code(8)))
    assert len(store.tables.misses) == 1


def test_an_outage_counts_against_nobody(authority: Authority, store: MemoryStore) -> None:
    store.faults[store.commits + 1] = "lost"
    assert refused(authority, asked()).code is Code.STORE_UNAVAILABLE
    assert not store.tables.misses
    assert place_hold(authority, asked()).revoked == tuple(Kind)
