"""Vetting: applications to become a verifier, and the evidence that speaks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.certificates import Kind


@dataclass(frozen=True, slots=True)
class Evidence:
    """That a criterion is met: where the paper lies that shows it, who looked at it, and when."""

    criterion: str
    reference: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Application:
    """What a registered verifier wants to be approved for, by kind. Open until `decided_at`; `proposal` is that which
    approved it."""

    id: int
    party_id: int
    purposes: Mapping[Kind, frozenset[str]]
    applied_by: str
    applied_at: datetime
    evidence: tuple[Evidence, ...] = ()
    decided_at: datetime | None = None
    proposal: str | None = None


class VettingRepository(Protocol):
    """Applications of verifiers."""

    def open(self, application: Application) -> Application:
        """Store an application; the id given is ignored."""

    def find(self, application_id: int) -> Application | None: ...

    def of_party(self, party_id: int) -> Sequence[Application]:
        """The party's applications, oldest first."""

    def add_evidence(self, application_id: int, evidence: Evidence) -> None:
        """Keep it with the application. What was there for the criterion stays on record before it."""

    def close(self, application_id: int, at: datetime, proposal: str) -> None:
        """Note that it was approved. Raises LookupError unless it is open."""
