"""Revocations and holds in memory, beside `tests.support.memory`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from domain.certificates import Carrier, IssuerId
from domain.changes import ListChange
from domain.errors import Code, Refusal
from domain.holds import Hold, Release
from domain.lists import Scope
from domain.revocation import Revocation, RevocationBlock, RevocationCount, weight
from domain.serial import SerialNumber
from tests.support.blocks import block_of
from tests.support.memory_handles import note
from tests.support.memory_lists import Lists
from tests.support.memory_tables import Tables


class Revocations:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find(self, issuer: IssuerId, serial: SerialNumber) -> Revocation | None:
        return self._tables.revocations.get((issuer, serial))

    def put(
        self, revocation: Revocation, receipt: str, received_at: datetime, committed_at: datetime | None = None
    ) -> None:
        key = (revocation.issuer, revocation.serial)
        old = self._tables.revocations.get(key)
        if old is not None and not old.on_hold:
            raise Refusal(Code.ALREADY_APPLIED, "the certificate is revoked already; nothing was changed")
        assert key in self._tables.certificates, "a revocation needs its certificate's row"
        self._tables.revocations[key] = revocation
        note(self._tables, [key])
        scope = Scope(revocation.issuer, revocation.municipality)
        number = self._tables.scopes.get(scope, 0)
        self._tables.scopes[scope] = number + 1
        at = committed_at or revocation.revoked_at
        told = ListChange(scope, number + 1, 1, receipt, revocation.cause, received_at, at)
        before = self._tables.changes.pop((scope, number), None)
        if before and before == replace(told, number=number, count=before.count):
            told = replace(told, count=before.count + 1)
        elif before:
            self._tables.changes[scope, number] = before
        self._tables.changes[scope, number + 1] = told

    def keep_receipts(self, rows: Sequence[tuple[str, str, bytes, str, str | None]]) -> None:
        for row in rows:
            self.keep_receipt(*row)

    def put_many(
        self,
        rows: Sequence[tuple[Revocation, str, datetime]],
        committed_at: datetime | None = None,
        *,
        over_holds: bool,
    ) -> None:
        for revocation, receipt, received_at in rows:
            standing = self.find(revocation.issuer, revocation.serial)
            if (standing is not None and standing.on_hold) != over_holds or (standing and not standing.on_hold):
                raise Refusal(Code.ALREADY_APPLIED, "the certificate is revoked already; nothing was changed")
            self.put(revocation, receipt, received_at, committed_at)

    def for_scope(self, scope: Scope, listed_since: datetime | None) -> Iterable[Revocation]:
        rows = [
            row
            for row in self._tables.revocations.values()
            if (row.issuer, row.municipality) == (scope.issuer, scope.municipality)
            and (listed_since is None or row.not_after >= listed_since)
        ]
        return sorted(rows, key=lambda row: row.serial)

    def blocks_of(self, scope: Scope, listed_since: datetime | None) -> Iterator[RevocationBlock]:
        if rows := list(self.for_scope(scope, listed_since)):
            yield block_of(rows)

    def count(self, scope: Scope, listed_since: datetime | None) -> RevocationCount:
        rows = [
            row
            for row in self._tables.revocations.values()
            if row.municipality == scope.municipality and row.issuer == scope.issuer
            if not (listed_since and row.not_after < listed_since)
        ]
        weighed = (weight(row.serial.octets, int(row.revoked_at.timestamp()), row.reason) for row in rows)
        return RevocationCount(len(rows), sum(weighed))

    def census(self, issuer: IssuerId, unexpired_at: datetime) -> Iterator[bytes]:
        for row in self._tables.revocations.values():
            if row.issuer == issuer and row.not_after >= unexpired_at:
                yield row.serial.octets

    def all(self) -> Iterator[Revocation]:
        yield from self._tables.revocations.values()

    def orphans(self) -> Iterator[Revocation]:
        for named, row in self._tables.revocations.items():
            if named not in self._tables.certificates:
                yield row

    def expired(self, before: datetime) -> Iterator[tuple[IssuerId, SerialNumber]]:
        for row in sorted(self._tables.revocations.values(), key=lambda row: row.not_after):
            known = Lists(self._tables).scope(Scope(row.issuer, row.municipality))
            listed = known.published.this_update if known and known.published else row.not_after
            if row.not_after < min(before, listed):
                yield row.issuer, row.serial

    def erase(self, issuer: IssuerId, serial: SerialNumber) -> None:
        del self._tables.revocations[issuer, serial]

    def receipt(self, caller: str, key: str) -> tuple[bytes, str] | None:
        return self._tables.receipts.get((caller, key))

    def receipt_of(self, number: str) -> tuple[str, str] | None:
        return self._tables.numbers.get(number)

    def keep_receipt(self, caller: str, key: str, content: bytes, receipt: str, number: str | None = None) -> None:
        if (caller, key) in self._tables.receipts:
            raise Refusal(Code.IN_PROGRESS, "a request with this key is being worked on; repeat it later")
        self._tables.receipts[caller, key] = (content, receipt)
        if number is not None:
            self._tables.numbers[number] = (caller, receipt)


class Holds:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def standing(self, now: datetime, before: datetime, after: Hold | None, limit: int) -> Sequence[Hold]:
        rows = [
            self._hold(revocation)
            for revocation in self._tables.revocations.values()
            if revocation.on_hold and revocation.revoked_at < before and revocation.not_after >= now
        ]
        return [hold for hold in sorted(rows, key=_place) if after is None or _place(hold) > _place(after)][:limit]

    def unreported(self, now: datetime, before: datetime, carrier: Carrier, limit: int) -> Sequence[Hold]:
        rows = self.standing(now, before, None, len(self._tables.revocations))
        return [hold for hold in rows if hold.carrier is carrier and hold.reported_at is None][:limit]

    def _hold(self, revocation: Revocation) -> Hold:
        name = (revocation.issuer, revocation.serial)
        row = self._tables.certificates[name]
        return Hold(
            *name,
            row.application_id,
            row.kind,
            row.carrier,
            row.municipality,
            row.resident_id,
            revocation.revoked_at,
            self._tables.reported.get(name),
        )

    def release(self, release: Release, receipt: str, received_at: datetime | None = None) -> None:
        name = (release.issuer, release.serial)
        revocation = self._tables.revocations.get(name)
        if revocation is None or not revocation.on_hold or revocation.revoked_at != release.held_at:
            raise LookupError("no hold of that time stands")
        del self._tables.revocations[name]
        self._tables.reported.pop(name, None)
        self._tables.releases[len(self._tables.releases) + 1] = release
        note(self._tables, [name])
        scope = Scope(release.issuer, revocation.municipality)
        self._tables.scopes[scope] = number = self._tables.scopes.get(scope, 0) + 1
        at = release.released_at
        self._tables.changes[scope, number] = ListChange(scope, number, 1, receipt, None, received_at or at, at)

    def releases_of(self, issuer: IssuerId, serial: SerialNumber) -> Sequence[Release]:
        return [row for row in self._tables.releases.values() if (row.issuer, row.serial) == (issuer, serial)]

    def forget(self, issuer: IssuerId, serial: SerialNumber) -> None:
        for number, row in list(self._tables.releases.items()):
            if (row.issuer, row.serial) == (issuer, serial):
                del self._tables.releases[number]

    def report(self, hold: Hold, at: datetime) -> None:
        revocation = self._tables.revocations.get((hold.issuer, hold.serial))
        if revocation is None or not revocation.on_hold or revocation.revoked_at != hold.held_at:
            raise LookupError("no hold of that time stands")
        self._tables.reported[hold.issuer, hold.serial] = at

    def miss(self, caller: str, at: datetime, since: datetime) -> None:
        kept = [row for row in self._tables.misses.values() if row[0] != caller or row[1] >= since]
        self._tables.misses = dict(enumerate([*kept, (caller, at)]))

    def misses(self, caller: str, since: datetime) -> int:
        return sum(who == caller and at >= since for who, at in self._tables.misses.values())


def _place(hold: Hold) -> tuple[datetime, str, SerialNumber]:
    return hold.held_at, hold.issuer, hold.serial
