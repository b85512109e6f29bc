"""The parts that mass events work with, and who may order them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.certificates import IssuerId, Kind
from domain.errors import Code, Refusal
from domain.mass import MassEvent
from domain.parties import Party, Role
from domain.ports import UnitOfWork
from residents.parts import Intake


@dataclass(frozen=True, slots=True)
class MassParts:
    """What an intake of notices has, and the issuers with the kind each one issues."""

    intake: Intake
    issuers: Mapping[IssuerId, Kind]


def require_operator(parts: MassParts, actor: Party) -> None:
    """Return if the actor may order mass events and see them. Raises Refusal(NOT_ADMITTED)."""
    if actor.role is not Role.OPERATOR or not actor.in_force(parts.intake.clock()):
        raise Refusal(Code.NOT_ADMITTED, "mass events are for operators of the authority in force only")


def require_event(work: UnitOfWork, event: str) -> MassEvent:
    """The event of that id. Raises Refusal(NOT_FOUND)."""
    found = work.mass.find(event)
    if found is None:
        raise Refusal(Code.NOT_FOUND, "there is no mass event of this id; see jpki mass status")
    return found
