"""Queues share the places of a round: alike, completely, and to nobody's loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.queues import fairness, shares

WAITING = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 50))


@given(WAITING, st.integers(0, 200))
def test_places_are_filled_while_anything_waits(waiting: dict[str, int], count: int) -> None:
    found = shares(waiting, count)
    assert sum(found.values()) == min(count, sum(waiting.values()))
    assert all(0 < share <= waiting[queue] for queue, share in found.items())


@given(WAITING, st.integers(1, 200))
def test_nobody_gets_more_than_one_place_above_one_who_still_waits(waiting: dict[str, int], count: int) -> None:
    found = shares(waiting, count)
    most = max(found.values(), default=0)
    for queue, items in waiting.items():
        if items > found.get(queue, 0):
            assert most - found.get(queue, 0) <= 1


def test_who_comes_first_has_the_odd_place() -> None:
    assert shares({"a": 9, "b": 9, "c": 9}, 4) == {"a": 2, "b": 1, "c": 1}
    assert shares({"a": 9, "b": 9, "c": 9}, 2) == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("served", "index"),
    [
        pytest.param({"a": 5, "b": 5}, 1.0, id="all-alike"),
        pytest.param({"a": 5, "b": 0, "c": 0, "d": 0}, 0.25, id="one-has-everything"),
        pytest.param({"a": 0}, 1.0, id="nobody-has-anything"),
        pytest.param({"a": 1, "b": 2, "c": 3}, 36 / (3 * 14), id="by-hand"),
    ],
)
def test_fairness_is_the_index_of_jain(served: dict[str, int], index: float) -> None:
    assert fairness(served) == pytest.approx(index)
