"""Lives of lists: how much of its validity each one has used up, so that somebody hears before one runs out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.certificates import IssuerId
from domain.gauges import Gauge
from domain.lists import ListRecord, ScopeRecord

HALF = 0.5
"""The next list is ready before this share of a list's validity is gone (`CrlPolicy.is_due`); more means that nobody
publishes."""


def share_used(record: ListRecord, now: datetime) -> float:
    """The share of the list's validity that is gone; above 1 it has ended."""
    return (now - record.this_update) / (record.next_update - record.this_update)


def list_gauges(records: Iterable[ScopeRecord], now: datetime, ended: frozenset[IssuerId]) -> tuple[Gauge, ...]:
    """For each issuer that has not `ended`: the largest share used, how many lists are past half of their life or were
    never published (an alarm), and how many changes wait for the next list."""
    largest: dict[IssuerId, float] = {}
    overdue: dict[IssuerId, int] = {}
    waiting: dict[IssuerId, int] = {}
    for record in records:
        issuer, newest = record.scope.issuer, record.published
        if issuer in ended:
            continue
        used = share_used(newest, now) if newest else float("inf")
        largest[issuer] = max(largest.get(issuer, 0.0), used)
        overdue[issuer] = overdue.get(issuer, 0) + (used > HALF)
        waiting[issuer] = waiting.get(issuer, 0) + record.wanted - (newest.covers if newest else 0)
    return (
        _gauge("jpki_list_validity_used", "Largest share of a list's validity that is gone; 1 is its end", largest),
        _gauge("jpki_lists_overdue", "Lists past half of their validity, or never published: an alarm", overdue),
        _gauge("jpki_list_changes_waiting", "Changes of revocations that no published list shows yet", waiting),
    )


def _gauge(name: str, meaning: str, values: dict[IssuerId, float] | dict[IssuerId, int]) -> Gauge:
    return Gauge(
        name, meaning, tuple(((("issuer", issuer),), float(value)) for issuer, value in sorted(values.items()))
    )
