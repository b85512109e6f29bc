"""`jpki policy list`, `why`, `replay` and `propose`: the rulebook, and a change that takes two officers."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.terminal import HOLDER, Terminal, issue_pair


@pytest.fixture
def office(terminal: Terminal) -> tuple[Path, Path]:
    """The folders of two officers."""
    for name in ("aoi", "ken"):
        terminal.do("parties", "add", "operator", name)
    folders = terminal.state / "credentials"
    return folders / "operator-aoi", folders / "operator-ken"


@pytest.fixture
def shorter(terminal: Terminal, tmp_path: Path) -> Path:
    """Rules of holds under which they grow old sooner."""
    path = tmp_path / "holds.toml"
    path.write_text(terminal.do("policy", "text", "holds").out.replace("days = 30", "days = 14"))
    return path


def propose(terminal: Terminal, officer: Path, table: str, path: Path) -> str:
    """The id of the proposal."""
    said = terminal.do("policy", "propose", table, path, "--reason", "holds are forgotten", "--officer", officer)
    return next(line.partition("\t")[2] for line in said.out.splitlines() if line.startswith("proposal\t"))


def ages(terminal: Terminal) -> list[str]:
    return [row["when"] for row in terminal.do("policy", "holds").rows if row["when"].startswith("after")]


def test_every_rule_is_listed_with_its_source(terminal: Terminal) -> None:
    rows = terminal.do("policy", "list").rows
    assert all(row["source"] for row in rows)
    some = json.loads(terminal.do("policy", "list", "--table", "admission", "--json").out)
    assert [row["rule"] for row in some] == [row["rule"] for row in rows if row["rule"].startswith("admission/")]
    assert terminal("policy", "list", "--table", "none").code == 1


def test_a_rule_says_what_it_is(terminal: Terminal) -> None:
    told = {row["what"]: row["value"] for row in terminal.do("policy", "why", "card-lost").rows}
    assert told["rule"] == "revocation/card-lost"
    assert "signature on card: revoked key-compromise" in told["then"]
    said = terminal("policy", "why", "revocation/nothing")
    assert (said.code, "there is no such rule" in said.err) == (1, True)


@pytest.mark.parametrize(
    ("named", "rule", "when", "source"),
    [
        pytest.param("refused: way-not-given", "admission/way-not-given", "channel validation or", "§20",
                     id="a record"),
        pytest.param("kind-not-registered", "operator/kind-not-registered", "registered-for another-kind", "§36(1)",
                     id="the fact of a refusal"),
        pytest.param("restraint/blocked-by-officers", "restraint/blocked-by-officers", "grade block", "§18(7)",
                     id="an alarm that restrains"),
    ],
)  # fmt: skip
def test_a_refusal_is_explained_by_its_row_and_its_source(
    named: str, rule: str, when: str, source: str, terminal: Terminal
) -> None:
    told = {row["what"]: row["value"] for row in terminal.do("policy", "why", named).rows}
    assert told["rule"] == rule
    assert when in told["when"]
    assert source in told["source"]
    assert rule in {row["rule"] for row in terminal.do("policy", "list", "--table", rule.partition("/")[0]).rows}


def test_a_row_of_the_trail_says_by_which_rule(terminal: Terminal, tmp_path: Path) -> None:
    issue_pair(terminal, tmp_path / "pair")
    terminal.do("revoke", "--resident", "-", "--cause", "card-lost", typed=HOLDER["resident_code"])
    number = next(n for n, row in enumerate(terminal.audit(), 1) if row["act"] == "certificate-revoked")
    told = {row["what"]: row["value"] for row in terminal.do("policy", "why", str(number)).rows}
    assert (told["act"], told["rule"]) == ("certificate-revoked", "revocation/card-lost")
    assert told["signed"].startswith("by the head over ")
    first = terminal.do("policy", "why", "1").rows
    assert first[-1]["value"].startswith("none: ")
    assert terminal("policy", "why", "99999").code == 1


def test_a_change_takes_two_and_shows_what_it_would_have_changed(
    terminal: Terminal, office: tuple[Path, Path], shorter: Path, tmp_path: Path
) -> None:
    aoi, ken = office
    issue_pair(terminal, tmp_path / "pair")
    terminal.do("revoke", "--resident", "-", "--cause", "temporary-stop", typed=HOLDER["resident_code"])
    terminal.clock.forward(timedelta(days=20))
    replayed = terminal.do("policy", "replay", "holds", shorter).rows
    assert [(row["rule"], row["before"], row["after"], row["decisions"]) for row in replayed] == [
        ("hold/age-card", "nothing yet", "reported", "2")
    ]
    id_ = propose(terminal, aoi, "holds", shorter)
    assert ages(terminal) == ["after 30 days"] * 2
    own = terminal("proposals", "confirm", id_, "--officer", aoi)
    assert (own.code, "refused (second-officer)" in own.err) == (1, True)
    assert ages(terminal) == ["after 30 days"] * 2
    shown = terminal.do("proposals", "show", id_).out
    assert "hold/age-card: nothing yet -> reported: 2" in shown
    terminal.do("proposals", "confirm", id_, "--officer", ken)
    assert ages(terminal) == ["after 14 days"] * 2
    (fact,) = [row["facts"] for row in terminal.audit() if row["act"] == "proposal-confirmed"]
    assert isinstance(fact, dict)
    assert fact["table"] == "holds"


def test_the_terminal_goes_by_the_tables_in_force(
    terminal: Terminal, office: tuple[Path, Path], tmp_path: Path
) -> None:
    aoi, ken = office
    table = tmp_path / "verifiers.toml"
    table.write_text(terminal.do("policy", "text", "verifiers").out.replace('criterion = "', 'criterion = "new-'))
    terminal.do("proposals", "confirm", propose(terminal, aoi, "verifiers", table), "--officer", ken)
    words = ("--standing", "administrative-body", "--purpose", "signature:filing")
    wanted = [line.strip() for line in terminal.do("verifiers", "apply", "city", *words).out.splitlines()[1:]]
    assert wanted
    assert all(criterion.startswith("new-") for criterion in wanted)
    missing = terminal.do("verifiers", "evidence", "city", wanted[0], "--reference", "shelf 1").out
    assert all(criterion.startswith("new-") for criterion in missing.split()[2:] if criterion != "nothing")


def test_a_proposal_over_a_table_that_changed_meanwhile_is_refused(
    terminal: Terminal, office: tuple[Path, Path], shorter: Path, tmp_path: Path
) -> None:
    aoi, ken = office
    first = propose(terminal, aoi, "holds", shorter)
    shorter.write_text(shorter.read_text().replace("days = 14", "days = 7"))
    second = propose(terminal, ken, "holds", shorter)
    terminal.do("proposals", "confirm", first, "--officer", ken)
    said = terminal("proposals", "confirm", second, "--officer", aoi)
    assert (said.code, "refused (out-of-order)" in said.err) == (1, True)
    assert ages(terminal) == ["after 14 days"] * 2


def test_a_table_that_was_changed_in_the_database_is_not_used(
    terminal: Terminal, office: tuple[Path, Path], shorter: Path
) -> None:
    aoi, ken = office
    id_ = propose(terminal, aoi, "holds", shorter)
    terminal.do("proposals", "confirm", id_, "--officer", ken)
    assert ages(terminal) == ["after 14 days"] * 2
    with closing(sqlite3.connect(terminal.state / "jpki.db")) as database:
        database.execute("UPDATE proposals SET content = replace(content, 'days = 14', 'days = 99')")
        database.commit()
    said = terminal("policy", "holds")
    assert (said.code, "is not what two officers signed" in said.err) == (1, True)


def test_faults_are_told_before_anything_is_proposed(
    terminal: Terminal, office: tuple[Path, Path], shorter: Path
) -> None:
    shorter.write_text(shorter.read_text().replace("days = 14", "days = 0"))
    said = terminal("policy", "propose", "holds", shorter, "--reason", "try", "--officer", office[0])
    assert said.code == 1
    assert "age 1: days: want a number from 1 to 3650" in said.err
    assert terminal.do("proposals", "list", "--all").rows == []


def test_content_that_no_replay_led_to_is_refused(
    terminal: Terminal, office: tuple[Path, Path], shorter: Path, tmp_path: Path
) -> None:
    content = tmp_path / "content.json"
    for said in (
        {"table": "holds", "text": shorter.read_text()},
        {"table": "holds", "text": shorter.read_text(), "replaces": "0" * 64, "replayed": 0, "differences": []},
        {"table": "nothing", "text": "x", "replaces": "0" * 64, "replayed": 0, "differences": []},
    ):
        content.write_text(json.dumps(said))
        words = ("proposals", "make", "rule-change", "--content", content, "--reason", "try", "--officer", office[0])
        assert terminal(*words).code == 1


def test_one_person_with_a_file_changes_nothing(terminal: Terminal, shorter: Path) -> None:
    """A table is named nowhere in the configuration."""
    terminal.change_settings("[issuance]", f'[holds]\nrules = "{shorter}"\n\n[issuance]')
    said = terminal("check-config")
    assert said.code != 0
    assert "holds" in said.err
