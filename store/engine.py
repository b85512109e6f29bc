"""Connections: opened so that a commit is on disk, no lock is waited for in vain, and no error text names values."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from domain.errors import Code, Refusal
from store.server import BoundedConnection, server_of

LOCK_WAIT = 5.0
"""Seconds after which a lock that is not had becomes Refusal(BUSY)."""

DriverConnection = sqlite3.Connection | BoundedConnection

_LOOK = 0.0004
"""Seconds from one look to the next whether a SQLite file is free to be written."""

_CHECKPOINT = 64_000
"""Pages in SQLite's log, 256 MiB, after which they go to where they belong: pages that come again and again go once."""

_CACHE = 16 * 1024
"""KiB that a writer of SQLite keeps of the file: what a whole transaction touches, so that nothing is written twice."""

_STATEMENT_LIMIT = 60.0
"""Seconds a statement may run and a transaction may idle on PostgreSQL: whoever hangs must not stop the rest."""


def parse_url(url: str) -> URL:
    """`sqlite:////absolute/path` or `postgresql://user@host/name`; Refusal(BAD_CONFIGURATION) for anything else."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    match parsed:
        case URL(drivername="sqlite", database=str(path)) if Path(path).is_absolute():
            return parsed
        case URL(drivername="postgresql" | "postgresql+psycopg"):
            return parsed.set(drivername="postgresql+psycopg")
    raise Refusal(
        Code.BAD_CONFIGURATION, "the database must be sqlite:////absolute/path or postgresql://user@host/name"
    )


def open_reader(url: str, *, lock_wait: float = LOCK_WAIT, size: int = 16) -> Engine:
    """An engine whose transactions see one moment and change nothing. It connects when first used.

    `size` is the most connections it holds, `lock_wait` in seconds. Raises Refusal(BAD_CONFIGURATION).
    """
    return _open(parse_url(url), False, lock_wait, size)


def open_writer(url: str, *, lock_wait: float = LOCK_WAIT) -> Engine:
    """An engine whose transactions write, over one connection: writers are one after the other anyway, and threads
    that queue for a connection are served sooner and more fairly than in SQLite's own queue.

    A SQLite file must exist (`store.schema.create` makes it): a mistyped path must not become an empty authority.
    `?mode=ro` behind it opens it for reading only. Raises Refusal(BAD_CONFIGURATION).
    """
    return _open(parse_url(url), True, lock_wait, 1)


def _open(url: URL, write: bool, lock_wait: float, size: int) -> Engine:
    options: dict[str, Any] = {
        # Parameters are serials, sealed codes and the four items: error texts go without them.
        "hide_parameters": True,
        "pool_size": size,
        "max_overflow": 0,
        "pool_timeout": lock_wait,
    }
    if url.drivername == "sqlite":
        opened = _open_sqlite_writer if write else open_sqlite
        engine = create_engine(url.set(query={}), creator=lambda: opened(url, lock_wait), **options)
    else:
        # Drivers begin transactions by themselves, and late; ours begin when we say so.
        arguments = {**postgresql_arguments(url, write, lock_wait), "autocommit": True}
        engine = create_engine(url, connect_args=arguments, paramstyle="format", **options)
        server = server_of(url.render_as_string(hide_password=False))
        event.listen(engine, "do_connect", lambda _dialect, _record, _, arguments: server.connect(arguments))
    event.listen(engine, "begin", lambda connection: begin(connection.connection.driver_connection, write))
    return engine


def begin(connection: DriverConnection, write: bool, lasting: bool = True) -> None:
    """Begin a transaction on a connection of an engine of ours. Raises the driver's errors.

    One that writes and is not `lasting` does not wait for the disk at its commit. The log is written in order, on both
    engines: when a later commit is on disk, this one is.
    """
    if not isinstance(connection, sqlite3.Connection):
        connection.begin()
        if write and not lasting:
            connection.execute("SET LOCAL synchronous_commit = off")
    elif write:
        connection.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
        _begin_to_write(connection)
    else:
        connection.execute("BEGIN")


class SqliteConnection(sqlite3.Connection):
    """`looks` is how often one that writes looks whether it may."""

    looks = 0


def _begin_to_write(connection: sqlite3.Connection) -> None:
    """A transaction that reads first and writes later can fail at its first write: a writer says so at once.

    SQLite itself looks at longer and longer intervals, up to a tenth of a second, while the file lies idle and others
    who came later write.
    """
    for _ in range(connection.looks if isinstance(connection, SqliteConnection) else 0):
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            sleep(_LOOK)
        else:
            return
    connection.execute("BEGIN IMMEDIATE")


def _open_sqlite_writer(url: URL, lock_wait: float) -> SqliteConnection:
    connection = open_sqlite(url, lock_wait)
    connection.looks = int(lock_wait / _LOOK)
    connection.execute("PRAGMA busy_timeout = 0")
    connection.execute(f"PRAGMA cache_size = -{_CACHE}")
    return connection


def open_sqlite(url: URL, lock_wait: float) -> SqliteConnection:
    """A connection to a SQLite file that exists, with the promises that this store rests on."""
    mode = "ro" if url.query.get("mode") == "ro" else "rw"
    connection = sqlite3.connect(
        f"file:{quote(url.database or '')}?mode={mode}",
        uri=True,
        timeout=lock_wait,
        factory=SqliteConnection,
        isolation_level=None,  # `begin` begins transactions, not the driver
        check_same_thread=False,  # a pool hands a connection to one thread at a time
    )
    connection.execute("PRAGMA journal_mode = WAL")  # readers never wait for the writer
    connection.execute("PRAGMA synchronous = FULL")  # what was committed survives a power cut
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
    return connection


def postgresql_arguments(url: URL, write: bool, lock_wait: float) -> dict[str, Any]:
    """What a PostgreSQL connection is told when it is opened."""
    settings = {
        # A writer waits for the lock of the audit head first, and must then read what is newer than its own beginning.
        "default_transaction_isolation": r"read\ committed" if write else r"repeatable\ read",
        "default_transaction_read_only": "off" if write else "on",
        "lock_timeout": int(lock_wait * 1000),
        "statement_timeout": int(_STATEMENT_LIMIT * 1000),
        "idle_in_transaction_session_timeout": int(_STATEMENT_LIMIT * 1000),
        "synchronous_commit": "on",
    }
    given = url.query.get("options", "")
    return {
        "options": " ".join([str(given), *(f"-c {name}={value}" for name, value in settings.items())]).strip(),
        "connect_timeout": 3,
        # A server that vanished without a word is noticed within half a minute.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 4,
        "application_name": "jpki",
    }
