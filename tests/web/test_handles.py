"""The doors for handles: what is asked reaches the office, and nothing but handles comes back."""

from __future__ import annotations

import base64

import pytest

from domain.errors import Code, Refusal
from tests.support.doors import CALLERS, PROVIDER, Acts, Door
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
