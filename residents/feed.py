"""Notices of the resident register (異動の通知) as they arrive: JSON or CSV in, checked events or what is wrong out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import BinaryIO

from domain.errors import Code, Refusal
from domain.events import EventType, ResidentEvent
from domain.people import MunicipalityCode
from residents import fields
from residents.fields import Fault, FieldFaults, Fields
from residents.records import ITEMS, take_items
from residents.rows import CUT_OFF, MAX_LINE, Format, json_object, read_rows

VERSION = "1"
MEMBERS = ("version", "notice_id", "sequence", "resident_code", "event", "effective_on", "municipality_code")
"""Of every notice. A notice of a record that continues has ITEMS too, one of a new code has NEW_CODE."""
NEW_CODE = "new_resident_code"
COLUMNS = (*MEMBERS, *ITEMS, NEW_CODE)

_NOTICE_ID = re.compile(r"[!-~]{1,128}")
_SEQUENCE = re.compile(r"[1-9][0-9]{0,17}")
_SEQUENCE_MEMBER = re.compile(rb'"sequence"\s*:\s*"([1-9][0-9]{0,17})"')


@dataclass(frozen=True, slots=True)
class BadNotice:
    """A notice that cannot be read, told without anything that is in it: its id and number if they can be made out,
    SHA-256 of its octets, and why."""

    sender: str
    notice_id: str | None
    sequence: int | None
    content: bytes
    refusal: Refusal


Notice = ResidentEvent | BadNotice


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


def take_notice(octets: bytes, sender: str, municipalities: Container[MunicipalityCode]) -> Notice:
    """The same for octets that go to `apply_event` whatever they are. Raises Refusal(TOO_LARGE)."""
    try:
        source = _members(octets)
    except FieldFaults as caught:
        return _unreadable(octets, sender, _refusal(caught.faults))
    return _judged(source, hashlib.sha256(octets).digest(), sender, municipalities)


def read_notices(
    file: BinaryIO, form: Format, sender: str, municipalities: Container[MunicipalityCode]
) -> Iterator[tuple[int, Notice]]:
    """(line number, event or bad notice) for every line of a file, in bounded memory. In CSV an empty cell is an absent
    member."""
    line_octets = _LineOctets()
    for line, row in read_rows(file, form, COLUMNS, line_octets.see):
        head, digest = line_octets.next_line()
        if isinstance(row, Fault):
            refusal = _refusal((replace(row, line=None),))
            # A line that was cut off comes again, whole: its number must be free then.
            known = form is Format.JSON_LINES and row.problem != CUT_OFF
            yield line, replace(_unreadable(head if known else b"", sender, refusal), content=digest)
            continue
        members = {name: text for name, text in row.items() if text} if form is Format.CSV else row
        yield line, _judged(members, digest, sender, municipalities)


def members_of(event: ResidentEvent) -> dict[str, str]:
    """The notice as `read_notice` reads it."""
    members = {
        "version": VERSION,
        "notice_id": event.notice_id,
        "sequence": str(event.sequence),
        "resident_code": event.resident_code.digits,
        "event": event.type.value,
        "effective_on": event.effective_on.isoformat(),
        "municipality_code": event.municipality.value,
    }
    if event.attributes:
        members |= {
            "name": event.attributes.name,
            "address": event.attributes.address,
            "birth_date": event.attributes.birth_date.text,
            "sex": event.attributes.sex.value,
        }
    if event.new_code:
        members[NEW_CODE] = event.new_code.digits
    return members


class _LineOctets:
    """The beginning and the digest of each line of a file, whose octets come in pieces."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._head, self._digest = b"", hashlib.sha256()

    def see(self, piece: bytes) -> None:
        self._head = self._head or piece
        self._digest.update(piece)

    def next_line(self) -> tuple[bytes, bytes]:
        seen = self._head, self._digest.digest()
        self._begin()
        return seen


def _judged(
    source: Mapping[str, object], digest: bytes, sender: str, municipalities: Container[MunicipalityCode]
) -> Notice:
    try:
        return _event(source, sender, municipalities)
    except FieldFaults as caught:
        notice_id, sequence = source.get("notice_id"), str(source.get("sequence"))
        named = isinstance(notice_id, str) and _NOTICE_ID.fullmatch(notice_id) and not _holds_code(notice_id, source)
        return BadNotice(
            sender,
            str(notice_id) if named else None,
            int(sequence) if _SEQUENCE.fullmatch(sequence) else None,
            digest,
            _refusal(caught.faults),
        )


def _holds_code(notice_id: str, source: Mapping[str, object]) -> bool:
    codes = (str(source.get(name) or "") for name in ("resident_code", NEW_CODE))
    return any(code and code in notice_id for code in codes)


def _unreadable(octets: bytes, sender: str, refusal: Refusal) -> BadNotice:
    numbers = _SEQUENCE_MEMBER.findall(octets)
    sequence = int(numbers[0]) if len(numbers) == 1 else None
    return BadNotice(sender, None, sequence, hashlib.sha256(octets).digest(), refusal)


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
    continues, rekeys = not content.keys().isdisjoint(ITEMS), NEW_CODE in content
    names = frozenset((*MEMBERS, *(ITEMS if continues else ()), *((NEW_CODE,) if rekeys else ())))
    source = Fields(content, names)
    source.take("version", _version)
    event = ResidentEvent(
        sender=sender,
        notice_id=source.take("notice_id", _notice_id),
        sequence=source.take("sequence", _sequence),
        resident_code=source.take("resident_code", fields.resident_code),
        type=source.take("event", _event_type),
        effective_on=source.take("effective_on", fields.day),
        municipality=source.take("municipality_code", fields.municipality_code(municipalities)),
        attributes=take_items(source, latest_birth=date.max) if continues else None,
        new_code=source.take(NEW_CODE, fields.resident_code) if rekeys else None,
    )
    source.check()
    for code in (event.resident_code, event.new_code):
        if code and code.digits in event.notice_id:
            source.fault("notice_id", "holds the resident code; audit rows show the id")
    # Never later than today, because `apply_event` refuses an event of a later day.
    if event.attributes and event.attributes.birth_date.earliest > event.effective_on:
        source.fault("birth_date", "lies after effective_on")
    source.check()
    return event


def _version(text: str) -> str:
    if text != VERSION:
        raise ValueError(f"must be {VERSION}; other versions of the format are not known")
    return text


def _notice_id(text: str) -> str:
    if _NOTICE_ID.fullmatch(text) is None:
        raise ValueError("must be 1 to 128 ASCII characters without spaces")
    return text


def _sequence(text: str) -> int:
    if _SEQUENCE.fullmatch(text) is None:
        raise ValueError("must be a number from 1 on, of at most 18 digits, without leading zeros")
    return int(text)


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
