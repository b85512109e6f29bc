"""Handles in memory, beside `tests.support.memory`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.certificates import CertificateRecord, IssuerId
from domain.handles import HandleKeyRecord, HandleNotice, Line, Recipient, StatusChange, Subscription
from domain.holds import Release
from domain.revocation import Revocation
from domain.serial import SerialNumber
from domain.tracers import Sighting, TracerName, TracerRow

_Certificate = tuple[IssuerId, SerialNumber]


@dataclass
class HandleTables:
    """What `tests.support.memory_tables.Tables` has besides."""

    certificates: dict[_Certificate, CertificateRecord] = field(default_factory=dict)
    revocations: dict[_Certificate, Revocation] = field(default_factory=dict)
    releases: dict[int, Release] = field(default_factory=dict)
    status_changes: dict[int, _Certificate] = field(default_factory=dict)
    handle_keys: dict[int, HandleKeyRecord] = field(default_factory=dict)
    subscriptions: dict[tuple[bytes, Recipient], Subscription] = field(default_factory=dict)
    handle_notices: dict[bytes, tuple[HandleNotice, datetime | None]] = field(default_factory=dict)
    handle_numbers: dict[Recipient, int] = field(default_factory=dict)
    tracers: dict[TracerName, TracerRow] = field(default_factory=dict)
    sightings: dict[tuple[TracerName, Recipient | None, str], Sighting] = field(default_factory=dict)


def note(tables: HandleTables, certificates: Iterable[_Certificate]) -> None:
    """Have these certificates among the changes of status."""
    for certificate in certificates:
        tables.status_changes[len(tables.status_changes) + 1] = certificate


class Handles:
    """`domain.handles.HandleRepository`."""

    def __init__(self, tables: HandleTables) -> None:
        self._tables = tables

    def generations(self) -> Sequence[HandleKeyRecord]:
        return [record for _, record in sorted(self._tables.handle_keys.items())]

    def put_key(self, record: HandleKeyRecord) -> None:
        self._tables.handle_keys[record.generation] = record

    def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        for one in subscriptions:
            self._tables.subscriptions.setdefault((one.topic, one.recipient), one)

    def unsubscribe(self, topics: Sequence[bytes], recipient: Recipient) -> None:
        for topic in topics:
            self._tables.subscriptions.pop((topic, recipient), None)

    def subscribers(self, topics: Sequence[bytes]) -> Sequence[Subscription]:
        return [one for one in self._tables.subscriptions.values() if one.topic in set(topics)]

    def older(self, generation: int, limit: int) -> Sequence[Subscription]:
        return [one for one in self._tables.subscriptions.values() if one.generation < generation][:limit]

    def move(self, moves: Sequence[tuple[Subscription, Subscription]]) -> None:
        for old, new in moves:
            del self._tables.subscriptions[old.topic, old.recipient]
            self.subscribe([new])

    def position(self) -> int | None:
        return self._tables.handle_numbers.get(Recipient(0))

    def keep_position(self, sequence: int) -> None:
        self._tables.handle_numbers[Recipient(0)] = sequence

    def last_change(self) -> int:
        return max(self._tables.status_changes, default=0)

    def of_line(self, line: Line) -> Sequence[CertificateRecord]:
        rows = sorted(self._tables.certificates.values(), key=lambda row: row.application_id)
        return [row for row in rows if Line.of(row, whole=line.whole) == line]

    def changes(self, after: int, limit: int) -> Sequence[StatusChange]:
        found = sorted(self._tables.status_changes.items())
        return [self._change(*row) for row in found if row[0] > after][:limit]

    def _change(self, sequence: int, name: _Certificate) -> StatusChange:
        row, standing = self._tables.certificates.get(name), self._tables.revocations.get(name)
        lifted = [one.released_at for one in self._tables.releases.values() if (one.issuer, one.serial) == name]
        return StatusChange(
            sequence,
            row.application_id if row else None,
            row.kind if row else None,
            row.line if row else None,
            row.pending if row else None,
            standing.cause if standing else None,
            standing.reason if standing else None,
            standing.revoked_at if standing else None,
            max(lifted, default=None),
        )

    def keep(self, notices: Sequence[HandleNotice]) -> None:
        for notice in notices:
            self._tables.handle_notices.setdefault(notice.mark, (notice, None))

    def due(self, now: datetime, limit: int) -> Sequence[HandleNotice]:
        rows = [row for row, _ in self._tables.handle_notices.values() if row.number is None and row.due_at <= now]
        return sorted(rows, key=lambda row: (row.recipient.party, row.recipient.provider, row.place, row.mark))[:limit]

    def number(self, notices: Sequence[HandleNotice], at: datetime) -> None:
        for notice in notices:
            number = self._tables.handle_numbers.get(notice.recipient, 0) + 1
            self._tables.handle_numbers[notice.recipient] = number
            self._tables.handle_notices[notice.mark] = (replace(notice, number=number), at)

    def told(self, recipient: Recipient, after: int, limit: int) -> Sequence[HandleNotice]:
        rows = [row for row, _ in self._tables.handle_notices.values() if row.recipient == recipient]
        return sorted((row for row in rows if (row.number or 0) > after), key=lambda row: row.number or 0)[:limit]

    def has_told(self, before: datetime) -> bool:
        return any(told_at and told_at < before for _, told_at in self._tables.handle_notices.values())

    def erase_told(self, before: datetime) -> int:
        old = [mark for mark, (_, told_at) in self._tables.handle_notices.items() if told_at and told_at < before]
        for mark in old:
            del self._tables.handle_notices[mark]
        return len(old)


class Tracers:
    """`domain.tracers.TracerRepository`."""

    def __init__(self, tables: HandleTables) -> None:
        self._tables = tables

    def put(self, row: TracerRow) -> None:
        assert row.name not in self._tables.tracers, "a tracer was planted twice"
        self._tables.tracers[row.name] = row

    def find(self, name: TracerName) -> TracerRow | None:
        return self._tables.tracers.get(name)

    def all(self) -> Sequence[TracerRow]:
        return [row for _, row in sorted(self._tables.tracers.items())]

    def see(self, sighting: Sighting) -> bool:
        key = (sighting.name, sighting.seen_by, sighting.channel)
        new = key not in self._tables.sightings
        self._tables.sightings.setdefault(key, sighting)
        return new

    def sightings(self) -> Sequence[Sighting]:
        return sorted(self._tables.sightings.values(), key=lambda row: (row.at, row.name))
