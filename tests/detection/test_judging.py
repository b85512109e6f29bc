"""Judging: provisions on record become alarms, alarms restrain, people decide, verifiers say why and appeal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from config.rules import load_detection, load_retention
from detection.hearing import hear_with
from detection.judging import (
    ANSWERED_WITHIN,
    APPEAL,
    BLOCK,
    DECISION,
    Restraints,
    alarm_acts,
    appeal,
    decide,
    judge_day,
    justify,
)
from detection.sketch import Sketch
from domain.detection import Alarm, AlarmState, Grade
from domain.errors import Code, Refusal
from domain.events import Act
from domain.parties import LOCAL_OPERATOR
from domain.provisions import Channel, Provision
from policies.admission import Admitted
from policies.retention import Records
from provisions.filing import file_due
from tests.support.authority import NOW, TurnedClock
from tests.support.memory import MemoryStore
from tests.support.officers import AOI, KEN, agreed, make_board, proposed, register
from tests.support.people import serial_of
from tests.support.provisions import BANK, MASTER, SHOP, make_filing, make_provision, write_segment

RULES = load_detection()
KEPT = load_retention()[Records.ASKED]
DAY = NOW.date()


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.tables.parties.update({7: BANK, 8: SHOP})
    return store


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


def ask(folder: Path, store: MemoryStore, clock: TurnedClock, *provisions: Provision) -> None:
    """Put on record and file, as answers are."""
    write_segment(folder, clock, *provisions, slots=4096)
    file_due(make_filing(folder, store.begin, clock, count=hear_with(MASTER)))


def judged(store: MemoryStore, day: date = DAY) -> dict[str, Alarm]:
    return {alarm.rule: alarm for alarm in judge_day(store.begin, RULES, day, NOW, "publisher", KEPT)}


def polled(times: int = 4, people: int = 60) -> Iterator[Provision]:
    for number in range(people):
        for _ in range(times):
            yield make_provision(f"person {number}", evidence=b"transaction!")


def test_who_asks_again_and_again_is_asked_for_the_reason(
    tmp_path: Path, store: MemoryStore, clock: TurnedClock
) -> None:
    ask(tmp_path, store, clock, *polled())
    alarm = judged(store)["polled-within-a-day"]
    assert (alarm.party, alarm.grade, alarm.state) == (BANK.id, Grade.JUSTIFY, AlarmState.OPEN)
    assert alarm.measures["polls"] == 4
    assert judged(store) == {}
    assert sum(Act.ALARM_RAISED.value in row.body for row in store.tables.audit.values()) == 1


def test_a_day_of_people_who_do_things_raises_nothing(tmp_path: Path, store: MemoryStore, clock: TurnedClock) -> None:
    ask(tmp_path, store, clock, *(make_provision(f"{number}", evidence=b"transaction!") for number in range(400)))
    assert judged(store) == {}


@pytest.mark.parametrize("days", [0, 29], ids=["within-a-month", "from-one-month-to-the-next"])
def test_a_set_that_another_asked_about_before_is_known_again(
    days: int, tmp_path: Path, store: MemoryStore, clock: TurnedClock
) -> None:
    clock.forward(timedelta(days=days))
    known = (make_provision(f"{number}", when=clock.now, evidence=b"transaction!") for number in range(300))
    ask(tmp_path, store, clock, *known)
    clock.forward(timedelta(days=1))
    stolen = (
        make_provision(f"{number}", party=SHOP, when=clock.now, evidence=b"invented....") for number in range(250)
    )
    ask(tmp_path, store, clock, *stolen)
    alarm = judged(store, clock.now.date())["shared-set"]
    assert (alarm.party, alarm.grade, alarm.measures["shared"]) == (SHOP.id, Grade.TRY_LATER, 1.0)


def test_other_rules_hold_for_what_they_are_about(tmp_path: Path, store: MemoryStore, clock: TurnedClock) -> None:
    fanned = (
        make_provision(f"{number}", purpose=f"purpose {purpose}", evidence=b"transaction!")
        for number in range(100)
        for purpose in range(3)
    )
    guessed = (make_provision(f"guess {number}", party=SHOP, answered="unknown") for number in range(250))
    ask(tmp_path, store, clock, *fanned, *guessed)
    assert {(alarm.rule, alarm.party) for alarm in judged(store).values()} == {
        ("many-purposes", BANK.id),
        ("polled-within-a-day", BANK.id),
        ("guessed-serials", SHOP.id),
        ("dead-certificates", SHOP.id),
        ("bare-questions", SHOP.id),
    }


def test_lists_and_questions_of_nobody_in_particular_are_not_counted(
    tmp_path: Path, store: MemoryStore, clock: TurnedClock
) -> None:
    refused = make_provision(b"", answered="not-approved")
    ask(tmp_path, store, clock, make_provision(party=None), make_provision(b"13221", channel=Channel.CRL), refused)
    (day,) = store.tables.asking.values()
    assert (Sketch.read(day.content).requests, Sketch.read(day.content).sample) == (0, {})
    assert judged(store) == {}


def test_days_long_past_are_forgotten(tmp_path: Path, store: MemoryStore, clock: TurnedClock) -> None:
    ask(tmp_path, store, clock, make_provision("somebody"))
    for days, kept in ((62, 1), (63, 0)):
        judge_day(store.begin, RULES, DAY, NOW + timedelta(days=days), "publisher", KEPT)
        assert len(store.tables.asking) == kept


def test_what_is_kept_of_a_day_holds_no_serial(tmp_path: Path, store: MemoryStore, clock: TurnedClock) -> None:
    ask(tmp_path, store, clock, make_provision("somebody"))
    (day,) = store.tables.asking.values()
    assert serial_of("somebody").octets[:8] not in day.content
    assert "content" not in repr(day)


def test_a_provider_behind_a_platform_is_judged_by_itself(
    tmp_path: Path, store: MemoryStore, clock: TurnedClock
) -> None:
    ask(tmp_path, store, clock, *(asked._replace(provider=SHOP) for asked in polled()), make_provision("one"))
    alarm = judged(store)["polled-within-a-day"]
    assert (alarm.party, alarm.provider) == (BANK.id, SHOP.id)


# --- what alarms do --------------------------------------------------------------------------------------------------


def raised(store: MemoryStore, grade: Grade) -> Alarm:
    alarm = Alarm("alarm", DAY, BANK.id, -1, "shared-set", grade, {"shared": 1.0}, NOW)
    store.tables.alarms[alarm.id] = alarm
    return alarm


def refusal_of(store: MemoryStore) -> Code | None:
    try:
        Restraints(store.begin).require(Admitted(BANK), NOW)
    except Refusal as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize(
    ("grade", "code"),
    [(Grade.NOTE, None), (Grade.JUSTIFY, None), (Grade.TRY_LATER, Code.BUSY), (Grade.BLOCK, Code.NOT_ADMITTED)],
)
def test_grades_restrain_more_and_more(grade: Grade, code: Code | None, store: MemoryStore) -> None:
    raised(store, grade)
    assert refusal_of(store) is code


def test_who_has_no_alarm_is_not_restrained(store: MemoryStore) -> None:
    raised(store, Grade.BLOCK)
    restraints = Restraints(store.begin)
    restraints.require(Admitted(SHOP), NOW)
    restraints.require(Admitted(), NOW)
    with pytest.raises(Refusal):
        restraints.require(Admitted(BANK), NOW)


def test_what_was_decided_is_seen_within_seconds(store: MemoryStore) -> None:
    restraints = Restraints(store.begin)
    restraints.require(Admitted(BANK), NOW)
    raised(store, Grade.TRY_LATER)
    restraints.require(Admitted(BANK), NOW + timedelta(seconds=4))
    with pytest.raises(Refusal):
        restraints.require(Admitted(BANK), NOW + timedelta(seconds=5))


def test_while_the_database_is_away_what_was_decided_last_holds(store: MemoryStore) -> None:
    raised(store, Grade.TRY_LATER)
    restraints = Restraints(store.begin)
    with pytest.raises(Refusal):
        restraints.require(Admitted(BANK), NOW)

    def away(write: bool) -> None:
        raise Refusal(Code.STORE_UNAVAILABLE, "away")

    store.on_begin = away
    with pytest.raises(Refusal) as refused:
        restraints.require(Admitted(BANK), NOW + timedelta(hours=1))
    assert refused.value.code is Code.BUSY
    restraints.require(Admitted(SHOP), NOW + timedelta(hours=1))
    with pytest.raises(Refusal) as refused:
        Restraints(store.begin).require(Admitted(SHOP), NOW)
    assert refused.value.code is Code.STORE_UNAVAILABLE


def test_a_person_dismisses_or_upholds_what_notes_or_asks(store: MemoryStore) -> None:
    raised(store, Grade.JUSTIFY)
    assert decide(store.begin, "alarm", False, "no reason given", NOW, LOCAL_OPERATOR).state is AlarmState.UPHELD
    found = decide(store.begin, "alarm", True, "a mistake of ours", NOW, LOCAL_OPERATOR)
    assert [line.partition(": ")[2] for line in found.said] == ["no reason given", "a mistake of ours"]
    assert refusal_of(store) is None


@pytest.mark.parametrize("state", [AlarmState.OPEN, AlarmState.JUSTIFIED, AlarmState.UPHELD, AlarmState.DISMISSED])
def test_nobody_alone_holds_a_verifier_up_or_lets_it_go(state: AlarmState, store: MemoryStore) -> None:
    register(store.begin, AOI, KEN)
    store.tables.alarms["alarm"] = replace(raised(store, Grade.TRY_LATER), state=state)
    for dismissed in (True, False):
        with pytest.raises(Refusal) as refused:
            decide(store.begin, "alarm", dismissed, "alone", NOW, LOCAL_OPERATOR)
        assert refused.value.code is Code.SECOND_OFFICER
    board = make_board(store.begin, *alarm_acts())
    agreed(board, DECISION, {"alarm": "alarm", "outcome": "upheld"})
    assert refusal_of(store) is Code.BUSY
    agreed(board, DECISION, {"alarm": "alarm", "outcome": "dismissed"}, KEN, AOI)
    assert refusal_of(store) is None


def test_who_is_asked_and_says_nothing_is_told_to_try_later(store: MemoryStore) -> None:
    raised(store, Grade.JUSTIFY)
    for days, grade in ((ANSWERED_WITHIN.days, Grade.JUSTIFY), (ANSWERED_WITHIN.days + 1, Grade.TRY_LATER)):
        judge_day(store.begin, RULES, DAY, NOW + timedelta(days=days), "publisher", KEPT)
        assert store.tables.alarms["alarm"].grade is grade


def test_who_says_why_is_left_alone_until_somebody_decides(store: MemoryStore) -> None:
    raised(store, Grade.JUSTIFY)
    assert justify(store.begin, BANK, "alarm", "our yearly review", NOW).state is AlarmState.JUSTIFIED
    judge_day(store.begin, RULES, DAY, NOW + timedelta(days=30), "publisher", KEPT)
    assert store.tables.alarms["alarm"].grade is Grade.JUSTIFY


def test_an_alarm_is_its_verifiers_own_and_takes_words(store: MemoryStore) -> None:
    raised(store, Grade.TRY_LATER)
    for act, party, reason, code in (
        (justify, SHOP, "ours?", Code.NOT_FOUND),
        (appeal, SHOP, "ours?", Code.NOT_FOUND),
        (appeal, BANK, "too early", Code.PROPOSAL_CLOSED),
        (justify, BANK, " ", Code.MALFORMED),
        (justify, BANK, "x" * 2001, Code.MALFORMED),
    ):
        with pytest.raises(Refusal) as refused:
            act(store.begin, party, "alarm", reason, NOW)
        assert refused.value.code is code


def test_two_officers_block_and_two_decide_an_appeal(store: MemoryStore) -> None:
    register(store.begin, AOI, KEN)
    raised(store, Grade.TRY_LATER)
    board = make_board(store.begin, *alarm_acts())
    alone = proposed(board, AOI, BLOCK, {"alarm": "alarm"})
    assert refusal_of(store) is Code.BUSY
    assert alone.decision is None
    agreed(board, BLOCK, {"alarm": "alarm"})
    assert refusal_of(store) is Code.NOT_ADMITTED
    with pytest.raises(Refusal) as refused:
        decide(store.begin, "alarm", True, "alone", NOW, LOCAL_OPERATOR)
    assert refused.value.code is Code.SECOND_OFFICER
    assert appeal(store.begin, BANK, "alarm", "we have the consent of all", NOW).state is AlarmState.APPEALED
    assert refusal_of(store) is Code.NOT_ADMITTED
    with pytest.raises(Refusal) as refused:
        decide(store.begin, "alarm", True, "alone", NOW, LOCAL_OPERATOR)
    assert refused.value.code is Code.SECOND_OFFICER
    agreed(board, APPEAL, {"alarm": "alarm", "outcome": "dismissed"})
    assert refusal_of(store) is None


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        (BLOCK, {}, Code.MALFORMED),
        (BLOCK, {"alarm": "another"}, Code.NOT_FOUND),
        (BLOCK, {"alarm": 1}, Code.MALFORMED),
        (APPEAL, {"alarm": "alarm", "outcome": "dismissed"}, Code.PROPOSAL_CLOSED),
        (APPEAL, {"alarm": "alarm", "outcome": "open"}, Code.MALFORMED),
        (DECISION, {"alarm": "alarm", "outcome": "open"}, Code.MALFORMED),
        (DECISION, {"alarm": "alarm"}, Code.MALFORMED),
        (DECISION, {"alarm": "another", "outcome": "upheld"}, Code.NOT_FOUND),
    ],
)
def test_what_cannot_be_meant_is_not_proposed(
    kind: str, content: dict[str, object], code: Code, store: MemoryStore
) -> None:
    register(store.begin, AOI, KEN)
    raised(store, Grade.TRY_LATER)
    with pytest.raises(Refusal) as refused:
        proposed(make_board(store.begin, *alarm_acts()), AOI, kind, content)
    assert refused.value.code is code


def test_a_verifier_that_was_cleared_is_not_blocked_for_the_same(store: MemoryStore) -> None:
    register(store.begin, AOI, KEN)
    store.tables.alarms["alarm"] = replace(raised(store, Grade.TRY_LATER), state=AlarmState.DISMISSED)
    with pytest.raises(Refusal) as refused:
        proposed(make_board(store.begin, *alarm_acts()), AOI, BLOCK, {"alarm": "alarm"})
    assert refused.value.code is Code.PROPOSAL_CLOSED
