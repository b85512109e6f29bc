"""Confirmed events go on when whoever ran them is gone, and only then."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from domain.mass import MassState
from domain.parties import LOCAL_OPERATOR
from mass.resumption import LOOK, STANDS_STILL, Resumption
from mass.run import cancel, step
from tests.support.mass import Town


@pytest.fixture
def resumption(town: Town) -> Resumption:
    return Resumption(town.parts)


def actors(town: Town) -> set[str]:
    with town.house.begin(write=False) as work:
        return {json.loads(row.body)["actor"] for row in work.audit.rows()}


def look_for(town: Town, resumption: Resumption, time: timedelta) -> bool:
    """Whether a step was done within that time, with looks in between."""
    end = town.house.clock.now + time
    while town.house.clock.now < end:
        town.house.clock.forward(LOOK)
        if resumption.go_on():
            return True
    return False


def test_an_event_that_nobody_moves_is_done_to_its_end(town: Town, resumption: Resumption) -> None:
    event = town.confirm(town.preview(town.order()))
    step(town.parts, event.id, LOCAL_OPERATOR)
    assert not look_for(town, resumption, STANDS_STILL)
    assert look_for(town, resumption, STANDS_STILL)
    done = list(iter(resumption.go_on, None))
    assert [after.step for after in done] == list(range(3, event.steps + 1))
    assert done[-1].state is MassState.DONE
    assert "operator:worker" in actors(town)
    assert town.count("revoked") == 8


def test_an_event_that_moves_is_left_alone(town: Town, resumption: Resumption) -> None:
    event = town.confirm(town.preview(town.order()))
    for _ in range(event.steps - 1):
        assert not look_for(town, resumption, STANDS_STILL - LOOK)
        step(town.parts, event.id, LOCAL_OPERATOR)


def test_an_event_whose_runner_comes_back_is_left_to_it(town: Town, resumption: Resumption) -> None:
    event = town.confirm(town.preview(town.order()))
    assert look_for(town, resumption, 2 * STANDS_STILL)
    step(town.parts, event.id, LOCAL_OPERATOR)
    assert resumption.go_on() is None


def test_what_was_not_confirmed_or_was_cancelled_is_not_begun(town: Town, resumption: Resumption) -> None:
    town.preview(town.order())
    cancel(town.parts, town.confirm(town.preview(town.order())).id, LOCAL_OPERATOR)
    assert not look_for(town, resumption, 3 * STANDS_STILL)
    assert town.count("good") == 8
