"""Events of the resident register: which cause of revocation each is, and what it makes of our copy of the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from domain.events import EventType
from domain.people import ResidentState
from domain.revocation import RevocationCause
from policies.tables import Table

_EVENTS = {event.value: event for event in EventType}
_CAUSES = {cause.value: cause for cause in (RevocationCause.RESIDENT_EVENT, RevocationCause.RESIDENT_GONE)}
_STATES = {state.value: state for state in ResidentState}


class Carries(Enum):
    """What a notice tells beside the event itself: the record after the change, a new code, or nothing."""

    FOUR_ITEMS = "four-items"
    NEW_RESIDENT_CODE = "new-resident-code"
    NOTHING = "nothing"


_CARRIES = {carries.value: carries for carries in Carries}
_COLUMNS = ("event", "title_ja", "state", "carries", "transfers", "source", "verified")


@dataclass(frozen=True, slots=True)
class EventRule:
    """One row of the event table. `cause` is None where certificates stay; `state` is the record's afterwards;
    `transfers` says whether the record may pass to another municipality."""

    event: EventType
    title_ja: str
    cause: RevocationCause | None
    state: ResidentState
    carries: Carries
    transfers: bool
    source: str
    verified: bool


def load_events(content: Mapping[str, object]) -> Mapping[EventType, EventRule]:
    """The event table from a parsed document with rows `event`. Raises TableFaults with every fault found,
    an event without a row among them."""
    table = Table("event")
    rules: dict[EventType, EventRule] = {}
    for row in table.rows(content, _COLUMNS, optional=("cause",)):
        event, state = row.choice("event", _EVENTS), row.choice("state", _STATES)
        title_ja, source, verified = row.text("title_ja"), row.text("source"), row.flag("verified")
        carries, transfers = row.choice("carries", _CARRIES), row.flag("transfers")
        cause = row.choice("cause", _CAUSES) if "cause" in row.content else None
        if event in rules:
            row.fault("this event stands twice")
        if state is not None and (cause is RevocationCause.RESIDENT_GONE) != state.ended:
            row.fault("cause: resident-gone belongs to the states that end a record, and to them only")
        if event is not None and state is not None and carries is not None:
            rules[event] = EventRule(event, title_ja, cause, state, carries, transfers, source, verified)
    table.require_all(_EVENTS, rules)
    return MappingProxyType(rules)
