"""Connections: addresses, durability settings, and nothing made by mistake."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from sqlalchemy import Engine

from domain.errors import Code, Refusal
from store.engine import begin, open_reader, open_writer, parse_url
from store.schema import create
from tests.support.stores import Store


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="nothing"),
        pytest.param("jpki.db", id="a-path"),
        pytest.param("sqlite://", id="a-database-in-memory"),
        pytest.param("sqlite:///:memory:", id="a-database-in-memory-by-name"),
        pytest.param("sqlite:///jpki.db", id="a-path-relative-to-who-knows-what"),
        pytest.param("mysql://user@host/name", id="another-database"),
        pytest.param("postgresql+pg8000://user@host/name", id="another-driver"),
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_url(url)
    assert refused.value.code is Code.BAD_CONFIGURATION


def test_a_password_is_not_shown() -> None:
    with pytest.raises(Refusal) as refused:
        parse_url("mysql://jpki:open-sesame@localhost/jpki")
    assert "open-sesame" not in str(refused.value)
    engine = open_reader("postgresql://jpki:open-sesame@localhost/jpki")
    assert "open-sesame" not in repr(engine)


def ask(engine: Engine, *statements: str) -> list[object]:
    with engine.connect() as connection:
        answers = [connection.exec_driver_sql(statement).scalar() for statement in statements]
    engine.dispose()
    return answers


def test_sqlite_keeps_what_was_committed_and_checks_references(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'jpki.db'}"
    create(url)
    settings = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    for engine, waits in ((open_reader(url, lock_wait=1.5), 1500), (open_writer(url, lock_wait=1.5), 0)):
        assert ask(engine, *(f"PRAGMA {name}" for name in settings)) == ["wal", 2, 1, waits]


def test_a_writer_gets_the_file_soon_after_another_process_is_done_with_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'jpki.db'}"
    create(url)
    with closing(sqlite3.connect(tmp_path / "jpki.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        engine = open_writer(url, lock_wait=30.0)
        release = Timer(0.3, other.execute, ["ROLLBACK"])
        release.start()
        with closing(engine.raw_connection()) as pooled:
            connection: Any = pooled.driver_connection
            begin(connection, write=True)
            release.join()
            assert connection.in_transaction
        engine.dispose()


SETTINGS = (
    "default_transaction_isolation",
    "default_transaction_read_only",
    "lock_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "synchronous_commit",
)


@pytest.mark.postgresql
def test_postgresql_waits_no_longer_than_it_was_told(postgres_url: str) -> None:
    shown = [f"SHOW {name}" for name in SETTINGS]
    assert ask(open_writer(postgres_url, lock_wait=1.5), *shown) == [
        "read committed", "off", "1500ms", "1min", "1min", "on",
    ]  # fmt: skip
    assert ask(open_reader(postgres_url, lock_wait=1.5), *shown) == [
        "repeatable read", "on", "1500ms", "1min", "1min", "on",
    ]  # fmt: skip


@pytest.mark.postgresql
def test_options_in_the_address_are_kept(postgres_url: str) -> None:
    engine = open_reader(f"{postgres_url}&options=-csearch_path%3Dsomewhere")
    assert ask(engine, "SHOW search_path", "SHOW lock_timeout") == ["somewhere", "5s"]


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_a_unit_that_need_not_last_changes_nothing_for_the_next(store: Store) -> None:
    """One connection serves all writers: it waits for the disk again as soon as somebody asks for that."""
    writer = open_writer(store.url)
    waits = "PRAGMA synchronous" if writer.dialect.name == "sqlite" else "SHOW synchronous_commit"
    found = []
    for lasting in (True, False, True):
        pooled = writer.raw_connection()
        connection: Any = pooled.driver_connection
        begin(connection, True, lasting)
        found.append(connection.execute(waits).fetchone()[0])
        connection.rollback()
        pooled.close()
    writer.dispose()
    assert found in ([2, 1, 2], ["on", "off", "on"])
