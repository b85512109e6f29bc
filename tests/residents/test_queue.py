"""The queue of notices: in the order of their numbers, whatever order they come in, once, and no bad one in the way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Literal

import pytest

from domain.certificates import Kind
from domain.code_keys import CodeKeys
from domain.errors import Code, Refusal
from domain.events import EventType, NoticeRecord, NoticeState, ResidentEvent
from domain.parties import LOCAL_OPERATOR, Party
from domain.people import ResidentState
from domain.ports import Begin
from residents.feed import BadNotice, Notice, members_of, take_notice
from residents.intake import Effect, apply_all, apply_event, preview_event, rehearse, take
from residents.listing import PAGE, list_notices, list_senders
from residents.parts import Intake
from residents.queue import BATCH, WINDOW, Taken
from residents.receipts import HeldNotice, NoticeReceipt, QuarantinedNotice
from residents.sealing import Sealer
from tests.support.memory import MemoryStore
from tests.support.notices import (
    HINO_CITY,
    KIYOSE_CITY,
    MOVED,
    NOW,
    REGISTER,
    TODAY,
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
from tests.support.residents import HINO, attributes, record, resident_code
from tests.support.sealers import code_keys, make_sealer


@pytest.fixture
def intake(begin: Begin) -> Intake:
    return make_intake(begin)


@pytest.fixture
def holder(intake: Intake) -> int:
    """Resident 1 of 清瀬市, with a live pair; the row id."""
    resident_id = store_resident(intake, record(1))
    certify(intake, resident_id)
    return resident_id


def move(number: int, sender: Party = REGISTER, **changes: object) -> ResidentEvent:
    """The sender's notice of that number: resident 1 moved to a house of that number."""
    items = attributes(address=f"東京都清瀬市月見坂{chr(ord('０') + number % 10)}番{'丁' * (number // 10)}")
    values = {"items": items, "sender": sender, "notice_id": f"n{number}", "sequence": number}
    return notice(**values | changes)  # type: ignore[arg-type]


def waiting(intake: Intake, state: NoticeState = NoticeState.HELD, sender: Party = REGISTER) -> list[NoticeRecord]:
    return list(list_notices(intake.begin, sender.label, state).notices)


def test_every_notice_without_a_number_is_shown_and_those_with_one_behind_them(intake: Intake) -> None:
    refusal = Refusal(Code.MALFORMED, "the line is not JSON")
    with intake.begin() as work:
        for number in range(PAGE + 1):
            bad = NoticeRecord(REGISTER.label, f"unreadable {number:04}", None, b"", NoticeState.QUARANTINED, NOW)
            work.notices.put(replace(bad, reason=refusal.code, detail=refusal.detail))
        work.commit()
    with pytest.raises(Refusal):
        apply_event(intake, move(1), REGISTER)
    first = list_notices(intake.begin, REGISTER.label, NoticeState.QUARANTINED)
    rest = list_notices(intake.begin, REGISTER.label, NoticeState.QUARANTINED, first.notices[-1].notice_id)
    assert (len(first.notices), first.more, rest.more) == (PAGE, True, False)
    assert [row.sequence for row in rest.notices] == [None, 1]


def states(intake: Intake, sender: Party = REGISTER) -> dict[str, NoticeState]:
    return {row.notice_id: row.state for state in NoticeState for row in waiting(intake, state, sender)}


def expected(intake: Intake, sender: Party = REGISTER) -> int:
    return list_notices(intake.begin, sender.label, NoticeState.HELD).expected


def refused(intake: Intake, event: Notice, actor: Party = REGISTER) -> Refusal:
    """How the notice is refused; a rehearsal says the same."""
    with pytest.raises(Refusal) as previewed:
        preview_event(intake, event, actor)
    with pytest.raises(Refusal) as caught:
        apply_event(intake, event, actor)
    assert (previewed.value.code, previewed.value.facts) == (caught.value.code, caught.value.facts)
    return caught.value


# Order


