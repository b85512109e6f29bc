"""Connections past SQLAlchemy, for questions that are asked very often and that nobody may wait for in vain."""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy import URL

from store.engine import LOCK_WAIT, begin, open_sqlite, parse_url, postgresql_arguments
from store.faults import fault_of
from store.server import LONGEST_WAIT, PATIENCE, BoundedConnection, StandsStill, server_of

_ERRORS = (sqlite3.Error, psycopg.Error)

_BY_INDEX = "".join(
    f" -c {setting}"
    for setting in (
        "enable_seqscan=off",
        "enable_hashjoin=off",
        "enable_mergejoin=off",
        "max_parallel_workers_per_gather=0",
        "jit=off",
    )
)
"""Questions are about few rows, however many there are. A server that keeps a plan from when a table was small, or
reckons with all that a question might find, would read through whole tables, and start processes for it."""

Row = tuple[Any, ...]
Values = Sequence[object]


class Connections:
    """Threads may share them; a forked child opens its own. All transactions only read.

    A question borrows a connection, so there are as many as threads that ask at once. One that turns out dead is
    replaced within the question: a restarted server costs nobody an answer.
    """

    def __init__(self, url: str, *, lock_wait: float = LOCK_WAIT) -> None:
        """`lock_wait` is in seconds. Connects when first asked. Raises Refusal(BAD_CONFIGURATION)."""
        parsed = parse_url(url)
        self.postgresql = parsed.drivername != "sqlite"
        self._source: _Sqlite | _Postgresql = (_Postgresql if self.postgresql else _Sqlite)(parsed, lock_wait)
        self._idle: deque[Any] = deque()
        self._pid = os.getpid()
        self._parents: list[deque[Any]] = []

    def text(self, query: str) -> str:
        """A query as the driver wants it; `{0}` stands for each value."""
        return query.format("%s" if self.postgresql else "?")

    def rows(self, text: str, values: Values) -> Sequence[Row]:
        """All rows of a query. Raises Refusal(STORE_UNAVAILABLE) or Refusal(BUSY)."""
        if self._pid != os.getpid():
            # Kept and never touched: closing them here would end the parent's sessions.
            self._parents.append(self._idle)
            self._idle, self._pid = deque(), os.getpid()
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._rows_anew(text, values)
        try:
            rows = self._source.rows(connection, text, values)
        except _ERRORS as error:
            drop(connection)
            if isinstance(error, StandsStill):
                self.close()  # the other connections lead nowhere either
            rows = self._rows_anew(text, values)
        else:
            self._idle.append(connection)
        return rows

    def _rows_anew(self, text: str, values: Values) -> Sequence[Row]:
        connection: Any = None
        try:
            connection = self._source.open_to_ask()
            rows = self._source.rows(connection, text, values)
        except _ERRORS as error:
            fault = fault_of(error)
        else:
            self._idle.append(connection)
            return rows
        drop(connection)
        raise fault

    @contextmanager
    def snapshot(self) -> Iterator[Callable[[str, Values, int], Iterator[Sequence[Row]]]]:
        """Queries that all see one moment, over a connection of their own; each gives its rows some at a time.
        Raises as `rows` does."""
        connection: Any = None
        try:
            connection = self.open(PATIENCE)
            begin(connection, write=False)
            yield lambda text, values, size: self._source.blocks(connection, text, values, size)
        except _ERRORS as error:
            fault = fault_of(error)
        else:
            return
        finally:
            drop(connection)
        raise fault

    def open(self, longest_wait: float = LONGEST_WAIT) -> Any:
        """A connection for the caller alone, who closes it. Raises the driver's errors."""
        return self._source.open(longest_wait)

    def close(self) -> None:
        """Close the connections that are not in use; the next question opens a new one."""
        while self._idle:
            self._idle.pop().close()


class _Sqlite:
    def __init__(self, url: URL, lock_wait: float) -> None:
        self._url = url
        self._lock_wait = lock_wait

    def open(self, _longest_wait: float) -> sqlite3.Connection:
        return open_sqlite(self._url, self._lock_wait)

    def open_to_ask(self) -> sqlite3.Connection:
        return self.open(LONGEST_WAIT)

    def rows(self, connection: sqlite3.Connection, text: str, values: Values) -> Sequence[Row]:
        # The driver keeps the prepared statement by its text.
        return connection.execute(text, values).fetchall()

    def blocks(self, connection: sqlite3.Connection, text: str, values: Values, size: int) -> Iterator[Sequence[Row]]:
        cursor = connection.execute(text, values)
        while rows := cursor.fetchmany(size):
            yield rows


class _Postgresql:
    def __init__(self, url: URL, lock_wait: float) -> None:
        self._server = server_of(url.render_as_string(hide_password=False))
        _, arguments = url.get_dialect()().create_connect_args(url)
        self._arguments = {**arguments, **postgresql_arguments(url, False, lock_wait), "autocommit": True}

    def open(self, longest_wait: float, settings: str = "") -> BoundedConnection:
        given = self._arguments
        options, waits = given["options"] + settings, min(longest_wait, given["connect_timeout"])
        return self._server.connect({**given, "options": options, "connect_timeout": waits}, longest_wait)

    def open_to_ask(self) -> BoundedConnection:
        return self.open(LONGEST_WAIT, _BY_INDEX)

    def rows(self, connection: BoundedConnection, text: str, values: Values) -> Sequence[Row]:
        return connection.execute(text, values, prepare=True, binary=True).fetchall()

    def blocks(self, connection: BoundedConnection, text: str, values: Values, size: int) -> Iterator[Sequence[Row]]:
        with connection.cursor("blocks", binary=True) as cursor:
            cursor.execute(text, values)
            while rows := cursor.fetchmany(size):
                yield rows


def drop(connection: Any) -> None:
    """Close a connection that may be dead, or None."""
    with suppress(*_ERRORS):
        if connection is not None:
            connection.close()
