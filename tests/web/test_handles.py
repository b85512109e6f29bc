"""The doors for handles: what is asked reaches the office, and nothing but handles comes back."""

from __future__ import annotations

import base64

import pytest

from domain.errors import Code, Refusal
from domain.handles import Correspondence
from tests.support.doors import CALLERS, HANDLE, PROVIDER, Acts, Door
from web import handles

CERTIFICATES = [b"one", b"two222"]
SHOWN = {"certificates": [base64.b64encode(octets).decode() for octets in CERTIFICATES]}


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def door(acts: Acts) -> Door:
    return Door(acts)


def test_certificates_reach_the_office(door: Door, acts: Acts) -> None:
    response = door.send("POST", handles.PATH, SHOWN, caller="verifier", headers={})
    assert response.status_code == 200
    assert acts.asked == [(CALLERS["verifier"], None, CERTIFICATES, None)]
    assert response.json == {"handles": [{"handle": "1-" + "a" * 40, "kind": "signature"}]}


def test_purpose_and_provider_reach_it_too(door: Door, acts: Acts) -> None:
    body = {**SHOWN, "purpose": "account-opening", "provider": "shop"}
    assert door.send("POST", handles.PATH, body, caller="verifier").status_code == 200
    assert acts.asked == [(CALLERS["verifier"], PROVIDER, CERTIFICATES, "account-opening")]


@pytest.mark.parametrize("caller", ["municipality", "register", "operator", "desk"])
def test_handles_are_for_verifiers(door: Door, acts: Acts, caller: str) -> None:
    assert door.send("POST", handles.PATH, SHOWN, caller=caller).status_code == 403
    assert acts.asked == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"certificates": []}, id="no-certificate"),
        pytest.param({"certificates": ["MIIC"] * 101}, id="more-than-a-hundred"),
        pytest.param({"certificates": ["no base64"]}, id="something-else-than-base64"),
        pytest.param({**SHOWN, "serial": "01"}, id="a-field-nobody-knows"),
        pytest.param({**SHOWN, "purpose": "Ä"}, id="a-purpose-of-other-letters"),
        pytest.param({**SHOWN, "provider": ""}, id="an-empty-provider"),
    ],
)
def test_other_bodies_are_refused(door: Door, acts: Acts, body: object) -> None:
    assert door.send("POST", handles.PATH, body, caller="verifier").status_code == 400
    assert acts.asked == []


def test_a_body_that_is_too_large_is_not_read(door: Door, acts: Acts) -> None:
    octets = b" " * (handles.BODY_LIMIT + 1)
    assert door.send("POST", handles.PATH, octets=octets, caller="verifier").status_code == 413
    assert acts.asked == []


def test_a_refusal_of_the_office_is_told(door: Door, acts: Acts) -> None:
    acts.refusal = Refusal(Code.FOREIGN_ISSUER, "not ours", pointer="/certificates/1")
    response = door.send("POST", handles.PATH, SHOWN, caller="verifier")
    assert response.json is not None
    assert (response.json["code"], response.json["pointer"]) == ("foreign-issuer", "/certificates/1")


def test_who_shall_try_later_is_told_when(door: Door, acts: Acts) -> None:
    acts.refusal = Refusal(Code.BUSY, "why", facts={"rule": "waits-for-decision"})
    response = door.send("POST", handles.PATH, SHOWN, caller="verifier")
    assert (response.status_code, "Retry-After" in response.headers) == (503, True)
    assert response.json is not None
    assert response.json["facts"] == {"rule": "waits-for-decision"}


OWN = {"handles": [HANDLE]}


@pytest.mark.parametrize(
    ("path", "body", "asked", "answer"),
    [
        pytest.param(handles.TRANSLATIONS, OWN, ([HANDLE], None), {"handles": [HANDLE]}, id="translations"),
        pytest.param(
            handles.CORRESPONDENCES,
            {**OWN, "which": "pair"},
            ([HANDLE], Correspondence.PAIR, None),
            {"handles": [HANDLE, None]},
            id="correspondences",
        ),
        pytest.param(
            handles.SUBSCRIPTIONS,
            {**OWN, "wanted": True},
            ([HANDLE], {"wanted": True, "purpose": None}),
            {"handles": 1, "wanted": True},
            id="subscriptions",
        ),
    ],
)
def test_handles_reach_the_office(
    door: Door, acts: Acts, path: str, body: object, asked: tuple[object, ...], answer: object
) -> None:
    response = door.send("POST", path, body, caller="verifier", headers={})
    assert (response.status_code, response.json) == (200, answer)
    assert acts.asked == [(CALLERS["verifier"], None, *asked)]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (handles.TRANSLATIONS, {"handles": []}),
        (handles.TRANSLATIONS, {"handles": [HANDLE] * 1001}),
        (handles.TRANSLATIONS, {"handles": ["1-short"]}),
        (handles.TRANSLATIONS, {"handles": [HANDLE.upper()]}),
        (handles.CORRESPONDENCES, OWN),
        (handles.CORRESPONDENCES, {**OWN, "which": "person"}),
        (handles.SUBSCRIPTIONS, {**OWN, "wanted": "yes"}),
    ],
)
def test_what_is_no_handle_does_not_reach_it(door: Door, acts: Acts, path: str, body: object) -> None:
    assert door.send("POST", path, body, caller="verifier").status_code == 400
    assert acts.asked == []


def test_news_are_fetched_from_a_number_on(door: Door, acts: Acts) -> None:
    query = "?after=3&provider=shop&purpose=log-in"
    response = door.send("GET", handles.NEWS + query, caller="verifier", headers={})
    assert response.status_code == 200
    assert acts.asked == [(CALLERS["verifier"], PROVIDER, 3, "log-in")]
    assert response.json == {
        "news": [{"number": 4, "handle": HANDLE, "former": None, "kind": "signature", "what": "renewed"}],
        "more": True,
    }
    assert door.send("GET", handles.NEWS, caller="verifier").status_code == 200
    assert acts.asked[-1] == (CALLERS["verifier"], None, 0, None)


@pytest.mark.parametrize(
    "query", ["after=x", "after=-1", "after=1&after=2", "before=1", "purpose=Ä", f"after={10**18}"]
)
def test_other_queries_are_refused(door: Door, acts: Acts, query: str) -> None:
    assert door.send("GET", f"{handles.NEWS}?{query}", caller="verifier").status_code == 400
    assert acts.asked == []


def test_news_are_for_verifiers(door: Door, acts: Acts) -> None:
    assert door.send("GET", handles.NEWS, caller="municipality").status_code == 403
    assert acts.asked == []
