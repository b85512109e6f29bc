"""Decision on one register notice: what it is to do by the tables, and the doing, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.revoke import RECEIPT_OCTETS, revoke
from domain.certificates import CertificateRecord, Kind
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent, ResidentEvent
from domain.parties import Party
from domain.people import Resident, ResidentCode, ResidentState
from domain.ports import UnitOfWork
from domain.revocation import RevocationOrder
from policies.causes import orders_for
from policies.validity import day_in_japan
from residents.judgement import changes_of, require_order, require_resident
from residents.parts import Intake
from residents.receipts import NothingRevoked, NoticeReceipt


@dataclass(frozen=True, slots=True)
class Decision:
    """What an event is to do: to the record of `resident`, and to which of the `live` certificates."""

    resident: Resident
    state: ResidentState
    live: Sequence[CertificateRecord]
    orders: Sequence[RevocationOrder]
    nothing: NothingRevoked | None
    changes: tuple[str, ...]


def decide(intake: Intake, work: UnitOfWork, event: ResidentEvent, actor: Party, now: datetime) -> Decision:
    """What the event is to do. Changes nothing. Raises Refusal:

    - WRONG_MUNICIPALITY: the actor names another municipality than itself; NOT_ADMITTED: it may not change codes;
    - UNKNOWN_RESIDENT: no record is stored, or another municipality than the actor holds it;
    - MALFORMED: four items or new code are there where the event has none, or missing where it has, or a minor
      correction changes more than writing, or the new code is in use;
    - OUT_OF_ORDER: the day lies in the future, before the birth or before that of an applied notice, the person is
      dead, the record has ended and this is no move-in, or another municipality holds it;
    - ALREADY_APPLIED: the stored record reads so already.
    """
    rule = intake.events[event.type]
    found = work.residents.find(*intake.sealer.indexes(event.resident_code))
    resident = require_resident(actor, event, found)
    require_order(event, rule, resident, work.notices.latest_effective(resident.id), day_in_japan(now))
    changes = changes_of(event, rule, resident)
    if event.new_code is not None:
        _require_unused(intake, work, event.new_code)
    # What has expired needs no revocation: lists and answers do not carry it.
    live = [row for row in work.certificates.live_of(resident.id) if not row.validity.ended(now)]
    orders = orders_for(intake.causes[rule.cause], live) if rule.cause else []
    nothing = None
    if not orders:
        nothing = NothingRevoked.NO_LIVE_CERTIFICATE if rule.cause else NothingRevoked.EXEMPT_EVENT
    return Decision(resident, rule.state, live, orders, nothing, changes)


def carry_out(
    intake: Intake,
    work: UnitOfWork,
    event: ResidentEvent,
    decision: Decision,
    actor: Party,
    received_at: datetime,
    at: datetime,
) -> NoticeReceipt:
    """Write the record after the event, revoke what was decided, and tell the audit trail."""
    resident, receipt = decision.resident, intake.random(RECEIPT_OCTETS).hex()
    municipality = event.municipality if decision.state is ResidentState.PRESENT else resident.municipality
    work.residents.update(resident.id, municipality, event.attributes, decision.state, at)
    if event.new_code is not None:
        work.residents.rekey(resident.id, *intake.sealer.seal(event.new_code), at)
    facts = {
        "resident": resident.id,
        "notice": event.notice_id,
        "sequence": event.sequence,
        "sender": event.sender,
        "event": event.type.value,
        "changes": list(decision.changes),
        "receipt": receipt,
    }
    work.audit.append(AuditEvent(Act.RESIDENT_CHANGED, actor.label, at, facts))
    outcome = revoke(
        decision.orders, decision.live, work, at=at, actor=actor.label, receipt=receipt, received_at=received_at
    )
    revoked = tuple(kind for kind in Kind if kind in outcome.revoked)
    return NoticeReceipt(
        receipt,
        event.notice_id,
        event.type,
        revoked,
        decision.nothing,
        received_at,
        at,
        decision.changes,
        outcome.effects,
    )


def _require_unused(intake: Intake, work: UnitOfWork, code: ResidentCode) -> None:
    if work.residents.find(*intake.sealer.indexes(code)) is not None:
        raise Refusal(
            Code.MALFORMED,
            "a record is stored under the new resident code already; check both codes",
            pointer="/new_resident_code",
        )
