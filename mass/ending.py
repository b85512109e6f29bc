"""Ends of mass events: done, cancelled, or never confirmed; what was kept with their previews goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from domain.events import Act, AuditEvent
from domain.mass import MassEvent, MassState
from domain.parties import Party
from domain.ports import UnitOfWork

LASTS = timedelta(hours=24)
"""How long a preview can be confirmed."""

_UNCONFIRMED = (MassState.PREVIEWING, MassState.PREVIEWED)


def end(work: UnitOfWork, event: MassEvent, state: MassState, act: Act, actor: Party, at: datetime) -> MassEvent:
    """The event with its end, which is in the audit trail; the caller stores it."""
    work.mass.forget(event.id)
    facts = {"mass": event.id, "step": event.step, "steps": event.steps, "tally": dict(event.tally)}
    work.audit.append(AuditEvent(act, actor.label, at, facts))
    return replace(event, state=state, ended_at=at)


def cancel_old(work: UnitOfWork, actor: Party, at: datetime) -> None:
    """Cancel what was previewed and can be confirmed no longer: lists of residents are not kept without need."""
    for event in work.mass.all():
        if event.state in _UNCONFIRMED and at - event.previewed_at > LASTS:
            work.mass.put(end(work, event, MassState.CANCELLED, Act.MASS_CANCELLED, actor, at))
