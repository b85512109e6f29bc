"""Days of verifiers and alarms, on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from domain.detection import NOBODY, Alarm, AlarmState, AskingDay, Grade
from tests.support.stores import NOW, Store

DAY = date(2027, 4, 1)
ALARM = Alarm("a", DAY, 7, NOBODY, "surge", Grade.JUSTIFY, {"surge": 7.5, "bare": 0.0}, NOW)


def test_a_day_is_replaced_by_what_it_grew_to(any_store: Store) -> None:
    with any_store.begin() as work:
        work.detection.put_day(AskingDay(DAY, 7, NOBODY, b"little"))
        work.detection.put_day(AskingDay(DAY, 7, 8, b"a provider's"))
        work.detection.put_day(AskingDay(DAY, 7, NOBODY, b"more"))
        work.commit()
    with any_store.begin(write=False) as work:
        assert work.detection.day(DAY, 7, NOBODY) == AskingDay(DAY, 7, NOBODY, b"more")
        assert work.detection.day(DAY, 8, NOBODY) is None
        assert [row.provider for row in work.detection.days(DAY, DAY)] == [NOBODY, 8]


def test_days_come_in_order_and_old_ones_are_forgotten(any_store: Store) -> None:
    days = [DAY + timedelta(days=number) for number in (2, 0, 1)]
    with any_store.begin() as work:
        for day in days:
            work.detection.put_day(AskingDay(day, 7, NOBODY, b"content"))
        assert [row.day for row in work.detection.days(DAY, DAY + timedelta(days=1))] == sorted(days)[:2]
        assert work.detection.forget(DAY + timedelta(days=2)) == 2
        assert [row.day for row in work.detection.days(DAY, DAY + timedelta(days=9))] == sorted(days)[2:]


def test_alarms_are_kept_as_they_were_decided_newest_first(any_store: Store) -> None:
    later = replace(ALARM, id="b", party=8, raised_at=NOW + timedelta(hours=1))
    decided = replace(ALARM, grade=Grade.BLOCK, state=AlarmState.UPHELD, said=("理由 one", "two"))
    with any_store.begin() as work:
        for alarm in (ALARM, later, decided):
            work.detection.put_alarm(alarm)
        work.commit()
    with any_store.begin(write=False) as work:
        assert work.detection.alarm("a") == decided
        assert work.detection.alarm("c") is None
        assert work.detection.alarms() == [later, decided]
        assert work.detection.alarms(7) == [decided]
