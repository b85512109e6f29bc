"""Lags that a new list ends are counted once each, in the bucket they fall into."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crl.lags import lags
from domain.changes import BOUNDS, LagCount, Leg, ListChange
from domain.revocation import RevocationCause
from tests.support.house import HOUR, House
from tests.support.lists import SCOPE
from tests.support.memory import MemoryStore
from tests.support.stores import NOW


def change(seconds: int, count: int = 1) -> ListChange:
    """Received `seconds` before its commit."""
    return ListChange(SCOPE, 1, count, "r", RevocationCause.CARD_LOST, NOW - timedelta(seconds=seconds), NOW)


@pytest.mark.parametrize(
    ("seconds", "bound"),
    [
        pytest.param(0, 1, id="at-once"),
        pytest.param(1, 1, id="a-bound-belongs-to-it"),
        pytest.param(2, 2, id="beyond-the-first"),
        pytest.param(3, 5, id="between-two"),
        pytest.param(BOUNDS[-1], BOUNDS[-1], id="a-day"),
        pytest.param(BOUNDS[-1] + 1, None, id="longer-than-all"),
    ],
)
def test_a_lag_falls_into_the_first_bound_that_holds_it(seconds: int, bound: int | None) -> None:
    sums = lags([change(seconds, 3)], NOW + timedelta(seconds=seconds))
    assert sums == {(Leg.COMMIT, bound): (3, 3 * seconds), (Leg.LIST, bound): (3, 3 * seconds)}


def test_alike_lags_are_added_up() -> None:
    assert lags([change(0), change(0, 4), change(7)], NOW) == {
        (Leg.COMMIT, 1): (5, 0),
        (Leg.COMMIT, 10): (1, 7),
        (Leg.LIST, 1): (6, 0),
    }


def test_publishing_counts_each_change_once(tmp_path: object) -> None:
    memory = MemoryStore()
    house = House(memory.begin, memory, tmp_path / "crl", lambda *_: True)  # type: ignore[operator]
    house.issue(1)
    house.publish()
    house.clock.forward(HOUR)
    house.revoke(1)
    for _ in range(3):
        house.publish()
        house.clock.forward(25 * HOUR)
    with house.begin(write=False) as work:
        assert set(work.changes.counts()) == {LagCount(Leg.COMMIT, 1, 2, 0), LagCount(Leg.LIST, 60, 2, 120)}
