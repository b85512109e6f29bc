"""Sections of a document: each reader takes what it should, notes what it should not, and always goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config.document import ConfigurationFaults, Secret, Section
from domain import oids

BASE = Path("/state")
Read = Callable[[Section], object]


def section(**content: object) -> Section:
    return Section("part", content, [], BASE)


@pytest.mark.parametrize(
    ("read", "value", "result"),
    [
        pytest.param(lambda s: s.text("key"), "値　two", "値　two", id="a text"),
        pytest.param(lambda s: s.optional_text("key"), "x", "x", id="an optional text"),
        pytest.param(lambda s: s.integer("key", 5, 1, 9), 9, 9, id="a number at its upper limit"),
        pytest.param(lambda s: s.flag("key", True), False, False, id="a flag"),
        pytest.param(lambda s: s.choice("key", ["a", "b"], "a"), "b", "b", id="a choice"),
        pytest.param(lambda s: s.file("key"), "keys/a.pem", BASE / "keys/a.pem", id="a relative file"),
        pytest.param(lambda s: s.file("key"), "/etc/a.pem", Path("/etc/a.pem"), id="an absolute file"),
        pytest.param(lambda s: s.secret("key"), {"file": "a"}, Secret(file=BASE / "a"), id="a secret in a file"),
        pytest.param(
            lambda s: s.secret("key"), {"env": "A"}, Secret(environment="A"), id="a secret in the environment"
        ),
        pytest.param(
            lambda s: s.name("key"),
            [["C", "JP"], ["O", "公的"]],
            ((oids.COUNTRY, "JP"), (oids.ORGANIZATION, "公的")),
            id="a name",
        ),
    ],
)
def test_what_is_right_is_read(read: Read, value: object, result: object) -> None:
    part = section(key=value)
    assert read(part) == result
    part.done()
    assert part.faults == []


@pytest.mark.parametrize(
    ("read", "result"),
    [
        pytest.param(lambda s: s.text("key", "x"), "x", id="a text"),
        pytest.param(lambda s: s.optional_text("key"), None, id="an optional text"),
        pytest.param(lambda s: s.integer("key", 5, 1, 9), 5, id="a number"),
        pytest.param(lambda s: s.flag("key", True), True, id="a flag"),
        pytest.param(lambda s: s.choice("key", ["a"], "a"), "a", id="a choice"),
        pytest.param(lambda s: s.file("key", "x"), BASE / "x", id="a file"),
        pytest.param(lambda s: s.sections("key"), [], id="a list of tables"),
    ],
)
def test_what_is_left_out_gets_its_default(read: Read, result: object) -> None:
    part = section()
    assert read(part) == result
    assert part.faults == []


WRONG_TEXT = "part.key: want a text"
WRONG_NAME = "part.key: want pairs of C, L, O, OU, CN and a text"
WRONG_SECRET = 'part.key: want a reference, { file = "…" } or { env = "…" }, never the secret itself'


@pytest.mark.parametrize(
    ("read", "value", "fault"),
    [
        pytest.param(lambda s: s.text("key"), 7, WRONG_TEXT, id="a number for a text"),
        pytest.param(lambda s: s.text("key"), "", WRONG_TEXT, id="an empty text"),
        pytest.param(lambda s: s.text("key"), "a\0b", WRONG_TEXT, id="a text with a control character"),
        pytest.param(lambda s: s.file("key"), ["a"], WRONG_TEXT, id="a list for a file"),
        pytest.param(
            lambda s: s.integer("key", 5, 1, 9), 10, "part.key: want a whole number from 1 to 9", id="too much"
        ),
        pytest.param(
            lambda s: s.integer("key", 5, 1, 9), 2.0, "part.key: want a whole number from 1 to 9", id="a float"
        ),
        pytest.param(
            lambda s: s.integer("key", 5, 0, 9), True, "part.key: want a whole number from 0 to 9", id="a flag"
        ),
        pytest.param(lambda s: s.flag("key", True), "yes", "part.key: want true or false", id="a word for a flag"),
        pytest.param(lambda s: s.choice("key", ["a", "b"], "a"), ["a"], "part.key: want one of a, b", id="no choice"),
        pytest.param(lambda s: s.secret("key"), "hunter2", WRONG_SECRET, id="a secret itself"),
        pytest.param(lambda s: s.secret("key"), {"file": "a", "env": "b"}, WRONG_SECRET, id="two places for a secret"),
        pytest.param(lambda s: s.name("key"), [], "part.key: want a list of [type, text] pairs", id="an empty name"),
        pytest.param(lambda s: s.name("key"), [["X", "a"]], WRONG_NAME, id="an unknown type in a name"),
        pytest.param(lambda s: s.name("key"), [["O", ""]], WRONG_NAME, id="an empty part of a name"),
        pytest.param(
            lambda s: s.name("key"), [["C", "日本"]], "part.key: want two capital letters for C", id="a country"
        ),
        pytest.param(lambda s: s.section("key"), [], "part.key: want a table", id="a list for a table"),
        pytest.param(lambda s: s.sections("key"), [{}, 1], "part.key: want a list of tables", id="not only tables"),
    ],
)
def test_what_is_wrong_is_noted_and_never_repeated(read: Read, value: object, fault: str) -> None:
    part = section(key=value)
    assert read(part) is not None
    assert part.faults == [fault]


def test_what_is_missing_is_said_to_be_missing() -> None:
    part = section()
    part.text("key")
    part.name("name")
    assert part.faults == [
        "part.key: is missing; want a text",
        "part.name: is missing; want a list of [type, text] pairs",
    ]


def test_keys_that_nobody_asked_for_are_noted() -> None:
    part = section(known="x", knwon="y")
    part.text("known")
    part.done()
    assert part.faults == ["part.knwon: nobody knows this key; is it misspelt?"]


def test_faults_of_inner_tables_go_to_the_same_list_under_their_own_path() -> None:
    root = Section("", {"a": {"b": {}}, "c": [{"d": 1}]}, [], BASE)
    root.section("a").section("b").text("x")
    root.sections("c")[0].text("d")
    assert root.faults == ["a.b.x: is missing; want a text", "c[0].d: want a text"]


def test_a_secret_is_named_by_its_place() -> None:
    assert str(Secret(file=Path("/state/secrets/a"))) == "file /state/secrets/a"
    assert str(Secret(environment="A")) == "environment variable A"


def test_faults_are_one_exception_and_many_sentences() -> None:
    faults = ConfigurationFaults(["this", "that"])
    assert (str(faults), faults.faults) == ("this; that", ("this", "that"))
