"""The OCSP doors: octets in by POST and GET, however escaped; answers and honest cache headers out."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_date

from domain.parties import Party, Role
from ocsp.request import MAX_OCTETS
from ocsp.response import OcspAnswer
from policies.admission import Requestor
from web.metrics import Meter
from web.ocsp import Caller, as_http, from_target, ocsp_blueprint, raw_target
from web.shell import make_shell

NOW = datetime(2027, 4, 1, 12, tzinfo=UTC)
GOOD = OcspAnswer(b"answer", "good", 1800, True, NOW, NOW + timedelta(hours=1))
VERIFIER = Requestor(Party(7, Role.VERIFIER, "bank"))


class Asked:
    """A responder that keeps what it was asked."""

    def __init__(self, answer: OcspAnswer = GOOD) -> None:
        self.answer = answer
        self.octets: list[bytes] = []
        self.callers: list[Requestor | None] = []
        self.outcomes: list[str] = []

    def __call__(self, octets: bytes, caller: Requestor | None) -> OcspAnswer:
        self.octets.append(octets)
        self.callers.append(caller)
        return self.answer

    def app(self, caller: Caller = lambda _environ: None) -> Flask:
        app = make_shell(bytes, Meter())
        app.register_blueprint(ocsp_blueprint(self, caller, self.outcomes.append))
        return app


# Octets whose base64 has all that gives trouble in a path: it begins with //, holds //, +, and ends in =.
TROUBLE = base64.b64decode("//8A+++//w8//+//AA==")


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda text: text, id="raw"),
        pytest.param(lambda text: quote(text, safe=""), id="escaped"),
        pytest.param(
            lambda text: re.sub("[^A-Za-z0-9]", lambda c: f"%{ord(c[0]):02x}", text), id="escaped-in-small-letters"
        ),
        pytest.param(lambda text: text.replace("=", "%3D"), id="only-padding-escaped"),
        pytest.param(lambda text: "".join(f"%{ord(c):02X}" for c in text), id="every-character-escaped"),
    ],
)
def test_get_takes_base64_however_escaped(encode: Callable[[str], str]) -> None:
    text = base64.b64encode(TROUBLE).decode()
    assert text.startswith("//")
    assert "+" in text
    assert text.endswith("=")
    asked = Asked()
    encoded = encode(text)
    response = asked.app().test_client().get(f"/ocsp/{encoded}", environ_overrides={"RAW_URI": f"/ocsp/{encoded}"})
    assert response.status_code == 200
    assert asked.octets == [base64.b64decode(text)]


@given(st.binary(max_size=120))
def test_every_request_survives_the_path(octets: bytes) -> None:
    text = base64.b64encode(octets).decode()
    assert from_target(f"/ocsp/{text}") == octets
    assert from_target(f"/ocsp/{quote(text, safe='')}") == octets


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param("", id="nothing"),
        pytest.param("MAA", id="padding-left-out"),
        pytest.param("MA A=", id="a-space"),
        pytest.param("MA%20A=", id="an-escaped-space"),
        pytest.param("_-8A", id="the-other-alphabet"),
        pytest.param("MAA=%0A", id="a-line-feed"),
        pytest.param("MAA=?x=1", id="a-query"),
        pytest.param("%E3%81%82", id="japanese"),
        pytest.param("%zz", id="a-broken-escape"),
    ],
)
def test_what_is_not_base64_reaches_the_responder_as_nothing(encoded: str) -> None:
    assert from_target(f"/ocsp/{encoded}") == b""


@pytest.mark.parametrize(
    ("environ", "target"),
    [
        pytest.param({"RAW_URI": "/ocsp/a%2Fb"}, "/ocsp/a%2Fb", id="as-gunicorn-gives-it"),
        pytest.param({"REQUEST_URI": "/ocsp/a%2Fb"}, "/ocsp/a%2Fb", id="as-others-give-it"),
        pytest.param({"PATH_INFO": "/ocsp/a/b"}, "/ocsp/a/b", id="decoded-when-nothing-else-is-there"),
        pytest.param({"RAW_URI": "http://ocsp.example/ocsp/a//b"}, "/ocsp/a//b", id="absolute-form"),
    ],
)
def test_the_raw_target(environ: dict[str, str], target: str) -> None:
    assert raw_target(environ) == target


@pytest.mark.parametrize("content_type", ["application/ocsp-request", "application/octet-stream", None])
def test_post_takes_octets_of_any_media_type(content_type: str | None) -> None:
    asked = Asked()
    response = asked.app().test_client().post("/ocsp", data=TROUBLE, content_type=content_type)
    assert response.status_code == 200
    assert response.content_type == "application/ocsp-response"
    assert response.data == b"answer"
    assert asked.octets == [TROUBLE]
    assert asked.outcomes == ["good"]


def test_post_takes_no_more_than_a_request_can_have() -> None:
    asked = Asked()
    client = asked.app().test_client()
    assert client.post("/ocsp", data=bytes(MAX_OCTETS)).status_code == 200
    assert client.post("/ocsp", data=bytes(MAX_OCTETS + 1)).status_code == 413
    assert len(asked.octets) == 1


def test_the_caller_is_handed_on() -> None:
    asked = Asked()
    client = asked.app(lambda _environ: VERIFIER).test_client()
    client.post("/ocsp", data=b"x")
    client.get("/ocsp/AAAA")
    assert asked.callers == [VERIFIER, VERIFIER]


def test_errors_of_ocsp_are_200_too() -> None:
    response = Asked(OcspAnswer(b"\x30\x03\x0a\x01\x01", "malformed-request")).app().test_client().get("/ocsp/AAAA")
    assert response.status_code == 200
    assert response.data == b"\x30\x03\x0a\x01\x01"
    assert response.headers["Cache-Control"] == "no-store"


def test_a_get_answer_without_nonce_may_be_kept_as_long_as_it_says() -> None:
    response = Asked().app().test_client().get("/ocsp/AAAA")
    assert response.headers["Cache-Control"] == "max-age=1800, public, no-transform, must-revalidate"
    assert response.last_modified == NOW
    assert response.expires == NOW + timedelta(seconds=1800)
    assert response.content_length == len(b"answer")
    etag, weak = response.get_etag()
    assert etag is not None
    assert len(etag) == 64
    assert not weak


@pytest.mark.parametrize(
    ("answer", "cacheable"),
    [
        pytest.param(GOOD, False, id="by-post"),
        pytest.param(GOOD._replace(max_age=0), True, id="with-a-nonce"),
        pytest.param(OcspAnswer(b"x", "try-later"), True, id="an-error"),
    ],
)
def test_other_answers_are_kept_by_nobody(answer: OcspAnswer, cacheable: bool) -> None:
    headers = dict(as_http(answer, cacheable).headers)
    assert headers["Cache-Control"] == "no-store"
    assert not headers.keys() & {"ETag", "Expires", "Last-Modified"}


def test_answers_for_one_verifier_are_not_shared() -> None:
    headers = dict(as_http(GOOD._replace(shared=False), True).headers)
    assert "private" in headers["Cache-Control"]
    assert "public" not in headers["Cache-Control"]


def test_no_cache_outlives_next_update() -> None:
    headers = dict(as_http(GOOD, True).headers)
    expires = parse_date(headers["Expires"])
    assert expires is not None
    assert GOOD.next_update is not None
    assert expires <= GOOD.next_update


@pytest.mark.parametrize(("method", "path"), [("PUT", "/ocsp"), ("GET", "/ocsp"), ("POST", "/ocsp/AAAA")])
def test_other_methods_are_refused(method: str, path: str) -> None:
    assert Asked().app().test_client().open(path, method=method).status_code == 405
