"""Intake of notices: record, revocations, receipt and audit come together, once, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from config.rules import load_events
from domain.birth import BirthDate
from domain.certificates import Carrier, CertificateState, Kind
from domain.errors import Code, Refusal
from domain.events import EventType, ResidentEvent
from domain.parties import LOCAL_OPERATOR, Party
from domain.people import Resident, ResidentState
from domain.ports import Begin
from domain.revocation import CertificateEffect, CrlReason, EffectWord
from residents.intake import Effect, apply_event, preview_event
from residents.parts import Intake
from residents.receipts import NothingRevoked, NoticeReceipt
from tests.support.memory import MemoryStore
from tests.support.notices import (
    HINO_CITY,
    KIYOSE_CITY,
    MOVED,
    NOW,
    REGISTER,
    TODAY,
    VERIFIER,
    applied,
    audit_bodies,
    certify,
    ending,
    live_kinds,
    make_intake,
    notice,
    revocations,
    store_resident,
    stored_resident,
)
from tests.support.residents import HINO, KIYOSE, attributes, record, resident_code

SIGNATURE, AUTHENTICATION = Kind.SIGNATURE, Kind.AUTHENTICATION
RENAMED = attributes(name="榎戸　透子")


@pytest.fixture
def intake(begin: Begin) -> Intake:
    return make_intake(begin)


@pytest.fixture
def holder(intake: Intake) -> int:
    """Resident 1 of 清瀬市, with a live pair; the row id."""
    resident_id = store_resident(intake, record(1))
    certify(intake, resident_id)
    return resident_id


def refusal(intake: Intake, event: ResidentEvent, actor: Party = REGISTER) -> Code:
    """The code with which both doors refuse the event."""
    with pytest.raises(Refusal) as previewed:
        preview_event(intake, event, actor)
    with pytest.raises(Refusal) as applied:
        apply_event(intake, event, actor)
    assert previewed.value.code is applied.value.code
    return applied.value.code


@pytest.mark.parametrize(
    ("event", "revoked", "reason", "state"),
    [
        pytest.param(notice(), {SIGNATURE}, CrlReason.AFFILIATION_CHANGED, "present", id="a move within"),
        pytest.param(
            notice(EventType.MOVE_IN, MOVED, municipality=HINO),
            {SIGNATURE},
            CrlReason.AFFILIATION_CHANGED,
            "present",
            id="a move to another municipality",
        ),
        pytest.param(ending(EventType.MOVE_OUT), {SIGNATURE}, CrlReason.AFFILIATION_CHANGED, "moving", id="moving out"),
        pytest.param(
            notice(EventType.NAME_CHANGE, RENAMED), {SIGNATURE}, CrlReason.AFFILIATION_CHANGED, "present", id="a name"
        ),
        pytest.param(
            notice(EventType.BIRTH_DATE_OR_SEX_CORRECTION, attributes(birth_date=BirthDate(1988, 11, 4))),
            {SIGNATURE},
            CrlReason.AFFILIATION_CHANGED,
            "present",
            id="a corrected birth date",
        ),
        pytest.param(
            ending(EventType.MOVE_ABROAD_CONTINUED),
            {SIGNATURE},
            CrlReason.AFFILIATION_CHANGED,
            "abroad-continued",
            id="moving abroad with the card in use",
        ),
        pytest.param(
            notice(EventType.MUNICIPALITY_MERGER, MOVED, municipality=HINO),
            {SIGNATURE},
            CrlReason.AFFILIATION_CHANGED,
            "present",
            id="a merger",
        ),
        pytest.param(
            ending(EventType.CODE_CHANGE, new_code=resident_code(7)), set(), None, "present", id="a change of code"
        ),
        pytest.param(
            notice(EventType.ADDRESS_RENAMING),
            {SIGNATURE},
            CrlReason.AFFILIATION_CHANGED,
            "present",
            id="a renamed address",
        ),
        pytest.param(ending(), set(Kind), CrlReason.CESSATION_OF_OPERATION, "dead", id="death"),
        pytest.param(ending(EventType.REMOVAL), set(Kind), CrlReason.CESSATION_OF_OPERATION, "removed", id="removal"),
        pytest.param(
            ending(EventType.MOVE_ABROAD), set(Kind), CrlReason.CESSATION_OF_OPERATION, "abroad", id="moving abroad"
        ),
        pytest.param(notice(EventType.MINOR_CORRECTION, RENAMED), set(), None, "present", id="a minor correction"),
    ],
)
def test_an_event_revokes_what_the_table_says_and_the_record_follows(
    intake: Intake, holder: int, event: ResidentEvent, revoked: set[Kind], reason: CrlReason | None, state: str
) -> None:
    receipt = applied(intake, event, REGISTER)
    assert set(receipt.revoked) == revoked
    assert live_kinds(intake, holder) == set(Kind) - revoked
    assert {row.reason for row in revocations(intake)} == ({reason} if reason else set())
    after = stored_resident(intake, holder)
    assert after.state is ResidentState(state)
    assert after.attributes == (event.attributes or attributes())
    assert after.municipality == (event.municipality if event.attributes else record(1).municipality)


def test_every_event_of_the_table_is_tried_above() -> None:
    mark = next(
        mark
        for mark in test_an_event_revokes_what_the_table_says_and_the_record_follows.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    )
    assert {case.values[0].type for case in mark.args[1]} == set(load_events())


def test_the_receipt_tells_kinds_and_times_and_nothing_else(intake: Intake, holder: int) -> None:
    receipt = applied(intake, notice(), REGISTER)
    assert receipt == NoticeReceipt(
        id=receipt.id,
        notice_id="2027-000001",
        event=EventType.MOVE_WITHIN,
        revoked=(SIGNATURE,),
        nothing=None,
        received_at=NOW,
        committed_at=NOW,
        changes=("address",),
        effects=receipt.effects,
    )
    assert {row.effect.value for row in receipt.effects} == {"revoked", "stays-good"}
    (revoked,) = revocations(intake)
    told = receipt.to_json() + repr(receipt)
    assert str(revoked.serial.value) not in told
    assert revoked.serial.octets.hex() not in told.lower()
    assert NoticeReceipt.from_json(receipt.to_json()) == receipt


@pytest.mark.parametrize(
    ("kinds", "event", "revoked", "nothing"),
    [
        pytest.param((), notice(), (), NothingRevoked.NO_LIVE_CERTIFICATE, id="no certificate at all"),
        pytest.param(
            (AUTHENTICATION,), notice(), (), NothingRevoked.NO_LIVE_CERTIFICATE, id="a move without signing certificate"
        ),
        pytest.param((AUTHENTICATION,), ending(), (AUTHENTICATION,), None, id="a death with one certificate"),
        pytest.param(
            tuple(Kind),
            notice(EventType.MINOR_CORRECTION, RENAMED),
            (),
            NothingRevoked.EXEMPT_EVENT,
            id="an event that spares certificates",
        ),
    ],
)
def test_the_receipt_says_why_nothing_was_revoked(
    intake: Intake, kinds: tuple[Kind, ...], event: ResidentEvent, revoked: tuple[Kind, ...], nothing: NothingRevoked
) -> None:
    certify(intake, store_resident(intake, record(1)), kinds)
    receipt = applied(intake, event, REGISTER)
    assert (receipt.revoked, receipt.nothing) == (revoked, nothing)


def test_expired_certificates_are_not_revoked(intake: Intake) -> None:
    certify(intake, store_resident(intake, record(1)), not_after=NOW - timedelta(seconds=1))
    assert applied(intake, ending(), REGISTER).nothing is NothingRevoked.NO_LIVE_CERTIFICATE
    assert revocations(intake) == []


def test_certificates_that_are_being_made_are_revoked_too(intake: Intake) -> None:
    certify(intake, store_resident(intake, record(1)), state=CertificateState.RESERVED)
    assert set(applied(intake, ending(), REGISTER).revoked) == set(Kind)


def test_other_residents_keep_their_certificates(intake: Intake, holder: int) -> None:
    neighbour = store_resident(intake, record(2))
    certify(intake, neighbour)
    applied(intake, ending(), REGISTER)
    assert live_kinds(intake, neighbour) == set(Kind)


def test_the_audit_row_names_fields_and_no_values(intake: Intake, holder: int) -> None:
    before = len(audit_bodies(intake))
    applied(intake, notice(EventType.NAME_CHANGE, RENAMED), REGISTER)
    rows = [json.loads(body) for body in audit_bodies(intake)[before:]]
    changed = next(row for row in rows if row["act"] == "resident-changed")
    facts = changed["facts"]
    assert changed["actor"] == "register:juki"
    assert facts["resident"] == holder
    assert facts["changes"] == ["name"]
    assert facts["event"] == "name-change"
    assert {"certificate-revoked"} <= {row["act"] for row in rows}
    text = "".join(audit_bodies(intake))
    secrets = (RENAMED.name, attributes().name, attributes().address, resident_code(1).digits)
    assert not any(secret in text for secret in secrets)


def test_an_exact_repeat_gets_the_first_receipt_and_has_no_effect(intake: Intake, holder: int) -> None:
    first = applied(intake, notice(), REGISTER)
    certify(intake, holder, [SIGNATURE], label="again")
    rows = audit_bodies(intake)
    later = replace(intake, clock=lambda: NOW + timedelta(days=3))
    assert applied(later, notice(), REGISTER) == replace(first, repeated=True)
    assert audit_bodies(intake) == rows
    assert live_kinds(intake, holder) == set(Kind)


def test_a_repeat_is_no_preview(intake: Intake, holder: int) -> None:
    applied(intake, notice(), REGISTER)
    with pytest.raises(Refusal) as caught:
        preview_event(intake, notice(), REGISTER)
    assert caught.value.code is Code.ALREADY_APPLIED


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(notice(items=attributes(address="東京都清瀬市柳通１")), id="another address"),
        pytest.param(notice(EventType.NAME_CHANGE), id="another event"),
        pytest.param(notice(code=resident_code(2)), id="another resident"),
        pytest.param(notice(effective_on=TODAY - timedelta(days=1)), id="another day"),
        pytest.param(notice(municipality=HINO), id="another municipality"),
        pytest.param(ending(), id="a death"),
    ],
)
def test_a_notice_id_names_one_notice(intake: Intake, holder: int, other: ResidentEvent) -> None:
    applied(intake, notice(), REGISTER)
    assert refusal(intake, other) is Code.IDEMPOTENCY_MISMATCH


def test_two_senders_may_use_the_same_notice_id(intake: Intake, holder: int) -> None:
    applied(intake, notice(), REGISTER)
    applied(intake, ending(sender=KIYOSE_CITY), KIYOSE_CITY)
    assert stored_resident(intake, holder).state is ResidentState.DEAD


def test_the_same_move_told_by_two_senders_revokes_once(intake: Intake, holder: int) -> None:
    applied(intake, notice(sender=KIYOSE_CITY), KIYOSE_CITY)
    certify(intake, holder, [SIGNATURE], label="again")
    assert refusal(intake, notice()) is Code.ALREADY_APPLIED
    assert live_kinds(intake, holder) == set(Kind)


def test_an_unknown_resident_is_refused(intake: Intake) -> None:
    assert refusal(intake, notice()) is Code.UNKNOWN_RESIDENT


def test_a_verifier_is_refused_before_anything_is_looked_up(intake: Intake) -> None:
    assert refusal(intake, notice(sender=VERIFIER), VERIFIER) is Code.NOT_ADMITTED


def test_a_municipality_cannot_speak_for_others_residents(intake: Intake, holder: int) -> None:
    assert refusal(intake, ending(sender=HINO_CITY, municipality=HINO), HINO_CITY) is Code.UNKNOWN_RESIDENT


def test_a_municipality_reports_who_moves_in_after_moving_out(intake: Intake, holder: int) -> None:
    arrival = notice(EventType.MOVE_IN, sender=HINO_CITY, municipality=HINO)
    assert refusal(intake, arrival, HINO_CITY) is Code.UNKNOWN_RESIDENT
    assert live_kinds(intake, holder) == set(Kind)
    applied(intake, ending(EventType.MOVE_OUT, sender=KIYOSE_CITY), KIYOSE_CITY)
    again = replace(arrival, notice_id="again", sequence=2)
    assert applied(intake, again, HINO_CITY).nothing is NothingRevoked.NO_LIVE_CERTIFICATE
    assert stored_resident(intake, holder).municipality == HINO


def test_moving_out_can_be_taken_back(intake: Intake, holder: int) -> None:
    applied(intake, ending(EventType.MOVE_OUT), REGISTER)
    applied(intake, notice(EventType.MOVE_IN, attributes(), notice_id="2", sequence=2))
    assert stored_resident(intake, holder) == Resident(holder, KIYOSE, attributes(), ResidentState.PRESENT)


def test_who_dies_between_moving_out_and_moving_in_loses_the_other_certificate_too(intake: Intake, holder: int) -> None:
    applied(intake, ending(EventType.MOVE_OUT), REGISTER)
    assert applied(intake, ending(notice_id="2", sequence=2)).revoked == (Kind.AUTHENTICATION,)


def test_an_operator_applies_a_file_of_the_register(intake: Intake, holder: int) -> None:
    applied(intake, notice(), LOCAL_OPERATOR)
    assert applied(intake, notice(), REGISTER).repeated
    assert '"operator:terminal"' in "".join(audit_bodies(intake))


@pytest.mark.parametrize(
    ("event", "code"),
    [
        pytest.param(notice(effective_on=TODAY + timedelta(days=1)), Code.OUT_OF_ORDER, id="from tomorrow"),
        pytest.param(notice(items=attributes()), Code.ALREADY_APPLIED, id="that changes nothing"),
        pytest.param(notice(items=None), Code.MALFORMED, id="without items"),
        pytest.param(notice(EventType.DEATH), Code.MALFORMED, id="of a death with items"),
        pytest.param(notice(municipality=HINO), Code.OUT_OF_ORDER, id="from where the resident does not live"),
    ],
)
def test_a_notice_that_is_put_aside_changes_nothing_and_stops_no_other(
    intake: Intake, holder: int, event: ResidentEvent, code: Code
) -> None:
    rows = audit_bodies(intake)
    assert refusal(intake, event) is code
    (told,) = audit_bodies(intake)[len(rows) :]
    assert json.loads(told)["act"] == "notice-quarantined"
    assert (live_kinds(intake, holder), revocations(intake)) == (set(Kind), [])
    assert applied(intake, notice(notice_id="next", sequence=2)).revoked == (SIGNATURE,)


def test_nobody_moves_after_death(intake: Intake, holder: int) -> None:
    applied(intake, ending(), REGISTER)
    assert refusal(intake, notice(EventType.MOVE_IN, notice_id="2", sequence=2)) is Code.OUT_OF_ORDER


def test_the_wait_for_the_store_shows_between_receipt_and_revocation() -> None:
    store = MemoryStore()
    intake = make_intake(store.begin)
    certify(intake, store_resident(intake, record(1)))
    times = iter([NOW, NOW + timedelta(seconds=4)])
    receipt = applied(replace(intake, clock=lambda: next(times)), notice(), REGISTER)
    assert (receipt.received_at, receipt.committed_at) == (NOW, NOW + timedelta(seconds=4))
    assert [row.revoked_at for row in revocations(intake)] == [receipt.committed_at]


def test_a_clock_that_is_set_back_meanwhile_does_not_reorder_times() -> None:
    intake = make_intake(MemoryStore().begin)
    store_resident(intake, record(1))
    times = iter([NOW, NOW - timedelta(hours=1)])
    receipt = applied(replace(intake, clock=lambda: next(times)), notice(), REGISTER)
    assert receipt.committed_at == NOW


def test_a_late_notice_of_an_earlier_day_is_refused(intake: Intake, holder: int) -> None:
    applied(intake, notice(), REGISTER)
    late = notice(EventType.NAME_CHANGE, RENAMED, notice_id="2", sequence=2, effective_on=TODAY - timedelta(days=1))
    assert refusal(intake, late) is Code.OUT_OF_ORDER


def test_who_moved_abroad_can_come_back(intake: Intake, holder: int) -> None:
    applied(intake, ending(EventType.MOVE_ABROAD), REGISTER)
    receipt = applied(intake, notice(EventType.MOVE_IN, MOVED, municipality=HINO, notice_id="2", sequence=2))
    assert receipt.nothing is NothingRevoked.NO_LIVE_CERTIFICATE
    assert stored_resident(intake, holder) == Resident(holder, HINO, MOVED, ResidentState.PRESENT)


def test_a_record_that_ends_stays_with_the_municipality_that_held_it(intake: Intake, holder: int) -> None:
    applied(intake, ending(municipality=HINO), REGISTER)
    assert stored_resident(intake, holder).municipality == record(1).municipality


def test_a_preview_tells_the_effect_and_has_none(intake: Intake, holder: int) -> None:
    rows = audit_bodies(intake)
    revoked = CertificateEffect(SIGNATURE, Carrier.CARD, EffectWord.REVOKED, CrlReason.AFFILIATION_CHANGED, NOW)
    spared = CertificateEffect(Kind.AUTHENTICATION, Carrier.CARD, EffectWord.STAYS_GOOD)
    moved, died = (preview_event(intake, event, REGISTER) for event in (notice(), ending()))
    assert moved == Effect((SIGNATURE,), None, ("address",), (), (revoked, spared))
    assert isinstance(died, Effect)
    assert (died.revokes, died.nothing, died.changes) == (tuple(Kind), None, ("state",))
    assert {(row.effect, row.reason) for row in died.effects} == {
        (EffectWord.REVOKED, CrlReason.CESSATION_OF_OPERATION)
    }
    assert (audit_bodies(intake), live_kinds(intake, holder)) == (rows, set(Kind))
    assert stored_resident(intake, holder).attributes == attributes()
