"""The schema: made by its revisions, the same as the tables say, and judged before use."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.events import EventType, NoticeState
from domain.lists import Scope
from domain.people import MunicipalityCode
from domain.revocation import RevocationCount, weight
from store.engine import open_reader, open_writer
from store.schema import check, create
from store.tables import metadata
from store.work import SqlBegin
from tests.support.postgres import PostgresServer
from tests.support.stores import add_resident, audit_signer

OLD_RESIDENT = """INSERT INTO residents
    (id, code_index, code_sealed, municipality, name, address, birth_date, sex, state, changed_at)
    VALUES (1, :octets, :octets, '132217', 'name', 'address', :day, '1', 'present', 0)"""
OLD_NOTICE = """INSERT INTO notices
    (sender, notice_id, content, resident_id, type, effective_on, municipality, received_at)
    VALUES ('register:juki', 'n1', :octets, 1, 'death', :day, '132217', 0)"""
"""Rows of the first version."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database that is not there yet (SQLite) or empty (PostgreSQL)."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'a name with % and #.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        yield server.url(server.new_database())


def run(url: str, statement: str) -> None:
    engine = open_writer(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def test_the_revisions_make_what_the_tables_say(url: str) -> None:
    create(url)
    engine = open_reader(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_database_is_not_fit_before_it_is_made_and_fit_afterwards(url: str) -> None:
    assert [problem for problem in check(url) if "initialise" in problem]
    create(url)
    assert check(url) == []


def test_making_it_again_changes_nothing(url: str) -> None:
    create(url)
    begin = SqlBegin(url, audit_signer())
    with begin() as work:
        add_resident(work)
        work.commit()
    create(url)
    with begin(write=False) as work:
        assert work.residents.count() == 1
    begin.close()


def test_notices_of_the_first_version_count_as_applied(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        upgrade = command.upgrade
        patched.setattr("store.schema.command.upgrade", lambda configuration, _: upgrade(configuration, "0001"))
        create(url)
    engine = open_writer(url)
    with engine.begin() as connection:
        values = {"octets": bytes(32), "day": date(2027, 4, 1)}
        connection.execute(text(OLD_RESIDENT), values)
        connection.execute(text(OLD_NOTICE), values)
    engine.dispose()
    create(url)
    begin = SqlBegin(url, audit_signer())
    with begin(write=False) as work:
        (found,) = work.notices.page("register:juki", NoticeState.APPLIED, 0, 9)
        assert (found.notice_id, found.sequence, found.type) == ("n1", None, EventType.DEATH)
        assert work.notices.latest_effective(1) == date(2027, 4, 1)
        assert work.notices.expected("register:juki") == 1
    begin.close()


def test_a_newer_database_is_left_alone(url: str) -> None:
    create(url)
    run(url, "UPDATE alembic_version SET version_num = '9999'")
    assert ["newer version" in problem for problem in check(url)] == [True]


def test_making_is_all_or_nothing(url: str) -> None:
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).touch()
    run(url, "CREATE TABLE scopes (id INTEGER)")
    with pytest.raises((Refusal, RuntimeError)):
        create(url)
    run(url, "DROP TABLE scopes")
    create(url)
    assert check(url) == []


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    create(f"sqlite:///{tmp_path / 'jpki.db'}")
    assert stat.S_IMODE((tmp_path / "jpki.db").stat().st_mode) == 0o600


def test_a_file_that_cannot_be_made_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        create(f"sqlite:///{tmp_path / 'missing' / 'jpki.db'}")
    assert refused.value.code is Code.BAD_CONFIGURATION


def test_a_file_that_is_no_database_is_away(tmp_path: Path) -> None:
    (tmp_path / "jpki.db").write_bytes(b"something else entirely, and long enough for a header " * 10)
    url = f"sqlite:///{tmp_path / 'jpki.db'}"
    assert "is no SQLite database" in check(url)[0]
    with pytest.raises(Refusal) as refused:
        create(url)
    assert refused.value.code is Code.STORE_UNAVAILABLE


def test_an_older_database_asks_to_be_upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'jpki.db'}"
    create(url)
    monkeypatch.setattr("alembic.script.ScriptDirectory.get_heads", lambda _: ["9999"])
    assert ["upgrade" in problem for problem in check(url)] == [True]


def test_looking_does_not_make_a_file(tmp_path: Path) -> None:
    assert check(f"sqlite:///{tmp_path / 'jpki.db'}") != []
    assert list(tmp_path.iterdir()) == []


def test_another_program_finds_the_file_in_order(tmp_path: Path) -> None:
    create(f"sqlite:///{tmp_path / 'jpki.db'}")
    with closing(sqlite3.connect(tmp_path / "jpki.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_revocations_of_older_versions_are_counted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        upgrade = command.upgrade
        patched.setattr("store.schema.command.upgrade", lambda configuration, _: upgrade(configuration, "0021"))
        create(url)
    serials = [bytes((*range(14), 0xAF, number)) for number in (0, 9, 0x10, 0xFF)]
    engine = open_writer(url)
    with engine.begin() as connection:
        connection.execute(text(OLD_RESIDENT), {"octets": bytes(32), "day": date(2027, 4, 1)})
        for application, serial in enumerate(serials, start=1):
            key = {"octets": bytes(1), "id": application, "key": str(application)}
            connection.execute(text(OLD_APPLICATION), key)
            values = {"serial": serial, "serial2": serial * 2, "application": application}
            state = {"predecessor": None, "pending": False, "ended": 0}
            connection.execute(text(OLD_CERTIFICATES), {**values, **state})
            connection.execute(text(OLD_REVOCATION), {"serial": serial, "cause": "renewal"})
    engine.dispose()
    create(url)
    begin = SqlBegin(url, audit_signer())
    with begin(write=False) as work:
        found = work.revocations.count(Scope(IssuerId("signature-g1"), MunicipalityCode("132217")), None)
    begin.close()
    assert found == RevocationCount(4, sum(weight(serial, 0, 4) for serial in serials))


OLD_APPLICATION = """INSERT INTO applications (id, caller, key, content, resident_id, municipality, received_at)
    VALUES (:id, 'c', :key, :octets, 1, '132217', 0)"""
OLD_CERTIFICATES = """INSERT INTO certificates (issuer, serial, state, kind, carrier, resident_id, application_id,
    municipality, not_before, not_after, spki_digest, profile_digest, reserved_at, predecessor, pending, ended_at, der)
    VALUES ('signature-g1', :serial, 'issued', 'signature', 'card', 1, :application, '132217', 0, 9, :serial2, '', 0,
    :predecessor, :pending, :ended, :serial)"""
OLD_REVOCATION = """INSERT INTO revocations
    (issuer, serial, municipality, cause, reason, revoked_at, not_after, receipt, received_at)
    VALUES ('signature-g1', :serial, '132217', :cause, 4, 0, 9, '', 0)"""


def test_renewed_certificates_of_older_versions_come_into_the_lines_of_those_they_followed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Applications 1, 2 and 3 are renewals, 4 follows a move, 5 waits to renew it, and 6 was never handed over."""
    rows = [
        (1, None, "renewal", False),
        (2, 1, "renewal", False),
        (3, 2, "resident-event", False),
        (4, 3, None, False),
        (5, 4, None, True),
        (6, 3, "never-delivered", False),
    ]
    with monkeypatch.context() as patched:
        upgrade = command.upgrade
        patched.setattr("store.schema.command.upgrade", lambda configuration, _: upgrade(configuration, "0011"))
        create(url)
    engine = open_writer(url)
    with engine.begin() as connection:
        connection.execute(text(OLD_RESIDENT), {"octets": bytes(32), "day": date(2027, 4, 1)})
        for application, predecessor, cause, pending in rows:
            key = {"octets": bytes(1), "id": application, "key": str(application)}
            connection.execute(text(OLD_APPLICATION), key)
            serial = bytes((application,)) * 16
            values = {"serial": serial, "serial2": serial * 2, "application": application}
            state = {"predecessor": predecessor, "pending": pending, "ended": 0 if cause else None}
            connection.execute(text(OLD_CERTIFICATES), {**values, **state})
            if cause:
                connection.execute(text(OLD_REVOCATION), {"serial": serial, "cause": cause})
    engine.dispose()
    create(url)
    engine = open_reader(url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT application_id, line FROM certificates ORDER BY 1")).all()
    engine.dispose()
    assert [tuple(row) for row in found] == [(1, None), (2, 1), (3, 1), (4, None), (5, 4), (6, None)]
