"""Release: a phone that was found is good again where the table has it so, a card never."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from ca.authority import Authority
from ca.hold import HoldRequest, place_hold
from ca.issue import issue
from ca.release import ReleaseRequest, preview_release, release_hold
from ca.revoke import revoke_resident
from domain.certificates import Carrier, Kind
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.revocation import CrlReason, EffectWord, RevocationCause
from tests.support.authority import (
    KIYOSE_CITY,
    RESIDENT,
    SAPPORO_CITY,
    TurnedClock,
    make_application,
    make_revocation,
)
from tests.support.carriers import carriers_in_use
from tests.support.memory import MemoryStore
from tests.support.proofs import proven
from tests.support.requests import holder_key, make_request
from tests.support.residents import resident_code

HOUR = timedelta(hours=1)
CARD, PHONE = Carrier.CARD, Carrier.MOBILE_DEVICE


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def authority(store: MemoryStore, clock: TurnedClock) -> Authority:
    """Resident 1 of 清瀬市 has a pair on the card and one on the phone, and all of it is held since an hour."""
    made = carriers_in_use(store, clock)
    clock.forward(HOUR)
    hold(made)
    clock.forward(HOUR)
    return made


def hold(authority: Authority, key: str = "stop") -> None:
    place_hold(authority, HoldRequest(LOCAL_OPERATOR, key, RESIDENT))


def found(carrier: Carrier = PHONE, key: str = "found", caller: Party = KIYOSE_CITY) -> ReleaseRequest:
    return ReleaseRequest(caller, key, RESIDENT, carrier)


def refused(authority: Authority, request: ReleaseRequest) -> Refusal:
    with pytest.raises(Refusal) as caught:
        release_hold(authority, request)
    with pytest.raises(Refusal) as previewed:
        preview_release(authority, request)
    assert previewed.value.code is caught.value.code
    return caught.value


def words(store: MemoryStore, carrier: Carrier = PHONE) -> dict[Kind, str]:
    rows = store.tables.certificates.items()
    return {row.kind: store.status_of(*name).word for name, row in rows if row.carrier is carrier}


def test_a_found_phone_authenticates_again_and_signs_no_more(
    authority: Authority, store: MemoryStore, clock: TurnedClock
) -> None:
    seen = preview_release(authority, found())
    assert set(words(store).values()) == {"revoked"}
    receipt = release_hold(authority, found())
    assert receipt.effects == seen
    assert {effect.kind: effect.effect for effect in receipt.effects} == {
        Kind.SIGNATURE: EffectWord.REVOKED,
        Kind.AUTHENTICATION: EffectWord.RELEASED,
    }
    assert words(store) == {Kind.SIGNATURE: "revoked", Kind.AUTHENTICATION: "good"}
    (signing,) = [row for row in store.tables.revocations.values() if row.cause is RevocationCause.RENEWAL]
    assert (signing.reason, signing.revoked_at) == (CrlReason.SUPERSEDED, clock.now - HOUR)
    assert words(store, CARD) == dict.fromkeys(Kind, "revoked")


def test_the_signing_certificate_is_issued_anew(store: MemoryStore, clock: TurnedClock) -> None:
    authority = carriers_in_use(store, clock)
    place_hold(authority, HoldRequest(LOCAL_OPERATOR, "stop", RESIDENT, frozenset({PHONE})))
    release_hold(authority, found())
    requests = {Kind.SIGNATURE: make_request(number=6)}
    application = make_application(key="anew", requests=requests, carrier=PHONE)
    pair = issue(authority, proven(application, holder_key()))
    assert set(pair.certificates) == {Kind.SIGNATURE}


def test_a_phone_that_was_found_ends_with_the_card_that_was_not(authority: Authority, store: MemoryStore) -> None:
    release_hold(authority, found())
    revoke_resident(authority, make_revocation(key="the card", carriers=frozenset({CARD})))
    assert words(store) == dict.fromkeys(Kind, "revoked")


def test_the_trail_and_the_record_tell_of_the_release(
    authority: Authority, store: MemoryStore, clock: TurnedClock
) -> None:
    receipt = release_hold(authority, found())
    (told,) = [row.body for row in store.tables.audit.values() if "certificate-released" in row.body]
    facts = json.loads(told)["facts"]
    assert facts["carrier"] == PHONE.value
    assert (facts["kind"], facts["receipt"], facts["resident"]) == ("authentication", receipt.id, 1)
    (release,) = store.tables.releases.values()
    assert (release.held_at, release.released_at) == (clock.now - HOUR, clock.now)


def test_a_repeat_gets_the_same_receipt(authority: Authority, clock: TurnedClock) -> None:
    first = release_hold(authority, found())
    clock.forward(HOUR)
    assert release_hold(authority, found()) == first
    assert preview_release(authority, found()) == first.effects
    with pytest.raises(Refusal) as caught:
        release_hold(authority, ReleaseRequest(KIYOSE_CITY, "found", resident_code(2), PHONE))
    assert caught.value.code is Code.IDEMPOTENCY_MISMATCH


def test_a_card_is_never_released(authority: Authority, store: MemoryStore) -> None:
    refusal = refused(authority, found(CARD))
    assert refusal.code is Code.NOT_RELEASABLE
    assert "have the certificates revoked at the municipality" in refusal.detail
    assert words(store, CARD) == dict.fromkeys(Kind, "revoked")


@pytest.mark.parametrize(
    ("caller", "code"),
    [
        pytest.param(Party(9, Role.DESK, "call-centre"), Code.NOT_ADMITTED, id="not-by-telephone"),
        pytest.param(Party(9, Role.REGISTER, "juki"), Code.NOT_ADMITTED, id="not-the-register"),
        pytest.param(SAPPORO_CITY, Code.UNKNOWN_RESIDENT, id="not-another-municipality"),
    ],
)
def test_not_everybody_may(authority: Authority, caller: Party, code: Code) -> None:
    assert refused(authority, found(caller=caller)).code is code


def test_who_may_ask_for_one_of_two_may_not_ask_for_both(authority: Authority, store: MemoryStore) -> None:
    releases = authority.holds.releases
    place = (Kind.SIGNATURE, PHONE)
    narrow = {**releases, place: replace(releases[place], by=frozenset({"operator"}))}
    strict = replace(authority, holds=replace(authority.holds, releases=narrow))
    assert refused(strict, found(caller=KIYOSE_CITY)).code is Code.NOT_ADMITTED
    assert words(store) == dict.fromkeys(Kind, "revoked")
    assert release_hold(strict, found(caller=LOCAL_OPERATOR)).effects


def test_an_operator_may(authority: Authority) -> None:
    assert release_hold(authority, found(caller=LOCAL_OPERATOR)).effects


def test_what_is_not_held_is_not_released(authority: Authority) -> None:
    release_hold(authority, found())
    refusal = refused(authority, found(key="again"))
    assert (refusal.code, "nothing was changed" in refusal.detail) == (Code.NOT_HELD, True)


def test_what_became_a_revocation_stays_one(authority: Authority, store: MemoryStore) -> None:
    revoke_resident(authority, make_revocation(cause=RevocationCause.CARD_LOST))
    assert refused(authority, found()).code is Code.NOT_HELD
    assert words(store) == dict.fromkeys(Kind, "revoked")


def test_a_phone_may_be_lost_and_found_again(authority: Authority, store: MemoryStore, clock: TurnedClock) -> None:
    release_hold(authority, found())
    clock.forward(HOUR)
    hold(authority, "stop again")
    assert words(store)[Kind.AUTHENTICATION] == "revoked"
    (again,) = [row for row in store.tables.revocations.values() if row.revoked_at == clock.now]
    assert again.on_hold
    clock.forward(HOUR)
    receipt = release_hold(authority, found(key="found again"))
    assert [effect.effect for effect in receipt.effects] == [EffectWord.RELEASED]
    assert words(store)[Kind.AUTHENTICATION] == "good"
    assert len(store.tables.releases) == 2


def test_a_hold_that_becomes_a_revocation_keeps_its_time(
    authority: Authority, store: MemoryStore, clock: TurnedClock
) -> None:
    revoke_resident(authority, make_revocation(cause=RevocationCause.CARD_LOST))
    assert {row.revoked_at for row in store.tables.revocations.values()} == {clock.now - HOUR}
