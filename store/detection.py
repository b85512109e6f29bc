"""Detection: days of verifiers, and alarms."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date

from sqlalchemy import bindparam, delete, insert, select, update

from domain.detection import Alarm, AskingDay, Grade
from store.detection_tables import alarms, asking_days
from store.prepared import AnyRow
from store.statements import Statements

_d, _a = asking_days.c, alarms.c
# In the order of AskingDay.
_DAYS = select(_d.day, _d.party, _d.provider, _d.content)
_DAY = _DAYS.where(_d.day == bindparam("day"), _d.party == bindparam("party"), _d.provider == bindparam("provider"))
_BETWEEN = _DAYS.where(_d.day >= bindparam("first"), _d.day <= bindparam("last")).order_by(
    _d.day, _d.party, _d.provider
)
_ADD_DAY = insert(asking_days)
_CHANGE_DAY = update(asking_days).where(
    _d.day == bindparam("of_day"), _d.party == bindparam("of_party"), _d.provider == bindparam("of_provider")
)
_FORGET = delete(asking_days).where(_d.day < bindparam("before"))

# In the order of Alarm.
_ALARMS = select(_a.id, _a.day, _a.party, _a.provider, _a.rule, _a.grade, _a.measures, _a.raised_at, _a.state, _a.said)
_BY_ID = _ALARMS.where(_a.id == bindparam("id"))
_NEWEST = _ALARMS.order_by(_a.raised_at.desc(), _a.id)
_OF_PARTY = _NEWEST.where(_a.party == bindparam("party"))
_ADD = insert(alarms)
_CHANGE = update(alarms).where(_a.id == bindparam("of_id"))


class Detection:
    """`domain.detection.DetectionRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def day(self, day: date, party: int, provider: int) -> AskingDay | None:
        row = self._statements.find(_DAY, {"day": day, "party": party, "provider": provider})
        return AskingDay(*row) if row else None

    def put_day(self, day: AskingDay) -> None:
        named = {"of_day": day.day, "of_party": day.party, "of_provider": day.provider, "content": day.content}
        if not self._statements.run(_CHANGE_DAY, named):
            self._statements.run(_ADD_DAY, asdict(day))

    def days(self, first: date, last: date) -> Iterator[AskingDay]:
        return (AskingDay(*row) for row in self._statements.stream(_BETWEEN, {"first": first, "last": last}))

    def forget(self, before: date) -> int:
        return self._statements.run(_FORGET, {"before": before})

    def put_alarm(self, alarm: Alarm) -> None:
        row = {
            "day": alarm.day,
            "party": alarm.party,
            "provider": alarm.provider,
            "rule": alarm.rule,
            "grade": int(alarm.grade),
            "measures": json.dumps(dict(alarm.measures)),
            "raised_at": alarm.raised_at,
            "state": alarm.state,
            "said": json.dumps(alarm.said, ensure_ascii=False),
        }
        if not self._statements.run(_CHANGE, {"of_id": alarm.id, **row}):
            self._statements.run(_ADD, {"id": alarm.id, **row})

    def alarm(self, id_: str) -> Alarm | None:
        row = self._statements.find(_BY_ID, {"id": id_})
        return _alarm(row) if row else None

    def alarms(self, party: int | None = None) -> Sequence[Alarm]:
        rows = self._statements.many(_NEWEST) if party is None else self._statements.many(_OF_PARTY, {"party": party})
        return [_alarm(row) for row in rows]


def _alarm(row: AnyRow) -> Alarm:
    id_, day, party, provider, rule, grade, measures, raised_at, state, said = row
    return Alarm(
        id_,
        day,
        party,
        provider,
        rule,
        Grade(grade),
        json.loads(measures),
        raised_at,
        state,
        tuple(json.loads(said)),
    )
