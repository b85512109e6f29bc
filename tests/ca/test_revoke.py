"""Revocation: by one door, once, and never back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.authority import Authority
from ca.issue import issue
from ca.revoke import RevocationRequest, preview, revoke, revoke_resident
from domain.certificates import Carrier, CertificateRecord, CertificateState, Kind
from domain.errors import Code, Refusal
from domain.events import Act
from domain.lists import Scope
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.revocation import CertificateEffect, CrlReason, EffectWord, RevocationCause, RevocationOrder
from tests.support.authority import (
    KIYOSE,
    KIYOSE_CITY,
    NOW,
    RESIDENT,
    SAPPORO,
    SAPPORO_CITY,
    TurnedClock,
    add_resident,
    make_application,
    make_authority,
    make_generation,
    make_revocation,
)
from tests.support.memory import MemoryStore
from tests.support.requests import make_pair, make_request
from tests.support.residents import resident_code
from tests.support.signers import WrappedSigner, authority_signer

BOTH = (Kind.SIGNATURE, Kind.AUTHENTICATION)
SIGNING = frozenset({Kind.SIGNATURE})
HOUR = timedelta(hours=1)
REGISTER = Party(7, Role.REGISTER, "juki")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def authority(store: MemoryStore, clock: TurnedClock) -> Authority:
    """Resident 1 of 清瀬市 has a pair, issued an hour ago."""
    made = make_authority(store, clock=clock)
    add_resident(made)
    issue(made, make_application())
    clock.forward(HOUR)
    return made


def refusal_of(authority: Authority, request: RevocationRequest) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        revoke_resident(authority, request)
    with pytest.raises(Refusal) as previewed:
        preview(authority, request)
    assert previewed.value.code is refusal.value.code
    return refusal.value


def words(store: MemoryStore) -> dict[Kind, str]:
    """Status of the newest certificate of each kind."""
    return {row.kind: store.status_of(*name).word for name, row in store.tables.certificates.items()}


HOLD = make_revocation(key="hold", cause=RevocationCause.TEMPORARY_STOP)


def test_a_holder_has_both_certificates_revoked(authority: Authority, store: MemoryStore, clock: TurnedClock) -> None:
    receipt = revoke_resident(authority, make_revocation())
    assert (receipt.cause, receipt.revoked, receipt.already) == (RevocationCause.HOLDER_REQUEST, BOTH, ())
    assert (receipt.received_at, receipt.committed_at) == (clock.now, clock.now)
    assert words(store) == dict.fromkeys(Kind, "revoked")
    for name, row in store.tables.certificates.items():
        revocation = store.tables.revocations[name]
        assert row.ended_at == revocation.revoked_at == clock.now
        assert (revocation.reason, revocation.cause) == (
            CrlReason.CESSATION_OF_OPERATION,
            RevocationCause.HOLDER_REQUEST,
        )
        assert (revocation.municipality, revocation.not_after) == (row.municipality, row.validity.not_after)


def test_the_list_of_each_issuer_is_marked_as_changed(authority: Authority, store: MemoryStore) -> None:
    before = dict(store.tables.scopes)
    revoke_resident(authority, make_revocation())
    scopes = {Scope(issuer, KIYOSE.code) for issuer, _ in store.tables.certificates}
    assert {scope for scope, wanted in store.tables.scopes.items() if wanted > before[scope]} == scopes


def test_a_holder_may_name_one_kind(authority: Authority, store: MemoryStore) -> None:
    receipt = revoke_resident(authority, make_revocation(kinds=SIGNING))
    assert receipt.revoked == (Kind.SIGNATURE,)
    assert words(store) == {Kind.SIGNATURE: "revoked", Kind.AUTHENTICATION: "good"}


def test_every_carrier_is_hit(authority: Authority, store: MemoryStore) -> None:
    issue(authority, make_application(key="phone", requests=make_pair(number=1), carrier=Carrier.MOBILE_DEVICE))
    receipt = revoke_resident(authority, make_revocation(cause=RevocationCause.CARD_LOST))
    assert receipt.revoked == BOTH
    assert len(store.tables.revocations) == 4


def test_the_trail_says_who_revoked_what_and_why(authority: Authority, store: MemoryStore) -> None:
    receipt = revoke_resident(authority, make_revocation())
    said = [json.loads(row.body) for row in store.tables.audit.values() if Act.REVOKED.value in row.body]
    assert [(body["actor"], body["facts"]["kind"]) for body in said] == [
        ("municipality:kiyose", kind.value) for kind in BOTH
    ]
    assert {body["facts"]["receipt"] for body in said} == {receipt.id}
    assert {(body["facts"]["cause"], body["facts"]["reason"]) for body in said} == {("holder-request", 5)}
    whole = "\n".join(row.body for row in store.tables.audit.values())
    assert RESIDENT.digits not in whole
    assert not any(serial.octets.hex() in whole for _, serial in store.tables.certificates)


def test_a_reserved_certificate_is_revoked_too(store: MemoryStore) -> None:
    signer = WrappedSigner(authority_signer("signature", "g1"), away=True)
    authority = make_authority(
        store, generations=(make_generation(signer=signer), make_generation(Kind.AUTHENTICATION))
    )
    add_resident(authority)
    with pytest.raises(Refusal):
        issue(authority, make_application())
    receipt = revoke_resident(authority, make_revocation(cause=RevocationCause.NEVER_DELIVERED))
    assert receipt.revoked == BOTH
    assert {row.state for row in store.tables.certificates.values()} == {CertificateState.RESERVED}
    assert all(row.ended_at == NOW for row in store.tables.certificates.values())


# Who may, and for whom


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        pytest.param({"caller": SAPPORO_CITY}, Code.UNKNOWN_RESIDENT, id="a-municipality-where-the-resident-is-not"),
        pytest.param({"resident_code": resident_code(2)}, Code.UNKNOWN_RESIDENT, id="an-unknown-resident"),
        pytest.param({"caller": REGISTER}, Code.CAUSE_NOT_ALLOWED, id="a-cause-of-municipalities-by-the-register"),
        pytest.param({"cause": RevocationCause.RECORD_ERROR}, Code.CAUSE_NOT_ALLOWED, id="a-cause-of-operators"),
        pytest.param({"cause": RevocationCause.RESIDENT_EVENT}, Code.CAUSE_NOT_ALLOWED, id="a-cause-of-the-register"),
        pytest.param(
            {"caller": Party(5, Role.VERIFIER, "bank", kinds=frozenset(Kind))}, Code.CAUSE_NOT_ALLOWED, id="a-verifier"
        ),
        pytest.param(
            {"cause": RevocationCause.CARD_LOST, "kinds": SIGNING},
            Code.CAUSE_NOT_ALLOWED,
            id="half-of-a-cause-that-hits-both",
        ),
        pytest.param({"kinds": frozenset()}, Code.CAUSE_NOT_ALLOWED, id="no-kind"),
        pytest.param({"caller": replace(KIYOSE_CITY, suspended_at=NOW)}, Code.NOT_ADMITTED, id="a-suspended-caller"),
    ],
)
def test_a_revocation_is_refused(
    authority: Authority, store: MemoryStore, overrides: dict[str, object], code: Code
) -> None:
    assert refusal_of(authority, make_revocation(**overrides)).code is code
    assert not store.tables.revocations


def test_a_stranger_and_a_resident_of_another_place_are_refused_in_the_same_words(authority: Authority) -> None:
    stranger = refusal_of(authority, make_revocation(caller=SAPPORO_CITY, resident_code=resident_code(2)))
    elsewhere = refusal_of(authority, make_revocation(caller=SAPPORO_CITY))
    assert stranger.detail == elsewhere.detail


@pytest.mark.parametrize(
    "cause", [RevocationCause.RECORD_ERROR, RevocationCause.CARD_LOST], ids=["by-its-own-cause", "for-a-municipality"]
)
def test_an_operator_revokes_anywhere(authority: Authority, store: MemoryStore, cause: RevocationCause) -> None:
    assert revoke_resident(authority, make_revocation(caller=LOCAL_OPERATOR, cause=cause)).revoked == BOTH
    told = [row.body for row in store.tables.audit.values() if "certificate-revoked" in row.body]
    assert len(told) == 2
    assert all('"actor":"operator:terminal"' in body for body in told)


def test_the_register_revokes_anywhere(authority: Authority) -> None:
    request = make_revocation(caller=REGISTER, cause=RevocationCause.RESIDENT_GONE)
    assert revoke_resident(authority, request).revoked == BOTH


def test_who_moved_is_revoked_where_they_live_now(authority: Authority, store: MemoryStore) -> None:
    add_resident(authority, municipality=SAPPORO)
    assert refusal_of(authority, make_revocation()).code is Code.UNKNOWN_RESIDENT
    assert revoke_resident(authority, make_revocation(caller=SAPPORO_CITY)).revoked == BOTH
    # The entry belongs to the list that the certificates point to.
    assert {revocation.municipality for revocation in store.tables.revocations.values()} == {KIYOSE.code}


# Nothing to revoke


def test_who_has_no_certificate_has_none_revoked(authority: Authority) -> None:
    add_resident(authority, resident_code(2))
    assert refusal_of(authority, make_revocation(resident_code=resident_code(2))).code is Code.NO_LIVE_CERTIFICATE


def test_what_is_revoked_is_not_revoked_again(authority: Authority, store: MemoryStore, clock: TurnedClock) -> None:
    revoke_resident(authority, make_revocation())
    before = dict(store.tables.revocations)
    clock.forward(HOUR)
    again = make_revocation(key="again", cause=RevocationCause.KEY_REPORT)
    assert refusal_of(authority, again).code is Code.NO_LIVE_CERTIFICATE
    assert store.tables.revocations == before


def test_the_other_half_is_revoked_and_the_first_is_told(authority: Authority, clock: TurnedClock) -> None:
    revoke_resident(authority, make_revocation(kinds=SIGNING))
    clock.forward(HOUR)
    receipt = revoke_resident(authority, make_revocation(key="both"))
    assert (receipt.revoked, receipt.already) == ((Kind.AUTHENTICATION,), (Kind.SIGNATURE,))


def test_what_has_expired_is_not_revoked(authority: Authority, clock: TurnedClock) -> None:
    clock.now = datetime.fromisoformat("2031-11-03T15:00:00+00:00")
    assert refusal_of(authority, make_revocation()).code is Code.NO_LIVE_CERTIFICATE
    clock.now -= timedelta(seconds=1)
    assert revoke_resident(authority, make_revocation()).revoked == BOTH


# Holds


def test_a_hold_is_told_and_leaves_the_certificates_with_their_holder(authority: Authority, store: MemoryStore) -> None:
    receipt = revoke_resident(authority, HOLD)
    assert receipt.revoked == BOTH
    assert words(store) == dict.fromkeys(Kind, "revoked")
    assert all(revocation.on_hold for revocation in store.tables.revocations.values())
    assert all(row.ended_at is None for row in store.tables.certificates.values())
    assert [json.loads(row.body)["act"] for row in store.tables.audit.values()][-2:] == [Act.HELD.value] * 2


def test_a_hold_on_a_hold_changes_nothing(authority: Authority, store: MemoryStore, clock: TurnedClock) -> None:
    revoke_resident(authority, HOLD)
    before = dict(store.tables.revocations)
    clock.forward(HOUR)
    receipt = revoke_resident(authority, replace(HOLD, key="hold again"))
    assert (receipt.revoked, receipt.already) == ((), BOTH)
    assert store.tables.revocations == before


def test_a_hold_becomes_a_revocation_from_the_time_of_the_hold(
    authority: Authority, store: MemoryStore, clock: TurnedClock
) -> None:
    revoke_resident(authority, HOLD)
    held_at = clock.now
    clock.forward(HOUR)
    assert revoke_resident(authority, make_revocation(cause=RevocationCause.KEY_REPORT)).revoked == BOTH
    for name, revocation in store.tables.revocations.items():
        assert (revocation.revoked_at, revocation.reason) == (held_at, CrlReason.KEY_COMPROMISE)
        assert store.tables.certificates[name].ended_at == clock.now


def test_a_revocation_does_not_become_a_hold(authority: Authority, store: MemoryStore) -> None:
    revoke_resident(authority, make_revocation(kinds=SIGNING))
    receipt = revoke_resident(authority, HOLD)
    assert (receipt.revoked, receipt.already) == ((Kind.AUTHENTICATION,), (Kind.SIGNATURE,))
    reasons = {store.tables.certificates[name].kind: row.reason for name, row in store.tables.revocations.items()}
    assert reasons[Kind.SIGNATURE] is CrlReason.CESSATION_OF_OPERATION


# Repeats


def test_a_repeat_gets_the_same_receipt(authority: Authority, store: MemoryStore, clock: TurnedClock) -> None:
    first = revoke_resident(authority, make_revocation())
    rows = len(store.tables.audit)
    clock.forward(HOUR)
    assert revoke_resident(authority, make_revocation()) == first
    assert len(store.tables.audit) == rows


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({"resident_code": resident_code(2)}, id="another-resident"),
        pytest.param({"cause": RevocationCause.KEY_REPORT}, id="another-cause"),
        pytest.param({"kinds": SIGNING}, id="other-kinds"),
        pytest.param({"kinds": frozenset(Kind)}, id="the-same-kinds-by-name"),
    ],
)
@pytest.mark.parametrize("act", [revoke_resident, preview])
def test_the_key_of_an_earlier_request_serves_no_other(
    authority: Authority, overrides: dict[str, object], act: Callable[[Authority, RevocationRequest], object]
) -> None:
    revoke_resident(authority, make_revocation())
    with pytest.raises(Refusal) as refusal:
        act(authority, make_revocation(**overrides))
    assert refusal.value.code is Code.IDEMPOTENCY_MISMATCH


def test_a_preview_of_a_repeat_says_what_the_receipt_says(authority: Authority) -> None:
    receipt = revoke_resident(authority, make_revocation())
    seen = preview(authority, make_revocation())
    assert (seen.revoked, seen.already, seen.effects) == (receipt.revoked, receipt.already, receipt.effects)


def test_the_keys_of_two_callers_are_two_keys(authority: Authority) -> None:
    first = revoke_resident(authority, make_revocation(kinds=SIGNING))
    other = make_revocation(caller=LOCAL_OPERATOR, cause=RevocationCause.RECORD_ERROR)
    assert revoke_resident(authority, other).id != first.id


@pytest.mark.parametrize("fault", ["lost", "kept"])
def test_a_failing_commit_and_a_repeat_revoke_once(authority: Authority, store: MemoryStore, fault: str) -> None:
    store.faults[store.commits + 1] = "lost" if fault == "lost" else "kept"
    with pytest.raises(Refusal) as refusal:
        revoke_resident(authority, make_revocation())
    assert refusal.value.code is Code.STORE_UNAVAILABLE
    assert revoke_resident(authority, make_revocation()).revoked == BOTH
    assert len([row for row in store.tables.audit.values() if Act.REVOKED.value in row.body]) == 2


def test_received_and_committed_are_two_times(authority: Authority, clock: TurnedClock, store: MemoryStore) -> None:
    """The store was busy for two seconds; no list made meanwhile lacks an entry older than itself."""

    def busy(write: bool) -> None:
        clock.forward(timedelta(seconds=2))

    received_at = clock.now
    store.on_begin = busy
    receipt = revoke_resident(authority, make_revocation())
    assert (receipt.received_at, receipt.committed_at) == (received_at, received_at + timedelta(seconds=2))
    assert {row.revoked_at for row in store.tables.revocations.values()} == {receipt.committed_at}


# Preview


def test_a_preview_says_what_would_happen_and_does_nothing(authority: Authority, store: MemoryStore) -> None:
    revoke_resident(authority, make_revocation(kinds=SIGNING))
    before = (dict(store.tables.revocations), len(store.tables.audit))
    seen = preview(authority, make_revocation(key="both"))
    assert (seen.revoked, seen.already) == ((Kind.AUTHENTICATION,), (Kind.SIGNATURE,))
    assert (dict(store.tables.revocations), len(store.tables.audit)) == before
    receipt = revoke_resident(authority, make_revocation(key="both"))
    assert (receipt.revoked, receipt.already, receipt.effects) == (seen.revoked, seen.already, seen.effects)


def effects(told: Iterable[CertificateEffect]) -> dict[tuple[str, str], str]:
    return {(effect.kind.value, effect.carrier.value): effect.effect.value for effect in told}


def test_a_preview_tells_each_kind_on_each_carrier(authority: Authority, store: MemoryStore) -> None:
    issue(authority, make_application(key="phone", requests=make_pair(number=1), carrier=Carrier.MOBILE_DEVICE))
    card = frozenset({Carrier.CARD})
    stop = make_revocation(key="stop", cause=RevocationCause.TEMPORARY_STOP, carriers=card)
    wanted = {
        ("signature", "card"): "held",
        ("authentication", "card"): "held",
        ("signature", "mobile-device"): "stays-good",
        ("authentication", "mobile-device"): "stays-good",
    }
    assert effects(preview(authority, stop).effects) == wanted
    assert effects(revoke_resident(authority, stop).effects) == wanted
    lost = make_revocation(key="lost", cause=RevocationCause.CARD_LOST)
    seen = preview(authority, lost)
    assert {(effect.carrier, effect.reason) for effect in seen.effects} == {
        (Carrier.CARD, CrlReason.KEY_COMPROMISE),
        (Carrier.MOBILE_DEVICE, CrlReason.CESSATION_OF_OPERATION),
    }
    assert revoke_resident(authority, lost).effects == seen.effects
    assert set(effects(seen.effects).values()) == {"revoked"}
    told = {name: (row.reason, row.revoked_at) for name, row in store.tables.revocations.items()}
    assert set(told.values()) == {(effect.reason, effect.since) for effect in seen.effects}


def test_what_stands_is_told_too(authority: Authority) -> None:
    revoke_resident(authority, HOLD)
    again = preview(authority, make_revocation(key="again", cause=RevocationCause.TEMPORARY_STOP))
    assert set(effects(again.effects).values()) == {"stays-held"}


def test_a_carrier_may_be_named_where_the_cause_leaves_it_open(authority: Authority) -> None:
    card = frozenset({Carrier.CARD})
    refused = refusal_of(authority, make_revocation(cause=RevocationCause.CARD_ENDED, carriers=card))
    assert (refused.code, refused.pointer) == (Code.CAUSE_NOT_ALLOWED, "carriers")
    assert refused.detail == "card-ended hits card and mobile-device; name every carrier or none"
    phone = frozenset({Carrier.MOBILE_DEVICE})
    missing = refusal_of(authority, make_revocation(cause=RevocationCause.KEY_REPORT, carriers=phone))
    assert missing.code is Code.NO_LIVE_CERTIFICATE


def test_the_same_key_for_another_carrier_is_refused(authority: Authority) -> None:
    revoke_resident(authority, make_revocation())
    named = make_revocation(carriers=frozenset(Carrier))
    with pytest.raises(Refusal) as refused:
        revoke_resident(authority, named)
    assert refused.value.code is Code.IDEMPOTENCY_MISMATCH


# The low level, as register notices use it


def order_for(row: CertificateRecord, reason: CrlReason) -> RevocationOrder:
    return RevocationOrder(row.issuer, row.serial, row.kind, RevocationCause.RESIDENT_EVENT, reason)


def test_orders_are_carried_out_in_the_transaction_of_the_caller(authority: Authority, store: MemoryStore) -> None:
    rows = list(store.tables.certificates.values())
    with authority.begin() as work:
        orders = [order_for(row, CrlReason.AFFILIATION_CHANGED) for row in rows[:1]]
        outcome = revoke(orders, rows, work, at=NOW, actor="register:juki", receipt="r1", received_at=NOW)
    assert (outcome.revoked, outcome.already) == ((Kind.SIGNATURE,), ())
    assert [effect.effect for effect in outcome.effects] == [EffectWord.REVOKED, EffectWord.STAYS_GOOD]
    assert not store.tables.revocations


REASONS = st.sampled_from([reason for reason in CrlReason if reason is not CrlReason.CERTIFICATE_HOLD])
STEPS = st.lists(st.tuples(st.sampled_from(BOTH), REASONS | st.just(CrlReason.CERTIFICATE_HOLD)), max_size=8)


@given(STEPS)
def test_no_sequence_of_orders_takes_a_revocation_back(steps: list[tuple[Kind, CrlReason]]) -> None:
    store, clock = MemoryStore(), TurnedClock()
    authority = make_authority(store, clock=clock)
    add_resident(authority)
    issue(authority, make_application(requests=EC_PAIR))
    for kind, reason in steps:
        clock.forward(HOUR)
        before = dict(store.tables.revocations)
        with authority.begin() as work:
            rows = [row for row in work.certificates.of_resident(1) if row.kind is kind]
            orders = [order_for(row, reason) for row in rows]
            revoke(orders, rows, work, at=clock.now, actor="register:juki", receipt="r", received_at=clock.now)
            work.commit()
        for name, old in before.items():
            new = store.tables.revocations[name]
            assert new.revoked_at == old.revoked_at
            assert old.on_hold or new == old
    for name, row in store.tables.certificates.items():
        revocation = store.tables.revocations.get(name)
        assert (row.ended_at is not None) == (revocation is not None and not revocation.on_hold)


EC_PAIR = {Kind.SIGNATURE: make_request("ec", 0), Kind.AUTHENTICATION: make_request("ec", 1)}
