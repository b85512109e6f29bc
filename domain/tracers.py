"""Tracers as the register keeps them, and where they were seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.handles import Recipient


class TracerName(NamedTuple):
    """The proposal that two officers agreed on, and the tracer's place in it: what audit rows call it."""

    proposal: str
    place: int

    def __str__(self) -> str:
        return f"{self.proposal}/{self.place}"


@dataclass(frozen=True, slots=True)
class TracerRow:
    """One row of the register: who the tracer is and where it was planted, `sealed`."""

    name: TracerName
    sealed: bytes = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """Somebody asked about a tracer that only another could know: by which channel, and when first. `seen_by` is None
    for anybody who could not be named."""

    name: TracerName
    seen_by: Recipient | None
    channel: str
    at: datetime


class TracerRepository(Protocol):
    """The register of tracers, and the sightings."""

    def put(self, row: TracerRow) -> None:
        """Insert a tracer."""

    def find(self, name: TracerName) -> TracerRow | None: ...

    def all(self) -> Sequence[TracerRow]:
        """By name."""

    def see(self, sighting: Sighting) -> bool:
        """Keep it, unless the same tracer was seen with the same recipient by the same channel; whether it is new."""

    def sightings(self) -> Sequence[Sighting]:
        """By time."""
