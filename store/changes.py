"""Changes as they were committed, the lists that showed them first, and how long that took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from domain.changes import LagCount, Leg, ListChange
from domain.lists import ListRecord, ListState, Scope
from store.change_tables import changes, lag_counts
from store.lists import LIST
from store.prepared import AnyRow
from store.statements import Statements
from store.tables import lists

_c, _l, _n = changes.c, lists.c, lag_counts.c
_ROWS = select(
    _c.issuer, _c.municipality, _c.number, _c.count, _c.receipt, _c.cause, _c.received_at, _c.committed_at
).order_by(_c.issuer, _c.municipality, _c.number)
_OF_RECEIPT = _ROWS.where(_c.receipt == bindparam("receipt"))
_BETWEEN = _ROWS.where(_c.committed_at >= bindparam("begin"), _c.committed_at < bindparam("end"))
_OF_SCOPE = (_c.issuer == bindparam("issuer"), _c.municipality == bindparam("municipality"))
_NEWLY = _ROWS.where(*_OF_SCOPE, _c.number > bindparam("above"), _c.number <= bindparam("through"))
_PUBLISHED = (
    select(_l.issuer, _l.municipality, *LIST)
    .where(
        _l.issuer == bindparam("issuer"),
        _l.municipality == bindparam("municipality"),
        _l.state == ListState.PUBLISHED,
    )
    .order_by(_l.covers, _l.number)
)
_SHOWN_BY = _PUBLISHED.where(_l.covers >= bindparam("number")).limit(1)
_SINCE = _PUBLISHED.where(_l.published_at >= bindparam("since"))
_COUNTS = select(_n.leg, _n.bound, _n.count, _n.seconds).order_by(_n.leg, _n.bound)
_ADD = (
    update(lag_counts)
    .where(_n.leg == bindparam("of_leg"), _n.bound == bindparam("of_bound"))
    .values(count=_n.count + bindparam("more"), seconds=_n.seconds + bindparam("longer"))
)
_FIRST = insert(lag_counts)


class Changes:
    """`domain.changes.ChangeRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def of_receipt(self, receipt: str) -> Sequence[ListChange]:
        return list(map(_change, self._statements.many(_OF_RECEIPT, {"receipt": receipt})))

    def between(self, begin: datetime, end: datetime) -> Iterator[ListChange]:
        return map(_change, self._statements.stream(_BETWEEN, {"begin": begin, "end": end}))

    def newly(self, scope: Scope, above: int, through: int) -> Sequence[ListChange]:
        rows = self._statements.many(_NEWLY, {**_of(scope), "above": above, "through": through})
        return list(map(_change, rows))

    def shown_by(self, change: ListChange) -> ListRecord | None:
        row = self._statements.find(_SHOWN_BY, {**_of(change.scope), "number": change.number})
        return _list(row) if row else None

    def lists_since(self, scope: Scope, since: datetime) -> Sequence[ListRecord]:
        return list(map(_list, self._statements.many(_SINCE, {**_of(scope), "since": since})))

    def count(self, counts: Mapping[tuple[Leg, int | None], tuple[int, int]]) -> None:
        for (leg, bound), (count, seconds) in counts.items():
            named = {"of_leg": leg, "of_bound": bound or 0, "more": count, "longer": seconds}
            if self._statements.run(_ADD, named) == 0:
                row = {"leg": leg, "bound": bound or 0, "count": count, "seconds": seconds}
                self._statements.run(_FIRST, row)

    def counts(self) -> Sequence[LagCount]:
        return [LagCount(row.leg, row.bound or None, *row[2:]) for row in self._statements.many(_COUNTS)]


def _of(scope: Scope) -> dict[str, object]:
    return {"issuer": scope.issuer, "municipality": scope.municipality}


def _change(row: AnyRow) -> ListChange:
    return ListChange(Scope(*row[:2]), *row[2:])


def _list(row: AnyRow) -> ListRecord:
    return ListRecord(Scope(*row[:2]), *row[2:])
