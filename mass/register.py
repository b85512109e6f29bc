"""Steps over resident records: what each record becomes, which certificates end with it, and who is passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from ca.targets import TargetChange, judge_targets
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent, EventType, NoticeRecord, NoticeState
from domain.mass import MassRow, RegisterOrder, label_of
from domain.people import BasicAttributes, MunicipalityCode, Resident, ResidentState
from domain.ports import UnitOfWork
from policies.validity import day_in_japan
from residents.judgement import changes_of, require_order
from residents.parts import Intake
from residents.queue import OUTAGES

EVENTS = frozenset({EventType.ADDRESS_RENAMING, EventType.MUNICIPALITY_MERGER})
"""What happens to whole areas at once."""


@dataclass(frozen=True, slots=True)
class RecordNotice:
    """What the order says of one resident, as `residents.judgement` reads notices."""

    type: EventType
    effective_on: date
    municipality: MunicipalityCode
    attributes: BasicAttributes
    new_code: None = None


@dataclass(frozen=True, slots=True)
class RegisterStep:
    """`changed` are records after the change, `passed` rows whose resident cannot be changed so, and why."""

    changed: Sequence[tuple[MassRow, Resident]]
    passed: Sequence[tuple[MassRow, Refusal]]
    certificates: Sequence[TargetChange]
    left: Counter[str]


def gather_records(
    intake: Intake, work: UnitOfWork, order: RegisterOrder, event: str, rows: Sequence[MassRow], at: datetime
) -> RegisterStep:
    """What the order does to the residents of these rows, by the rules for a notice of each. Changes nothing."""
    ids = [row.resident_id for row in rows]
    residents, newest = work.residents.get_many(ids), work.notices.latest_effective_many(ids)
    changed: list[tuple[MassRow, Resident]] = []
    passed: list[tuple[MassRow, Refusal]] = []
    for row in rows:
        resident = residents[row.resident_id]
        try:
            changed.append((row, _changed(intake, order, event, row, resident, newest.get(resident.id), at)))
        except Refusal as refusal:
            if refusal.code in OUTAGES:
                raise
            passed.append((row, refusal))
    certificates, left = _ended_with(intake, work, order, [resident.id for _, resident in changed], at)
    return RegisterStep(changed, passed, certificates, left)


def write_records(
    intake: Intake,
    work: UnitOfWork,
    step: RegisterStep,
    order: RegisterOrder,
    event: str,
    actor: str,
    received_at: datetime,
    at: datetime,
) -> None:
    """Write the records, and beside each a notice in the event's name: whoever comes later with an older one is out of
    order. Who was passed over is a quarantined notice there."""
    work.residents.update_many([resident for _, resident in step.changed], at)
    applied = [
        replace(
            _record(intake, event, row, NoticeState.APPLIED, received_at),
            resident_id=resident.id,
            type=order.event,
            effective_on=order.effective_on,
            municipality=order.into,
        )
        for row, resident in step.changed
    ]
    passed = [
        replace(
            _record(intake, event, row, NoticeState.QUARANTINED, received_at),
            reason=refusal.code,
            detail=refusal.detail,
        )
        for row, refusal in step.passed
    ]
    work.notices.put_many([*applied, *passed])
    work.notices.expect(sender_of(event), max((row.sequence or 0 for row in (*applied, *passed)), default=0) + 1)
    for record, (_, refusal) in zip(passed, step.passed, strict=True):
        named = {"sender": record.sender, "notice": record.notice_id, "sequence": record.sequence}
        facts = {"mass": event, **named, "reason": refusal.code.value}
        work.audit.append(AuditEvent(Act.NOTICE_QUARANTINED, actor, at, facts))
    if applied:
        named = {"mass": event, "sender": sender_of(event), "event": order.event.value}
        residents = [[record.sequence, record.resident_id] for record in applied]
        work.audit.append(AuditEvent(Act.RESIDENTS_CHANGED, actor, at, {**named, "residents": residents}))


def sender_of(event: str) -> str:
    """In whose name the notices of a mass event stand."""
    return f"mass:{event}"


def _changed(
    intake: Intake,
    order: RegisterOrder,
    event: str,
    row: MassRow,
    resident: Resident,
    newest: date | None,
    at: datetime,
) -> Resident:
    items = replace(resident.attributes, address=_address(intake, order, event, row, resident))
    notice = RecordNotice(order.event, order.effective_on, order.into, items)
    rule = intake.events[order.event]
    if resident.municipality != order.municipality or resident.state is not ResidentState.PRESENT:
        raise Refusal(Code.OUT_OF_ORDER, "the municipality of the order does not hold the record any more")
    require_order(notice, rule, resident, newest, day_in_japan(at))
    changes_of(notice, rule, resident)
    return Resident(resident.id, order.into, items, rule.state)


def _address(intake: Intake, order: RegisterOrder, event: str, row: MassRow, resident: Resident) -> str:
    if row.sealed is not None:
        try:
            return intake.sealer.reveal(label_of(event, row.position), row.sealed).decode()
        except ValueError:
            problem = "the list kept with the preview cannot be opened: the key it was sealed under is missing"
            raise Refusal(Code.BAD_CONFIGURATION, problem) from None
    address = resident.attributes.address
    if not address.startswith(order.old):
        raise Refusal(Code.OUT_OF_ORDER, "the address has changed since the preview, and is not in the area any more")
    return order.new + address.removeprefix(order.old)


def _ended_with(
    intake: Intake, work: UnitOfWork, order: RegisterOrder, residents: Sequence[int], at: datetime
) -> tuple[list[TargetChange], Counter[str]]:
    cause = intake.events[order.event].cause
    if cause is None:
        return [], Counter()
    rule = intake.causes[cause]
    found = work.certificates.targets_of(residents)
    return judge_targets(rule, (row for row in found if not row.ended and row.kind in rule.kinds), at)


def _record(intake: Intake, event: str, row: MassRow, state: NoticeState, received_at: datetime) -> NoticeRecord:
    content = intake.sealer.digest(label_of(event, row.position))
    return NoticeRecord(sender_of(event), str(row.position), row.position, content, state, received_at)
