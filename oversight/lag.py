"""Lag of revocations: how long from receipt to commit, which is OCSP, and into a published list, over a period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from domain.certificates import IssuerId
from domain.changes import ListChange
from domain.lists import ListRecord
from domain.people import MunicipalityCode
from domain.ports import Begin
from policies.validity import day_in_japan


class Stage(Enum):
    """What is measured, in whole seconds. COMMIT to OCSP takes none: the commit is what OCSP answers from."""

    COMMIT = "received-to-committed"
    OCSP = "committed-to-ocsp"
    LIST = "committed-to-listed"
    ALL = "received-to-listed"


class Grouping(Enum):
    """By what revocations are told apart. Days and months are those of their commit, in Japan."""

    NOTHING = "nothing"
    CAUSE = "cause"
    MUNICIPALITY = "municipality"
    DAY = "day"
    MONTH = "month"


GROUPS: Mapping[Grouping, Callable[[ListChange], str]] = {
    Grouping.NOTHING: lambda _: "all",
    Grouping.CAUSE: lambda change: change.cause.value if change.cause else "released",
    Grouping.MUNICIPALITY: lambda change: str(change.scope.municipality),
    Grouping.DAY: lambda change: day_in_japan(change.committed_at).isoformat(),
    Grouping.MONTH: lambda change: f"{day_in_japan(change.committed_at):%Y-%m}",
}


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds within which half, 99 of 100, and all of `count` certificates were done."""

    count: int
    p50: int
    p99: int
    longest: int


@dataclass(frozen=True, slots=True)
class LagRow:
    """One group: its certificates, those that no published list shows yet, and the spread of each stage."""

    group: str
    certificates: int
    waiting: int
    spreads: Mapping[Stage, Spread]


CROWD = 100
"""In a group of fewer certificates nothing is left out: together with the public lists the gap would point at it."""

Acts = Mapping[tuple[IssuerId, MunicipalityCode, datetime], int]


def report_lags(
    begin: Begin, first: datetime, end: datetime, grouping: Grouping, left_out: Acts | None = None
) -> list[LagRow]:
    """The lags of revocations and holds committed from `first` to before `end`, by group. Exact: every second counts.

    `left_out` says of certificates that are nobody's (tracers) how many an act changed, by the list that shows it and
    the time of its commit: they are not counted, but in groups of fewer than `CROWD`.

    Reads each change of the period once, and once the lists of each series in it. Memory grows with the number of
    different lags, not with that of revocations.
    """
    group_of, groups = GROUPS[grouping], dict[str, _Group]()
    lists: Sequence[ListRecord] = ()
    scope, place = None, 0
    apart = dict(left_out or {})
    with begin(write=False) as work:
        for change in work.changes.between(first, end):
            if change.scope != scope:
                scope, place, lists = change.scope, 0, work.changes.lists_since(change.scope, first)
            # Both come in the order in which the series counted.
            while place < len(lists) and lists[place].covers < change.number:
                place += 1
            shown = lists[place].published_at if place < len(lists) else None
            groups.setdefault(group_of(change), _Group()).add(change, shown, _taken(apart, change))
    return [group.row(name) for name, group in sorted(groups.items())]


def _taken(apart: dict[tuple[IssuerId, MunicipalityCode, datetime], int], change: ListChange) -> int:
    """How many of a change are to be left out, which are taken from those that are due."""
    if change.scope.municipality is None:
        return 0
    key = change.scope.issuer, change.scope.municipality, change.committed_at
    found = min(apart.get(key, 0), change.count)
    if found:
        apart[key] -= found
    return found


class _Group:
    def __init__(self) -> None:
        self._left_out: list[tuple[ListChange, datetime | None, int]] = []
        self._seconds: dict[Stage, Counter[int]] = {stage: Counter() for stage in Stage}
        self._certificates = self._waiting = 0

    def add(self, change: ListChange, shown: datetime | None, apart: int) -> None:
        self._add(change, shown, change.count)
        if apart:
            self._left_out.append((change, shown, apart))

    def _add(self, change: ListChange, shown: datetime | None, count: int) -> None:
        self._certificates += count
        self._note(Stage.COMMIT, change.received_at, change.committed_at, count)
        self._note(Stage.OCSP, change.committed_at, change.committed_at, count)
        if shown is None:
            self._waiting += count
        else:
            self._note(Stage.LIST, change.committed_at, shown, count)
            self._note(Stage.ALL, change.received_at, shown, count)

    def _note(self, stage: Stage, begin: datetime, end: datetime, count: int) -> None:
        self._seconds[stage][int((end - begin).total_seconds())] += count

    def row(self, name: str) -> LagRow:
        if self._certificates >= CROWD:
            for change, shown, count in self._left_out:
                self._add(change, shown, -count)
        spreads = {stage: spread_of(+seconds) for stage, seconds in self._seconds.items() if +seconds}
        return LagRow(name, self._certificates, self._waiting, spreads)


def spread_of(seconds: Mapping[int, int]) -> Spread:
    """The spread of lags, each given with how often it was there; of one at least."""
    count = sum(seconds.values())
    return Spread(count, _at(seconds, count, 50), _at(seconds, count, 99), max(seconds))


def _at(seconds: Mapping[int, int], count: int, percent: int) -> int:
    """The least lag within which that part of all was done (nearest rank)."""
    rank, passed = -(-count * percent // 100), 0
    for lag in sorted(seconds):
        passed += seconds[lag]
        if passed >= rank:
            return lag
    raise ValueError("there are no lags")


def lags_to_json(rows: Iterable[LagRow]) -> list[dict[str, object]]:
    """The same as JSON values."""
    return [
        {
            "group": row.group,
            "certificates": row.certificates,
            "waiting": row.waiting,
            "stages": {
                stage.value: {"count": s.count, "p50": s.p50, "p99": s.p99, "max": s.longest}
                for stage, s in row.spreads.items()
            },
        }
        for row in rows
    ]
