"""`jpki database copy`: an authority that began on SQLite goes on, on PostgreSQL, where it stopped."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from config.relocation import copy_database
from tests.support.postgres import PostgresServer
from tests.support.terminal import HOLDER, RESIDENTS, Said, Terminal, issue_pair

pytestmark = pytest.mark.postgresql


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """An empty database of a server's own."""
    name = postgres.new_database()
    yield name
    postgres.drop_database(name)


@pytest.fixture
def lived(terminal: Terminal, tmp_path: Path) -> Terminal:
    """A terminal where a pair was issued, revoked and listed."""
    issue_pair(terminal, tmp_path / "pair")
    terminal.do("revoke", "--resident", "-", "--cause", "card-lost", typed=f"{HOLDER['resident_code']}\n")
    terminal.do("crl", "publish")
    return terminal


def copy(terminal: Terminal, target: str) -> Said:
    return terminal("database", "copy", "--to", target)


def counts(said: Said) -> dict[str, int]:
    return {row["table"]: int(row["rows"]) for row in said.rows}


def settle_at(terminal: Terminal, address: str) -> None:
    terminal.change_settings('url = "sqlite:///jpki.db"', f'url = "{address}"')


def test_the_authority_goes_on_where_it_stopped(
    lived: Terminal, postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    before = [lived.do("parties", "list").out, lived.do("crl", "list").out, lived.audit()]
    said = copy(lived, postgres.url(database))
    assert (said.code, counts(said)["certificates"], counts(said)["residents"]) == (0, 2, len(RESIDENTS))
    with postgres.connect(database) as connection:
        known = connection.execute("SELECT reltuples FROM pg_class WHERE relname = 'residents'").fetchone()
    assert known == (len(RESIDENTS),), "the server plans by how much there is"
    settle_at(lived, postgres.url(database))
    (lived.state / "jpki.db").rename(tmp_path / "before.db")
    assert [lived.do("parties", "list").out, lived.do("crl", "list").out, lived.audit()] == before
    issue_pair(lived, tmp_path / "next", RESIDENTS[1], number=1)
    for command in (("check-config",), ("audit", "verify"), ("crl", "publish"), ("check",)):
        lived.do(*command)


def test_there_and_back_every_value_is_the_same(
    lived: Terminal, postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    there = copy(lived, postgres.url(database))
    settle_at(lived, postgres.url(database))
    back = copy(lived, f"sqlite:///{tmp_path / 'back.db'}")
    assert (there.code, back.code) == (0, 0)
    assert counts(there) == counts(back)
    dumps = []
    for path in (lived.state / "jpki.db", tmp_path / "back.db"):
        with closing(sqlite3.connect(path)) as file:
            dumps.append(sorted(file.iterdump()))
    assert dumps[0] == dumps[1]


def test_a_copy_that_was_interrupted_leaves_nothing_and_is_made_again(
    lived: Terminal, postgres: PostgresServer, database: str
) -> None:
    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with closing(lived.services()) as services, pytest.raises(KeyboardInterrupt):
        copy_database(services, postgres.url(database), stop)
    with postgres.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM residents").fetchone() == (0,)
    assert copy(lived, postgres.url(database)).code == 0


def test_who_stands_behind_somebody_younger_is_copied_after_them(
    lived: Terminal, postgres: PostgresServer, database: str
) -> None:
    with closing(sqlite3.connect(lived.state / "jpki.db")) as file, file:
        file.execute(
            "INSERT INTO parties (id, role, name, kinds, added_at, behind) VALUES"
            " (1001, 'verifier', 'clinic', '', 1, 1002), (1002, 'verifier', 'platform', '', 1, NULL)"
        )
    assert copy(lived, postgres.url(database)).code == 0


def test_a_database_with_an_authority_in_it_is_left_alone(
    lived: Terminal, postgres: PostgresServer, database: str
) -> None:
    assert copy(lived, postgres.url(database)).code == 0
    said = copy(lived, postgres.url(database))
    assert (said.code, said.out) == (1, "")
    assert "name an empty one" in said.err


@pytest.mark.parametrize(
    ("target", "why"),
    [
        pytest.param("sqlite:///{state}/jpki.db", "the database that is in use", id="itself"),
        pytest.param("mysql://somewhere/else", "the database must be", id="another kind"),
        pytest.param("sqlite:////nowhere/at/all.db", "cannot be made", id="a folder that is not there"),
        pytest.param("postgresql://nobody@/none?host=/nowhere", "cannot be used", id="a server that is away"),
    ],
)
def test_what_cannot_be_copied_to_is_refused(target: str, why: str, terminal: Terminal) -> None:
    said = copy(terminal, target.format(state=terminal.state))
    assert said.code != 0
    assert why in said.err
    assert "Traceback" not in said.err
