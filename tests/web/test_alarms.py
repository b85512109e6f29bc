"""The door for alarms: one's own, and what one says about them."""

from __future__ import annotations

import pytest

from domain.errors import Code, Refusal
from tests.support.doors import CALLERS, Acts, Door
from web.alarms import PATH


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def door(acts: Acts) -> Door:
    return Door(acts)


def test_verifiers_see_their_alarms_in_both_languages_and_no_measures(door: Door) -> None:
    response = door.send("GET", PATH, caller="verifier")
    assert response.json == {
        "alarms": [
            {
                "alarm": "20270401-1--1-surge",
                "day": "2027-04-01",
                "rule": "surge",
                "title": "title of surge",
                "title_ja": "surgeの題",
                "grade": "justify",
                "state": "open",
            }
        ]
    }


@pytest.mark.parametrize("act", ["justification", "appeal"])
def test_verifiers_say_why(act: str, door: Door, acts: Acts) -> None:
    response = door.send("POST", f"{PATH}/20270401-1--1-surge/{act}", {"reason": "our review"}, caller="verifier")
    assert response.status_code == 200
    assert acts.asked == [(CALLERS["verifier"], "20270401-1--1-surge", "our review")]
    assert door.send("POST", f"{PATH}/x/{act}", {"reason": ""}, caller="verifier").status_code == 400
    acts.refusal = Refusal(Code.NOT_FOUND, "you have no such alarm")
    assert door.send("POST", f"{PATH}/x/{act}", {"reason": "why"}, caller="verifier").status_code == 404


def test_nobody_else_has_alarms(door: Door) -> None:
    statuses = {caller: door.send("GET", PATH, caller=caller).status_code for caller in CALLERS}
    assert statuses == {"municipality": 403, "register": 403, "verifier": 200, "operator": 403, "desk": 403}
