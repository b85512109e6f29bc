"""What a service says while its database is away, and when it is back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any, cast

import pytest
from cryptography.x509 import ocsp
from flask import Flask
from werkzeug.test import Client

from config.document import ConfigurationFaults
from domain.errors import AWAY, Code, Refusal
from web import beginning
from web.beginning import Beginning, begin

READY = Flask("ready")
AWAY_NOW = Refusal(Code.STORE_UNAVAILABLE, "the database is away")


@READY.get("/readyz")
def get_readiness() -> str:
    return "well"


def chance(count: int) -> bytes:
    return bytes(count)


class Rest(Event):
    """As short as can be, and so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        return self.left < 0


def makes(*outcomes: Exception | Flask) -> Callable[[], Any]:
    """One after the other."""
    left: Iterator[Exception | Flask] = iter(outcomes)

    def make() -> Flask:
        outcome = next(left)
        if isinstance(outcome, Flask):
            return outcome
        raise outcome

    return make


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[Beginning]:
    """Those that a thread of their own would attempt."""
    found: list[Beginning] = []

    class Waiting:
        def __init__(self, target: Any, args: object, name: str, daemon: bool) -> None:
            assert (name, daemon) == ("beginning", True)
            found.append(target.__self__)

        def start(self) -> None:
            assert found

    monkeypatch.setattr(beginning, "Thread", Waiting)
    return found


def test_what_can_begin_begins(attempts: list[Beginning]) -> None:
    assert begin(makes(READY), chance) is READY
    assert attempts == []


@pytest.mark.parametrize("code", [code for code in Code if code not in AWAY])
def test_what_does_not_pass_by_itself_is_raised(code: Code, attempts: list[Beginning]) -> None:
    with pytest.raises(Refusal) as caught:
        begin(makes(Refusal(code, "for some reason")), chance)
    assert caught.value.code is code
    assert attempts == []


def test_while_the_database_is_away_that_is_said_at_every_door(attempts: list[Beginning]) -> None:
    client = Client(begin(makes(AWAY_NOW), chance))
    refused = client.post("/v1/issuance-applications", json={})
    assert (refused.status_code, refused.mimetype) == (503, "application/problem+json")
    assert refused.json
    assert (refused.json["code"], refused.headers["Retry-After"]) == ("store-unavailable", "15")
    for answer in (client.post("/ocsp", data=b"octets"), client.get("/ocsp/AAAA")):
        said = ocsp.load_der_ocsp_response(answer.data).response_status
        assert (answer.status_code, said) == (200, ocsp.OCSPResponseStatus.TRY_LATER)
    assert (client.get("/healthz").status_code, client.get("/healthz").json) == (200, {"alive": True})
    readiness = client.get("/readyz")
    assert (readiness.status_code, readiness.json) == (503, {"ready": False, "parts": {"database": False}})
    assert b'jpki_ocsp_answers_total{outcome="try-later"} 2.0' in client.get("/metrics").data
    assert len(attempts) == 1


def test_it_begins_when_the_database_is_back(attempts: list[Beginning]) -> None:
    application = begin(makes(AWAY_NOW, AWAY_NOW.again(), Refusal(Code.BUSY, "so it is"), READY), chance)
    (attempt,) = attempts
    attempt.attempt(Rest(2))
    assert Client(application).get("/readyz").status_code == 503
    attempt.attempt(Rest(9))
    assert Client(application).get("/readyz").text == "well"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(ConfigurationFaults(["database: it is from an older version"]), id="another-version"),
        pytest.param(Refusal(Code.BAD_CONFIGURATION, "a key is gone"), id="a-key-is-gone"),
        pytest.param(RuntimeError("a bug"), id="a-bug"),
    ],
)
def test_what_turns_out_not_to_begin_ends_its_process(
    fault: Exception, attempts: list[Beginning], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[tuple[int, signal.Signals]] = []
    monkeypatch.setattr(os, "kill", lambda process_id, number: ended.append((process_id, number)))
    begin(makes(AWAY_NOW, fault), chance)
    attempts[0].attempt(cast(Event, Rest(9)))
    assert ended == [(os.getpid(), signal.SIGTERM)]
    assert "the service cannot begin" in caplog.text
