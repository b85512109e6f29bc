"""JSON bodies are read strictly."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Code, Refusal
from web.bodies import BODY_LIMIT, read_json, receive_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_was_sent_is_what_is_read(value: object) -> None:
    assert read_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("octets", "detail"),
    [
        pytest.param(b'{"a": 1, "a": 2}', "two members of the same name", id="a-name-twice"),
        pytest.param(b'{"b": {"a": 1, "\\u0061": 2}}', "two members of the same name", id="a-name-twice-by-escape"),
        pytest.param(b"NaN", "a fraction, NaN or Infinity", id="not-a-number"),
        pytest.param(b"[-Infinity]", "a fraction, NaN or Infinity", id="infinity"),
        pytest.param(b"1e400", "a fraction, NaN or Infinity", id="a-number-too-large-for-a-float"),
        pytest.param(b"1.5", "a fraction, NaN or Infinity", id="a-fraction"),
        pytest.param(b"\xff{}", "not UTF-8", id="not-utf-8"),
        pytest.param('{"a": "é"}'.encode("utf-16"), "not UTF-8", id="utf-16"),
        pytest.param(b"\xef\xbb\xbf{}", "not JSON", id="a-byte-order-mark"),
        pytest.param(b"", "not JSON: see character 1", id="nothing"),
        pytest.param(b'{"a": 1', "not JSON: see character 8", id="cut-off"),
        pytest.param(b"{} {}", "not JSON: see character 4", id="something-after-the-end"),
        pytest.param(b"{'a': 1}", "not JSON", id="single-quotes"),
        pytest.param(b"[" * 60_000, "nested too deeply", id="a-depth-bomb-of-arrays"),
        pytest.param(b'{"a":' * 10_000, "nested too deeply", id="a-depth-bomb-of-objects"),
        pytest.param(b"9" * 5000, "a number that is too long", id="an-endless-integer"),
    ],
)
def test_broken_bodies_are_refused(octets: bytes, detail: str) -> None:
    with pytest.raises(Refusal, match=detail) as refused:
        read_json(octets)
    assert refused.value.code is Code.MALFORMED


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    try:
        value = read_json(octets)
    except Refusal as refusal:
        value = refusal.code
    assert value is Code.MALFORMED or value == json.loads(octets)


def test_refusals_do_not_repeat_what_was_sent() -> None:
    with pytest.raises(Refusal) as refused:
        read_json('{"name": "山田　花子" "x"}'.encode())
    assert "山田" not in str(refused.value)


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param("application/json", id="plain"),
        pytest.param("application/json; charset=utf-8", id="with-a-parameter"),
        pytest.param("Application/JSON", id="in-capitals"),
    ],
)
def test_the_media_type_is_json(content_type: str) -> None:
    with Flask("test").test_request_context(method="POST", data=b"{}", content_type=content_type):
        assert receive_json() == {}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
def test_other_media_types_are_refused_before_the_body_is_read(content_type: str) -> None:
    with (
        Flask("test").test_request_context(method="POST", data=b"\xff", content_type=content_type),
        pytest.raises(Refusal) as refused,
    ):
        receive_json()
    assert refused.value.code is Code.WRONG_TYPE


def test_a_body_of_just_the_limit_is_read() -> None:
    body = b'"' + b"a" * (BODY_LIMIT - 2) + b'"'
    with Flask("test").test_request_context(method="POST", data=body, content_type="application/json"):
        assert receive_json() == "a" * (BODY_LIMIT - 2)
