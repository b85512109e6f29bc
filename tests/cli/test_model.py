"""`jpki model`: what is in the status model, how old it is, and how it is made."""

from __future__ import annotations

from pathlib import Path

from tests.support.terminal import Terminal, issue_pair


def test_a_model_is_shown_before_and_after_it_is_made(terminal: Terminal, tmp_path: Path) -> None:
    issue_pair(terminal, tmp_path / "pair")
    (row,) = terminal.do("model", "show").rows
    assert (row["certificates"], row["behind"], row["compared"]) == ("0", "not made", "never")
    assert terminal.do("model", "make").out == "2 certificates\n"
    assert terminal.do("model", "make", "--anew").out == "2 certificates\n"
    (row,) = terminal.do("model", "show").rows
    assert (row["certificates"], row["changes"], row["behind"]) == ("2", "0", "0")
    assert row["compared"].endswith(" s ago")


def test_a_node_has_a_model_of_its_own_and_no_key_to_write_with(terminal: Terminal, tmp_path: Path) -> None:
    issue_pair(terminal, tmp_path / "pair")
    (terminal.state / "keys" / "audit.pem").rename(tmp_path / "audit.pem")
    assert terminal.do("model", "make", "--node", "east").out == "2 certificates\n"
    (row,) = terminal.do("model", "show", "--node", "east").rows
    assert row["folder"] == str(terminal.state / "status-model" / "east")
    (row,) = terminal.do("model", "show").rows
    assert row["behind"] == "not made"


def test_what_earlier_starts_of_the_machine_left_is_removed(terminal: Terminal) -> None:
    left = terminal.state / "status-model" / "01234567-89ab-cdef-0123-456789abcdef"
    left.mkdir(parents=True)
    (left / "data.mdb").write_bytes(b"of another start")
    (terminal.state / "status-model" / "east").mkdir()
    terminal.do("model", "make")
    assert not left.exists()
    assert (terminal.state / "status-model" / "east").exists()


def test_a_node_needs_a_name_that_a_folder_can_have(terminal: Terminal) -> None:
    done = terminal("model", "show", "--node", "../elsewhere")
    assert done.code == 1
    assert "letters" in done.err


def test_the_grants_of_a_status_node_are_printed_as_sql(terminal: Terminal) -> None:
    said = terminal.do("model", "grants", "status").out.splitlines()
    assert "GRANT SELECT (issuer, serial, state, not_after, application_id) ON certificates TO status;" in said
    assert all(line.startswith("GRANT SELECT") and line.endswith(" TO status;") for line in said)
    assert terminal("model", "grants", "Robert'); --").code == 1
