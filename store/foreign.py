"""Databases of others: their tables and rows as they are, read without writing anything."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from domain.errors import Code, Refusal
from store.engine import parse_url

_ROWS = 2000
_WAIT = 5
_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1, 2
"""

Table = tuple[str, str]
"""Schema (empty in SQLite) and name."""

Rows = Sequence[Sequence[Any]]


def foreign_tables(url: str) -> list[Table]:
    """The tables of a database, without views. Raises Refusal(STORE_UNAVAILABLE) when it cannot be read, and
    Refusal(BAD_CONFIGURATION) for an address that is none."""
    if path := _file_of(url):
        with _Refusing(), closing(_open(path)) as connection:
            found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
            return [("", name.decode("utf-8", "surrogateescape")) for (name,) in found]
    with _Refusing(), psycopg.connect(_address(url), connect_timeout=_WAIT) as connection:
        return [(schema, name) for schema, name in connection.execute(_TABLES).fetchall()]


def foreign_rows(url: str, table: Table) -> Iterator[tuple[Sequence[str], Rows]]:
    """The names of the table's columns, and some thousand rows at a time. Raises as `foreign_tables` does; what was
    read before stands."""
    if path := _file_of(url):
        with _Refusing(), closing(_open(path)) as connection:
            name = table[1].replace('"', '""')
            cursor = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608  the name is the database's own
            yield from _batches([str(column[0]) for column in cursor.description], cursor)
        return
    with _Refusing(), psycopg.connect(_address(url), connect_timeout=_WAIT) as connection:
        connection.read_only = True
        with connection.cursor(name="scan") as rows:
            rows.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(*table)))
            yield from _batches([column.name for column in rows.description or ()], rows)


def _batches(columns: Sequence[str], cursor: Any) -> Iterator[tuple[Sequence[str], Rows]]:
    yield columns, []
    while rows := cursor.fetchmany(_ROWS):
        yield columns, rows


class _Refusing:
    """Errors of the drivers as refusals, without the words of the driver: they may quote values."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, sqlite3.Error | psycopg.Error):
            why = "permission is denied" if isinstance(error, psycopg.errors.InsufficientPrivilege) else _why(error)
            raise Refusal(Code.STORE_UNAVAILABLE, f"the database cannot be read: {why}") from None


def _why(error: Exception) -> str:
    if isinstance(error, psycopg.OperationalError):
        return "it does not answer, or does not let us in"
    name = getattr(error, "sqlite_errorname", "")
    words = {"SQLITE_CORRUPT": "it is damaged or cut off", "SQLITE_NOTADB": "it is encrypted or no database"}
    return words.get(name, f"{type(error).__name__} {name}".strip())


def _file_of(url: str) -> Path | None:
    parsed = parse_url(url)
    return Path(parsed.database or "") if parsed.drivername == "sqlite" else None


def _address(url: str) -> str:
    return parse_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _open(path: Path) -> sqlite3.Connection:
    # Rows may still lie in the log beside the file. Without one the file is all there is, and nothing is made there.
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True)
    connection.text_factory = bytes
    return connection
