"""The pace of a run: rests that grow with what a step took, and with how much slower it became."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.mass import MassEvent, MassState
from mass.pace import Pace

EVENT = MassEvent("0a" * 8, "{}", "{}", (), MassState.RUNNING, "operator:terminal", datetime(2027, 4, 1, tzinfo=UTC))


def after(held: int, passed: int = 0) -> MassEvent:
    return replace(EVENT, tally={"held": held, "already": passed})


@pytest.mark.parametrize(
    ("took", "rest"),
    [
        pytest.param(0.5, 1.0, id="as quick as ever"),
        pytest.param(1.0, 4.0, id="half as quick: longer by the time and by the slowness"),
        pytest.param(0.25, 0.5, id="quicker than ever"),
        pytest.param(50.0, 400.0, id="very slow: longer by a bounded factor"),
    ],
)
def test_a_slow_step_is_followed_by_a_longer_rest(took: float, rest: float) -> None:
    pace = Pace(2.0)
    assert pace.rest_after(after(500), 3.0) == 6.0
    assert pace.rest_after(after(1000), 0.5) == 1.0
    assert pace.rest_after(after(1500), took) == rest


def test_a_step_with_nothing_to_do_says_nothing_about_the_others() -> None:
    pace = Pace(1.0)
    pace.rest_after(after(500), 1.0)
    pace.rest_after(after(1000), 1.0)
    assert pace.rest_after(after(1000, passed=500), 0.01) == 0.01
    assert pace.rest_after(after(1500, passed=500), 1.0) == 1.0
