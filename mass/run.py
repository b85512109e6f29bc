"""Runs: a confirmed event done step by step, each step one transaction that moves the cursor with what it did."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ca.targets import TargetChange, change_targets
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.mass import CertificateOrder, MassEvent, MassState, RegisterOrder
from domain.parties import Party
from domain.ports import UnitOfWork
from mass.certificates import gather_certificates
from mass.ending import LASTS, end
from mass.orders import order_from_json
from mass.parts import MassParts, require_event, require_operator
from mass.preview import rows_of
from mass.register import gather_records, write_records

_PATIENCE = 12
"""Times in a row that a step may find the store busy, before the run is given up; it can be resumed."""
_TOKEN_OCTETS = 8

OnStep = Callable[[MassEvent], object]
"""Hears of the event after each step, and may let others go first."""


def token_of(event: MassEvent) -> str:
    """What confirms this preview, and no other: a digest of the order, of what was shown, and of the steps.

    An approval by a second operator would be asked for where this is: `confirm` is the only way to RUNNING.
    """
    said = "\x00".join((event.id, event.order, event.preview, str([(row.issuer, row.steps) for row in event.plan])))
    return hashlib.sha256(said.encode()).digest()[:_TOKEN_OCTETS].hex()


def confirm(parts: MassParts, event_id: str, token: str, actor: Party) -> MassEvent:
    """Have the event run. Once it does, confirming it again with its token changes nothing.

    Raises Refusal: NOT_ADMITTED, NOT_FOUND, IDEMPOTENCY_MISMATCH for the token of another preview, OUT_OF_ORDER for a
    preview that is too old, or not whole, ALREADY_APPLIED for an event that has ended.
    """
    require_operator(parts, actor)
    with parts.intake.begin() as work:
        now = parts.intake.clock()
        event = require_event(work, event_id)
        if token.strip().lower() != token_of(event):
            raise Refusal(
                Code.IDEMPOTENCY_MISMATCH, "this is not the token of this event's preview; preview again and compare"
            )
        if event.state is MassState.RUNNING:
            return event
        if event.state is not MassState.PREVIEWED:
            raise _ended(event) if event.ended_at else _not_whole()
        if now - event.previewed_at > LASTS:
            raise Refusal(Code.OUT_OF_ORDER, "the preview is older than a day; preview again")
        event = replace(event, state=MassState.RUNNING, confirmed_by=actor.label, confirmed_at=now)
        work.mass.put(event)
        work.audit.append(AuditEvent(Act.MASS_CONFIRMED, actor.label, now, {"mass": event.id}))
        work.commit()
    return event


def run(parts: MassParts, event_id: str, actor: Party, on_step: OnStep = lambda _: None) -> MassEvent:
    """Do the steps that are left, until the event is done or somebody cancels it. Whoever is interrupted runs it again.

    Several may run one event: each step is done once. Raises Refusal: NOT_ADMITTED, NOT_FOUND, OUT_OF_ORDER for an
    event that is not confirmed; BUSY or STORE_UNAVAILABLE when the store stays away.
    """
    require_operator(parts, actor)
    busy = 0
    while True:
        try:
            event = step(parts, event_id, actor)
        except Refusal as refusal:
            busy += 1
            if refusal.code is not Code.BUSY or busy == _PATIENCE:
                raise
            continue
        busy = 0
        on_step(event)
        if event.state is not MassState.RUNNING:
            return event


def step(parts: MassParts, event_id: str, actor: Party) -> MassEvent:
    """Do the next step, if there is one; the event afterwards. A step is done with the cursor's move, or not at all."""
    with parts.intake.begin() as work:
        event = require_event(work, event_id)
        if event.state in (MassState.DONE, MassState.CANCELLED):
            return event
        if event.state is not MassState.RUNNING:
            raise Refusal(Code.OUT_OF_ORDER, "the event is not confirmed: jpki mass run, with the preview's token")
        at = max(parts.intake.clock(), event.confirmed_at or event.previewed_at)
        tally = Counter(event.tally)
        if event.step < event.steps:
            tally.update(_do(parts, work, event, actor, at))
            event = replace(event, step=event.step + 1, tally=tally)
        if event.step == event.steps:
            event = end(work, event, MassState.DONE, Act.MASS_DONE, actor, at)
        work.mass.put(event)
        work.commit()
    return event


def cancel(parts: MassParts, event_id: str, actor: Party) -> MassEvent:
    """Stop the event before its next step. What was done stands, and the tally says what that is.

    Raises Refusal: NOT_ADMITTED, NOT_FOUND, ALREADY_APPLIED for an event that has ended.
    """
    require_operator(parts, actor)
    with parts.intake.begin() as work:
        event = require_event(work, event_id)
        if event.ended_at is not None:
            raise _ended(event)
        event = end(work, event, MassState.CANCELLED, Act.MASS_CANCELLED, actor, parts.intake.clock())
        work.mass.put(event)
        work.commit()
    return event


def _do(parts: MassParts, work: UnitOfWork, event: MassEvent, actor: Party, at: datetime) -> Counter[str]:
    """One step's work, and what there is to count of it."""
    order, received_at = order_from_json(event.order), event.confirmed_at or event.previewed_at
    stretch, number = event.place(event.step)
    rows = rows_of(work, event, stretch, number)
    changes: list[TargetChange]
    if isinstance(order, CertificateOrder):
        rule, residents = parts.intake.causes[order.cause], [row.resident_id for row in rows]
        changes, done = gather_certificates(rule, order, work, stretch, number, residents, at)
    else:
        done = Counter()
        changes = _change_records(parts, work, event, order, actor, at, done)
    change_targets(changes, work, at=at, actor=actor.label, event=event.id, received_at=received_at)
    done.update("held" if change.revocation.on_hold else "revoked" for change in changes)
    return done


def _change_records(
    parts: MassParts,
    work: UnitOfWork,
    event: MassEvent,
    order: RegisterOrder,
    actor: Party,
    at: datetime,
    done: Counter[str],
) -> list[TargetChange]:
    stretch, number = event.place(event.step)
    found = gather_records(parts.intake, work, order, event.id, rows_of(work, event, stretch, number), at)
    write_records(parts.intake, work, found, order, event.id, actor.label, event.confirmed_at or event.previewed_at, at)
    done.update({"records": len(found.changed), "passed": len(found.passed)})
    return list(found.certificates)


def _ended(event: MassEvent) -> Refusal:
    return Refusal(Code.ALREADY_APPLIED, f"the event is {event.state.value}; preview a new one")


def _not_whole() -> Refusal:
    return Refusal(Code.OUT_OF_ORDER, "the preview was interrupted and is not whole; cancel it and preview again")
