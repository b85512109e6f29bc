"""Batches over HTTP: what is sent reaches the acts, and what they answer is what the description says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import Code, Refusal
from tests.support.authority import NOW
from tests.support.doors import CALLERS, KEY, Acts, Door
from web.batches import FILE_LIMIT, MEDIA_TYPE, PATH

CITY = CALLERS["municipality"]


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def door(acts: Acts) -> Door:
    return Door(acts)


def test_a_file_is_handed_on_as_it_is_and_taken(door: Door, acts: Acts) -> None:
    octets = b'{"half": \n\xff\n'
    answer = door.send("POST", PATH, octets=octets, content_type=MEDIA_TYPE)
    assert answer.status_code == 202
    assert acts.asked == [(CITY, KEY, octets)]
    assert answer.json == {
        "batch": 7,
        "idempotency_key": KEY,
        "items": 3,
        "open": 2,
        "counts": {"waiting": 2, "begun": 0, "issued": 0, "refused": 1, "cancelled": 0},
        "received_at": NOW.isoformat(),
        "cancelled_at": None,
        "ended_at": None,
        "repeated": False,
    }


def test_a_file_that_was_taken_before_is_no_new_one(door: Door, acts: Acts) -> None:
    acts.answers["take_batch"] = replace(acts.answers["take_batch"], repeated=True)
    answer = door.send("POST", PATH, octets=b"{}\n", content_type=MEDIA_TYPE)
    assert (answer.status_code, answer.json["repeated"]) == (200, True)  # type: ignore[index]


def test_a_full_queue_says_when_to_come_again(acts: Acts, door: Door) -> None:
    acts.refusal = Refusal(Code.QUEUE_FULL, "too many wait", facts={"waiting": 3, "most": 5})
    answer = door.send("POST", PATH, octets=b"{}\n", content_type=MEDIA_TYPE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert answer.json["facts"] == {"waiting": 3, "most": 5}  # type: ignore[index]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"content_type": "application/json"}, 415, id="another-media-type"),
        pytest.param({"headers": {}}, 400, id="no-idempotency-key"),
        pytest.param({"octets": b" " * (FILE_LIMIT + 1)}, 413, id="too-many-octets"),
        pytest.param({"caller": "register"}, 403, id="the-register"),
        pytest.param({"caller": None}, 401, id="nobody"),
    ],
)
def test_other_requests_reach_no_act(door: Door, acts: Acts, changes: dict[str, object], status: int) -> None:
    sent = {"octets": b"{}\n", "content_type": MEDIA_TYPE, **changes}
    assert door.send("POST", PATH, **sent).status_code == status  # type: ignore[arg-type]
    assert acts.asked == []


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        pytest.param("GET", PATH, (CITY, None), id="all"),
        pytest.param("GET", f"{PATH}?before=9", (CITY, 9), id="older-ones"),
        pytest.param("GET", f"{PATH}/7", (CITY, 7), id="one"),
        pytest.param("GET", f"{PATH}/7/results", (CITY, 7, 0), id="results"),
        pytest.param("GET", f"{PATH}/7/results?after=100", (CITY, 7, 100), id="later-results"),
        pytest.param("POST", f"{PATH}/7/cancellation", (CITY, 7), id="cancel"),
    ],
)
def test_each_act_is_asked_for_the_caller(
    door: Door, acts: Acts, method: str, path: str, asked: tuple[object, ...]
) -> None:
    assert door.send(method, path).status_code == 200
    assert acts.asked == [asked]


def test_results_hold_certificates_or_the_refusal(door: Door) -> None:
    assert door.send("GET", f"{PATH}/7/results").json == {
        "results": [
            {
                "line": 1,
                "idempotency_key": None,
                "state": "refused",
                "refusal": {"code": "malformed", "detail": "must be an object", "pointer": "/attributes"},
            },
            {
                "line": 2,
                "idempotency_key": "line-two",
                "state": "issued",
                "application": 11,
                "certificates": {"signature": "Y2VydGlmaWNhdGU=", "authentication": "Y2VydGlmaWNhdGU="},
                "substituted": {"name": [1], "address": []},
            },
        ],
        "more": False,
    }


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f"{PATH}?before=x", id="a-word"),
        pytest.param(f"{PATH}?before=-1", id="a-sign"),
        pytest.param(f"{PATH}?after=1", id="another-name"),
        pytest.param(f"{PATH}?before=1&before=2", id="twice"),
        pytest.param(f"{PATH}?before={'9' * 19}", id="a-number-too-long"),
        pytest.param(f"{PATH}/7/results?before=1", id="the-name-of-another-door"),
    ],
)
def test_other_parameters_are_refused(door: Door, acts: Acts, path: str) -> None:
    assert door.send("GET", path).status_code == 400
    assert acts.asked == []
