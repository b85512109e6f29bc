"""The door for validations: what is asked reaches the room, what is found comes back, and bad requests do neither."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from domain.errors import Code, Refusal
from domain.validations import Format
from policies.consents import DOCUMENT_LIMIT
from tests.support.consents import CHALLENGE, PURPOSE, make_consent
from tests.support.doors import CALLERS, KEY, Acts, Door
from validation.answer import SignedConsent, ValidationRequest
from validation.consent import write_consent
from web import validations

TEXT = write_consent(make_consent())


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


BODY: dict[str, Any] = {
    "format": "raw",
    "purpose": PURPOSE,
    "document": b64(CHALLENGE),
    "signature": b64(b"signature"),
    "consent": {"text": TEXT.decode(), "signature": b64(b"by the person"), "certificate": b64(b"certificate")},
}


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def door(acts: Acts) -> Door:
    return Door(acts)


def test_the_provider_behind_a_platform_is_named(door: Door, acts: Acts) -> None:
    assert door.send("POST", validations.PATH, {**BODY, "provider": "shop"}, caller="verifier").status_code == 200
    assert acts.asked[0].provider == "shop"


def test_a_request_reaches_the_room(door: Door, acts: Acts) -> None:
    response = door.send("POST", validations.PATH, BODY, caller="verifier")
    consent = SignedConsent(TEXT, b"by the person", b"certificate")
    assert acts.asked == [
        ValidationRequest(CALLERS["verifier"], KEY, PURPOSE, Format.RAW, CHALLENGE, b"signature", consent)
    ]
    assert response.status_code == 200
    assert response.json == {
        "receipt": "e30.e30.AA",
        "valid": True,
        "reasons": [],
        "kind": "signature",
        "checked_at": "2027-04-01T00:00:00+00:00",
        "handle": "h-1",
        "items": {"sex": "2"},
        "signing_time": {"at": "2027-04-01T00:00:00+00:00", "proven": False, "good_then": None},
        "repeated": False,
    }


def test_answers_and_refusals_are_counted(door: Door, acts: Acts) -> None:
    door.send("POST", validations.PATH, BODY, caller="verifier")
    acts.refusal = Refusal(Code.CONSENT_USED, "why")
    door.send("POST", validations.PATH, BODY, caller="verifier")
    counts = door.send("GET", "/metrics").data
    assert b'jpki_validations_total{format="raw",outcome="valid"} 1.0' in counts
    assert b'jpki_validations_total{format="raw",outcome="consent-used"} 1.0' in counts


@pytest.mark.parametrize("caller", ["municipality", "operator", "register", "desk"])
def test_it_is_for_operators_of_services(door: Door, acts: Acts, caller: str) -> None:
    assert door.send("POST", validations.PATH, BODY, caller=caller).status_code == 403
    assert acts.asked == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        pytest.param({"format": "odf"}, "/format", id="an unknown format"),
        pytest.param({"document": "!"}, "/document", id="no base64"),
        pytest.param({"document": ""}, "/document", id="an empty document"),
        pytest.param({"signature": b64(bytes(65_536))}, "/signature", id="a signature that is too long"),
        pytest.param({"purpose": "one\ntwo"}, "/purpose", id="a purpose on two lines"),
        pytest.param({"purpose": "x" * 121}, "/purpose", id="a long purpose"),
        pytest.param({"consent": {"text": "x"}}, "/consent/signature", id="half a consent"),
        pytest.param({"consent": {**BODY["consent"], "text": "\u0000"}}, "/consent/text", id="a consent with NUL"),
        pytest.param({"certificate": "AAAA"}, "", id="a field of one's own"),
    ],
)
def test_a_bad_request_is_refused_with_its_place(door: Door, acts: Acts, change: dict[str, Any], pointer: str) -> None:
    response = door.send("POST", validations.PATH, {**BODY, **change}, caller="verifier")
    assert (response.status_code, acts.asked) == (400, [])
    assert response.json is not None
    assert response.json["pointer"] == pointer


def test_an_oversize_body_is_refused_before_it_is_read(door: Door, acts: Acts) -> None:
    octets = b" " * (validations.BODY_LIMIT + 1)
    assert door.send("POST", validations.PATH, octets=octets, caller="verifier").status_code == 413
    assert acts.asked == []


def test_the_largest_document_fits(door: Door, acts: Acts) -> None:
    body = {**BODY, "document": b64(bytes(DOCUMENT_LIMIT)), "signature": b64(bytes(65_535))}
    assert door.send("POST", validations.PATH, body, caller="verifier").status_code == 200
    body["document"] = b64(bytes(DOCUMENT_LIMIT + 3))
    assert door.send("POST", validations.PATH, body, caller="verifier").status_code in (400, 413)
    assert len(acts.asked) == 1


@pytest.mark.parametrize(
    ("code", "status", "word"),
    [
        (Code.BAD_CONSENT, 422, "同意"),
        (Code.CONSENT_EXPIRED, 422, "期限"),
        (Code.CONSENT_USED, 409, "使われて"),
        (Code.BAD_DOCUMENT, 422, "文書"),
    ],
)
def test_refusals_are_told_in_two_languages(door: Door, acts: Acts, code: Code, status: int, word: str) -> None:
    acts.refusal = Refusal(code, "why")
    response = door.send("POST", validations.PATH, BODY, caller="verifier")
    assert response.status_code == status
    assert response.json is not None
    assert word in response.json["title_ja"]
    assert response.json["detail"] == "why"


def test_who_shall_try_later_is_told_when(door: Door, acts: Acts) -> None:
    acts.refusal = Refusal(Code.BUSY, "why", facts={"rule": "waits-for-decision"})
    response = door.send("POST", validations.PATH, BODY, caller="verifier")
    assert (response.status_code, "Retry-After" in response.headers) == (503, True)
