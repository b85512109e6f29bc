"""Certificate status for OCSP: one prepared query over connections of its own, past everything that takes time."""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
from sqlalchemy import URL

from domain.certificates import CertificateState, IssuerId
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from domain.status import UNKNOWN, CertificateStatus, good_until
from store.engine import LOCK_WAIT, open_sqlite, parse_url, postgresql_arguments
from store.faults import fault_of

_QUERY = """
SELECT c.state, c.not_after, r.revoked_at, r.reason
FROM certificates AS c LEFT JOIN revocations AS r ON r.issuer = c.issuer AND r.serial = c.serial
WHERE c.issuer = {0} AND c.serial = {0}
"""
_SQLITE_QUERY, _POSTGRESQL_QUERY = _QUERY.format("?"), _QUERY.format("%s")
_ERRORS = (sqlite3.Error, psycopg.Error)
_ISSUED = CertificateState.ISSUED.value

Asked = tuple[str, bytes]
Row = tuple[str, int, int | None, int | None]


class SqlStatusLookup:
    """`domain.ports.StatusLookup`. Threads may share it; a forked child opens connections of its own.

    A look-up borrows a connection, so there are as many as threads that look up at once. One that turns out dead is
    replaced within the look-up: a restarted server costs nobody an answer.
    """

    def __init__(self, url: str, *, lock_wait: float = LOCK_WAIT) -> None:
        """`lock_wait` is in seconds. Connects when first asked. Raises Refusal(BAD_CONFIGURATION)."""
        parsed = parse_url(url)
        kind = _Sqlite if parsed.drivername == "sqlite" else _Postgresql
        self._source: _Sqlite | _Postgresql = kind(parsed, lock_wait)
        self._idle: deque[Any] = deque()
        self._pid = os.getpid()
        self._parents: list[deque[Any]] = []

    def status_of(self, issuer: IssuerId, serial: SerialNumber) -> CertificateStatus:
        """Raises Refusal(STORE_UNAVAILABLE) or Refusal(BUSY)."""
        row = self._ask((issuer, serial.octets))
        if row is None or row[0] != _ISSUED:
            return UNKNOWN
        _, not_after, revoked_at, reason = row
        if revoked_at is None or reason is None:
            return good_until(datetime.fromtimestamp(not_after, UTC))
        return CertificateStatus("revoked", datetime.fromtimestamp(revoked_at, UTC), CrlReason(reason))

    def good_at(self, _issuer: IssuerId, _now: datetime) -> Callable[[bytes], bool]:
        """Nothing is quick here."""
        return lambda _: False

    def close(self) -> None:
        """Close the connections that are not in use; the next look-up opens a new one."""
        while self._idle:
            self._idle.pop().close()

    def _ask(self, asked: Asked) -> Row | None:
        if self._pid != os.getpid():
            # Kept and never touched: closing them here would end the parent's sessions.
            self._parents.append(self._idle)
            self._idle, self._pid = deque(), os.getpid()
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._ask_anew(asked)
        try:
            row = self._source.ask(connection, asked)
        except _ERRORS:
            _drop(connection)
            row = self._ask_anew(asked)
        else:
            self._idle.append(connection)
        return row

    def _ask_anew(self, asked: Asked) -> Row | None:
        connection: Any = None
        try:
            connection = self._source.open()
            row = self._source.ask(connection, asked)
        except _ERRORS as error:
            fault = fault_of(error)
        else:
            self._idle.append(connection)
            return row
        _drop(connection)
        raise fault


class _Sqlite:
    def __init__(self, url: URL, lock_wait: float) -> None:
        self._url = url
        self._lock_wait = lock_wait

    def open(self) -> sqlite3.Connection:
        return open_sqlite(self._url, self._lock_wait)

    def ask(self, connection: sqlite3.Connection, asked: Asked) -> Row | None:
        # The driver keeps the prepared statement by its text.
        row: Row | None = connection.execute(_SQLITE_QUERY, asked).fetchone()
        return row


class _Postgresql:
    def __init__(self, url: URL, lock_wait: float) -> None:
        _, arguments = url.get_dialect()().create_connect_args(url)
        self._arguments = {**arguments, **postgresql_arguments(url, False, lock_wait)}

    def open(self) -> psycopg.Connection[Row]:
        return psycopg.connect(**self._arguments, autocommit=True)

    def ask(self, connection: psycopg.Connection[Row], asked: Asked) -> Row | None:
        return connection.execute(_POSTGRESQL_QUERY, asked, prepare=True, binary=True).fetchone()


def _drop(connection: Any) -> None:
    with suppress(*_ERRORS):
        if connection is not None:
            connection.close()