def test_a_notice_before_its_turn_is_held_and_changes_nothing(intake: Intake, holder: int) -> None:
    rows = audit_bodies(intake)
    assert preview_event(intake, move(3), REGISTER) == HeldNotice("n3", 3, 1, NOW)
    assert apply_event(intake, move(3), REGISTER) == HeldNotice("n3", 3, 1, NOW)
    (told,) = audit_bodies(intake)[len(rows) :]
    assert json.loads(told)["act"] == "notice-held"
    assert json.loads(told)["facts"] == {"sender": REGISTER.label, "notice": "n3", "sequence": 3}
    assert live_kinds(intake, holder) == set(Kind)
    assert [(row.sequence, row.state) for row in waiting(intake)] == [(3, NoticeState.HELD)]
    assert (expected(intake), list_senders(intake.begin)) == (1, [REGISTER.label])


def test_held_notices_are_applied_in_order_once_the_gap_closes(intake: Intake, holder: int) -> None:
    for number in (4, 2, 3, 6):
        assert isinstance(apply_event(intake, move(number), REGISTER), HeldNotice)
    taken = take(intake, move(1), REGISTER)
    assert isinstance(taken.answer, NoticeReceipt)
    assert [answer.notice_id for answer in taken.released] == ["n2", "n3", "n4"]
    assert stored_resident(intake, holder).attributes == move(4).attributes
    assert [row.notice_id for row in waiting(intake)] == ["n6"]
    assert expected(intake) == 5
    applied(intake, move(5))
    assert stored_resident(intake, holder).attributes == move(6).attributes
    assert (waiting(intake), expected(intake)) == ([], 7)


def test_what_a_held_notice_says_is_sealed_and_forgotten_afterwards(intake: Intake, holder: int) -> None:
    apply_event(intake, move(2), REGISTER)
    (held,) = waiting(intake)
    assert held.sealed is not None
    told = repr(held) + str(held.sealed)
    assert not any(value.encode() in held.sealed or value in told for value in (MOVED.name, resident_code(1).digits))
    applied(intake, move(1))
    assert {row.sealed for row in waiting(intake, NoticeState.APPLIED)} == {None}


def test_the_trail_tells_of_a_notice_that_is_put_aside(intake: Intake, holder: int) -> None:
    refused_as = refused(intake, move(1, code=resident_code(9))).code
    told = json.loads(audit_bodies(intake)[-1])
    assert (told["act"], told["actor"]) == ("notice-quarantined", REGISTER.label)
    assert told["facts"] == {
        "sender": REGISTER.label,
        "notice": "n1",
        "sequence": 1,
        "reason": refused_as.value,
    }


def test_a_held_notice_keeps_the_moment_it_came(intake: Intake, holder: int) -> None:
    apply_event(intake, move(2), REGISTER)
    later = replace(intake, clock=lambda: NOW + timedelta(hours=5))
    _, released = take(later, move(1), REGISTER).answer, take(later, move(2), REGISTER).answer
    assert isinstance(released, NoticeReceipt)
    assert (released.received_at, released.committed_at) == (NOW, NOW + timedelta(hours=5))


def test_a_repeat_of_a_held_notice_says_so_and_gets_the_receipt_later(intake: Intake, holder: int) -> None:
    apply_event(intake, move(2), REGISTER)
    assert apply_event(intake, move(2), REGISTER) == HeldNotice("n2", 2, 1, NOW, repeated=True)
    assert refused(intake, replace(move(2), attributes=MOVED)).code is Code.IDEMPOTENCY_MISMATCH
    applied(intake, move(1))
    assert applied(intake, move(2)).repeated


def test_a_number_is_used_once(intake: Intake, holder: int) -> None:
    applied(intake, move(1))
    apply_event(intake, move(3), REGISTER)
    for number in (1, 3):
        refusal = refused(intake, move(number, notice_id="other"))
        assert (refusal.code, refusal.pointer) == (Code.IDEMPOTENCY_MISMATCH, "/sequence")
    assert refused(intake, move(7, notice_id="n1")).pointer == "/notice_id"


