"""Lags that a new list ends: for each change that it is the first to show, counted once and in sums."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.changes import BOUNDS, Leg, ListChange

Sums = dict[tuple[Leg, int | None], tuple[int, int]]
"""Certificates and seconds, by leg and bound."""


def lags(changes: Iterable[ListChange], shown_at: datetime) -> Sums:
    """The sums of what changes took that can be seen in a list since `shown_at`."""
    sums: Sums = {}
    for change in changes:
        for leg, begin, end in (
            (Leg.COMMIT, change.received_at, change.committed_at),
            (Leg.LIST, change.committed_at, shown_at),
        ):
            seconds = int((end - begin).total_seconds())
            bound = next((bound for bound in BOUNDS if seconds <= bound), None)
            count, together = sums.get((leg, bound), (0, 0))
            sums[leg, bound] = count + change.count, together + seconds * change.count
    return sums
