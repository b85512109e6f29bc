"""The front answers what the door behind it would have answered, and leaves everything else to it."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Code, Refusal
from domain.parties import Party, Role
from ocsp.request import MAX_OCTETS
from ocsp.response import ErrorStatus, OcspAnswer, error_response
from policies.admission import Requestor
from tests.support.doors import Acts, make_api_parts, make_status_parts
from web.api import create_api
from web.environ import ROUTE
from web.front import OcspFront
from web.metrics import Meter
from web.ocsp import Caller, ocsp_blueprint
from web.shell import make_shell
from web.status import create_status, nobody

NOW = datetime(2027, 4, 1, 12, tzinfo=UTC)


def echo(octets: bytes, caller: Requestor | None) -> OcspAnswer:
    """An answer that tells what was asked, and by whom."""
    return OcspAnswer(octets + repr(caller).encode(), "good", 1800, True, NOW, NOW + timedelta(hours=1))


def make_doors(meter: Meter, caller: Caller = nobody) -> tuple[Flask, Flask]:
    """The same door twice, the second time with the front before it."""
    doors = []
    for _ in range(2):
        app = make_shell(bytes, meter)
        app.register_blueprint(ocsp_blueprint(echo, caller, meter.ocsp_answer))
        doors.append(app)
    plain, fronted = doors
    fronted.wsgi_app = OcspFront(fronted.wsgi_app, echo, caller, meter, lambda: NOW)  # type: ignore[method-assign]
    return plain, fronted


def ask(app: Flask, **request: Any) -> tuple[int, Mapping[str, str], bytes]:
    response = app.test_client().open(**request)
    return response.status_code, dict(response.headers), response.data


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"method": "POST", "path": "/ocsp", "data": b"request"}, id="a-post"),
        pytest.param({"method": "POST", "path": "/ocsp", "data": b""}, id="a-post-of-nothing"),
        pytest.param({"method": "POST", "path": "/ocsp?a=b", "data": b"request"}, id="a-post-with-a-query"),
        pytest.param({"method": "POST", "path": "/ocsp", "data": bytes(MAX_OCTETS)}, id="the-longest-post"),
        pytest.param({"method": "POST", "path": "/ocsp", "data": bytes(MAX_OCTETS + 1)}, id="a-post-too-long"),
        pytest.param({"method": "POST", "path": "/ocsp/", "data": b"request"}, id="a-post-to-another-path"),
        pytest.param(
            {"method": "POST", "path": "/ocsp", "data": b"request", "headers": {"Content-Length": "²"}},
            id="a-length-in-odd-digits",
        ),
        pytest.param({"method": "GET", "path": "/ocsp/AAAA"}, id="a-get"),
        pytest.param({"method": "GET", "path": "/ocsp/"}, id="a-get-of-nothing"),
        pytest.param({"method": "GET", "path": "/ocsp/not base64"}, id="a-get-that-is-not-base64"),
        pytest.param({"method": "GET", "path": "/ocsp"}, id="a-get-without-a-request"),
        pytest.param({"method": "HEAD", "path": "/ocsp/AAAA"}, id="a-head"),
        pytest.param({"method": "PUT", "path": "/ocsp", "data": b"request"}, id="another-method"),
        pytest.param({"method": "GET", "path": "/elsewhere"}, id="another-path"),
    ],
)
def test_the_front_changes_no_answer(asked: dict[str, Any]) -> None:
    plain, fronted = make_doors(Meter())
    assert ask(fronted, **asked) == ask(plain, **asked)


def verifier(environ: dict[str, Any]) -> Requestor:
    return Requestor(Party(7, Role.VERIFIER, str(environ["REQUEST_METHOD"])))


def away(_environ: dict[str, Any]) -> Requestor:
    raise Refusal(Code.STORE_UNAVAILABLE, "the database cannot be used at the moment; try again later")


@pytest.mark.parametrize("caller", [verifier, away], ids=["a-verifier", "nobody-knows-who"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/ocsp"), ("GET", "/ocsp/AAAA")], ids=["post", "get"])
def test_the_front_asks_who_calls(caller: Caller, method: str, path: str) -> None:
    plain, fronted = make_doors(Meter(), caller)
    status, headers, body = ask(fronted, method=method, path=path, data=b"request")
    assert (status, headers, body) == ask(plain, method=method, path=path, data=b"request")
    assert status == 200
    assert b"VERIFIER" in body or body == error_response(ErrorStatus.TRY_LATER)


@given(st.binary(max_size=300))
def test_octets_come_through_by_post_and_get(octets: bytes) -> None:
    _, fronted = make_doors(Meter())
    path = f"/ocsp/{base64.b64encode(octets).decode()}"
    for asked in ({"method": "POST", "path": "/ocsp", "data": octets}, {"method": "GET", "path": path}):
        assert ask(fronted, **asked, environ_overrides={"RAW_URI": path})[2] == octets + b"None"


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_the_front_counts_as_flask_does(method: str) -> None:
    counts = []
    for fronted in (False, True):
        meter = Meter()
        app = make_doors(meter)[fronted]
        ask(app, method=method, path="/ocsp" if method == "POST" else "/ocsp/AAAA", data=b"")
        exposition = meter.exposition().decode()
        told = [line for line in exposition.splitlines() if "_total{" in line or "_count{" in line]
        counts.append([line for line in told if not line.startswith("jpki_revocation_lag")])
    assert counts[0] == counts[1]
    assert len(counts[0]) == 3


def make_environ(method: str, path: str, **variables: Any) -> dict[str, Any]:
    return {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": io.BytesIO(b"request"), **variables}


@pytest.mark.parametrize(
    ("environ", "rule"),
    [
        pytest.param(make_environ("POST", "/ocsp", CONTENT_LENGTH="7"), "/ocsp", id="post"),
        pytest.param(make_environ("GET", "/ocsp/AAAA"), "/ocsp/<rest:encoded>", id="get"),
    ],
)
def test_the_access_log_learns_the_rule(environ: dict[str, Any], rule: str) -> None:
    OcspFront(make_shell(bytes, Meter()), echo, nobody, Meter(), lambda: NOW)(environ, lambda *_: lambda _: None)
    assert environ[ROUTE] == rule


def test_a_body_of_unknown_length_is_left_to_flask() -> None:
    front = OcspFront(lambda _environ, _start: (b"Flask",), echo, nobody, Meter(), lambda: NOW)
    environ = make_environ("POST", "/ocsp", HTTP_TRANSFER_ENCODING="chunked")
    assert list(front(environ, lambda *_: lambda _: None)) == [b"Flask"]


def test_both_services_have_the_front() -> None:
    services = (create_status(make_status_parts(Acts())), create_api(make_api_parts(Acts())))
    for app in services:
        assert isinstance(app.wsgi_app, OcspFront)
        assert app.test_client().post("/ocsp", data=b"request").data == b"answer"