def test_a_notice_far_ahead_is_refused_and_told_the_number_that_is_wanted(intake: Intake, holder: int) -> None:
    refusal = refused(intake, move(1 + WINDOW))
    assert (refusal.code, refusal.facts) == (Code.OUT_OF_ORDER, {"expected": 1})
    assert isinstance(apply_event(intake, move(WINDOW), REGISTER), HeldNotice)


def test_senders_have_numbers_of_their_own(intake: Intake, holder: int) -> None:
    applied(intake, move(1))
    assert isinstance(apply_event(intake, move(2, KIYOSE_CITY), KIYOSE_CITY), HeldNotice)
    applied(intake, move(2))
    assert (expected(intake), expected(intake, KIYOSE_CITY)) == (3, 1)


def test_a_long_queue_is_worked_off_in_several_transactions() -> None:
    store = MemoryStore()
    intake = make_intake(store.begin)
    resident_id = store_resident(intake, record(1))
    last = 2 * BATCH + 50
    for number in range(2, last + 1):
        apply_event(intake, move(number), REGISTER)
    before = store.commits
    assert len(take(intake, move(1), REGISTER).released) == last - 1
    assert store.commits == before + 3
    assert stored_resident(intake, resident_id).attributes == move(last).attributes


def test_an_outage_behind_the_first_transaction_is_made_up_by_the_next_notice() -> None:
    store = MemoryStore()
    intake = make_intake(store.begin)
    store_resident(intake, record(1))
    for number in range(2, BATCH + 11):
        apply_event(intake, move(number), REGISTER)
    store.faults[store.commits + 2] = "lost"
    assert isinstance(apply_event(intake, move(1), REGISTER), NoticeReceipt)
    assert len(waiting(intake)) == 9
    assert applied(intake, move(BATCH + 11)).notice_id == f"n{BATCH + 11}"
    assert waiting(intake) == []


def test_a_held_notice_that_cannot_be_opened_stops_the_queue_and_is_not_lost() -> None:
    store = MemoryStore()
    intake = make_intake(store.begin)
    store_resident(intake, record(1))
    apply_event(intake, move(2), REGISTER)
    (held,) = waiting(intake)
    with store.begin() as work:
        work.notices.put(replace(held, sealed=b"\x02another key"))
        work.commit()
    with pytest.raises(Refusal) as caught:
        apply_event(intake, move(1), REGISTER)
    assert caught.value.code is Code.BAD_CONFIGURATION
    assert expected(intake) == 1
    with store.begin() as work:
        work.notices.put(held)
        work.commit()
    applied(intake, move(1))
    assert expected(intake) == 3


# Quarantine


@pytest.mark.parametrize(
    ("event", "code"),
    [
        pytest.param(move(1, code=resident_code(9)), Code.UNKNOWN_RESIDENT, id="of nobody who is known"),
        pytest.param(move(1, effective_on=TODAY + timedelta(days=1)), Code.OUT_OF_ORDER, id="from tomorrow"),
        pytest.param(move(1, municipality=HINO), Code.OUT_OF_ORDER, id="of another municipality's resident"),
        pytest.param(move(1, items=None), Code.MALFORMED, id="without the items"),
        pytest.param(move(1, items=attributes()), Code.ALREADY_APPLIED, id="that changes nothing"),
    ],
)
def test_a_bad_notice_is_put_aside_for_good_with_its_reason(
    intake: Intake, holder: int, event: ResidentEvent, code: Code
) -> None:
    refusal = refused(intake, event)
    assert (refusal.code, refusal.facts["state"]) == (code, "quarantined")
    (aside,) = waiting(intake, NoticeState.QUARANTINED)
    assert (aside.notice_id, aside.sequence, aside.reason, aside.sealed) == ("n1", 1, code, None)
    assert aside.detail == refusal.detail
    assert live_kinds(intake, holder) == set(Kind)
    with pytest.raises(Refusal) as again:
        apply_event(intake, event, REGISTER)
    assert (again.value.code, again.value.detail, again.value.facts) == (code, refusal.detail, refusal.facts)
    assert applied(intake, move(2)).revoked == (Kind.SIGNATURE,)


