"""Changes of what lists should say, by the number their series counted them under, and when they could be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from domain.lists import ListRecord, Scope
from domain.revocation import RevocationCause


@dataclass(frozen=True, slots=True)
class ListChange:
    """Certificates of one scope whose standing one act changed, `count` of them, and that act's receipt.

    `cause` is None for holds that were lifted.

    `number` is the scope's counter after them: every list that covers it shows them. `committed_at` is when the act was
    recorded, and with that when OCSP began to answer so.
    """

    scope: Scope
    number: int
    count: int
    receipt: str
    cause: RevocationCause | None
    received_at: datetime
    committed_at: datetime


class Leg(Enum):
    """A part of the way of a revocation: from its receipt to its commit, and from there into a published list."""

    COMMIT = "received-to-committed"
    LIST = "committed-to-listed"


BOUNDS = (1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 21_600, 86_400)
"""Upper bounds of the histogram of lags in seconds; what took longer is in none of them."""


@dataclass(frozen=True, slots=True)
class LagCount:
    """How many certificates took at most so long (`bound` seconds, None for longer than all) and longer than the bound
    before, and how many seconds they took together."""

    leg: Leg
    bound: int | None
    count: int
    seconds: int


class ChangeRepository(Protocol):
    """Changes as they were committed, the lists that showed them first, and a running count of how long that took."""

    def of_receipt(self, receipt: str) -> Sequence[ListChange]:
        """By scope and number."""

    def between(self, begin: datetime, end: datetime) -> Iterator[ListChange]:
        """Those committed from `begin` to before `end`, by scope and number."""

    def newly(self, scope: Scope, above: int, through: int) -> Sequence[ListChange]:
        """The scope's changes with numbers above `above` and up to `through`."""

    def shown_by(self, change: ListChange) -> ListRecord | None:
        """The first published list that covers the change."""

    def lists_since(self, scope: Scope, since: datetime) -> Sequence[ListRecord]:
        """The scope's published lists that were put in place from then on, oldest first."""

    def count(self, counts: Mapping[tuple[Leg, int | None], tuple[int, int]]) -> None:
        """Add (certificates, seconds) by leg and bound."""

    def counts(self) -> Sequence[LagCount]:
        """All that was ever counted."""
