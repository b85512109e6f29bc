"""Problems: complete tables, truthful statuses, words for people, and nothing that should stay inside."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator

import pytest
from flask import Flask, Response
from werkzeug.test import TestResponse

from domain.errors import Code, Refusal
from web.bodies import receive
from web.logs import JsonLines
from web.metrics import Meter
from web.problems import INTERNAL, QUARANTINED, RETRY_AFTER, STATUS, messages
from web.shell import make_shell

OUR_FAULT = {code for code, status in STATUS.items() if status == 500}
HIRAGANA = re.compile("[ぁ-ん]")


class Leak(Exception):
    pass


@pytest.fixture
def app() -> Flask:
    app = make_shell(lambda count: bytes(range(count)), Meter())

    @app.get("/refuse/<code>")
    def refuse(code: str) -> str:
        raise Refusal(Code(code), "what is wrong and what to do", pointer="/part", facts={"items": ["name"]})

    @app.get("/break")
    def break_down() -> str:
        raise Leak("01234567890 山田　花子")

    @app.post("/small")
    def small() -> str:
        return str(len(receive(10)))

    return app


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What the program logs, as it would stand in the log."""
    found: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(JsonLines().format(record))

    handler, log = Keep(), logging.getLogger("jpki.web")
    log.addHandler(handler)
    yield found
    log.removeHandler(handler)


def body(response: TestResponse) -> dict[str, object]:
    assert response.content_type == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    content = json.loads(response.data)
    assert isinstance(content, dict)
    assert content["status"] == response.status_code
    assert content["type"] == f"urn:jpki:problem:{content['code']}"
    return content


def test_every_code_has_a_status() -> None:
    assert set(STATUS) == set(Code)
    assert all(400 <= status < 600 for status in STATUS.values())


def test_every_code_has_words_in_two_languages() -> None:
    assert set(messages()) == {code.value for code in Code} | {INTERNAL, QUARANTINED}
    for message in messages().values():
        assert message.title_en.isascii()
        assert message.action_en.isascii()
        assert message.action_en.endswith(".")
        assert HIRAGANA.search(message.title_ja)
        assert message.action_ja.endswith("。")
        assert not message.title_ja.endswith("。")


def test_every_503_says_when_to_come_back() -> None:
    assert {code for code, status in STATUS.items() if status == 503} <= set(RETRY_AFTER)


@pytest.mark.parametrize("code", Code, ids=lambda code: code.value)
def test_a_refusal_becomes_a_problem(app: Flask, code: Code) -> None:
    response = app.test_client().get(f"/refuse/{code.value}")
    problem = body(response)
    assert response.status_code == STATUS[code]
    assert problem["code"] == code.value
    assert (problem["title"], problem["title_ja"]) == (messages()[code.value].title_en, messages()[code.value].title_ja)
    assert (problem.get("detail") == "what is wrong and what to do") == (code not in OUR_FAULT)
    assert (problem.get("pointer") == "/part") == (code not in OUR_FAULT)
    assert (problem.get("facts") == {"items": ["name"]}) == (code not in OUR_FAULT)
    assert response.headers.get("Retry-After") == (str(RETRY_AFTER[code]) if code in RETRY_AFTER else None)
    assert ("WWW-Authenticate" in response.headers) == (response.status_code == 401)


def test_an_unknown_address_is_a_problem(app: Flask) -> None:
    assert body(app.test_client().get("/nothing"))["code"] == "not-found"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_a_wrong_method_is_a_problem_that_names_the_right_ones(app: Flask, method: str) -> None:
    response = app.test_client().open("/small", method=method)
    assert body(response)["code"] == "wrong-method"
    assert response.headers["Allow"] == "POST"


def test_a_slash_too_many_is_not_redirected(app: Flask) -> None:
    assert app.test_client().post("/small/").status_code == 404
    assert app.test_client().post("//small").status_code == 404


def test_a_body_over_the_limit_is_a_problem(app: Flask) -> None:
    assert app.test_client().post("/small", data=b"0123456789").data == b"10"
    assert body(app.test_client().post("/small", data=b"0123456789x"))["code"] == "too-large"


def test_a_bug_is_logged_with_its_place_and_answered_with_a_reference_only(app: Flask, lines: list[str]) -> None:
    response = app.test_client().get("/break")
    problem = body(response)
    assert response.status_code == 500
    assert problem["code"] == INTERNAL
    assert problem["reference"] == "000102030405"
    (line,) = lines
    logged = json.loads(line)
    assert logged["reference"] == "000102030405"
    assert logged["route"] == "/break"
    assert logged["trace"][0].startswith("Leak at ")
    assert "test_problems.py:" in logged["trace"][0]
    assert "01234567890" not in line + response.text
    assert "山田" not in line + response.text


def test_a_bug_beside_a_view_is_answered_as_one_in_it(app: Flask, lines: list[str]) -> None:
    @app.after_request
    def stumble(response: Response) -> Response:
        raise Leak("01234567890 山田　花子")

    response = app.test_client().get("/small")
    assert (response.status_code, response.get_json()["code"]) == (500, INTERNAL)
    assert response.get_json()["reference"] in lines[0]
    assert "Leak" in lines[0]
    assert "山田" not in response.text + lines[0]


def test_the_authority_s_own_faults_are_logged_with_their_place_and_answered_with_a_reference(
    app: Flask, lines: list[str]
) -> None:
    problem = body(app.test_client().get("/refuse/lint"))
    (logged,) = map(json.loads, lines)
    assert (logged["code"], logged["reference"]) == ("lint", problem["reference"])
    assert logged["trace"][0].startswith("Refusal at ")
    assert "what is wrong" not in lines[0]
    app.test_client().get("/refuse/bad-key")
    assert len(lines) == 1
