"""`jpki filters`: a class's key, its filters, and a verifier's check with them alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Code, Refusal
from filters.publish import publish_filters
from tests.support.terminal import HOLDER, Terminal, issue_pair

HOUR = timedelta(hours=1)


def files(terminal: Terminal, kind: str = "signature", *, delta: bool = True) -> list[str]:
    folder = terminal.state / "filters" / "court"
    found = ["--key", str(terminal.state / "secrets" / "filter-court.key"), "--base"]
    found += [str(folder / f"{kind}-g1.base.filter"), "--issuer", str(terminal.state / "certs" / f"{kind}-g1.cer")]
    return [*found, "--delta", str(folder / f"{kind}-g1.delta.filter")] if delta else found


@pytest.fixture
def pair(terminal: Terminal, tmp_path: Path) -> Path:
    """A pair, a key of the class of courts, and filters made two hours later."""
    issue_pair(terminal, tmp_path / "pair")
    terminal.do("filters", "key", "court")
    terminal.clock.forward(2 * HOUR)
    terminal.do("filters", "make", "court")
    return tmp_path / "pair"


def test_a_certificate_is_good_until_it_is_revoked(terminal: Terminal, pair: Path) -> None:
    signature, authentication = (str(pair / f"{kind}.cer") for kind in ("signature", "authentication"))
    assert terminal.do("filters", "check", signature, *files(terminal, delta=False)).out.startswith("good, as of ")
    terminal.clock.forward(HOUR)
    terminal.do(
        "revoke", "--resident", "-", "--cause", "key-report", "--kind", "signature", typed=HOLDER["resident_code"]
    )
    terminal.clock.forward(HOUR)
    made = terminal.do("filters", "make", "court").out.splitlines()
    assert "filters/court/signature-g1.delta.filter" in made
    said = terminal("filters", "check", signature, *files(terminal))
    assert (said.code, said.out.split(",")[0]) == (1, "revoked")
    assert terminal("filters", "check", authentication, *files(terminal, "authentication")).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(("filters", "make", "certified-ca"), 1, "jpki filters key", id="a-class-without-a-key"),
        pytest.param(("filters", "key", "court"), 1, "has its key already", id="a-second-key"),
        pytest.param(("filters", "key", "service-provider"), 1, "is one of", id="who-asks-through-another"),
        pytest.param(("filters", "key", "certified-ca", "--anew"), 1, "filters key", id="a-new-key-instead-of-none"),
        pytest.param(
            ("filters", "key", "../up"), 1, "is one of administrative-body, court", id="a-name-that-is-a-path"
        ),
    ],
)
def test_what_cannot_be_is_refused(
    terminal: Terminal, pair: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    said = terminal(*arguments)
    assert said.code == code
    assert words in said.err


def test_a_certificate_of_another_issuer_is_refused(terminal: Terminal, pair: Path) -> None:
    said = terminal("filters", "check", str(pair / "authentication.cer"), *files(terminal, delta=False))
    assert said.code == 1
    assert "not a certificate of this issuer" in said.err


def test_files_that_are_something_else_are_named(terminal: Terminal, pair: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("nothing")
    known = files(terminal, delta=False)
    for place in (1, 3, 5):
        spoilt = [*known]
        spoilt[place] = str(other)
        said = terminal("filters", "check", str(pair / "signature.cer"), *spoilt)
        assert said.code == 1
        assert "other is " in said.err
    said = terminal("filters", "check", str(other), *known)
    assert "other is no certificate" in said.err


def test_with_a_new_key_the_filters_are_made_anew(terminal: Terminal, pair: Path) -> None:
    terminal.clock.forward(HOUR)
    terminal.do("filters", "key", "court", "--anew")
    made = terminal.do("filters", "make", "court").out.splitlines()
    assert "filters/court/signature-g1.base.filter" in made
    said = terminal.do("filters", "check", str(pair / "signature.cer"), *files(terminal, delta=False))
    assert said.out.startswith("good, as of ")


def test_making_filters_waits_for_the_publisher_that_makes_them(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.do("filters", "key", "court")
    refusals = [Refusal(Code.BUSY, "another process makes filters")] * 3

    def busy(*arguments: Any, **named: Any) -> Sequence[str]:
        if refusals:
            raise refusals.pop()
        return publish_filters(*arguments, **named)

    monkeypatch.setattr("cli.filters.publish_filters", busy)
    monkeypatch.setattr("cli.turn.sleep", lambda _: None)
    assert "base.filter" in terminal.do("filters", "make", "court").out
