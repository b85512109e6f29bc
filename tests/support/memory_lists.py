"""Lists and their changes in memory, beside `tests.support.memory`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from domain.changes import LagCount, Leg, ListChange
from domain.errors import Code, Refusal
from domain.lists import ListRecord, ListState, Scope, ScopeRecord
from tests.support.memory_tables import Tables


class Lists:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def register(self, scope: Scope) -> bool:
        new = scope not in self._tables.scopes
        self._tables.scopes.setdefault(scope, 0)
        return new

    def scopes(self) -> Sequence[ScopeRecord]:
        ordered = sorted(self._tables.scopes, key=lambda scope: scope.path)
        return [record for scope in ordered if (record := self.scope(scope))]

    def scope(self, scope: Scope) -> ScopeRecord | None:
        if scope not in self._tables.scopes:
            return None
        published = [row for row in self.records(scope) if row.state is ListState.PUBLISHED]
        return ScopeRecord(scope, self._tables.scopes[scope], published[-1] if published else None)

    def reserve(self, scope: Scope, this_update: datetime, next_update: datetime, covers: int) -> int:
        self.register(scope)
        rows = self.records(scope)
        if rows and this_update < rows[-1].this_update:
            raise Refusal(Code.CLOCK_BEHIND, "the clock is behind the newest list of this scope")
        number = rows[-1].number + 1 if rows else 1
        self._tables.lists[scope, number] = ListRecord(
            scope, number, this_update, next_update, ListState.RESERVED, covers
        )
        return number

    def signed(self, scope: Scope, number: int, digest: bytes, entries: int) -> None:
        row = self._tables.lists[scope, number]
        self._tables.lists[scope, number] = replace(row, state=ListState.SIGNED, digest=digest, entries=entries)

    def published(self, scope: Scope, number: int, at: datetime | None = None) -> None:
        row = self._tables.lists[scope, number]
        self._tables.lists[scope, number] = replace(row, state=ListState.PUBLISHED, published_at=at)

    def latest(self, scope: Scope) -> ListRecord | None:
        signed = [row for row in self.records(scope) if row.state is not ListState.RESERVED]
        return signed[-1] if signed else None

    def records(self, scope: Scope) -> Sequence[ListRecord]:
        return sorted((row for row in self._tables.lists.values() if row.scope == scope), key=lambda row: row.number)

    def lease(self, name: str, holder: str, now: datetime, until: datetime) -> int:
        had, ends, token = self._tables.leases.get(name, ("", now, 0))
        if had != holder:
            if ends > now:
                return 0
            token = max(token + 1, int(now.timestamp()))
        self._tables.leases[name] = (holder, until, token)
        return token

    def release(self, name: str, holder: str) -> None:
        had, _, token = self._tables.leases.get(name, ("", None, 0))
        if had == holder:
            self._tables.leases[name] = ("", datetime.fromtimestamp(0, UTC), token)


class Changes:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def _rows(self) -> list[ListChange]:
        return sorted(self._tables.changes.values(), key=lambda row: (row.scope, row.number))

    def of_receipt(self, receipt: str) -> Sequence[ListChange]:
        return [row for row in self._rows() if row.receipt == receipt]

    def between(self, begin: datetime, end: datetime) -> Iterator[ListChange]:
        return (row for row in self._rows() if begin <= row.committed_at < end)

    def newly(self, scope: Scope, above: int, through: int) -> Sequence[ListChange]:
        return [row for row in self._rows() if row.scope == scope and above < row.number <= through]

    def _published(self, scope: Scope) -> list[ListRecord]:
        rows = [row for row in self._tables.lists.values() if row.scope == scope]
        return sorted((row for row in rows if row.state is ListState.PUBLISHED), key=lambda row: row.number)

    def shown_by(self, change: ListChange) -> ListRecord | None:
        return next((row for row in self._published(change.scope) if row.covers >= change.number), None)

    def lists_since(self, scope: Scope, since: datetime) -> Sequence[ListRecord]:
        return [row for row in self._published(scope) if row.published_at and row.published_at >= since]

    def count(self, counts: Mapping[tuple[Leg, int | None], tuple[int, int]]) -> None:
        for place, (count, seconds) in counts.items():
            before = self._tables.lags.get(place, (0, 0))
            self._tables.lags[place] = (before[0] + count, before[1] + seconds)

    def counts(self) -> Sequence[LagCount]:
        rows = [LagCount(*place, *counted) for place, counted in self._tables.lags.items()]
        return sorted(rows, key=lambda row: (row.leg.value, row.bound or 0))