def test_nobody_moves_after_death_and_the_sender_hears_it(intake: Intake, holder: int) -> None:
    apply_event(intake, move(2), REGISTER)
    taken = take(intake, ending(notice_id="n1"), REGISTER)
    (alive,) = taken.released
    assert isinstance(alive, QuarantinedNotice)
    assert alive.reason is Code.OUT_OF_ORDER
    assert stored_resident(intake, holder).state is ResidentState.DEAD
    assert states(intake) == {"n1": NoticeState.APPLIED, "n2": NoticeState.QUARANTINED}


def bad(sequence: int | None, notice_id: str | None = None, content: bytes = bytes(32)) -> BadNotice:
    return BadNotice(
        REGISTER.label, notice_id, sequence, content, Refusal(Code.MALFORMED, "sex must be", pointer="/sex")
    )


def test_a_bad_notice_with_a_number_takes_its_turn(intake: Intake, holder: int) -> None:
    refusal = refused(intake, bad(2, "n2"))
    assert (refusal.pointer, refusal.facts["sequence"]) == ("/sex", 2)
    apply_event(intake, move(3), REGISTER)
    applied(intake, move(1))
    assert expected(intake) == 4
    assert states(intake) == {
        "n1": NoticeState.APPLIED,
        "n2": NoticeState.QUARANTINED,
        "n3": NoticeState.APPLIED,
    }


def test_a_bad_notice_without_a_number_is_shown_and_its_turn_stays_free(intake: Intake, holder: int) -> None:
    applied(intake, move(1))
    for content in (bytes(32), b"\x01" * 32):
        refused(intake, bad(None, content=content))
    with pytest.raises(Refusal, match="sex must be"):
        apply_event(intake, bad(None), REGISTER)
    shown = waiting(intake, NoticeState.QUARANTINED)
    assert [row.notice_id.partition(" ")[0] for row in shown] == ["unreadable", "unreadable"]
    assert {row.sequence for row in shown} == {None}
    assert isinstance(apply_event(intake, move(3), REGISTER), HeldNotice)
    applied(intake, move(2))
    assert expected(intake) == 4


def test_a_sender_that_only_ever_sent_rubbish_is_listed(intake: Intake) -> None:
    with pytest.raises(Refusal):
        apply_event(intake, take_notice(b"{", REGISTER.label, intake.municipalities), REGISTER)
    assert list_senders(intake.begin) == [REGISTER.label]
    assert expected(intake) == 1


def test_who_may_not_send_leaves_no_trace(intake: Intake, holder: int) -> None:
    assert refused(intake, move(1), KIYOSE_CITY).code is Code.NOT_ADMITTED
    assert list_senders(intake.begin) == []


def test_a_held_notice_gives_a_municipality_no_more_right_than_it_had(intake: Intake, holder: int) -> None:
    """Released by an operator's file, it is still judged as the municipality's own."""
    for event in (ending(sender=HINO_CITY, municipality=HINO, notice_id="n2", sequence=2),):
        apply_event(intake, event, HINO_CITY)
    first = move(1, HINO_CITY, items=attributes())
    taken = take(intake, first, LOCAL_OPERATOR)
    assert [type(answer) for answer in (taken.answer, *taken.released)] == [QuarantinedNotice, QuarantinedNotice]
    assert stored_resident(intake, holder).state is ResidentState.PRESENT
    assert states(intake, HINO_CITY)["n2"] is NoticeState.QUARANTINED


# Changes of code


