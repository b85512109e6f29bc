"""Writability: whether a database takes writes is found out, now and then, without waiting for anybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from store.writability import Writability
from tests.support.postgres import PostgresServer
from tests.support.stores import Store, sqlite_store

SECOND = 10**9


class Steady:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@contextmanager
def without_room(server: PostgresServer, database: str) -> Iterator[None]:
    """New sessions find no room for a file."""
    with server.connect() as connection:
        connection.execute(f'ALTER DATABASE "{database}" SET temp_file_limit = 0')
    yield
    with server.connect() as connection:
        connection.execute(f'ALTER DATABASE "{database}" RESET temp_file_limit')


def test_a_database_that_is_well_takes_writes(store: Store) -> None:
    assert Writability(store.url, Steady())()


def test_a_database_that_somebody_writes_to_takes_writes(store: Store) -> None:
    with store.begin():
        assert Writability(store.url, Steady())()


def test_a_file_that_may_only_be_read_takes_none(tmp_path: Path) -> None:
    with sqlite_store(tmp_path):
        assert not Writability(f"sqlite:///{tmp_path / 'jpki.db'}?mode=ro", Steady())()


def test_a_missing_file_takes_none(tmp_path: Path) -> None:
    assert not Writability(f"sqlite:///{tmp_path / 'jpki.db'}", Steady())()
    assert not list(tmp_path.iterdir())


@pytest.mark.postgresql
def test_a_server_whose_disk_is_full_takes_none_until_there_is_room(
    postgres: PostgresServer, postgres_url: str
) -> None:
    steady = Steady()
    takes_writes = Writability(postgres_url, steady)
    assert takes_writes()
    with without_room(postgres, postgres_url.partition("?")[0].rpartition("/")[2]):
        assert takes_writes(), "asked again so soon, it has not been tried"
        steady.now += 6 * SECOND
        assert not takes_writes()
    steady.now += 6 * SECOND
    assert takes_writes()
