"""Revocation lists as a matter of policy: how long one lives, and when the next one is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.lists import ScopeRecord

DUE = 0.45
"""The share of a list's life after which the next one is made, whatever the interval."""

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class CrlPolicy:
    """`lifetime` runs from thisUpdate through nextUpdate, both included; a list is renewed every `interval` even if
    nothing changed; thisUpdate lies `backdate` before the moment of making, for clients whose clocks are slow. With
    `deltas` each list has a delta list beside it: off, because clients have accepted revoked certificates by them."""

    lifetime: timedelta
    interval: timedelta
    backdate: timedelta
    deltas: bool = False

    def faults(self) -> tuple[str, ...]:
        """What is wrong with the settings, a sentence each; empty when a list always ends after the next is due."""
        found = []
        if any(part % _SECOND for part in (self.lifetime, self.interval, self.backdate)):
            found.append("lifetime, interval and backdate must be whole seconds")
        if self.interval <= timedelta(0):
            found.append("interval must be longer than nothing")
        if self.backdate < timedelta(0):
            found.append("backdate must not be negative")
        if self.lifetime <= self.interval + self.backdate:
            found.append("lifetime must be longer than interval and backdate together, or lists end before the next")
        return tuple(found)

    def window(self, now: datetime) -> tuple[datetime, datetime]:
        """(thisUpdate, nextUpdate) of a list made at `now`. nextUpdate is the last second of the lifetime."""
        this_update = now - self.backdate
        return this_update, this_update + self.lifetime - _SECOND

    def is_due(self, record: ScopeRecord, now: datetime) -> bool:
        """Whether the scope needs a new list: it has none, it changed, or its list is as old as `interval` or nearly
        half its own life, whichever comes first: the next list is there before half of the life is gone, also where
        many are due at once."""
        newest = record.published
        if newest is None or record.wanted > newest.covers:
            return True
        life = newest.next_update - newest.this_update
        return now >= newest.this_update + min(self.interval, life * DUE)

    def is_behind(self, record: ScopeRecord, now: datetime) -> bool:
        """Whether the clock shows a time before the scope's newest list: then it is wrong, and nothing may be made."""
        return record.published is not None and now < record.published.this_update
