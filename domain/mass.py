"""Mass events: acts on very many certificates or resident records, previewed, confirmed, and done step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Protocol

from domain.certificates import Carrier, IssuerId, Kind
from domain.events import EventType
from domain.people import MunicipalityCode
from domain.revocation import Revocation, RevocationCause
from domain.serial import SerialNumber


class MassState(Enum):
    """The preview of a PREVIEWING one is not whole, and cannot be confirmed; a PREVIEWED one was not begun; a CANCELLED
    one was stopped between two steps, and what it did stands."""

    PREVIEWING = "previewing"
    PREVIEWED = "previewed"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Target:
    """A certificate as mass events see it: the columns that select it, and the revocation that stands."""

    issuer: IssuerId
    serial: SerialNumber
    kind: Kind
    carrier: Carrier
    resident_id: int
    application_id: int
    municipality: MunicipalityCode
    not_after: datetime
    profile_digest: str
    reserved_at: datetime
    ended: bool
    pending: bool
    standing: Revocation | None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which certificates: those that every field admits. `up_to` is the newest application when it was made, so that
    nothing joins afterwards; all other columns it looks at never change."""

    up_to: int
    issuers: frozenset[IssuerId] | None = None
    municipality: MunicipalityCode | None = None
    kinds: frozenset[Kind] = frozenset(Kind)
    carriers: frozenset[Carrier] = frozenset(Carrier)
    profile: str | None = None
    issued_from: datetime | None = None
    issued_before: datetime | None = None

    def covers(self, target: Target) -> bool:
        """Whether the certificate is among them, whatever its status."""
        return (
            target.application_id <= self.up_to
            and target.kind in self.kinds
            and target.carrier in self.carriers
            and (self.issuers is None or target.issuer in self.issuers)
            and (self.municipality is None or target.municipality == self.municipality)
            and (self.profile is None or target.profile_digest == self.profile)
            and (self.issued_from is None or target.reserved_at >= self.issued_from)
            and (self.issued_before is None or target.reserved_at < self.issued_before)
        )


@dataclass(frozen=True, slots=True)
class CertificateOrder:
    """Revoke or hold the selected certificates for a cause. With `listed` only those of the residents on a list."""

    cause: RevocationCause
    selection: Selection
    listed: bool = False


@dataclass(frozen=True, slots=True)
class RegisterOrder:
    """Change resident records as notices of `event` would, as of `effective_on` (JST).

    An address that begins with `old` begins with `new` instead; where both are empty, a list says the new addresses.
    The record is then held by `into`.
    """

    event: EventType
    effective_on: date
    municipality: MunicipalityCode
    into: MunicipalityCode
    old: str = ""
    new: str = ""

    @property
    def listed(self) -> bool:
        return not self.old


MassOrder = CertificateOrder | RegisterOrder

Tally = Mapping[str, int]
"""Counts by what became of things."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps over one source of things: the certificates of an issuer, cut at equal shares of the range of serials, or
    the rows that were kept with the preview (None)."""

    issuer: IssuerId | None
    steps: int


@dataclass(frozen=True, slots=True)
class MassEvent:
    """A stored mass event. `order` and `preview` are JSON, as they were confirmed; `step` counts the steps done, of
    those of `plan`."""

    id: str
    order: str
    preview: str
    plan: tuple[Stretch, ...]
    state: MassState
    previewed_by: str
    previewed_at: datetime
    step: int = 0
    tally: Tally = field(default_factory=dict)
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def steps(self) -> int:
        return sum(stretch.steps for stretch in self.plan)

    def place(self, step: int) -> tuple[Stretch, int]:
        """The stretch that a step (from 0) lies on, and its number there."""
        for stretch in self.plan:
            if step < stretch.steps:
                return stretch, step
            step -= stretch.steps
        raise IndexError("the event has no such step")


@dataclass(frozen=True, slots=True, repr=False)
class MassRow:
    """A resident that a mass event is about, kept with its preview. `position` counts from 1, on the list where there
    is one; `sealed` conceals what the list says of the resident."""

    position: int
    resident_id: int
    sealed: bytes | None = None


def label_of(event: str, position: int) -> bytes:
    """What the content of a row is concealed under."""
    return f"mass\x00{event}\x00{position}".encode()


class MassRepository(Protocol):
    """Mass events, and what is kept with their previews."""

    def put(self, event: MassEvent) -> None:
        """Insert, or replace the event of this id."""

    def find(self, event: str) -> MassEvent | None: ...

    def all(self) -> Sequence[MassEvent]:
        """All events, newest first."""

    def keep(self, event: str, rows: Sequence[MassRow]) -> None:
        """Keep residents that the event is about; the event itself may come later."""

    def rows(self, event: str, after: int, through: int) -> Sequence[MassRow]:
        """Those with positions above `after` and up to `through`, by position."""

    def forget(self, event: str) -> None:
        """Drop what was kept."""
