"""Reading ahead changes nothing: a file of notices ends as it would one by one, whatever is in it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import EventType
from domain.parties import LOCAL_OPERATOR, Party
from domain.people import ResidentState
from domain.ports import Begin
from domain.revocation import CrlReason, Revocation, RevocationCause
from residents.ahead import Ahead
from residents.feed import BadNotice, Notice
from residents.intake import apply_all, take
from residents.parts import Intake
from residents.queue import Taken
from tests.support.memory import MemoryStore
from tests.support.memory_tables import Tables
from tests.support.notices import (
    NOW,
    REGISTER,
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

OTHER = Party(9, REGISTER.role, "other")


def prepared(store: MemoryStore) -> Intake:
    """Residents 1 to 3 have pairs, the second one's on hold; resident 4 has none, number 5 is nobody's."""
    intake = make_intake(store.begin)
    for number in (1, 2, 3, 4):
        resident_id = store_resident(intake, record(number))
        if number < 4:
            certify(intake, resident_id)
    with intake.begin() as work:
        for row in work.certificates.live_of(2):
            hold = Revocation(
                row.issuer,
                row.serial,
                row.municipality,
                RevocationCause.TEMPORARY_STOP,
                CrlReason.CERTIFICATE_HOLD,
                NOW,
                row.validity.not_after,
            )
            work.revocations.put(hold, "hold", NOW)
        work.commit()
    return intake


def _notice(draw: st.DrawFn) -> Notice:
    sender, sequence = draw(st.sampled_from([REGISTER, OTHER])), draw(st.integers(1, 12))
    notice_id = draw(st.sampled_from([f"n{sequence}", "n1", "n2"]))
    named: dict[str, Any] = {"sender": sender, "notice_id": notice_id, "sequence": sequence}
    code = resident_code(draw(st.integers(1, 5)))
    match draw(st.integers(0, 6)):
        case 0:
            refusal = Refusal(Code.MALFORMED, "sex must be")
            return BadNotice(sender.label, notice_id, draw(st.sampled_from([None, sequence])), bytes(32), refusal)
        case 1:
            return ending(draw(st.sampled_from([EventType.DEATH, EventType.MOVE_OUT])), code=code, **named)
        case 2:
            return notice(EventType.MOVE_IN, attributes(), code=code, municipality=HINO, **named)
        case 3:
            return ending(EventType.CODE_CHANGE, code=code, new_code=resident_code(draw(st.integers(1, 7))), **named)
        case _:
            house = "一二三四五"[draw(st.integers(0, 4))]
            return notice(items=attributes(address=f"東京都清瀬市月見坂{house}番"), code=code, **named)


notices = st.composite(_notice)()


def content_of(tables: Tables) -> dict[str, Any]:
    return {field.name: getattr(tables, field.name) for field in fields(tables)}


@given(st.lists(notices, max_size=14))
@settings(max_examples=150)
def test_a_file_ends_as_it_would_one_by_one(file: list[Notice]) -> None:
    together, alone = MemoryStore(), MemoryStore()
    first, second = prepared(together), prepared(alone)
    told: list[tuple[int, Notice, Taken | Refusal]] = []
    for number, row in enumerate(file):
        try:
            told.append((number, row, take(second, row, LOCAL_OPERATOR)))
        except Refusal as refusal:
            told.append((number, row, refusal))
    found = list(apply_all(first, list(enumerate(file)), LOCAL_OPERATOR))
    assert [_plain(outcome) for outcome in found] == [_plain(outcome) for outcome in told]
    for name, rows in content_of(alone.tables).items():
        assert getattr(together.tables, name) == rows, name


def _plain(outcome: tuple[int, Notice, Any]) -> tuple[int, object]:
    number, _, taken = outcome
    return number, (taken.code, taken.detail) if isinstance(taken, Refusal) else taken


@pytest.fixture
def intake(begin: Begin) -> Intake:
    return make_intake(begin)


def test_many_notices_of_different_residents_are_applied_on_every_database(intake: Intake) -> None:
    for number in (1, 2, 3):
        certify(intake, store_resident(intake, record(number)))
    moved = attributes(address="東京都清瀬市月見坂一番")
    file: list[tuple[int, Notice]] = [
        (1, notice(items=moved, code=resident_code(1), notice_id="1", sequence=1)),
        (2, notice(items=moved, code=resident_code(2), notice_id="2", sequence=2)),
        (3, ending(code=resident_code(1), notice_id="3", sequence=3)),
        (4, ending(EventType.CODE_CHANGE, code=resident_code(3), new_code=resident_code(7), notice_id="4", sequence=4)),
        (5, ending(code=resident_code(7), notice_id="5", sequence=5)),
        (6, notice(items=moved, code=resident_code(2), notice_id="6", sequence=6)),
    ]
    told = [type(taken).__name__ for _, _, taken in apply_all(intake, file, REGISTER)]
    assert told == ["Taken"] * 6
    assert [stored_resident(intake, row).state for row in (1, 2, 3)] == [
        ResidentState.DEAD,
        ResidentState.PRESENT,
        ResidentState.DEAD,
    ]
    assert (live_kinds(intake, 1), live_kinds(intake, 2), live_kinds(intake, 3)) == (
        set(),
        {Kind.AUTHENTICATION},
        set(),
    )
    assert len(revocations(intake)) == 5


def test_what_is_not_foreseen_is_asked_of_the_store_after_what_waits() -> None:
    store = MemoryStore()
    intake = prepared(store)
    with intake.begin() as work:
        ahead = Ahead(work)
        ahead.read(intake.sealer, [notice()])
        found = ahead.residents.find(*intake.sealer.indexes(resident_code(1)))
        assert found is not None
        ahead.residents.update(found.id, HINO, None, ResidentState.PRESENT, NOW)
        assert work.residents.get(found.id).municipality != HINO
        assert ahead.residents.get(found.id).municipality == HINO
        assert ahead.notices.latest_effective(found.id) is None
