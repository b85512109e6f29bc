"""Judgement of a notice: who may send it, whether it comes in order, and what it changes in the record. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol

from domain.errors import Code, Refusal
from domain.events import EventType, ResidentEvent
from domain.parties import Party, Role
from domain.people import BasicAttributes, MunicipalityCode, Resident, ResidentCode, ResidentState
from policies.events import Carries, EventRule

# Whoever is away may move in anywhere.
_AWAY = frozenset({ResidentState.MOVING, ResidentState.REMOVED, ResidentState.ABROAD, ResidentState.ABROAD_CONTINUED})
# Minor corrections (軽微な修正) are of writing: a birth date or a sex has none.
_WRITING = frozenset({"name", "address"})


class RecordChange(Protocol):
    """What a notice says of a record, whoever it comes from."""

    @property
    def type(self) -> EventType: ...
    @property
    def effective_on(self) -> date: ...
    @property
    def municipality(self) -> MunicipalityCode: ...
    @property
    def attributes(self) -> BasicAttributes | None: ...
    @property
    def new_code(self) -> ResidentCode | None: ...


def require_sender(actor: Party, sender: str, now: datetime) -> None:
    """Return if the actor may send notices of `sender` (a party's label), whomever they are about.

    The register and municipalities speak in their own name. An operator applies files that came by another way, in the
    name of whoever made them. Raises Refusal(NOT_ADMITTED).
    """
    if actor.role in (Role.VERIFIER, Role.DESK) or not actor.in_force(now):
        raise Refusal(Code.NOT_ADMITTED, "notices come from the register and from municipalities in force only")
    if actor.role is not Role.OPERATOR and sender != actor.label:
        raise Refusal(Code.NOT_ADMITTED, "a notice is sent under the sender's own name")


def require_resident(actor: Party, event: ResidentEvent, resident: Resident | None) -> Resident:
    """The resident, if the actor may speak for them: a municipality for those whose record it holds, and for those who
    move in after they moved out of another, or come back; the others for everyone.

    Raises Refusal(WRONG_MUNICIPALITY) for a municipality that names another one, and Refusal(NOT_ADMITTED) for one that
    changes codes: it could try which are in use. Raises Refusal(UNKNOWN_RESIDENT), in
    the same words for nobody and for somebody who lives elsewhere: a municipality must neither take over whom another
    holds, nor learn from us where and who a person is.
    """
    if actor.role is Role.MUNICIPALITY and event.municipality != actor.municipality:
        raise Refusal(
            Code.WRONG_MUNICIPALITY,
            "a municipality sends notices of records that it holds; those of others come from them or the register",
            pointer="/municipality_code",
        )
    if actor.role is Role.MUNICIPALITY and event.type is EventType.CODE_CHANGE:
        raise Refusal(
            Code.NOT_ADMITTED,
            "changes of codes come from the register, not from municipalities",
            pointer="/event",
        )
    if resident is None or not (
        actor.role is not Role.MUNICIPALITY
        or resident.municipality == actor.municipality
        or (event.type is EventType.MOVE_IN and resident.state in _AWAY)
    ):
        raise Refusal(
            Code.UNKNOWN_RESIDENT,
            "no record of this resident is stored, or not for this municipality; check the code, have the record "
            "loaded (jpki residents load), or wait for the notice of moving out; then send it under a new id",
            pointer="/resident_code",
        )
    return resident


def require_order(event: RecordChange, rule: EventRule, resident: Resident, newest: date | None, today: date) -> None:
    """Return if the event can follow what is stored. `newest` is the newest day of the notices applied so far, `today`
    the day in Japan.

    An event that ends the record is never too old: certificates of the dead do not wait for a tidy history.
    Raises Refusal(OUT_OF_ORDER), Refusal(ALREADY_APPLIED).
    """
    if event.effective_on > today:
        raise _out_of_order("the day lies in the future; send the notice on that day", "/effective_on")
    if event.effective_on < resident.attributes.birth_date.earliest:
        raise _out_of_order("the day lies before the birth on record; check the day and the code", "/effective_on")
    if rule.state.ended:
        dies = event.type is EventType.DEATH and resident.state is not ResidentState.DEAD
        if resident.state.ended and not dies:
            raise Refusal(Code.ALREADY_APPLIED, "the record has ended already; nothing is left to do")
        return
    if resident.state is ResidentState.DEAD:
        raise _out_of_order("the stored record ended with death; nothing can follow", "/event")
    if rule.state is resident.state is not ResidentState.PRESENT:
        raise Refusal(Code.ALREADY_APPLIED, "the resident has left already; nothing is left to do")
    if resident.state is not ResidentState.PRESENT and event.type is not EventType.MOVE_IN:
        raise _out_of_order("the person has left; only a notice of moving in takes the record up again", "/event")
    if newest and event.effective_on < newest:
        raise _out_of_order(
            "a notice of a later day is applied already; send the record as it is now, with the day it was entered",
            "/effective_on",
        )
    if not rule.transfers and event.municipality != resident.municipality:
        raise _out_of_order(
            "another municipality holds the record; send the notice of moving in first", "/municipality_code"
        )


def changes_of(event: RecordChange, rule: EventRule, resident: Resident) -> tuple[str, ...]:
    """Names of the fields of the record that the event changes; `state` is one of them.

    Raises Refusal: MALFORMED when what the notice carries is missing or out of place, or a correction that spares
    certificates changes what they are for; ALREADY_APPLIED when nothing changes: the change came in another notice,
    and a certificate issued since must not be revoked for it.
    """
    carried = (event.attributes is not None, event.new_code is not None)
    if carried != (rule.carries is Carries.FOUR_ITEMS, rule.carries is Carries.NEW_RESIDENT_CODE):
        what = rule.carries.value.replace("-", " ")
        raise Refusal(
            Code.MALFORMED, f"of items and codes, this event carries {what}; see docs/formats.md", pointer="/event"
        )
    if event.new_code is not None:
        return ("resident_code",)
    changes = () if rule.state is resident.state else ("state",)
    if event.attributes is None:
        return changes
    items = event.attributes.differing_items(resident.attributes)
    if rule.cause is None and not _WRITING.issuperset(items):
        raise Refusal(
            Code.MALFORMED, "a minor correction changes the writing of name or address only", pointer="/event"
        )
    moved = () if event.municipality == resident.municipality else ("municipality_code",)
    changes = (*changes, *moved, *items)
    if not changes:
        raise Refusal(
            Code.ALREADY_APPLIED,
            "the stored record reads so already; if there was a change, send the record as it is after it",
        )
    return changes


def _out_of_order(detail: str, pointer: str) -> Refusal:
    return Refusal(Code.OUT_OF_ORDER, detail, pointer=pointer)
