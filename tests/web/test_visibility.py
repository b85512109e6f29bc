"""The door for receipts: one's own, by number, as the description says."""

from __future__ import annotations

import pytest

from domain.errors import Code, Refusal
from tests.support.doors import CALLERS, Acts, Door
from web import revocation

PATH = f"{revocation.PATH}/{'0a' * 16}"


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def door(acts: Acts) -> Door:
    return Door(acts)


def test_a_receipt_says_since_when_it_can_be_seen(door: Door, acts: Acts) -> None:
    response = door.send("GET", PATH)
    assert acts.asked == [("0a" * 16, CALLERS["municipality"])]
    now = "2027-04-01T00:00:00+00:00"
    seen = {"list": "signature-g1/13221.crl", "certificates": 1}
    assert response.json == {
        "receipt": "0a" * 16,
        "revoked": ["signature"],
        "received_at": now,
        "committed_at": now,
        "in_ocsp_at": now,
        "in_lists_at": None,
        "lists": [
            {**seen, "number": 7, "this_update": now, "published_at": now},
            {**seen, "number": None, "this_update": None, "published_at": None},
        ],
    }


def test_whoever_may_revoke_may_ask(door: Door) -> None:
    statuses = {caller: door.send("GET", PATH, caller=caller).status_code for caller in CALLERS}
    assert statuses == {"municipality": 200, "register": 200, "verifier": 403, "operator": 200, "desk": 200}
    assert door.send("GET", PATH, caller=None).status_code == 401


def test_a_receipt_that_is_not_theirs_is_not_found(door: Door, acts: Acts) -> None:
    acts.refusal = Refusal(Code.NOT_FOUND, "you have no receipt of this number")
    assert door.send("GET", PATH).status_code == 404
