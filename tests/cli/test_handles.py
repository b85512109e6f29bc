"""`jpki handles`: the key of handles is changed while handles and subscriptions live on, and ends when it should."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.publisher import go_round
from domain.errors import Code, Refusal
from domain.parties import Party
from tests.support.terminal import HOLDER, Said, Terminal, issue_pair
from tests.support.verifiers import add_verifier
from verifiers.handle_news import fetch_news, subscribe
from verifiers.handle_office import translate

DAY = timedelta(days=1)


@pytest.fixture
def bank(terminal: Terminal) -> Party:
    with closing(terminal.services()) as services:
        return add_verifier(services.begin, "bank", at=services.clock())


def generations(terminal: Terminal) -> list[tuple[str, str]]:
    return [(row["generation"], row["is"]) for row in terminal.do("handles", "status").rows]


class Office(NamedTuple):
    """The folders of two officers."""

    aoi: Path
    ken: Path


@pytest.fixture
def office(terminal: Terminal) -> Office:
    for name in Office._fields:
        terminal.do("parties", "add", "operator", name)
    return Office(*(terminal.state / "credentials" / f"operator-{name}" for name in Office._fields))


def words(officer: Path) -> tuple[str | Path, ...]:
    return "--reason", "once in some years", "--officer", officer


def made(said: Said) -> str:
    """The id of the proposal."""
    return said.out.split()[1]


def test_a_key_is_changed_by_two_and_every_handle_lives_on(
    terminal: Terminal, office: Office, bank: Party, tmp_path: Path
) -> None:
    issue_pair(terminal, tmp_path / "pair")
    certificate = (tmp_path / "pair" / "signature.cer").read_bytes()
    with closing(terminal.services()) as services:
        before = services.handles.of(bank, None, certificate)
        subscribe(services.handles, bank, None, [before])
        assert generations(terminal) == [("1", "made with")]
        for _ in range(2):
            assert "generation 2 is at hand" in terminal.do("handles", "add-key").out
        assert generations(terminal)[1] == ("2", "at hand, not used yet")
        assert services.handles.of(bank, None, certificate) == before
        assert terminal("handles", "switch", *words(office.aoi)).code == 2
        id_ = made(terminal.do("handles", "switch", "--everywhere", *words(office.aoi)))
        assert "0 subscriptions moved" in terminal.do("handles", "rotate").out
        assert "refused (second-officer)" in terminal("proposals", "confirm", id_, "--officer", office.aoi).err
        assert generations(terminal)[1] == ("2", "at hand, not used yet")
        terminal.do("proposals", "confirm", id_, "--officer", office.ken)
        assert "refused (already-applied)" in terminal("handles", "switch", "--everywhere", *words(office.aoi)).err
        assert "1 subscriptions moved" in terminal.do("handles", "rotate").out
        assert generations(terminal) == [("1", "understood"), ("2", "made with")]
        after = services.handles.of(bank, None, certificate)
        assert translate(services.handles, bank, None, [before]) == [after]
        assert "may change over" in terminal("handles", "retire", *words(office.aoi)).err
        terminal.clock.forward(91 * DAY)
        id_ = made(terminal.do("handles", "retire", *words(office.aoi)))
        assert terminal.do("handles", "finish").out == "there was nothing to take out\n"
        assert "refused (second-officer)" in terminal("proposals", "confirm", id_, "--officer", office.aoi).err
        terminal.do("proposals", "confirm", id_, "--officer", office.ken)
        assert terminal.do("handles", "finish").out == "taken out: 1\n"
        assert terminal.do("handles", "finish").out == "there was nothing to take out\n"
        assert generations(terminal)[0] == ("1", "retired")
        assert (terminal.state / "secrets" / "handles.key").read_text().startswith("2:")
        with pytest.raises(Refusal) as refusal:
            translate(services.handles, bank, None, [before])
        assert refusal.value.code is Code.NOT_FOUND
        assert services.handles.of(bank, None, certificate) == after
    acts = [row["act"] for row in terminal.audit() if str(row["act"]).startswith("handle-key")]
    assert acts == ["handle-key-added", "handle-key-added", "handle-key-current", "handle-key-retired"]


def test_the_publisher_makes_and_releases_news(terminal: Terminal, bank: Party, tmp_path: Path) -> None:
    issue_pair(terminal, tmp_path / "pair")
    with closing(terminal.services()) as services:
        handle = services.handles.of(bank, None, (tmp_path / "pair" / "signature.cer").read_bytes())
        subscribe(services.handles, bank, None, [handle])
        terminal.do("revoke", "--resident", "-", "--cause", "key-report", typed=HOLDER["resident_code"])
        assert go_round(services)
        assert fetch_news(services.handles, bank, None, 0) == ([], False)
        terminal.clock.forward(28 * DAY)
        go_round(services)
        (told,), _ = fetch_news(services.handles, bank, None, 0)
    assert (told.number, told.handle, told.word.value) == (1, handle, "revoked")


def test_without_the_key_nothing_is_made_and_the_way_out_is_told(
    terminal: Terminal, bank: Party, tmp_path: Path
) -> None:
    issue_pair(terminal, tmp_path / "pair")
    key = terminal.state / "secrets" / "handles.key"
    key.chmod(0o644)
    assert "handles.key is open to others" in terminal("check-config").err
    key.rename(tmp_path / "away")
    assert "generation 1 of the key of handles" in terminal("check-config").err
    with closing(terminal.services()) as services, pytest.raises(Refusal, match=r"secrets/handles\.key") as refusal:
        services.handles.of(bank, None, (tmp_path / "pair" / "signature.cer").read_bytes())
    assert refusal.value.code is Code.BAD_CONFIGURATION
