"""The role of a status node reads what it needs, and neither writes nor reads anything else."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from domain.errors import Code, Refusal
from store.grants import COLUMNS, status_grants
from store.metadata import metadata
from store.schema import create
from tests.support.postgres import PostgresServer

ROLE = "status_reader"
Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def reader(postgres: PostgresServer) -> Iterator[Connection]:
    """A session of the role, in a new database."""
    name = postgres.new_database()
    create(postgres.url(name))
    with postgres.connect(name) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(ROLE)))
        for statement in status_grants(ROLE):
            owner.execute(statement.encode())
    address = f"dbname={name} user={ROLE} host={postgres.folder}"
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection
    postgres.drop_database(name)
    with postgres.connect() as owner:
        owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(ROLE)))


def refused(connection: Connection, statement: sql.Composed) -> bool:
    try:
        connection.execute(statement)
    except InsufficientPrivilege:
        return True
    return False


@pytest.mark.postgresql
def test_each_column_is_read_or_not_as_the_table_of_grants_says_and_none_is_written(reader: Connection) -> None:
    assert metadata.tables.keys() >= COLUMNS.keys() - {"alembic_version"}
    readable, writable = set(), set()
    for name, table in metadata.tables.items():
        for column in (column.name for column in table.columns):
            words = {"table": sql.Identifier(name), "column": sql.Identifier(column)}
            if not refused(reader, sql.SQL("SELECT {column} FROM {table} LIMIT 0").format(**words)):
                readable.add((name, column))
            if not refused(reader, sql.SQL("UPDATE {table} SET {column} = NULL").format(**words)):
                writable.add((name, column))
        for act in ("DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES", "TRUNCATE {}"):
            if not refused(reader, sql.SQL(act).format(sql.Identifier(name))):
                writable.add((name, act))
    assert writable == set()
    assert readable == {
        (name, column)
        for name, columns in COLUMNS.items()
        if name in metadata.tables
        for column in columns or tuple(column.name for column in metadata.tables[name].columns)
    }


@pytest.mark.postgresql
def test_nobody_who_has_a_role_may_make_tables(reader: Connection) -> None:
    with pytest.raises(InsufficientPrivilege):
        reader.execute("CREATE TABLE mine (id integer)")


def test_no_resident_and_no_certificate_is_among_what_is_read() -> None:
    assert not COLUMNS.keys() & {"residents", "notices", "audit_rows", "receipts", "provision_segments", "tracers"}
    assert not {"der", "resident_id", "spki_digest"} & set(COLUMNS["certificates"])


def test_a_name_that_would_have_to_be_quoted_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        status_grants('status"; DROP TABLE residents; --')
    assert refusal.value.code is Code.BAD_CONFIGURATION
