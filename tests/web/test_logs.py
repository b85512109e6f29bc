"""Log lines are JSON and say nothing of what was in a request."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from web.environ import PARTY, ROUTE
from web.logs import JsonLines, ServerLogger, trace

SECRET = "01234567890"


def line(name: str, level: int, message: str, *args: object, **more: Any) -> dict[str, Any]:
    record = logging.LogRecord(name, level, __file__, 1, message, args, more.get("exc_info"))
    record.facts = more.get("facts", {})
    content = json.loads(JsonLines().format(record))
    assert isinstance(content, dict)
    return content


def failing(depth: int = 0) -> None:
    if depth:
        try:
            failing(depth - 1)
        except (ValueError, RuntimeError) as error:
            raise RuntimeError(f"while reading {SECRET}") from error
    raise ValueError(SECRET)


def caught(depth: int = 0) -> BaseException:
    with pytest.raises((ValueError, RuntimeError)) as found:
        failing(depth)
    return found.value


def test_a_line_has_time_level_place_event_and_facts() -> None:
    found = line("web.api", logging.INFO, "done", facts={"count": 3})
    assert found.keys() == {"at", "level", "from", "event", "count"}
    assert (found["level"], found["from"], found["event"], found["count"]) == ("info", "web.api", "done", 3)
    assert found["at"].endswith("+00:00")


def test_exceptions_are_types_and_places() -> None:
    found = trace(caught(1))
    assert [entry.split(" at ")[0] for entry in found] == ["RuntimeError", "ValueError"]
    assert all("test_logs.py:" in entry for entry in found)
    assert SECRET not in str(found)


def test_a_long_chain_of_causes_is_cut_off() -> None:
    assert len(trace(caught(20))) == 8


@pytest.mark.parametrize(
    ("name", "level", "event"),
    [
        pytest.param("gunicorn.error", logging.ERROR, "Error handling request … …, 7", id="texts-of-others-are-hidden"),
        pytest.param("gunicorn.error", logging.INFO, f"Error handling request GET /{SECRET}, 7", id="but-not-at-info"),
        pytest.param("ocsp.responder", logging.ERROR, f"Error handling request GET /{SECRET}, 7", id="ours-are-ours"),
    ],
)
def test_arguments(name: str, level: int, event: str) -> None:
    assert line(name, level, "Error handling request %s %s, %d", "GET", f"/{SECRET}", 7)["event"] == event


def test_exceptions_in_records_lose_their_text() -> None:
    error = caught()
    found = line("sqlalchemy", logging.ERROR, "broken", exc_info=(type(error), error, error.__traceback__))
    assert found["trace"][0].startswith("ValueError at test_logs.py:")
    assert SECRET not in str(found)


@contextmanager
def server_logger() -> Iterator[ServerLogger]:
    """gunicorn's loggers write to standard error; what pytest had installed comes back at the end."""
    names = ("", "gunicorn.error", "gunicorn.access")
    before = {name: logging.getLogger(name).handlers for name in names}
    config = Config()
    config.set("accesslog", "-")
    yield ServerLogger(config)
    for name, handlers in before.items():
        logging.getLogger(name).handlers = handlers


@pytest.mark.parametrize(
    ("message", "event"),
    [
        pytest.param(f"Invalid request from ip=10.0.0.1: {SECRET}", "a request could not be read", id="unreadable"),
        pytest.param(
            "Invalid request from ip=10.0.0.1: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
            "certificate has expired (_ssl.c:1006)",
            "a TLS handshake failed: certificate verify failed: certificate has expired",
            id="tls",
        ),
        pytest.param("Something else", "Something else", id="other-warnings"),
    ],
)
def test_warnings_about_requests(capsys: pytest.CaptureFixture[str], message: str, event: str) -> None:
    with server_logger() as logger:
        logger.warning(message)
    assert json.loads(capsys.readouterr().err)["event"] == event


def test_the_access_log_names_rule_and_party_and_no_path(capsys: pytest.CaptureFixture[str]) -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": f"/ocsp/{SECRET}",
        "PATH_INFO": f"/ocsp/{SECRET}",
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_USER_AGENT": SECRET,
        ROUTE: "/ocsp/<rest:encoded>",
        PARTY: "verifier:bank",
    }
    with server_logger() as logger:
        logger.access(SimpleNamespace(status="200 OK", sent=12), None, environ, timedelta(milliseconds=3.25))
    written = capsys.readouterr().err
    found = json.loads(written)
    del found["at"]
    assert found == {
        "level": "info",
        "from": "gunicorn.access",
        "event": "request",
        "method": "GET",
        "route": "/ocsp/<rest:encoded>",
        "status": 200,
        "octets": 12,
        "ms": 3.2,
        "party": "verifier:bank",
    }
    assert SECRET not in written
    assert "10.0.0.1" not in written
