"""Everything a database holds, whatever its tables are: read as a thief of a copy would, without a key."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from store.engine import parse_url, postgresql_arguments
from store.faults import fault_of

_ROWS = 1000
_TABLES = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"


def every_value(url: str) -> Iterator[tuple[str, str, object]]:
    """(table, column, value) of every row of every table. A SQLite file is opened as it is, and never written to.

    Raises Refusal(BAD_CONFIGURATION) or Refusal(STORE_UNAVAILABLE) as the store does.
    """
    parsed = parse_url(url)
    try:
        if parsed.drivername == "sqlite":
            yield from _sqlite(Path(parsed.database or ""))
        else:
            options = postgresql_arguments(parsed, False, 5.0)
            plain = parsed.set(drivername="postgresql", query={k: v for k, v in parsed.query.items() if k != "options"})
            yield from _postgresql(plain.render_as_string(hide_password=False), options)
    except (sqlite3.Error, psycopg.Error) as error:
        fault = fault_of(error)
    else:
        return
    raise fault


def _sqlite(path: Path) -> Iterator[tuple[str, str, object]]:
    # Rows may still lie in the log beside the file. Without one the file is all there is, and nothing is made there.
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True)
    connection.text_factory = bytes  # whatever is in it, UTF-8 or not
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        for (name,) in tables:
            table = name.decode()
            cursor = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608  the name is the database's own
            yield from _values(table, [column[0] for column in cursor.description], cursor)
    finally:
        connection.close()


def _postgresql(address: str, options: dict[str, Any]) -> Iterator[tuple[str, str, object]]:
    with psycopg.connect(address, **options) as connection:
        for schema, table in connection.execute(_TABLES + " ORDER BY 1, 2").fetchall():
            with connection.cursor(name="inventory") as cursor:
                cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table)))
                yield from _values(table, [column.name for column in cursor.description or ()], cursor)


def _values(table: str, columns: list[str], cursor: Any) -> Iterator[tuple[str, str, object]]:
    while rows := cursor.fetchmany(_ROWS):
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                yield table, column, value
