"""Databases that are busy, full, read-only or gone: a clear refusal, nothing changed, and work goes on afterwards."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Pool, event

from audit.chain import verify
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from store.faults import DatabaseBug
from store.schema import check
from tests.support.people import KIYOSE, PERSON
from tests.support.postgres import PostgresServer
from tests.support.stores import NOW, Store, add_resident, postgres_store, sql_store, sqlite_store

EVENT = AuditEvent(Act.RESIDENT_CHANGED, "register:test", NOW)


def write(store: Store, label: str = "resident") -> None:
    with store.begin() as work:
        add_resident(work, label)
        work.audit.append(EVENT)
        work.commit()


def read(store: Store) -> int:
    with store.begin(write=False) as work:
        assert verify(work.audit.rows(), work.audit.head(), lambda *_: True) is None
        return work.residents.count()


@contextmanager
def refusing(code: Code) -> Iterator[None]:
    """What happens inside is refused with that code, within bounded time, and with nothing of the driver in tow."""
    started = time.monotonic()
    with pytest.raises(Refusal) as refused:
        yield
    assert refused.value.code is code
    assert time.monotonic() - started < 20
    assert refused.value.__context__ is None
    assert "database" in refused.value.detail


def test_a_locked_sqlite_file_is_busy(tmp_path: Path) -> None:
    with (
        sqlite_store(tmp_path, lock_wait=0.1) as store,
        closing(sqlite3.connect(tmp_path / "jpki.db", isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with refusing(Code.BUSY):
            write(store)
        assert read(store) == 0, "readers do not wait for writers"
        other.execute("ROLLBACK")
        write(store)
        assert read(store) == 1


@pytest.mark.postgresql
def test_a_locked_audit_head_is_busy(postgres: PostgresServer, postgres_url: str) -> None:
    with postgres_store(postgres_url, lock_wait=0.1) as store:
        with store.begin(), sql_store(postgres_url, lock_wait=0.1) as other, refusing(Code.BUSY):
            write(other)
        write(store)
        assert read(store) == 1


def test_a_second_writer_in_one_process_is_busy_when_the_first_does_not_end(store: Store) -> None:
    with sql_store(store.url, lock_wait=0.1) as impatient:
        with impatient.begin(), refusing(Code.BUSY):
            write(impatient)
        write(impatient)
        assert read(impatient) == 1


@contextmanager
def pages(limit: int) -> Iterator[None]:
    """SQLite files opened meanwhile cannot grow beyond so many pages: what a full disk looks like from inside."""

    def limited(connection: Any, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {limit}")

    event.listen(Engine, "connect", limited)
    yield
    event.remove(Engine, "connect", limited)


def test_a_full_disk_is_an_outage_and_changes_nothing(tmp_path: Path) -> None:
    with sqlite_store(tmp_path) as store:
        write(store)
    size = (tmp_path / "jpki.db").stat().st_size // 4096
    with pages(size + 1), sql_store(f"sqlite:///{tmp_path / 'jpki.db'}") as store, refusing(Code.STORE_UNAVAILABLE):
        for number in range(1000):
            with store.begin() as work:
                for row in range(50):
                    add_resident(work, f"{number} {row}")
                work.audit.append(EVENT)
                work.commit()
    with sql_store(f"sqlite:///{tmp_path / 'jpki.db'}") as store:
        assert read(store) % 50 == 1, "whole units of work or nothing"
        write(store, "afterwards")
        assert read(store) % 50 == 2
    with closing(sqlite3.connect(tmp_path / "jpki.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_connection_that_met_an_outage_is_used_by_nobody_else(tmp_path: Path) -> None:
    with sqlite_store(tmp_path) as store:
        write(store)
    size = (tmp_path / "jpki.db").stat().st_size // 4096
    ended: list[object] = []

    def note(connection: object, *_: object) -> None:
        ended.append(connection)

    event.listen(Pool, "invalidate", note)
    with pages(size), sql_store(f"sqlite:///{tmp_path / 'jpki.db'}") as store:
        with store.begin() as work:
            assert work.residents.count() == 1
        assert not ended
        with refusing(Code.STORE_UNAVAILABLE):
            write(store, "x" * 10_000)
    event.remove(Pool, "invalidate", note)
    assert len(ended) == 1


def test_a_read_only_file_can_be_read_and_not_written(tmp_path: Path) -> None:
    with sqlite_store(tmp_path) as store:
        write(store)
        with sql_store(f"sqlite:///{tmp_path / 'jpki.db'}?mode=ro") as reader:
            with refusing(Code.STORE_UNAVAILABLE):
                write(reader)
            assert read(reader) == 1


@pytest.mark.postgresql
def test_a_server_whose_transactions_only_read_by_default_can_be_read(postgres_url: str) -> None:
    with postgres_store(postgres_url) as store:
        write(store)
        with sql_store(f"{postgres_url}&options=-cdefault_transaction_read_only%3Don") as reader:
            assert read(reader) == 1


@pytest.mark.postgresql
def test_a_server_that_may_not_open_its_own_files_is_away(postgres: PostgresServer, postgres_url: str) -> None:
    """As on a disk that may only be read. It says so by the same state as to a caller that lacks a privilege."""
    with postgres_store(postgres_url) as store:
        write(store)
        with postgres.connect(postgres_url.partition("?")[0].rpartition("/")[2]) as connection:
            found = connection.execute("SELECT pg_relation_filepath('residents')").fetchone()
        assert found
        file = postgres.folder / "cluster" / str(found[0])
        file.chmod(0)
        try:
            with sql_store(postgres_url) as other, refusing(Code.STORE_UNAVAILABLE):
                read(other)
        finally:
            file.chmod(0o600)
        assert read(store) == 1


@pytest.mark.postgresql
def test_a_privilege_that_is_lacking_is_no_outage(postgres_url: str) -> None:
    address = f"{postgres_url}&options=-crole%3Dpg_monitor"
    with postgres_store(postgres_url), sql_store(address) as other, pytest.raises(DatabaseBug):
        read(other)


def test_a_stream_that_was_left_open_shows_its_view_to_nobody_else(store: Store) -> None:
    with store.begin() as work:
        work.residents.put_many([(b"%032d" % number, b"sealed", KIYOSE.code, PERSON) for number in range(1500)], NOW)
        work.commit()
    with store.begin(write=False) as work:
        rows = work.residents.sealed()
        next(rows)
    write(store)
    assert read(store) == 1501
    with pytest.raises(RuntimeError):
        list(rows)


def test_a_missing_file_is_an_outage_and_is_not_made(tmp_path: Path) -> None:
    with sql_store(f"sqlite:///{tmp_path / 'jpki.db'}") as store:
        with refusing(Code.STORE_UNAVAILABLE):
            write(store)
        with refusing(Code.STORE_UNAVAILABLE):
            read(store)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_does_not_answer_is_an_outage(tmp_path: Path) -> None:
    url = f"postgresql://nobody@/nothing?host={tmp_path}"
    with sql_store(url) as store:
        with refusing(Code.STORE_UNAVAILABLE):
            write(store)
        with refusing(Code.STORE_UNAVAILABLE):
            read(store)
    with refusing(Code.STORE_UNAVAILABLE):
        check(url)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "moment", ["before-a-statement", "while-streaming", "before-the-head-is-signed", "before-the-commit"]
)
def test_a_lost_connection_is_an_outage_once_and_changes_nothing(
    postgres: PostgresServer, postgres_url: str, moment: str
) -> None:
    def lose() -> None:
        with store.begin() as work:
            add_resident(work, "first")
            rows = work.residents.sealed()
            if moment == "while-streaming":
                work.residents.put_many(many, NOW)
                next(rows)
            postgres.end_sessions()
            if moment == "before-a-statement":
                add_resident(work, "second")
            if moment == "while-streaming":
                list(rows)
            if moment == "before-the-head-is-signed":
                work.audit.append(EVENT)
            work.commit()

    with postgres_store(postgres_url) as store:
        many = [(b"%032d" % number, b"sealed", KIYOSE.code, PERSON) for number in range(3000)]
        with refusing(Code.STORE_UNAVAILABLE):
            lose()
        assert read(store) == 0
        write(store)
        assert read(store) == 1


@pytest.mark.postgresql
def test_sessions_that_ended_between_units_cost_nobody_a_refusal(postgres: PostgresServer, postgres_url: str) -> None:
    with postgres_store(postgres_url) as store:
        write(store)
        assert read(store) == 1
        postgres.end_sessions()
        write(store, "another")
        postgres.end_sessions()
        assert read(store) == 2


@pytest.mark.postgresql
def test_a_connection_lost_by_who_leaves_without_commit_is_not_missed(
    postgres: PostgresServer, postgres_url: str
) -> None:
    with postgres_store(postgres_url) as store:
        for write_it in (True, False):
            with store.begin(write=write_it) as work:
                assert work.residents.count() == 0
                postgres.end_sessions()
        write(store)
        assert read(store) == 1
