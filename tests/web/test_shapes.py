"""Shapes read strictly, say where and what is wrong, and describe themselves truthfully."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from domain.errors import Code, Refusal
from web.shapes import Shape, day, octets, record, some, text, word


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Box:
    label: str
    colour: Colour = Colour.RED


def _even(value: str) -> str:
    if len(value) % 2:
        raise ValueError("must be of even length")
    return value


BOX = record(Box, {"label": text(str, 1, 5)}, {"colour": word(Colour)})

GOOD: list[Any] = [
    pytest.param(text(str, 1, 3), "あいう", "あいう", id="a-text"),
    pytest.param(text(_even, 2, 4, "[a-z]+"), "ab", "ab", id="a-text-of-a-form"),
    pytest.param(day(), "2028-02-29", date(2028, 2, 29), id="a-leap-day"),
    pytest.param(octets(6), "AQIDBA==", b"\x01\x02\x03\x04", id="octets"),
    pytest.param(word(Colour), "blue", Colour.BLUE, id="a-word"),
    pytest.param(some(word(Colour), 2), ["blue", "red"], frozenset(Colour), id="a-set"),
    pytest.param(BOX, {"label": "x"}, Box("x"), id="a-record-without-the-optional-member"),
    pytest.param(BOX, {"colour": "blue", "label": "x"}, Box("x", Colour.BLUE), id="a-record-in-any-order"),
]

BAD: list[Any] = [
    pytest.param(text(str, 1, 3), "", "", "must be a text of 1 to 3", id="an-empty-text"),
    pytest.param(text(str, 1, 3), "abcd", "", "must be a text of 1 to 3", id="a-long-text"),
    pytest.param(text(str, 1, 3), "a\nb", "", "without control", id="a-line-break"),
    pytest.param(text(str, 1, 3), "a\x00", "", "without control", id="a-nul"),
    pytest.param(text(str, 1, 3), "a\x85", "", "without control", id="a-c1-control"),
    pytest.param(text(str, 1, 3), 12, "", "must be a text", id="a-number-for-a-text"),
    pytest.param(text(str, 1, 3), None, "", "must be a text", id="null-for-a-text"),
    pytest.param(text(str, 2, 4, "[a-z]+"), "ab\n", "", "must be a text", id="a-line-feed-after-the-form"),
    pytest.param(day(), "2027-4-1", "", "a day such as", id="a-day-without-zeros"),
    pytest.param(day(), "20270401", "", "a day such as", id="a-day-without-dashes"),
    pytest.param(day(), "2027-W13-4", "", "a day such as", id="a-week-date"),
    pytest.param(octets(6), "AQIDBAUGBw==", "", "base64 of 1 to 6", id="too-many-octets"),
    pytest.param(octets(6), "AQID\nBA=", "", "base64 of 1 to 6", id="a-line-break-in-base64"),
    pytest.param(octets(6), "AQ-_", "", "base64 of 1 to 6", id="the-other-base64-alphabet"),
    pytest.param(octets(6), "AQIDB", "", "base64 of 1 to 6", id="missing-padding"),
    pytest.param(word(Colour), "Red", "", "must be one of red, blue", id="a-word-in-capitals"),
    pytest.param(word(Colour), ["red"], "", "must be one of", id="a-list-for-a-word"),
    pytest.param(some(word(Colour), 2), [], "", "must be a list of 1 to 2", id="an-empty-set"),
    pytest.param(some(word(Colour), 2), "red", "", "must be a list", id="a-word-for-a-set"),
    pytest.param(some(word(Colour), 2), ["red", "red"], "", "an element twice", id="a-repeated-element"),
    pytest.param(some(word(Colour), 2), ["red", "x"], "/1", "must be one of", id="a-wrong-element"),
    pytest.param(BOX, [], "", "the body must be an object", id="a-list-for-a-record"),
    pytest.param(BOX, {}, "/label", "is missing", id="a-missing-member"),
    pytest.param(BOX, {"label": "x", "colour": None}, "/colour", "must be one of", id="null-for-an-optional-member"),
    pytest.param(BOX, {"label": "x", "size": 1}, "", "a field that nobody knows", id="an-unknown-member"),
    pytest.param(record(dict, {"box": BOX}), {"box": {"label": ""}}, "/box/label", "/box/label must be", id="deep"),
]


@pytest.mark.parametrize(("shape", "value", "meaning"), GOOD)
def test_reading(shape: Shape[object], value: object, meaning: object) -> None:
    assert shape.read(value, "") == meaning
    assert Draft202012Validator(shape.schema).is_valid(value)


@pytest.mark.parametrize(("shape", "value", "pointer", "detail"), BAD)
def test_refusing(shape: Shape[object], value: object, pointer: str, detail: str) -> None:
    with pytest.raises(Refusal, match=detail) as refused:
        shape.read(value, "")
    assert refused.value.code is Code.MALFORMED
    assert refused.value.pointer == pointer


@pytest.mark.parametrize(
    ("shape", "value", "pointer", "detail"), [row for row in BAD if row.id != "a-line-feed-after-the-form"]
)
def test_the_schema_refuses_it_too(shape: Shape[object], value: object, pointer: str, detail: str) -> None:
    fault = best_match(Draft202012Validator(shape.schema).iter_errors(value))
    assert fault is not None
    assert "/".join(["", *map(str, fault.absolute_path)]) in ("", pointer.rpartition("/")[0], pointer)


@pytest.mark.parametrize(
    ("shape", "value", "detail"),
    [
        pytest.param(text(_even, 1, 4), "abc", "must be of even length", id="a-rule-of-the-meaning"),
        pytest.param(day(), "2027-02-29", "not a day of the calendar", id="a-day-that-does-not-exist"),
        pytest.param(text(str, 1, 3), "a\ud800", "must be a text", id="half-a-surrogate-pair"),
    ],
)
def test_rules_that_a_schema_cannot_say(shape: Shape[object], value: object, detail: str) -> None:
    with pytest.raises(Refusal, match=detail):
        shape.read(value, "")


@pytest.mark.parametrize(("shape", "value", "pointer", "detail"), BAD)
def test_refusals_never_repeat_values(shape: Shape[object], value: object, pointer: str, detail: str) -> None:
    secret = "せいれつ秘密"

    def swap(part: object) -> object:
        if isinstance(part, dict):
            return {name: swap(content) for name, content in part.items()} | {secret: secret}
        return [swap(content) for content in part] if isinstance(part, list) else secret

    with pytest.raises(Refusal) as refused:
        shape.read(swap(value), "")
    assert secret not in f"{refused.value}{refused.value.pointer}{refused.value.facts}"


@given(st.binary(min_size=1, max_size=40))
def test_octets_come_through(value: bytes) -> None:
    assert octets(42).read(base64.b64encode(value).decode(), "") == value


@given(st.text("AQgw9+/=-_ \n\0é", max_size=12))
def test_octets_are_read_exactly_where_their_schema_says_so(value: str) -> None:
    shape = octets(6)
    try:
        shape.read(value, "")
    except Refusal:
        read = False
    else:
        read = True
    assert read == Draft202012Validator(dict(shape.schema)).is_valid(value) or value.endswith("\n")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["red", "blue", "2027-04-01"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["label", "colour", "size"]), inner, max_size=3)
    ),
    max_leaves=6,
)
SHAPES: list[Callable[[], Shape[Any]]] = [lambda: BOX, lambda: some(word(Colour), 2), lambda: text(str, 1, 5), day]


@given(JSON, st.sampled_from(SHAPES))
def test_what_is_read_is_what_the_schema_allows(value: object, shape: Callable[[], Shape[Any]]) -> None:
    valid = Draft202012Validator(shape().schema).is_valid(value)
    try:
        shape().read(value, "")
        refused = ""
    except Refusal as refusal:
        refused = refusal.detail
    assert valid == (not refused) or "calendar" in refused or "without control" in refused
