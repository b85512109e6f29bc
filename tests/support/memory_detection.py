"""Detection in memory: the part of `tests.support.memory` that keeps days of verifiers and alarms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

from domain.detection import Alarm, AskingDay


class DetectionTables(Protocol):
    asking: dict[tuple[date, int, int], AskingDay]
    alarms: dict[str, Alarm]


class Detection:
    def __init__(self, tables: DetectionTables) -> None:
        self._tables = tables

    def day(self, day: date, party: int, provider: int) -> AskingDay | None:
        return self._tables.asking.get((day, party, provider))

    def put_day(self, day: AskingDay) -> None:
        self._tables.asking[day.day, day.party, day.provider] = day

    def days(self, first: date, last: date) -> Iterator[AskingDay]:
        return (row for key, row in sorted(self._tables.asking.items()) if first <= key[0] <= last)

    def forget(self, before: date) -> int:
        old = [key for key in self._tables.asking if key[0] < before]
        for key in old:
            del self._tables.asking[key]
        return len(old)

    def put_alarm(self, alarm: Alarm) -> None:
        self._tables.alarms[alarm.id] = alarm

    def alarm(self, id_: str) -> Alarm | None:
        return self._tables.alarms.get(id_)

    def alarms(self, party: int | None = None) -> Sequence[Alarm]:
        rows = [row for row in self._tables.alarms.values() if party in (None, row.party)]
        return sorted(sorted(rows, key=lambda row: row.id), key=lambda row: row.raised_at, reverse=True)
