"""Batches of applications, and the queues of municipalities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from domain.batches import Batch, BatchItem, BatchRefusal, ItemState
from domain.errors import Code, Refusal
from domain.people import MunicipalityCode
from policies.queues import shares
from store.prepared import AnyRow
from store.statements import Statements
from store.tables import batch_items, batch_queues, batches

_b, _i, _q = batches.c, batch_items.c, batch_queues.c

# In the order of Batch.
_BATCH = select(
    _b.id, _b.caller, _b.key, _b.content, _b["items"], _b.open, _b.received_at, _b.cancelled_at, _b.ended_at
)
_BY_KEY = _BATCH.where(_b.caller == bindparam("caller"), _b.key == bindparam("key"))
_BY_ID = _BATCH.where(_b.id == bindparam("id"))
_NEWEST = _BATCH.where(_b.id < bindparam("before")).order_by(_b.id.desc()).limit(bindparam("limit"))
_NEWEST_OF = _NEWEST.where(_b.caller == bindparam("caller"))
_OPEN = insert(batches).returning(_b.id)
_FEWER = update(batches).where(_b.id == bindparam("of_id")).values(open=_b.open - bindparam("fewer"))
_ENDED = update(batches).where(_b.id == bindparam("of_id"), _b.open == 0, _b.ended_at.is_(None))
_CANCELLED = update(batches).where(_b.id == bindparam("of_id"), _b.cancelled_at.is_(None))
_OLD = (
    select(_b.id).where(_b.ended_at < bindparam("before", type_=_b.ended_at.type)).order_by(_b.id)
    .limit(bindparam("limit"))
)  # fmt: skip

_ITEM = select(
    _i.batch_id, _i.line, _i.key, _i.state, _i.municipality, _i.sealed, _i.application_id, _i.reason, _i.detail,
    _i.pointer,
)  # fmt: skip
_FIRST = (_i.batch_id, _i.line)
_OF_BATCH = (
    _ITEM.where(_i.batch_id == bindparam("batch_id"), _i.line > bindparam("after"))
    .order_by(_i.line)
    .limit(bindparam("limit"))
)
_WAITS = _i.state == ItemState.WAITING
_NEXT = _ITEM.where(_WAITS, _i.municipality == bindparam("municipality")).order_by(*_FIRST).limit(bindparam("limit"))
_BEGUN = (
    _ITEM.where(_i.state == ItemState.BEGUN, _i.slot == bindparam("slot")).order_by(*_FIRST).limit(bindparam("limit"))
)
_SLOTS = select(_i.slot).where(_i.state == ItemState.BEGUN).distinct().order_by(_i.slot)
_COUNTS = select(_i.state, func.count()).where(_i.batch_id == bindparam("batch_id")).group_by(_i.state)
_PUT = insert(batch_items)
_NAMED = (_i.batch_id == bindparam("of_batch"), _i.line == bindparam("of_line"))
_BEGIN = update(batch_items).where(*_NAMED)
_END = update(batch_items).where(*_NAMED, _i.state == ItemState.BEGUN)
_CANCEL = update(batch_items).where(_i.batch_id == bindparam("of_batch"), _WAITS)
_WAITING_OF = (
    select(_i.municipality, func.count()).where(_i.batch_id == bindparam("batch_id"), _WAITS).group_by(_i.municipality)
)

_QUEUES = select(_q.municipality, _q.waiting).where(_q.waiting > 0).order_by(_q.served, _q.municipality)
_JOIN = (
    update(batch_queues).where(_q.municipality == bindparam("of_municipality"))
    .values(waiting=_q.waiting + bindparam("more"))
)  # fmt: skip
_NEW_QUEUE = insert(batch_queues)
_LAST = select(func.max(_q.served))
_SERVE = (
    update(batch_queues).where(_q.municipality == bindparam("of_municipality"))
    .values(waiting=_q.waiting - bindparam("fewer"), served=bindparam("round"))
)  # fmt: skip

_NEWER_THAN_ALL = (1 << 63) - 1


class Batches:
    """`domain.ports.BatchRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def open(self, caller: str, key: str, content: bytes, items: int, received_at: datetime) -> int:
        row = {
            "caller": caller,
            "key": key,
            "content": content,
            "items": items,
            "open": 0,
            "received_at": received_at,
        }
        taken = Refusal(
            Code.IN_PROGRESS, "a batch under this idempotency key is being taken; repeat it in a few seconds"
        )
        new: int = self._statements.one(_OPEN, row, {"batches_caller_key_once": taken}).id
        return new

    def put(self, items: Sequence[BatchItem], at: datetime) -> None:
        if not items:
            return
        self._statements.run(_PUT, [_columns(item) for item in items])
        joined = Counter(item.municipality for item in items if item.state is ItemState.WAITING)
        for municipality, more in joined.items():
            if not self._statements.run(_JOIN, {"of_municipality": municipality, "more": more}):
                row = {"municipality": municipality, "waiting": more, "served": self._last_round()}
                self._statements.run(_NEW_QUEUE, row)
        self._fewer(items[0].batch_id, -joined.total(), at)

    def _last_round(self) -> int:
        return self._statements.one(_LAST)[0] or 0

    def find(self, caller: str, key: str) -> Batch | None:
        row = self._statements.find(_BY_KEY, {"caller": caller, "key": key})
        return Batch(*row) if row else None

    def get(self, batch_id: int) -> Batch | None:
        row = self._statements.find(_BY_ID, {"id": batch_id})
        return Batch(*row) if row else None

    def all(self, caller: str | None, before: int | None, limit: int) -> Sequence[Batch]:
        page: dict[str, Any] = {"before": before or _NEWER_THAN_ALL, "limit": limit}
        if caller is None:
            rows = self._statements.many(_NEWEST, page)
        else:
            rows = self._statements.many(_NEWEST_OF, {**page, "caller": caller})
        return [Batch(*row) for row in rows]

    def counts(self, batch_id: int) -> Mapping[ItemState, int]:
        return {row[0]: row[1] for row in self._statements.many(_COUNTS, {"batch_id": batch_id})}

    def items(self, batch_id: int, after: int, limit: int) -> Sequence[BatchItem]:
        rows = self._statements.many(_OF_BATCH, {"batch_id": batch_id, "after": after, "limit": limit})
        return [_item(row) for row in rows]

    def waiting(self) -> Mapping[MunicipalityCode, int]:
        return {row.municipality: row.waiting for row in self._statements.many(_QUEUES)}

    def begin(self, count: int, slot: int) -> Sequence[BatchItem]:
        queues = self.waiting()
        if not queues:
            return []
        this_round = self._last_round() + 1
        taken: list[BatchItem] = []
        for municipality, share in shares(queues, count).items():
            rows = self._statements.many(_NEXT, {"municipality": municipality, "limit": share})
            taken += [_item(row) for row in rows]
            served = {"of_municipality": municipality, "fewer": len(rows), "round": this_round}
            self._statements.run(_SERVE, served)
        self._statements.run(_BEGIN, [{**_named(item), "state": ItemState.BEGUN, "slot": slot} for item in taken])
        return taken

    def begun(self, slot: int, limit: int) -> Sequence[BatchItem]:
        return [_item(row) for row in self._statements.many(_BEGUN, {"slot": slot, "limit": limit})]

    def slots(self) -> Sequence[int]:
        return [row.slot for row in self._statements.many(_SLOTS)]

    def end(self, items: Sequence[BatchItem], at: datetime) -> None:
        fewer: Counter[int] = Counter()
        for item in items:
            fewer[item.batch_id] += self._statements.run(_END, {**_named(item), **_outcome(item)})
        for batch_id, count in fewer.items():
            self._fewer(batch_id, count, at)

    def _fewer(self, batch_id: int, count: int, at: datetime) -> None:
        self._statements.run(_FEWER, {"of_id": batch_id, "fewer": count})
        self._statements.run(_ENDED, {"of_id": batch_id, "ended_at": at})

    def cancel(self, batch_id: int, at: datetime) -> int:
        for row in self._statements.many(_WAITING_OF, {"batch_id": batch_id}):
            self._statements.run(_JOIN, {"of_municipality": row[0], "more": -row[1]})
        change = {"of_batch": batch_id, "state": ItemState.CANCELLED, "sealed": None}
        cancelled = self._statements.run(_CANCEL, change)
        self._statements.run(_CANCELLED, {"of_id": batch_id, "cancelled_at": at})
        self._fewer(batch_id, cancelled, at)
        return cancelled

    def erase(self, ended_before: datetime, limit: int) -> int:
        old = [{"of_id": row.id} for row in self._statements.many(_OLD, {"before": ended_before, "limit": limit})]
        if old:
            self._statements.run(delete(batch_items).where(_i.batch_id == bindparam("of_id")), old)
            self._statements.run(delete(batches).where(_b.id == bindparam("of_id")), old)
        return len(old)


def _named(item: BatchItem) -> dict[str, Any]:
    return {"of_batch": item.batch_id, "of_line": item.line}


def _outcome(item: BatchItem) -> dict[str, Any]:
    refusal = item.refusal
    return {
        "state": item.state,
        "application_id": item.application_id,
        "reason": refusal.code if refusal else None,
        "detail": refusal.detail if refusal else None,
        "pointer": refusal.pointer if refusal else None,
        "sealed": None if item.state.ended else item.sealed,
    }


def _columns(item: BatchItem) -> dict[str, Any]:
    return {
        "batch_id": item.batch_id,
        "line": item.line,
        "key": item.key,
        "municipality": item.municipality,
        **_outcome(item),
    }


def _item(row: AnyRow) -> BatchItem:
    refusal = BatchRefusal(row.reason, row.detail, row.pointer) if row.reason else None
    return BatchItem(
        row.batch_id, row.line, row.key, row.state, row.municipality, row.sealed, row.application_id, refusal
    )
