"""The doors for disclosure: open to whoever holds a key, and to municipalities."""

from __future__ import annotations

import base64

import pytest

from domain.errors import Code, Refusal
from provisions.disclosure import IdentityCheck
from tests.support.doors import CALLERS, Acts, Door
from tests.support.residents import resident_code
from web.ledger import CHALLENGE_PATH, COUNTER_PATH, OWN_PATH

OWN = {
    "certificate": base64.b64encode(b"certificate").decode(),
    "challenge": "Y2hhbGxlbmdl",
    "signature": base64.b64encode(b"signature").decode(),
}
COUNTER = {"resident_code": resident_code(1).digits, "identity_check": "passport"}


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def door(acts: Acts) -> Door:
    return Door(acts)


def test_a_challenge_says_what_to_sign(door: Door) -> None:
    response = door.send("POST", CHALLENGE_PATH, caller=None)
    assert response.status_code == 201
    assert response.json == {
        "challenge": "Y2hhbGxlbmdl",
        "to_sign": "JPKI disclosure of provision records, version 1\nY2hhbGxlbmdl\n",
        "expires_at": "2027-04-01T00:00:00+00:00",
    }


def test_who_answers_it_sees_the_ledger_in_both_languages(door: Door, acts: Acts) -> None:
    response = door.send("POST", OWN_PATH, OWN, caller=None)
    assert response.headers["Cache-Control"] == "no-store"
    assert acts.asked == [(b"certificate", "Y2hhbGxlbmdl", b"signature")]
    assert response.json is not None
    (row,) = response.json["provisions"]
    assert (row["verifier"], row["channel"], row["answer"], row["count"]) == ("bank", "ocsp", "good", 1)
    assert (row["channel_ja"], row["answer_ja"]) == ("失効情報の照会（OCSP）", "有効")
    assert row["about_ja"] == "市区町村 132217 の一覧"


def test_a_municipality_sees_it_for_the_person_at_its_counter(door: Door, acts: Acts) -> None:
    response = door.send("POST", COUNTER_PATH, COUNTER)
    assert response.status_code == 200
    assert acts.asked == [(CALLERS["municipality"], resident_code(1), IdentityCheck.PASSPORT)]


def test_nobody_else_has_a_counter(door: Door, acts: Acts) -> None:
    statuses = {caller: door.send("POST", COUNTER_PATH, COUNTER, caller=caller).status_code for caller in CALLERS}
    assert statuses == {"municipality": 200, "register": 403, "verifier": 403, "operator": 403, "desk": 403}
    assert door.send("POST", COUNTER_PATH, COUNTER, caller=None).status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param(OWN_PATH, {**OWN, "signature": "?"}, id="a signature that is no base64"),
        pytest.param(OWN_PATH, {**OWN, "challenge": "a b"}, id="a challenge with a blank"),
        pytest.param(OWN_PATH, {**OWN, "more": 1}, id="a member too many"),
        pytest.param(OWN_PATH, {}, id="nothing"),
        pytest.param(COUNTER_PATH, {**COUNTER, "identity_check": "face"}, id="no check that is known"),
        pytest.param(COUNTER_PATH, {**COUNTER, "resident_code": "1"}, id="no resident code"),
    ],
)
def test_what_cannot_be_read_is_refused(path: str, body: object, door: Door, acts: Acts) -> None:
    assert door.send("POST", path, body).status_code == 400
    assert acts.asked == []


@pytest.mark.parametrize("code", [Code.BAD_PROOF, Code.NOT_ADMITTED, Code.UNKNOWN_CALLER, Code.ALREADY_APPLIED])
def test_a_refusal_is_told_as_a_problem(code: Code, door: Door, acts: Acts) -> None:
    acts.refusal = Refusal(code, "no")
    response = door.send("POST", OWN_PATH, OWN, caller=None)
    assert response.json is not None
    assert response.json["code"] == code.value
