"""Judgement of notices: every event in every state of the record, and who may say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from config.rules import load_events
from domain.birth import BirthDate
from domain.errors import Code, Refusal
from domain.events import EventType, ResidentEvent
from domain.parties import LOCAL_OPERATOR, Party
from domain.people import Resident, ResidentState, Sex
from policies.events import Carries
from residents.judgement import changes_of, require_order, require_resident, require_sender
from tests.support.notices import HINO_CITY, KIYOSE_CITY, MOVED, NOW, REGISTER, TODAY, VERIFIER, ending, notice
from tests.support.residents import HINO, KIYOSE, attributes, resident_code

PRESENT = Resident(1, KIYOSE, attributes(), ResidentState.PRESENT)
EVENTS = load_events()

ENDINGS = (EventType.DEATH, EventType.REMOVAL, EventType.MOVE_ABROAD)
CONTINUING = tuple(event for event in EventType if event not in ENDINGS)

OK = None


def order(event: ResidentEvent, resident: Resident = PRESENT, newest: date | None = None) -> Code | None:
    """The refusal, or None."""
    try:
        require_order(event, EVENTS[event.type], resident, newest, TODAY)
    except Refusal as refusal:
        return refusal.code
    return OK


def changes(event: ResidentEvent, resident: Resident = PRESENT) -> tuple[str, ...]:
    return changes_of(event, EVENTS[event.type], resident)


@pytest.mark.parametrize("state", list(ResidentState), ids=lambda state: f"the record is {state.value}")
@pytest.mark.parametrize("type_", list(EventType), ids=lambda event: event.value)
def test_which_event_can_follow_in_which_state(type_: EventType, state: ResidentState) -> None:
    ends = type_ in ENDINGS
    match state:
        case ResidentState.PRESENT:
            expected = OK
        case ResidentState.DEAD:
            expected = Code.ALREADY_APPLIED if ends else Code.OUT_OF_ORDER
        case ResidentState.MOVING if ends or type_ is EventType.MOVE_IN:
            expected = OK
        case ResidentState.MOVING:
            expected = Code.ALREADY_APPLIED if type_ is EventType.MOVE_OUT else Code.OUT_OF_ORDER
        case ResidentState.ABROAD_CONTINUED if ends or type_ is EventType.MOVE_IN:
            expected = OK
        case ResidentState.ABROAD_CONTINUED:
            expected = Code.ALREADY_APPLIED if type_ is EventType.MOVE_ABROAD_CONTINUED else Code.OUT_OF_ORDER
        case ResidentState.REMOVED | ResidentState.ABROAD if type_ in (EventType.MOVE_IN, EventType.DEATH):
            expected = OK
        case _:
            expected = Code.ALREADY_APPLIED if ends else Code.OUT_OF_ORDER
    assert order(notice(type_), replace(PRESENT, state=state)) is expected


@pytest.mark.parametrize("type_", list(EventType), ids=lambda event: event.value)
def test_no_event_comes_from_the_future(type_: EventType) -> None:
    assert order(notice(type_, effective_on=TODAY + timedelta(days=1))) is Code.OUT_OF_ORDER


@pytest.mark.parametrize("type_", list(EventType), ids=lambda event: event.value)
def test_nothing_happens_before_birth(type_: EventType) -> None:
    birth = PRESENT.attributes.birth_date.earliest
    assert order(notice(type_, effective_on=birth)) is OK
    assert order(notice(type_, effective_on=birth - timedelta(days=1))) is Code.OUT_OF_ORDER


@pytest.mark.parametrize("type_", CONTINUING, ids=lambda event: event.value)
@pytest.mark.parametrize("state", [ResidentState.PRESENT, ResidentState.ABROAD], ids=lambda state: state.value)
def test_an_older_record_never_replaces_a_newer_one(type_: EventType, state: ResidentState) -> None:
    late = notice(type_, effective_on=TODAY - timedelta(days=2))
    assert order(late, replace(PRESENT, state=state), newest=TODAY - timedelta(days=1)) is Code.OUT_OF_ORDER


@pytest.mark.parametrize("type_", CONTINUING, ids=lambda event: event.value)
def test_events_of_one_day_follow_each_other_as_they_arrive(type_: EventType) -> None:
    assert order(notice(type_), newest=TODAY) is OK


@pytest.mark.parametrize("type_", ENDINGS, ids=lambda event: event.value)
def test_an_end_is_never_too_old(type_: EventType) -> None:
    assert order(ending(type_, effective_on=TODAY - timedelta(days=400)), newest=TODAY) is OK


@pytest.mark.parametrize("type_", list(EventType), ids=lambda event: event.value)
def test_the_record_passes_to_another_municipality_by_moving_in_or_merger_only(type_: EventType) -> None:
    free = {EventType.MOVE_IN, EventType.MUNICIPALITY_MERGER, *ENDINGS}
    assert order(notice(type_, municipality=HINO)) is (OK if type_ in free else Code.OUT_OF_ORDER)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(notice(), ("address",), id="a move within the municipality"),
        pytest.param(
            notice(EventType.MOVE_IN, MOVED, municipality=HINO), ("municipality_code", "address"), id="a move"
        ),
        pytest.param(notice(EventType.NAME_CHANGE, attributes(name="榎戸　透子")), ("name",), id="a new name"),
        pytest.param(
            notice(EventType.BIRTH_DATE_OR_SEX_CORRECTION, attributes(birth_date=BirthDate(1988, 11, 4), sex=Sex.MALE)),
            ("birth_date", "sex"),
            id="a corrected birth date and sex",
        ),
        pytest.param(notice(EventType.MINOR_CORRECTION, attributes(name="霧嶋　透子")), ("name",), id="a character"),
        pytest.param(
            notice(EventType.MUNICIPALITY_MERGER, attributes(), municipality=HINO),
            ("municipality_code",),
            id="a merger that leaves the address as it is",
        ),
        pytest.param(ending(EventType.MOVE_OUT), ("state",), id="moving out"),
        pytest.param(ending(EventType.DEATH), ("state",), id="death"),
        pytest.param(ending(EventType.MOVE_ABROAD), ("state",), id="moving abroad"),
        pytest.param(ending(EventType.MOVE_ABROAD_CONTINUED), ("state",), id="moving abroad with the card in use"),
        pytest.param(
            ending(EventType.CODE_CHANGE, new_code=resident_code(7)), ("resident_code",), id="a change of code"
        ),
    ],
)
def test_changes_are_named(event: ResidentEvent, expected: tuple[str, ...]) -> None:
    assert changes(event) == expected


def test_moving_in_again_after_years_abroad_changes_at_least_the_state() -> None:
    returned = notice(EventType.MOVE_IN, attributes())
    assert changes(returned, replace(PRESENT, state=ResidentState.ABROAD)) == ("state",)


@pytest.mark.parametrize("type_", list(EventType), ids=lambda event: event.value)
def test_the_four_items_come_exactly_where_the_record_goes_on(type_: EventType) -> None:
    wrong = notice(type_) if EVENTS[type_].carries is not Carries.FOUR_ITEMS else ending(type_)
    with pytest.raises(Refusal) as caught:
        changes(wrong)
    assert caught.value.code is Code.MALFORMED


@pytest.mark.parametrize("type_", list(EventType), ids=lambda event: event.value)
def test_a_new_code_comes_exactly_where_it_changes(type_: EventType) -> None:
    wrong = ending(type_) if type_ is EventType.CODE_CHANGE else replace(notice(type_), new_code=resident_code(7))
    with pytest.raises(Refusal) as caught:
        changes(wrong)
    assert caught.value.code is Code.MALFORMED


@pytest.mark.parametrize(
    "type_",
    [event for event in CONTINUING if EVENTS[event].carries is Carries.FOUR_ITEMS],
    ids=lambda event: event.value,
)
def test_a_record_that_reads_so_already_was_changed_by_another_notice(type_: EventType) -> None:
    with pytest.raises(Refusal) as caught:
        changes(notice(type_, attributes()))
    assert caught.value.code is Code.ALREADY_APPLIED


@pytest.mark.parametrize(
    "items",
    [
        pytest.param(attributes(sex=Sex.MALE), id="another sex"),
        pytest.param(attributes(name="霧嶋　透子", birth_date=BirthDate(1988, 11, 4)), id="another birth date"),
    ],
)
def test_a_minor_correction_is_of_writing_only(items: object) -> None:
    with pytest.raises(Refusal, match="writing of name or address") as caught:
        changes(notice(EventType.MINOR_CORRECTION, items))  # type: ignore[arg-type]
    assert caught.value.code is Code.MALFORMED


@pytest.mark.parametrize(
    ("actor", "event", "expected"),
    [
        pytest.param(REGISTER, notice(municipality=HINO), OK, id="the register of anybody"),
        pytest.param(KIYOSE_CITY, notice(sender=KIYOSE_CITY), OK, id="a municipality of its own"),
        pytest.param(LOCAL_OPERATOR, notice(), OK, id="an operator for the register"),
        pytest.param(KIYOSE_CITY, notice(), Code.NOT_ADMITTED, id="a municipality in the register's name"),
        pytest.param(
            REGISTER, notice(sender=KIYOSE_CITY), Code.NOT_ADMITTED, id="the register in a municipality's name"
        ),
        pytest.param(VERIFIER, notice(sender=VERIFIER), Code.NOT_ADMITTED, id="a verifier"),
        pytest.param(replace(REGISTER, suspended_at=NOW), notice(), Code.NOT_ADMITTED, id="a suspended register"),
        pytest.param(
            KIYOSE_CITY,
            notice(EventType.MOVE_IN, sender=KIYOSE_CITY, municipality=HINO),
            Code.WRONG_MUNICIPALITY,
            id="a municipality that sends residents away",
        ),
        pytest.param(
            KIYOSE_CITY,
            notice(EventType.ADDRESS_RENAMING, sender=KIYOSE_CITY, municipality=HINO),
            Code.WRONG_MUNICIPALITY,
            id="a municipality that gives residents away",
        ),
        pytest.param(
            KIYOSE_CITY,
            ending(EventType.CODE_CHANGE, sender=KIYOSE_CITY, new_code=resident_code(7)),
            Code.NOT_ADMITTED,
            id="a municipality that changes codes",
        ),
        pytest.param(
            REGISTER, ending(EventType.CODE_CHANGE, new_code=resident_code(7)), OK, id="the register that changes codes"
        ),
    ],
)
def test_who_may_send_what(actor: Party, event: ResidentEvent, expected: Code | None) -> None:
    found = OK
    try:
        require_sender(actor, event.sender, NOW)
        require_resident(actor, event, PRESENT)
    except Refusal as refusal:
        found = refusal.code
    assert found is expected


@pytest.mark.parametrize(
    ("actor", "event", "resident"),
    [
        pytest.param(REGISTER, notice(municipality=HINO), PRESENT, id="the register for anybody"),
        pytest.param(LOCAL_OPERATOR, notice(), PRESENT, id="an operator for anybody"),
        pytest.param(KIYOSE_CITY, notice(), PRESENT, id="a municipality for its resident"),
        pytest.param(KIYOSE_CITY, ending(), PRESENT, id="a municipality of its resident's death"),
        *(
            pytest.param(
                HINO_CITY,
                notice(EventType.MOVE_IN, municipality=HINO),
                replace(PRESENT, state=state),
                id=f"the one moved into by someone who is {state.value}",
            )
            for state in (ResidentState.MOVING, ResidentState.REMOVED, ResidentState.ABROAD)
        ),
    ],
)
def test_who_may_speak_for_whom(actor: Party, event: ResidentEvent, resident: Resident) -> None:
    assert require_resident(actor, event, resident) is resident


@pytest.mark.parametrize(
    ("event", "state"),
    [
        pytest.param(ending(sender=HINO_CITY, municipality=HINO), ResidentState.PRESENT, id="of a death"),
        pytest.param(
            notice(EventType.MOVE_IN, sender=HINO_CITY, municipality=HINO),
            ResidentState.PRESENT,
            id="of moving in, when nobody told of moving out",
        ),
        pytest.param(
            notice(EventType.MOVE_IN, sender=HINO_CITY, municipality=HINO),
            ResidentState.DEAD,
            id="of moving in, about a dead person",
        ),
    ],
)
def test_a_municipality_neither_takes_over_a_resident_of_another_nor_learns_of_one(
    event: ResidentEvent, state: ResidentState
) -> None:
    with pytest.raises(Refusal) as nobody:
        require_resident(HINO_CITY, event, None)
    with pytest.raises(Refusal) as elsewhere:
        require_resident(HINO_CITY, event, replace(PRESENT, state=state))
    assert nobody.value.code is elsewhere.value.code is Code.UNKNOWN_RESIDENT
    assert str(nobody.value) == str(elsewhere.value)


@pytest.mark.parametrize("actor", [REGISTER, KIYOSE_CITY, LOCAL_OPERATOR], ids=lambda actor: actor.role.value)
def test_nobody_can_speak_for_an_unknown_resident(actor: Party) -> None:
    with pytest.raises(Refusal) as caught:
        require_resident(actor, notice(EventType.MOVE_IN), None)
    assert caught.value.code is Code.UNKNOWN_RESIDENT
