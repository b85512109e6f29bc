from __future__ import annotations

from typing import Any

import pytest

from domain.certificates import Kind
from domain.events import EventType
from domain.people import ResidentState
from policies.causes import load_causes
from policies.events import load_events
from policies.tables import TableFaults
from tests.support.profiles import parsed

EVENTS = load_events(parsed("law/events.toml"))
CAUSES = load_causes(parsed("law/causes.toml"))


@pytest.mark.parametrize(
    ("event", "revoked", "state"),
    [
        pytest.param(EventType.MOVE_IN, {Kind.SIGNATURE}, "present", id="a move into town revokes the address-bearer"),
        pytest.param(EventType.MOVE_WITHIN, {Kind.SIGNATURE}, "present", id="a move within town does as well"),
        pytest.param(EventType.MOVE_OUT, {Kind.SIGNATURE}, "moving", id="a move out of town does as well"),
        pytest.param(EventType.MOVE_ABROAD, set(Kind), "abroad", id="a move abroad revokes both"),
        pytest.param(
            EventType.MOVE_ABROAD_CONTINUED,
            {Kind.SIGNATURE},
            "abroad-continued",
            id="a move abroad with the card in use spares the item-less",
        ),
        pytest.param(EventType.MUNICIPALITY_MERGER, {Kind.SIGNATURE}, "present", id="a merger renames the address"),
        pytest.param(EventType.CODE_CHANGE, set(), "present", id="a new code stands in no certificate"),
        pytest.param(EventType.NAME_CHANGE, {Kind.SIGNATURE}, "present", id="a new name revokes the name-bearer"),
        pytest.param(
            EventType.BIRTH_DATE_OR_SEX_CORRECTION,
            {Kind.SIGNATURE},
            "present",
            id="a corrected item revokes its bearer",
        ),
        pytest.param(EventType.MINOR_CORRECTION, set(), "present", id="a minor correction revokes none"),
        pytest.param(
            EventType.ADDRESS_RENAMING, {Kind.SIGNATURE}, "present", id="a renamed address revokes without a move"
        ),
        pytest.param(EventType.DEATH, set(Kind), "dead", id="death revokes both"),
        pytest.param(EventType.REMOVAL, set(Kind), "removed", id="removal from the register revokes both"),
    ],
)
def test_what_each_event_revokes_and_leaves(event: EventType, revoked: set[Kind], state: str) -> None:
    cause = EVENTS[event].cause
    assert (CAUSES[cause].kinds if cause else set()) == revoked
    assert EVENTS[event].state is ResidentState(state)


def test_whatever_an_event_causes_the_register_may_ask_for() -> None:
    causes = {rule.cause for rule in EVENTS.values() if rule.cause}
    assert len(causes) == 2
    assert all("register" in CAUSES[cause].by for cause in causes)


def test_what_is_open_says_so() -> None:
    for rule in EVENTS.values():
        assert rule.verified is ("unverified" not in rule.source)
    assert {event for event, rule in EVENTS.items() if not rule.verified} == {
        EventType.MOVE_OUT,
        EventType.MUNICIPALITY_MERGER,
        EventType.CODE_CHANGE,
    }


def spoilt(row: int, **columns: object) -> dict[str, Any]:
    content = parsed("law/events.toml")
    content["event"][row] |= columns
    return content


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(spoilt(0, event="wedding"), "event 1: event: want one of", id="an unknown event"),
        pytest.param(spoilt(0, event="removal"), "event 13: this event stands twice", id="an event that stands twice"),
        pytest.param(spoilt(0, cause="renewal"), "event 1: cause: want one of", id="a cause that no register brings"),
        pytest.param(spoilt(0, cause=""), "event 1: cause: want one of", id="an empty cause"),
        pytest.param(spoilt(0, state="elsewhere"), "event 1: state: want one of", id="an unknown state"),
        pytest.param(spoilt(0, state="dead"), "event 1: cause: resident-gone belongs", id="a dead person who moved"),
        pytest.param(
            spoilt(11, state="present"), "event 12: cause: resident-gone belongs", id="a death that ends nothing"
        ),
        pytest.param(spoilt(0, carries="flowers"), "event 1: carries: want one of", id="an unknown load"),
        pytest.param(spoilt(0, transfers="yes"), "event 1: transfers: want true", id="a transfer that is a text"),
        pytest.param(spoilt(0, source=""), "event 1: source: want a text", id="no source"),
        pytest.param(spoilt(0, kinds=["signature"]), "event 1: kinds: nobody knows", id="an unknown column"),
    ],
)
def test_a_spoilt_table_is_refused(content: dict[str, Any], fault: str) -> None:
    with pytest.raises(TableFaults) as faults:
        load_events(content)
    (told,) = faults.value.faults
    assert fault in told


def test_every_event_has_a_row() -> None:
    content = parsed("law/events.toml")
    del content["event"][3]
    with pytest.raises(TableFaults, match="event: move-abroad has no row"):
        load_events(content)
