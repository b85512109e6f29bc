"""Batches and mass events in memory, beside `tests.support.memory`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from domain.batches import Batch, BatchItem, ItemState
from domain.errors import Code, Refusal
from domain.mass import MassEvent, MassRow
from domain.people import MunicipalityCode
from policies.queues import shares
from tests.support.memory_tables import Tables


class Mass:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def put(self, event: MassEvent) -> None:
        self._tables.mass[event.id] = event

    def find(self, event: str) -> MassEvent | None:
        return self._tables.mass.get(event)

    def all(self) -> Sequence[MassEvent]:
        return sorted(self._tables.mass.values(), key=lambda event: event.previewed_at, reverse=True)

    def keep(self, event: str, rows: Sequence[MassRow]) -> None:
        self._tables.mass_rows |= {(event, row.position): row for row in rows}

    def rows(self, event: str, after: int, through: int) -> Sequence[MassRow]:
        rows = sorted(self._tables.mass_rows.items())
        return [row for (of, position), row in rows if of == event and after < position <= through]

    def forget(self, event: str) -> None:
        for key in [key for key in self._tables.mass_rows if key[0] == event]:
            del self._tables.mass_rows[key]


class Batches:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def open(self, caller: str, key: str, content: bytes, items: int, received_at: datetime) -> int:
        if self.find(caller, key):
            raise Refusal(Code.IN_PROGRESS, "a batch with this key is being taken; repeat it later")
        number = max(self._tables.batches, default=0) + 1
        self._tables.batches[number] = Batch(number, caller, key, content, items, 0, received_at)
        return number

    def put(self, items: Sequence[BatchItem], at: datetime) -> None:
        for item in items:
            self._tables.items[item.batch_id, item.line] = item
            batch = self._tables.batches[item.batch_id]
            waits = item.state is ItemState.WAITING
            self._tables.batches[item.batch_id] = replace(batch, open=batch.open + waits)
            if waits and item.municipality:
                last = max(self._tables.served.values(), default=0)
                self._tables.served.setdefault(item.municipality, last)
        for batch_id in {item.batch_id for item in items}:
            self._fewer(batch_id, 0, at)

    def find(self, caller: str, key: str) -> Batch | None:
        batches = self._tables.batches.values()
        return next((batch for batch in batches if (batch.caller, batch.key) == (caller, key)), None)

    def get(self, batch_id: int) -> Batch | None:
        return self._tables.batches.get(batch_id)

    def all(self, caller: str | None, before: int | None, limit: int) -> Sequence[Batch]:
        newest = sorted(self._tables.batches.values(), key=lambda batch: -batch.id)
        fitting = [b for b in newest if caller in (None, b.caller) and (before is None or b.id < before)]
        return fitting[:limit]

    def counts(self, batch_id: int) -> Mapping[ItemState, int]:
        return Counter(item.state for item in self._tables.items.values() if item.batch_id == batch_id)

    def items(self, batch_id: int, after: int, limit: int) -> Sequence[BatchItem]:
        of_batch = [item for key, item in sorted(self._tables.items.items()) if key[0] == batch_id and key[1] > after]
        return of_batch[:limit]

    def waiting(self) -> Mapping[MunicipalityCode, int]:
        found = Counter(item.municipality for item in self._tables.items.values() if item.state is ItemState.WAITING)
        turns = sorted((self._tables.served[place], place) for place in found if place)
        return {place: found[place] for _, place in turns}

    def begin(self, count: int, slot: int) -> Sequence[BatchItem]:
        turn = max(self._tables.served.values(), default=0) + 1
        begun: list[BatchItem] = []
        for municipality, share in shares(self.waiting(), count).items():
            waiting = [
                item
                for _, item in sorted(self._tables.items.items())
                if (item.state, item.municipality) == (ItemState.WAITING, municipality)
            ]
            self._tables.served[municipality] = turn
            begun += waiting[:share]
        for item in begun:
            key = item.batch_id, item.line
            self._tables.items[key] = replace(item, state=ItemState.BEGUN)
            self._tables.slots[key] = slot
        return begun

    def begun(self, slot: int, limit: int) -> Sequence[BatchItem]:
        rows = sorted(self._tables.items.items())
        here = [item for key, item in rows if item.state is ItemState.BEGUN and self._tables.slots[key] == slot]
        return here[:limit]

    def slots(self) -> Sequence[int]:
        begun = [key for key, item in self._tables.items.items() if item.state is ItemState.BEGUN]
        return sorted({self._tables.slots[key] for key in begun})

    def end(self, items: Sequence[BatchItem], at: datetime) -> None:
        for item in items:
            key = item.batch_id, item.line
            if self._tables.items[key].state is ItemState.BEGUN:
                self._tables.items[key] = replace(item, sealed=None)
                self._fewer(item.batch_id, 1, at)

    def _fewer(self, batch_id: int, count: int, at: datetime) -> None:
        batch = self._tables.batches[batch_id]
        left = batch.open - count
        self._tables.batches[batch_id] = replace(batch, open=left, ended_at=batch.ended_at or (None if left else at))

    def cancel(self, batch_id: int, at: datetime) -> int:
        waiting = [i for i in self.items(batch_id, 0, 1 << 30) if i.state is ItemState.WAITING]
        for item in waiting:
            ended = replace(item, state=ItemState.CANCELLED, sealed=None)
            self._tables.items[item.batch_id, item.line] = ended
        batch = self._tables.batches[batch_id]
        self._tables.batches[batch_id] = replace(batch, cancelled_at=batch.cancelled_at or at)
        self._fewer(batch_id, len(waiting), at)
        return len(waiting)

    def erase(self, ended_before: datetime, limit: int) -> int:
        old = [b.id for b in self._tables.batches.values() if b.ended_at and b.ended_at < ended_before][:limit]
        for batch_id in old:
            del self._tables.batches[batch_id]
            for key in [key for key in self._tables.items if key[0] == batch_id]:
                del self._tables.items[key]
        return len(old)
