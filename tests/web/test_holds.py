"""The doors for holds and releases: what is asked reaches the authority, and its receipt comes back."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from ca.hold import HoldRequest
from ca.release import ReleaseRequest
from domain.certificates import Carrier
from domain.errors import Code, Refusal
from domain.people import ResidentCode
from tests.support.doors import CALLERS, EFFECTS_TOLD, KEY, Acts, Door
from tests.web.test_api import APPLICATION, ATTRIBUTES, CODE
from web import holds

HOLD = {"resident_code": CODE, "carriers": ["mobile-device"]}
RELEASE = {"resident_code": CODE, "carrier": "mobile-device"}
BY_ITEMS = {"attributes": APPLICATION["attributes"]}
TIMES = {"received_at": "2027-04-01T00:00:00+00:00", "committed_at": "2027-04-01T00:00:00+00:00"}


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def door(acts: Acts) -> Door:
    return Door(acts)


def test_a_hold_by_code_reaches_the_authority(door: Door, acts: Acts) -> None:
    response = door.send("POST", holds.PATH, HOLD, caller="desk")
    assert response.status_code == 200
    phone = frozenset({Carrier.MOBILE_DEVICE})
    assert acts.asked == [HoldRequest(CALLERS["desk"], KEY, ResidentCode(CODE), phone)]
    assert response.json == {"receipt": "0c" * 16, **TIMES, "effects": EFFECTS_TOLD}


def test_a_hold_by_the_items_reaches_the_authority(door: Door, acts: Acts) -> None:
    assert door.send("POST", holds.PATH, BY_ITEMS, caller="desk").status_code == 200
    assert acts.asked == [HoldRequest(CALLERS["desk"], KEY, ATTRIBUTES)]


def test_the_items_may_be_typed_in_half_width(door: Door, acts: Acts) -> None:
    half = {item: unicodedata.normalize("NFKC", said) for item, said in BY_ITEMS["attributes"].items()}
    typed = half | {"name": f" {half['name']} "}
    assert typed["address"] != BY_ITEMS["attributes"]["address"]
    assert door.send("POST", holds.PATH, {"attributes": typed}, caller="desk").status_code == 200
    assert acts.asked == [HoldRequest(CALLERS["desk"], KEY, ATTRIBUTES)]


@pytest.mark.parametrize("name", ["山田\u200b花子", "山田\n花子", "\ufffd田花子", " ", "あ" * 101], ids=ascii)
def test_items_that_nobody_typed_are_refused(door: Door, acts: Acts, name: str) -> None:
    body = {"attributes": BY_ITEMS["attributes"] | {"name": name}}
    assert door.send("POST", holds.PATH, body, caller="desk").status_code == 400
    assert acts.asked == []


def test_a_release_reaches_the_authority(door: Door, acts: Acts) -> None:
    response = door.send("POST", holds.RELEASE_PATH, RELEASE)
    assert acts.asked == [ReleaseRequest(CALLERS["municipality"], KEY, ResidentCode(CODE), Carrier.MOBILE_DEVICE)]
    assert response.json == {"receipt": "0d" * 16, **TIMES, "effects": EFFECTS_TOLD}


@pytest.mark.parametrize(("path", "body"), [(holds.PATH, HOLD), (holds.RELEASE_PATH, RELEASE)])
def test_both_can_be_rehearsed(door: Door, path: str, body: dict[str, Any]) -> None:
    response = door.send("POST", f"{path}?dry_run=true", body)
    assert response.json == {"dry_run": True, "effects": EFFECTS_TOLD}


@pytest.mark.parametrize(
    ("caller", "path", "status"),
    [
        ("desk", holds.RELEASE_PATH, 403),
        ("register", holds.PATH, 403),
        ("verifier", holds.PATH, 403),
        (None, holds.PATH, 401),
        ("desk", "/v1/revocations", 403),
        ("desk", "/v1/resident-notices", 403),
        ("desk", "/v1/issuance-applications", 403),
    ],
)
def test_each_door_is_for_its_own(door: Door, acts: Acts, caller: str | None, path: str, status: int) -> None:
    body = RELEASE if path == holds.RELEASE_PATH else HOLD
    assert door.send("POST", path, body, caller=caller).status_code == status
    assert acts.asked == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nobody"),
        pytest.param({**HOLD, **BY_ITEMS}, id="both-ways"),
        pytest.param({"attributes": {"name": "霧島　透子"}}, id="one-item-of-four"),
        pytest.param({**HOLD, "carriers": []}, id="no-carrier"),
        pytest.param({**HOLD, "carriers": ["watch"]}, id="another-carrier"),
    ],
)
def test_a_resident_is_named_in_one_way(door: Door, acts: Acts, body: dict[str, Any]) -> None:
    response = door.send("POST", holds.PATH, body, caller="desk")
    assert (response.status_code, acts.asked) == (400, [])
    assert "霧島" not in response.text


def test_too_many_attempts_are_told_when_to_try_again(door: Door, acts: Acts) -> None:
    acts.refusal = Refusal(Code.TOO_MANY_ATTEMPTS, "wait")
    response = door.send("POST", holds.PATH, HOLD, caller="desk")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "600")
    assert response.json is not None
    assert "照会" in response.json["title_ja"]
