"""Notices on record, on the trail and in their order: whatever does not fit is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.events import EventType, NoticeRecord, NoticeState, ResidentEvent
from residents.intake import apply_all, apply_event
from residents.queue import Taken
from tests.support.house import House
from tests.support.memory import MemoryStore
from tests.support.notices import REGISTER, make_intake, notice
from tests.support.residents import attributes, resident_code

NAME = ("register:juki", "n1")


def move(number: int) -> ResidentEvent:
    items = attributes(address=f"東京都清瀬市月見坂{chr(ord('０') + number)}")
    return notice(items=items, notice_id=f"n{number}", sequence=number, code=resident_code(1))


@pytest.fixture
def queued(house: House) -> House:
    """Notice 1 was applied, 2 put aside, and 4 waits for 3."""
    intake = make_intake(house.begin, house.clock.now + timedelta(hours=5), house.authority.sealer)
    events = [
        (1, move(1)),
        (2, notice(notice_id="n2", sequence=2, code=resident_code(9))),
        (3, move(4)),
    ]
    taken = [outcome for _, _, outcome in apply_all(intake, events, REGISTER)]
    assert [type(one) for one in taken] == [Taken] * 3
    assert {row.state for row in _rows(house).values()} == set(NoticeState)
    return house


def _rows(house: House) -> dict[tuple[str, str], NoticeRecord]:
    with house.begin(write=False) as work:
        return {(row.sender, row.notice_id): row for row in work.notices.all()}


def test_what_waits_is_noted_and_nothing_is_wrong(queued: House) -> None:
    assert queued.faults() == []
    (waits,) = [note for note in queued.notes() if "notices" in note]
    assert waits == "notices of register:juki that wait for number 3: 1, since 2027-04-01T05:00:00Z"


def test_nothing_waits_when_the_gap_has_closed(queued: House) -> None:
    intake = make_intake(queued.begin, queued.clock.now + timedelta(hours=6), queued.authority.sealer)
    apply_event(intake, move(3), REGISTER)
    assert queued.faults() == []
    assert [note for note in queued.notes() if "notices" in note] == []


@pytest.mark.parametrize(
    ("name", "changes", "fault"),
    [
        pytest.param(
            "n4",
            {"state": NoticeState.APPLIED, "sealed": None},
            "the notice n4 of register:juki is recorded as applied, the audit trail tells notice-held",
            id="a-held-notice-that-counts-as-applied",
        ),
        pytest.param(
            "n4",
            {"sealed": None},
            "the notice n4 of register:juki is held without what it says, or keeps what it says without being held",
            id="a-held-notice-without-content",
        ),
        pytest.param(
            "n4",
            {"sequence": 5},
            "the notice n4 of register:juki has another number in the audit trail than in the database",
            id="a-changed-number",
        ),
        pytest.param(
            "n1",
            {"type": EventType.DEATH},
            "the notice n1 of register:juki was applied to another record, or as another event, by the audit trail",
            id="another-event",
        ),
        pytest.param(
            "n2",
            {"reason": None},
            "the notice n2 of register:juki was put aside for another reason by the audit trail",
            id="another-reason",
        ),
    ],
)
def test_an_altered_notice_is_found(
    queued: House, memory: MemoryStore, name: str, changes: dict[str, object], fault: str
) -> None:
    key = ("register:juki", name)
    memory.tables.notices[key] = replace(memory.tables.notices[key], **changes)  # type: ignore[arg-type]
    assert fault in queued.faults()


def test_a_lost_notice_is_missed_by_the_trail_and_by_the_numbers(queued: House, memory: MemoryStore) -> None:
    del memory.tables.notices[NAME]
    assert queued.faults() == [
        "of register:juki 1 numbers below 3 were skipped",
        "the audit trail tells of the notice n1 of register:juki, the database does not know it",
    ]


def test_a_turn_that_was_moved_is_found(queued: House, memory: MemoryStore) -> None:
    memory.tables.senders["register:juki"] = 6
    assert queued.faults() == [
        "the notice n4 of register:juki is held, and it is the turn of number 6 already",
        "of register:juki 2 numbers below 6 were skipped",
    ]
    memory.tables.senders["register:juki"] = 1
    assert "the notice n1 of register:juki was applied before its turn, which is that of number 1" in queued.faults()


def test_an_interrupted_queue_is_work_under_way(queued: House, memory: MemoryStore) -> None:
    key = ("register:juki", "n4")
    held = memory.tables.notices[key]
    memory.tables.notices[key] = replace(held, sequence=3)
    assert any("go on with its next one: 1" in note for note in queued.notes())
