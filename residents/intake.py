"""Intake of register notices: each is applied once, in order, in one transaction with what it revokes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.revoke import RECEIPT_OCTETS, revoke
from domain.certificates import CertificateRecord, Kind
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent, EventType, ResidentEvent
from domain.parties import Party
from domain.people import Municipality, MunicipalityCode, Resident, ResidentState
from domain.ports import Begin, Clock, CodeSealer, RandomSource, UnitOfWork
from domain.revocation import CauseRule, RevocationCause, RevocationOrder
from policies.causes import orders_for
from policies.events import EventRule
from policies.validity import day_in_japan
from residents.judgement import changes_of, require_order, require_resident, require_sender
from residents.receipts import NothingRevoked, NoticeReceipt


@dataclass(frozen=True, slots=True)
class Intake:
    """What notices and loads need: storage, time, the sealer, the municipalities there are, and the two tables."""

    begin: Begin
    clock: Clock
    random: RandomSource
    sealer: CodeSealer
    municipalities: Mapping[MunicipalityCode, Municipality]
    events: Mapping[EventType, EventRule]
    causes: Mapping[RevocationCause, CauseRule]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a notice does: which certificates it revokes or why none, and which fields of the record change."""

    revokes: tuple[Kind, ...]
    nothing: NothingRevoked | None
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Decision:
    resident: Resident
    state: ResidentState
    live: Sequence[CertificateRecord]
    orders: Sequence[RevocationOrder]
    effect: Effect


def apply_event(intake: Intake, event: ResidentEvent, actor: Party) -> NoticeReceipt:
    """Write the record after the event, revoke what the event table says, and keep the receipt: all or nothing.

    An exact repeat (sender, notice id, content) gets the first receipt and has no effect. Raises Refusal:
    - NOT_ADMITTED, WRONG_MUNICIPALITY: this actor may not send this notice;
    - IDEMPOTENCY_MISMATCH: the notice id was used for another notice;
    - UNKNOWN_RESIDENT: no record is stored, or another municipality than the actor holds it;
    - MALFORMED: the four items are there where the event ends the record, or missing where it does not, or a minor
      correction changes more than writing;
    - OUT_OF_ORDER: the day lies in the future or before that of an applied notice, the person is dead, the record has
      ended and this is no move-in, or another municipality holds it;
    - ALREADY_APPLIED: the stored record reads so already.
    """
    received_at = intake.clock()
    require_sender(actor, event, received_at)
    content = _content(intake, event)
    with intake.begin() as work:
        if earlier := _earlier(work, event, content):
            return earlier.again()
        # Read again after any wait for the store, so that no list made meanwhile lacks an older revocation.
        at = max(received_at, intake.clock())
        decision = _decide(intake, work, event, actor, at)
        resident, receipt = decision.resident, intake.random(RECEIPT_OCTETS).hex()
        municipality = event.municipality if decision.state is ResidentState.PRESENT else resident.municipality
        work.residents.update(resident.id, municipality, event.attributes, decision.state, at)
        facts = {
            "resident": resident.id,
            "notice": event.notice_id,
            "sender": event.sender,
            "event": event.type.value,
            "changes": list(decision.effect.changes),
            "receipt": receipt,
        }
        work.audit.append(AuditEvent(Act.RESIDENT_CHANGED, actor.label, at, facts))
        outcome = revoke(
            decision.orders, decision.live, work, at=at, actor=actor.label, receipt=receipt, received_at=received_at
        )
        answer = NoticeReceipt(
            receipt, event.notice_id, event.type, outcome.revoked, decision.effect.nothing, received_at, at
        )
        work.notices.record(event, resident.id, content, received_at)
        work.revocations.keep_receipt(_keeper(event), event.notice_id, content, answer.to_json())
        work.commit()
    return answer


def preview_event(intake: Intake, event: ResidentEvent, actor: Party) -> Effect:
    """What `apply_event` would do now, without doing it. Raises the same refusals, and ALREADY_APPLIED for a repeat."""
    now = intake.clock()
    require_sender(actor, event, now)
    with intake.begin(write=False) as work:
        if _earlier(work, event, _content(intake, event)):
            raise Refusal(Code.ALREADY_APPLIED, "this notice was applied already; a repeat has no effect")
        return _decide(intake, work, event, actor, now).effect


def _content(intake: Intake, event: ResidentEvent) -> bytes:
    """Keyed digest of everything the notice says, however its JSON was written."""
    items = event.attributes
    said = [
        event.resident_code.digits,
        event.type.value,
        event.effective_on.isoformat(),
        event.municipality.value,
        items and [items.name, items.address, items.birth_date.isoformat(), items.sex.value],
    ]
    return intake.sealer.digest(json.dumps(said).encode())


def _keeper(event: ResidentEvent) -> str:
    """Under whose name the receipt is kept: no caller of another door has a label like this."""
    return f"notices of {event.sender}"


def _earlier(work: UnitOfWork, event: ResidentEvent, content: bytes) -> NoticeReceipt | None:
    """The receipt of the same notice, if it was applied before."""
    kept = work.revocations.receipt(_keeper(event), event.notice_id)
    if kept is None:
        return None
    if kept[0] != content:
        raise Refusal(
            Code.IDEMPOTENCY_MISMATCH,
            "this notice id was used for a notice of other content; send a new notice under a new id",
            pointer="/notice_id",
        )
    return NoticeReceipt.from_json(kept[1])


def _decide(intake: Intake, work: UnitOfWork, event: ResidentEvent, actor: Party, now: datetime) -> _Decision:
    rule = intake.events[event.type]
    found = work.residents.find(intake.sealer.index(event.resident_code))
    resident = require_resident(actor, event, found)
    require_order(event, rule, resident, work.notices.latest_effective(resident.id), day_in_japan(now))
    changes = changes_of(event, rule, resident)
    # What has expired needs no revocation: lists and answers do not carry it.
    live = [row for row in work.certificates.live_of(resident.id) if not row.validity.ended(now)]
    orders = orders_for(intake.causes[rule.cause], live) if rule.cause else []
    nothing = None
    if not orders:
        nothing = NothingRevoked.NO_LIVE_CERTIFICATE if rule.cause else NothingRevoked.EXEMPT_EVENT
    kinds = {order.kind for order in orders}
    effect = Effect(tuple(kind for kind in Kind if kind in kinds), nothing, changes)
    return _Decision(resident, rule.state, live, orders, effect)
