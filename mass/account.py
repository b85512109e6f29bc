"""Accounts of mass events: what one is, how far it got, and what it did, for operators. No personal data is in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.mass import CertificateOrder, MassEvent, MassState, Tally
from domain.parties import Party
from mass.orders import order_from_json
from mass.parts import MassParts, require_event, require_operator


@dataclass(frozen=True, slots=True)
class MassAccount:
    """`act` is a cause of revocation or an event of the register. `changes` is what the preview counted, `tally` what
    was done so far; a step that changes things moves both `step` and `tally`, or neither."""

    id: str
    act: str
    state: MassState
    step: int
    steps: int
    changes: int
    tally: Tally
    previewed_by: str
    previewed_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    ended_at: datetime | None

    def to_json(self) -> dict[str, Any]:
        """As the API tells it."""
        return {
            "id": self.id,
            "act": self.act,
            "state": self.state.value,
            "step": self.step,
            "steps": self.steps,
            "changes": self.changes,
            "tally": dict(self.tally),
            "previewed_by": self.previewed_by,
            "previewed_at": self.previewed_at.isoformat(),
            "confirmed_by": self.confirmed_by,
            "confirmed_at": self.confirmed_at and self.confirmed_at.isoformat(),
            "ended_at": self.ended_at and self.ended_at.isoformat(),
        }


def account_of(event: MassEvent) -> MassAccount:
    """The account of a stored event."""
    order = order_from_json(event.order)
    act = order.cause.value if isinstance(order, CertificateOrder) else order.event.value
    return MassAccount(
        event.id,
        act,
        event.state,
        event.step,
        event.steps,
        json.loads(event.preview).get("changes", 0),
        event.tally,
        event.previewed_by,
        event.previewed_at,
        event.confirmed_by,
        event.confirmed_at,
        event.ended_at,
    )


def find_account(parts: MassParts, event: str, actor: Party) -> MassAccount:
    """The account of one event. Raises Refusal(NOT_ADMITTED), Refusal(NOT_FOUND)."""
    require_operator(parts, actor)
    with parts.intake.begin(write=False) as work:
        return account_of(require_event(work, event))


def list_accounts(parts: MassParts, actor: Party) -> Sequence[MassAccount]:
    """All accounts, newest first. Raises Refusal(NOT_ADMITTED)."""
    require_operator(parts, actor)
    with parts.intake.begin(write=False) as work:
        return [account_of(event) for event in work.mass.all()]
