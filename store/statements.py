"""The statements of one transaction, with database errors turned into refusals."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import psycopg
from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import Code, Refusal
from store.engine import begin
from store.faults import DatabaseBug, Refusals, fault_of
from store.prepared import AnyRow, Parameters, Prepared, Statement, prepare
from store.server import StandsStill

_CHUNK = 1000
"""Rows a stream fetches at a time."""

_ERRORS = (SQLAlchemyError, sqlite3.Error, psycopg.Error)
_NONE: Parameters = {}


class Statements:
    """What repositories speak to. After an error nothing more can be said: PostgreSQL would refuse it, SQLite must."""

    def __init__(self, engine: Engine, write: bool, lasting: bool = True) -> None:
        """Begin a transaction; `close` ends it. `lasting` as in `domain.ports.Begin`. Raises as `run` does."""
        self._write = write
        self._over = self._broken = False
        self._streams: list[Any] = []
        self._dialect = engine.dialect
        self.postgresql = engine.dialect.name == "postgresql"
        try:
            self._pooled = _begun(engine, write, lasting)
        except _ERRORS as error:
            fault = fault_of(error)
        else:
            connection: Any = self._pooled.driver_connection
            self._connection = connection
            # One for all statements: each one's rows are read before the next is run.
            self._cursor = self._connection.cursor()
            return
        raise fault

    def run(self, statement: Statement, parameters: Parameters | list[Any], refusals: Refusals = _NONE) -> int:
        """Change rows, once for each of several parameters; how many were changed in all.

        `refusals` says by constraint what a violation means. Raises those, Refusal(BUSY), Refusal(STORE_UNAVAILABLE) or
        DatabaseBug, never a database error.
        """
        each: list[Parameters] = parameters if isinstance(parameters, list) else [parameters]
        prepared = self._prepare(statement, each[0])
        values = [prepared.values(one) for one in each]
        try:
            if len(values) == 1:
                self._cursor.execute(prepared.text, values[0])
            else:
                self._cursor.executemany(prepared.text, values)
        except _ERRORS as error:
            fault = self._fault(error, refusals)
        else:
            changed: int = self._cursor.rowcount
            return changed
        self._over = True
        raise fault

    def many(
        self, statement: Statement, parameters: Parameters = _NONE, refusals: Refusals = _NONE
    ) -> Sequence[AnyRow]:
        """All rows at once. Raises as `run` does."""
        prepared = self._prepare(statement, parameters)
        values = prepared.values(parameters)
        try:
            self._cursor.execute(prepared.text, values, **prepared.options)
            rows = self._cursor.fetchall()
        except _ERRORS as error:
            fault = self._fault(error, refusals)
        else:
            return [prepared.row(row) for row in rows]
        self._over = True
        raise fault

    def find(self, statement: Statement, parameters: Parameters) -> AnyRow | None:
        """The only row, or None. Raises as `run` does."""
        rows = self.many(statement, parameters)
        return rows[0] if rows else None

    def one(self, statement: Statement, parameters: Parameters = _NONE, refusals: Refusals = _NONE) -> AnyRow:
        """The row of a statement that always gives one. Raises as `run` does."""
        return self.many(statement, parameters, refusals)[0]

    def stream(self, statement: Statement, parameters: Parameters = _NONE) -> Iterator[AnyRow]:
        """Rows as they are asked for, while the transaction lasts. Raises as `run` does."""
        row = self._prepare(statement, parameters).row
        for rows in self.blocks(statement, parameters, _CHUNK):
            yield from map(row, rows)

    def blocks(self, statement: Statement, parameters: Parameters, size: int) -> Iterator[Sequence[Sequence[Any]]]:
        """At most `size` rows at a time as the driver reads them, not in our types. Raises as `run` does."""
        prepared = self._prepare(statement, parameters)
        values = prepared.values(parameters)
        try:
            with closing(self._stream_cursor()) as cursor:
                cursor.execute(prepared.text, values)
                while rows := cursor.fetchmany(size):
                    yield rows
        except _ERRORS as error:
            fault = self._fault(error)
        else:
            return
        self._over = True
        raise fault

    def _stream_cursor(self) -> Any:
        # On PostgreSQL a cursor without a name fetches all rows at once.
        names = () if isinstance(self._connection, sqlite3.Connection) else (f"stream_{len(self._streams)}",)
        cursor = self._connection.cursor(*names)
        self._streams.append(cursor)
        return cursor

    def commit(self) -> None:
        """Commit; nothing can be said afterwards. Raises as `run` does."""
        if self._over or not self._write:
            raise RuntimeError("this unit of work only reads" if not self._write else "this unit of work is over")
        self._over = True
        try:
            self._connection.commit()
        except _ERRORS as error:
            fault = self._fault(error)
        else:
            return
        raise fault

    def close(self) -> None:
        """Give the connection back; what was not committed is rolled back."""
        self._over = True
        try:
            # On SQLite a stream that was left open would show its old view to whoever has the connection next.
            for cursor in self._streams:
                cursor.close()
            self._connection.rollback()
        except _ERRORS:
            self._broken = True  # lost, most likely, and nothing is left to roll back
        if self._broken:
            self._pooled.invalidate()  # the pool must have its place
        else:
            self._pooled.close()

    def _fault(self, error: Exception, refusals: Refusals = _NONE) -> Refusal | DatabaseBug:
        """What to raise instead. After an outage nobody uses this connection again: a driver's statements may have been
        left in the middle."""
        fault = fault_of(error, refusals)
        self._broken |= not isinstance(fault, Refusal) or fault.code is Code.STORE_UNAVAILABLE
        return fault

    def _prepare(self, statement: Statement, parameters: Parameters) -> Prepared:
        if self._over:
            raise RuntimeError("this unit of work is over")
        if statement.is_dml and not self._write:
            raise RuntimeError("this unit of work only reads")
        return prepare(statement, tuple(parameters), self._dialect)


def _begun(engine: Engine, write: bool, lasting: bool, *, again: bool = True) -> PoolProxiedConnection:
    """A connection on which a transaction has begun. Raises errors of SQLAlchemy and of the drivers."""
    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    try:
        begin(connection, write, lasting)
    except _ERRORS as error:
        pooled.invalidate()
        if not again or not isinstance(error, psycopg.OperationalError):
            raise
        if isinstance(error, StandsStill):
            engine.dispose()  # the other connections lead nowhere either
    else:
        return pooled
    # The session ended since its last use, by a restart of the server perhaps: a new one costs nobody a refusal.
    return _begun(engine, write, lasting, again=False)
