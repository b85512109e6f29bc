"""The queue of notices: applied in the order of their sender's numbers; early ones wait, bad ones step aside."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent, NoticeRecord, NoticeState, ResidentEvent
from domain.parties import Party, Role
from domain.people import MunicipalityCode
from domain.ports import UnitOfWork
from residents.decision import carry_out, decide
from residents.feed import BadNotice, Notice, members_of, read_notice
from residents.parts import Intake
from residents.receipts import HeldNotice, NoticeAnswer, NoticeReceipt, QuarantinedNotice

WINDOW = 1000
"""How far ahead of its turn a notice is held. One that comes earlier is refused, so that the queue stays short."""
BATCH = 100
"""Held notices that are applied in one transaction: others write between two of them."""

OUTAGES = frozenset({Code.BUSY, Code.STORE_UNAVAILABLE, Code.BAD_CONFIGURATION})
"""These say nothing about the notice: it is neither applied nor put aside, and may be sent again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a notice, and of held ones whose turn came with it. `more` wait that could go on."""

    answer: NoticeAnswer
    released: tuple[NoticeAnswer, ...] = ()
    more: bool = False


def receive(intake: Intake, work: UnitOfWork, notice: Notice, actor: Party, received_at: datetime) -> Taken:
    """Put the notice in its place: applied, held or quarantined, with what its coming lets go on. Raises Refusal as
    `apply_event` does for what is not quarantined; nothing was changed then."""
    # Read again after any wait for the store, so that no list made meanwhile lacks an older revocation.
    at = max(received_at, intake.clock())
    said = _said(notice)
    content = intake.sealer.digest(said)
    name = notice.notice_id or _name(content)
    record = NoticeRecord(notice.sender, name, notice.sequence, content, NoticeState.HELD, received_at)
    names = [notice.notice_id] if notice.notice_id else map(_name, intake.sealer.digests(said))
    earlier = next((found for name in names if (found := work.notices.find(notice.sender, name))), None)
    if earlier is None:
        answer = _first(intake, work, notice, record, actor, at)
        released, more = go_on(intake, work, notice.sender, at)
        if isinstance(answer, HeldNotice):  # it may have waited for nothing but a queue that was interrupted
            own = [other for other in released if other.notice_id == answer.notice_id]
            released = tuple(other for other in released if other not in own)
            answer = own[0] if own else answer
        return Taken(answer, released, more)
    if not intake.sealer.says(said, earlier.content) or earlier.sequence not in (None, notice.sequence):
        raise _used("notice id", "/notice_id")
    released, more = go_on(intake, work, notice.sender, at) if earlier.state is NoticeState.HELD else ((), False)
    return Taken(_standing(work, work.notices.find(earlier.sender, earlier.notice_id) or earlier), released, more)


def _first(
    intake: Intake, work: UnitOfWork, notice: Notice, record: NoticeRecord, actor: Party, at: datetime
) -> NoticeAnswer:
    """What becomes of a notice that was never seen before."""
    expected = work.notices.expected(record.sender)
    if notice.sequence is not None:
        if notice.sequence < expected or work.notices.at(record.sender, notice.sequence):
            raise _used("number", "/sequence")
        if notice.sequence >= expected + WINDOW:
            raise Refusal(
                Code.OUT_OF_ORDER,
                f"the number is too far ahead: send number {expected} first, and at most {WINDOW} from there",
                pointer="/sequence",
                facts={"expected": expected},
            )
    work.notices.expect(record.sender, expected)
    if isinstance(notice, BadNotice):
        return _put_aside(work, record, notice.refusal, actor, at)
    if notice.sequence == expected:
        return _apply(intake, work, notice, record, actor, at)
    said = {"actor": actor.label, "home": actor.municipality and actor.municipality.value, "notice": members_of(notice)}
    sealed = intake.sealer.conceal(json.dumps(said).encode(), sealed_name(record.sender, record.notice_id))
    work.notices.put(replace(record, sealed=sealed))
    _tell(work, Act.NOTICE_HELD, record, actor, at)
    return HeldNotice(record.notice_id, notice.sequence, expected, record.received_at)


def go_on(intake: Intake, work: UnitOfWork, sender: str, at: datetime) -> tuple[tuple[NoticeAnswer, ...], bool]:
    """Move the sender's turn past all that is here, and apply what was held: the answers, and whether there may be
    more."""
    released: list[NoticeAnswer] = []
    first = turn = work.notices.expected(sender)
    while len(released) < BATCH and (record := work.notices.at(sender, turn)):
        if record.state is NoticeState.HELD:
            released.append(_release(intake, work, record, at))
        turn += 1
    if turn != first:
        work.notices.expect(sender, turn)
    return tuple(released), len(released) == BATCH


def _release(intake: Intake, work: UnitOfWork, record: NoticeRecord, at: datetime) -> NoticeAnswer:
    try:
        said = json.loads(intake.sealer.reveal(sealed_name(record.sender, record.notice_id), record.sealed or b""))
    except ValueError:
        problem = "a held notice cannot be opened: the key it was sealed under is missing"
        raise Refusal(Code.BAD_CONFIGURATION, problem) from None
    role, _, name = said["actor"].partition(":")
    actor = Party(0, Role(role), name, MunicipalityCode(said["home"]) if said["home"] else None)
    record = replace(record, sealed=None)
    try:
        event = read_notice(said["notice"], record.sender, intake.municipalities)
    except Refusal as refusal:  # the format has become stricter meanwhile
        return _put_aside(work, record, refusal, actor, at)
    return _apply(intake, work, event, record, actor, at)


def _apply(
    intake: Intake, work: UnitOfWork, event: ResidentEvent, record: NoticeRecord, actor: Party, at: datetime
) -> NoticeAnswer:
    try:
        decision = decide(intake, work, event, actor, at)
    except Refusal as refusal:
        if refusal.code in OUTAGES:
            raise
        return _put_aside(work, record, refusal, actor, at)
    receipt = carry_out(intake, work, event, decision, actor, record.received_at, at)
    applied = replace(
        record,
        state=NoticeState.APPLIED,
        resident_id=decision.resident.id,
        type=event.type,
        effective_on=event.effective_on,
        municipality=event.municipality,
    )
    work.notices.put(applied)
    work.revocations.keep_receipt(_keeper(record), record.notice_id, record.content, receipt.to_json(), receipt.id)
    return receipt


def _put_aside(
    work: UnitOfWork, record: NoticeRecord, refusal: Refusal, actor: Party, at: datetime
) -> QuarantinedNotice:
    work.notices.put(replace(record, state=NoticeState.QUARANTINED, reason=refusal.code, detail=refusal.detail))
    _tell(work, Act.NOTICE_QUARANTINED, record, actor, at, reason=refusal.code.value)
    return QuarantinedNotice(
        record.notice_id, record.sequence, refusal.code, refusal.detail, record.received_at, cause=refusal
    )


def _tell(work: UnitOfWork, act: Act, record: NoticeRecord, actor: Party, at: datetime, **facts: object) -> None:
    named = {"sender": record.sender, "notice": record.notice_id, "sequence": record.sequence}
    work.audit.append(AuditEvent(act, actor.label, at, {**named, **facts}))


def _standing(work: UnitOfWork, record: NoticeRecord) -> NoticeAnswer:
    """The answer to a repeat."""
    if record.state is NoticeState.HELD:
        expected = work.notices.expected(record.sender)
        return HeldNotice(record.notice_id, record.sequence or 0, expected, record.received_at, repeated=True)
    if record.state is NoticeState.QUARANTINED:
        reason, detail = record.reason or Code.MALFORMED, record.detail or ""
        return QuarantinedNotice(record.notice_id, record.sequence, reason, detail, record.received_at, repeated=True)
    kept = work.revocations.receipt(_keeper(record), record.notice_id)
    if kept is None:
        raise LookupError("an applied notice has no receipt")
    return NoticeReceipt.from_json(kept[1]).again()


def _said(notice: Notice) -> bytes:
    """Everything the notice says, however its JSON was written. The number is compared beside it."""
    if isinstance(notice, BadNotice):
        return b"bad notice\x00" + notice.content
    items = notice.attributes
    said: list[object] = [
        notice.resident_code.digits,
        notice.type.value,
        notice.effective_on.isoformat(),
        notice.municipality.value,
        items and [items.name, items.address, items.birth_date.text, items.sex.value],
    ]
    if notice.new_code:
        said.append(notice.new_code.digits)
    return json.dumps(said).encode()


def _name(content: bytes) -> str:
    """For a notice whose id cannot be read, by its digest; no sender's own id has a space in it."""
    return f"unreadable {content[-32:].hex()[:32]}"


def _keeper(record: NoticeRecord) -> str:
    """Under whose name the receipt is kept: no caller of another door has a label like this."""
    return f"notices of {record.sender}"


def sealed_name(sender: str, notice_id: str) -> bytes:
    """The name under which a notice is sealed while it is held."""
    return f"{sender}\x00{notice_id}".encode()


def _used(what: str, pointer: str) -> Refusal:
    return Refusal(
        Code.IDEMPOTENCY_MISMATCH,
        f"this {what} was used for another notice; send a new notice under a new id and the next number",
        pointer=pointer,
    )
