"""Notices of the resident register (異動の通知) as they arrive: JSON in, one checked event out."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import BinaryIO

from domain.errors import Code, Refusal
from domain.events import EventType, ResidentEvent
from domain.people import MunicipalityCode
from residents import fields
from residents.fields import Fault, FieldFaults, Fields
from residents.records import ITEMS, take_items
from residents.rows import MAX_LINE, Format, json_object, read_rows

MEMBERS = ("notice_id", "resident_code", "event", "effective_on", "municipality_code")
"""Of every notice. A notice of a record that continues has ITEMS too."""

_NOTICE_ID = re.compile(r"[!-~]{1,128}")


def read_notice(
    content: bytes | Mapping[str, object], sender: str, municipalities: Container[MunicipalityCode]
) -> ResidentEvent:
    """The event in one notice of `sender` (a party's label), given as UTF-8 octets or as parsed JSON.

    Format: `docs/formats.md`. Whether this event must have the four items is judged by `apply_event`.
    Raises Refusal: TOO_LARGE beyond 64 KiB; MALFORMED with all faults in `facts["faults"]`, no value told.
    """
    try:
        source = _members(content) if isinstance(content, bytes) else content
        return _event(source, sender, municipalities)
    except FieldFaults as caught:
        raise _refusal(caught.faults) from None


def read_notices(
    file: BinaryIO, sender: str, municipalities: Container[MunicipalityCode]
) -> Iterator[tuple[int, ResidentEvent | Refusal]]:
    """(line number, event or why the line is refused) for every line of a JSON Lines file, in bounded memory."""
    for line, row in read_rows(file, Format.JSON_LINES, MEMBERS):
        if isinstance(row, Fault):
            yield line, _refusal((replace(row, line=None),))
            continue
        try:
            yield line, read_notice(row, sender, municipalities)
        except Refusal as refusal:
            yield line, refusal


def _members(octets: bytes) -> Mapping[str, object]:
    if len(octets) > MAX_LINE:
        raise Refusal(Code.TOO_LARGE, f"a notice has at most {MAX_LINE} octets")
    try:
        return json_object(octets.decode())
    except UnicodeDecodeError:
        raise FieldFaults((Fault(None, "the notice is not UTF-8"),)) from None
    except ValueError as fault:
        raise FieldFaults((Fault(None, f"the notice {fault}"),)) from None


def _event(content: Mapping[str, object], sender: str, municipalities: Container[MunicipalityCode]) -> ResidentEvent:
    continues = not content.keys().isdisjoint(ITEMS)
    source = Fields(content, frozenset((*MEMBERS, *ITEMS) if continues else MEMBERS))
    event = ResidentEvent(
        sender=sender,
        notice_id=source.take("notice_id", _notice_id),
        resident_code=source.take("resident_code", fields.resident_code),
        type=source.take("event", _event_type),
        effective_on=source.take("effective_on", fields.day),
        municipality=source.take("municipality_code", fields.municipality_code(municipalities)),
        attributes=take_items(source, latest_birth=date.max) if continues else None,
    )
    source.check()
    if event.resident_code.digits in event.notice_id:
        source.fault("notice_id", "holds the resident code; audit rows show the id")
    # Never later than today, because `apply_event` refuses an event of a later day.
    if event.attributes and event.attributes.birth_date > event.effective_on:
        source.fault("birth_date", "lies after effective_on")
    source.check()
    return event


def _notice_id(text: str) -> str:
    if _NOTICE_ID.fullmatch(text) is None:
        raise ValueError("must be 1 to 128 ASCII characters without spaces")
    return text


def _event_type(text: str) -> EventType:
    try:
        return EventType(text)
    except ValueError:
        raise ValueError(f"must be one of {', '.join(event.value for event in EventType)}") from None


def _refusal(faults: tuple[Fault, ...]) -> Refusal:
    return Refusal(
        Code.MALFORMED,
        "; ".join(str(fault) for fault in faults),
        pointer=f"/{faults[0].field}" if faults[0].field else None,
        facts={"faults": [{"field": fault.field, "problem": fault.problem} for fault in faults]},
    )
