"""The door for deliveries: the key is that of the caller's application, whatever characters it has."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from domain.applications import DeliveryReport, HandOver
from domain.certificates import Kind
from tests.support.doors import CALLERS, KEY, Acts, Door
from web import delivery


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def door(acts: Acts) -> Door:
    return Door(acts)


def path(key: str = KEY) -> str:
    return delivery.PATH.format(key=quote(key, safe=""))


@pytest.mark.parametrize("key", [KEY, "a/b//c/../d", "50%25 of ~!?#&=".replace(" ", "_"), "/delivery/delivery"])
@pytest.mark.parametrize("outcome", list(HandOver))
def test_a_report_reaches_the_authority(door: Door, acts: Acts, key: str, outcome: HandOver) -> None:
    response = door.send("POST", path(key), {"outcome": outcome.value}, headers={})
    caller = CALLERS["municipality"]
    assert acts.asked == [DeliveryReport(caller, caller.label, key, outcome)]
    assert response.status_code == 200
    assert response.json == {
        "receipt": "0d" * 16,
        "application": 7,
        "outcome": "delivered",
        "live": [kind.value for kind in Kind],
        "revoked": [kind.value for kind in Kind],
        "received_at": "2027-04-01T00:00:00+00:00",
        "committed_at": "2027-04-01T00:00:00+00:00",
        "repeated": False,
    }


@pytest.mark.parametrize("key", ["short", "with space", "\u00e9t\u00e9 2027", "x" * 101, "nul\x00nul nul"])
def test_what_is_no_key_names_no_application(door: Door, acts: Acts, key: str) -> None:
    assert door.send("POST", path(key), {"outcome": "delivered"}).status_code == 404
    assert acts.asked == []


@pytest.mark.parametrize("body", [{}, {"outcome": "lost"}, {"outcome": "delivered", "by": "post"}, []])
def test_other_bodies_are_refused(door: Door, acts: Acts, body: object) -> None:
    assert door.send("POST", path(), body).status_code == 400
    assert acts.asked == []


@pytest.mark.parametrize("caller", ["register", "verifier"])
def test_others_do_not_report(door: Door, acts: Acts, caller: str) -> None:
    assert door.send("POST", path(), {"outcome": "delivered"}, caller=caller).status_code == 403
    assert acts.asked == []