def test_a_change_of_code_finds_the_record_by_the_new_code_and_revokes_nothing(intake: Intake, holder: int) -> None:
    change = ending(EventType.CODE_CHANGE, new_code=resident_code(7), notice_id="n1")
    receipt = applied(intake, change)
    assert (receipt.revoked, receipt.changes) == ((), ("resident_code",))
    assert live_kinds(intake, holder) == set(Kind)
    sealer = make_sealer()
    with intake.begin(write=False) as work:
        ((index, sealed),) = work.residents.sealed()
    assert (index,) == sealer.indexes(resident_code(7))
    assert sealer.unseal(index, sealed) == resident_code(7)
    assert '"resident_code"' in audit_bodies(intake)[-1]
    assert not any(resident_code(number).digits in body for number in (1, 7) for body in audit_bodies(intake))
    assert refused(intake, move(2)).code is Code.UNKNOWN_RESIDENT
    assert applied(intake, move(3, code=resident_code(7))).revoked == (Kind.SIGNATURE,)


def test_a_code_that_is_in_use_is_given_to_nobody_else(intake: Intake, holder: int) -> None:
    store_resident(intake, record(2))
    for number, taken in ((1, resident_code(2)), (2, resident_code(1))):
        event = ending(EventType.CODE_CHANGE, new_code=taken, notice_id=f"n{number}", sequence=number)
        refusal = refused(intake, event)
        assert (refusal.code, refusal.pointer) == (Code.MALFORMED, "/new_resident_code")


def test_whoever_uses_the_card_abroad_can_die_or_come_back(intake: Intake, holder: int) -> None:
    abroad = ending(EventType.MOVE_ABROAD_CONTINUED, notice_id="n1")
    assert applied(intake, abroad).revoked == (Kind.SIGNATURE,)
    effect = preview_event(intake, ending(notice_id="n2", sequence=2), REGISTER)
    assert isinstance(effect, Effect)
    assert effect.revokes == (Kind.AUTHENTICATION,)
    applied(intake, move(2, type_=EventType.MOVE_IN))
    assert stored_resident(intake, holder).state is ResidentState.PRESENT
    assert live_kinds(intake, holder) == {Kind.AUTHENTICATION}


# Files, rehearsed and in earnest


def outcomes(found: Sequence[tuple[int, Notice, Taken | Refusal]]) -> list[object]:
    """What became of each, without receipt numbers."""
    return [
        (line, outcome.code)
        if isinstance(outcome, Refusal)
        else (line, [(type(answer), answer.notice_id) for answer in (outcome.answer, *outcome.released)])
        for line, _, outcome in found
    ]


def test_a_rehearsed_file_says_what_it_then_does_and_does_nothing(intake: Intake, holder: int) -> None:
    file: list[tuple[int, Notice]] = [
        (1, move(1)),
        (2, move(3)),
        (3, move(1)),
        (4, move(3, notice_id="other")),
        (5, bad(None)),
        (6, move(2, items=move(1).attributes)),
        (7, ending(notice_id="n4", sequence=4)),
        (8, move(5)),
    ]
    rows = audit_bodies(intake)
    told = outcomes(list(rehearse(intake, file, REGISTER)))
    assert (audit_bodies(intake), states(intake), live_kinds(intake, holder)) == (rows, {}, set(Kind))
    assert outcomes(list(apply_all(intake, file, REGISTER))) == told
    assert told == [
        (1, [(NoticeReceipt, "n1")]),
        (2, [(HeldNotice, "n3")]),
        (3, [(NoticeReceipt, "n1")]),
        (4, Code.IDEMPOTENCY_MISMATCH),
        (5, [(QuarantinedNotice, next(row.notice_id for row in waiting(intake, NoticeState.QUARANTINED)))]),
        (6, [(QuarantinedNotice, "n2"), (NoticeReceipt, "n3")]),
        (7, [(NoticeReceipt, "n4")]),
        (8, [(QuarantinedNotice, "n5")]),
    ]


def test_a_rehearsal_names_held_notices_that_would_go_on(intake: Intake, holder: int) -> None:
    apply_event(intake, move(2), REGISTER)
    effect = preview_event(intake, move(1), REGISTER)
    assert isinstance(effect, Effect)
    assert (effect.revokes, effect.changes, effect.releases) == ((Kind.SIGNATURE,), ("address",), ("n2",))
    assert expected(intake) == 1


