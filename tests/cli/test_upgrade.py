"""`jpki upgrade`: an older database is made fit, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from alembic import command

from store.schema import create
from tests.support.terminal import Terminal


def make_older(terminal: Terminal) -> None:
    """A database as the first version of the program made it."""
    path, upgrade = terminal.state / "jpki.db", command.upgrade
    path.unlink()
    with patch("store.schema.command.upgrade", lambda configuration, _: upgrade(configuration, "0001")):
        create(f"sqlite:///{path}")


def test_a_database_that_fits_is_left_alone(terminal: Terminal) -> None:
    assert terminal.do("upgrade").out == "the database was up to date already\n"


def test_an_older_database_is_told_by_check_config_and_mended_by_what_it_says(terminal: Terminal) -> None:
    make_older(terminal)
    said = terminal("check-config")
    assert said.code == 2
    assert "back it up and run: jpki upgrade" in said.err
    done, key = terminal.do("upgrade").out.splitlines()
    assert done == "the database is up to date now"
    assert "secrets/handles.key" in key
    assert "no faults" in terminal.do("check-config").out


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(None, "there is no database file", id="missing"),
        pytest.param(b"", "no tables of this program", id="empty"),
        pytest.param(b"no database at all" * 100, "is no SQLite database", id="something else"),
    ],
)
def test_what_is_no_database_of_ours_does_not_become_one(content: bytes | None, why: str, terminal: Terminal) -> None:
    path: Path = terminal.state / "jpki.db"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    for _ in range(2):
        said = terminal("upgrade")
        assert said.code == 2
        assert why in said.err
    assert path.exists() == (content is not None)


def test_the_key_of_receipts_is_made_where_an_older_program_had_none(terminal: Terminal) -> None:
    (terminal.state / "certs" / "receipts.pem").unlink()
    assert "make it with: jpki upgrade" in terminal("check-config").err
    assert "made the key that signs receipts" in terminal.do("upgrade").out
    assert "no faults" in terminal.do("check-config").out
    assert terminal.audit()[-1]["act"] == "receipts-certified"


def test_time_stamps_are_believed_by_certificates_alone(terminal: Terminal) -> None:
    terminal.change_settings("# time_stamps =", "time_stamps =")
    assert "time-stamps.pem cannot be read" in terminal("check-config").err
    (terminal.state / "certs" / "time-stamps.pem").write_text("none")
    assert "must hold certificates" in terminal("check-config").err
    (terminal.state / "certs" / "transport-ca.pem").rename(terminal.state / "certs" / "time-stamps.pem")
    assert "time-stamps" not in terminal("check-config").err
