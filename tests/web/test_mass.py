"""The doors for mass events: for operators, as the description says, and nothing but looking."""

from __future__ import annotations

import pytest

from domain.errors import Code, Refusal
from tests.support.doors import CALLERS, MASS_EVENT, Acts, Door


def test_an_operator_sees_all_events_and_one() -> None:
    acts = Acts()
    door = Door(acts)
    assert door.send("GET", "/v1/mass-events", caller="operator").json == {"events": [MASS_EVENT.to_json()]}
    assert door.send("GET", "/v1/mass-events/0c0c", caller="operator").json == MASS_EVENT.to_json()
    assert acts.asked == [CALLERS["operator"], ("0c0c", CALLERS["operator"])]


@pytest.mark.parametrize("path", ["/v1/mass-events", "/v1/mass-events/0c0c"])
@pytest.mark.parametrize("caller", ["municipality", "register", "verifier", None])
def test_nobody_else_does(path: str, caller: str | None) -> None:
    acts = Acts()
    assert Door(acts).send("GET", path, caller=caller).status_code == (403 if caller else 401)
    assert acts.asked == []


def test_an_event_that_is_not_there_is_not_found() -> None:
    acts = Acts(refusal=Refusal(Code.NOT_FOUND, "there is no mass event of this id"))
    assert Door(acts).send("GET", "/v1/mass-events/none", caller="operator").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_orders_are_not_given_here(method: str) -> None:
    assert Door(Acts()).send(method, "/v1/mass-events", caller="operator").status_code == 405