@pytest.mark.parametrize("act", [rehearse, apply_all])
def test_an_outage_ends_a_file(act: object) -> None:
    store = MemoryStore()

    def away(write: bool) -> None:
        raise Refusal(Code.STORE_UNAVAILABLE, "away")

    intake = make_intake(store.begin)
    store.on_begin = away
    with pytest.raises(Refusal) as caught:
        list(act(intake, [(1, move(1)), (2, move(2))], REGISTER))  # type: ignore[operator]
    assert caught.value.code is Code.STORE_UNAVAILABLE


# Many of a file in one transaction


def test_notices_of_a_file_are_committed_together() -> None:
    store = MemoryStore()
    intake = make_intake(store.begin)
    store_resident(intake, record(1))
    before = store.commits
    file = [(number, move(number)) for number in range(1, BATCH + 2)]
    assert [number for number, *_ in apply_all(intake, file, REGISTER)] == [number for number, _ in file]
    assert store.commits == before + 2
    assert expected(intake) == BATCH + 2


@pytest.mark.parametrize(
    ("fault", "repeated"),
    [pytest.param("lost", False, id="leaves nothing"), pytest.param("kept", True, id="is kept after all")],
)
def test_notices_whose_common_commit_fails_are_taken_one_by_one(fault: Literal["lost", "kept"], repeated: bool) -> None:
    store = MemoryStore()
    intake = make_intake(store.begin)
    certify(intake, store_resident(intake, record(1)))
    store.faults[store.commits + 1] = fault
    taken = [taken for *_, taken in apply_all(intake, [(1, move(1)), (2, bad(2)), (3, move(3))], REGISTER)]
    assert [answer.answer.repeated for answer in taken if isinstance(answer, Taken)] == [repeated] * 3
    assert (expected(intake), len(revocations(intake))) == (4, 1)


def test_a_notice_that_cannot_be_taken_now_does_not_undo_those_before_it(intake: Intake, holder: int) -> None:
    apply_event(intake, move(3), REGISTER)
    lost = CodeKeys(code_keys().index, b"x" * 32)  # cannot open what was held
    other = replace(intake, sealer=Sealer({1: lost}, intake.random))
    with pytest.raises(Refusal) as caught:
        list(apply_all(other, [(1, move(1)), (2, move(2)), (3, move(4))], REGISTER))
    assert caught.value.code is Code.BAD_CONFIGURATION
    assert states(intake) == {"n1": NoticeState.APPLIED, "n3": NoticeState.HELD}


# Many at once


def test_many_connections_that_send_the_same_notices_apply_each_once(intake: Intake, holder: int) -> None:
    events = [move(number) for number in range(1, 9)]

    def send(seed: int) -> None:
        for event in Random(seed).sample(events, len(events)):
            apply_event(intake, event, REGISTER)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    assert stored_resident(intake, holder).attributes == move(8).attributes
    told = [
        row["facts"]["sequence"] for row in map(json.loads, audit_bodies(intake)) if row["act"] == "resident-changed"
    ]
    assert told == list(range(1, 9))
    assert len(revocations(intake)) == 1
    assert set(states(intake).values()) == {NoticeState.APPLIED}


def test_two_senders_who_tell_the_same_at_once_revoke_once(intake: Intake, holder: int) -> None:
    def send(sender: Party) -> str:
        try:
            applied(intake, move(1, sender), sender)
        except Refusal as refusal:
            return refusal.code.value
        return "applied"

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(send, (REGISTER, KIYOSE_CITY)))
    assert sorted(told) == ["already-applied", "applied"]
    assert len(revocations(intake)) == 1


def test_members_of_a_held_notice_are_those_it_came_with() -> None:
    event = ending(EventType.CODE_CHANGE, new_code=resident_code(7))
    assert members_of(event)["new_resident_code"] == resident_code(7).digits
