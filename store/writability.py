"""Writability: whether a database takes writes now, which one that can be read need not."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import Any

import psycopg
from sqlalchemy import URL

from domain.errors import Code, Refusal
from domain.ports import Steady
from store.engine import begin, open_sqlite, parse_url, postgresql_arguments
from store.faults import fault_of
from store.server import LONGEST_WAIT, server_of

_KEPT = 5 * 10**9
"""Nanoseconds for which what was found out counts: whoever asks, a database is tried every few seconds at most."""

_POSTGRESQL = (
    "SET LOCAL statement_timeout = '1s'",
    "SET LOCAL lock_timeout = '100ms'",
    # Two megabytes that memory may not hold go to a file where the tables are.
    "SET LOCAL temp_tablespaces = ''",
    "SET LOCAL work_mem = '64kB'",
    "WITH spare AS MATERIALIZED (SELECT repeat('x', 99999) x FROM generate_series(1, 20)) SELECT count(x) FROM spare",
    "SELECT sequence FROM audit_head FOR UPDATE SKIP LOCKED",
)
"""A standby locks no row, and a full disk has no room for a file. Nothing of it stays, and nobody waits for it."""

_SQLITE = ("UPDATE audit_head SET sequence = sequence",)


class Writability:
    """Whether the database of that address takes writes. Threads may share it, and a forked child may use it."""

    def __init__(self, url: str, steady: Steady) -> None:
        """Connects when first asked. Raises Refusal(BAD_CONFIGURATION)."""
        self._url, self._steady = parse_url(url), steady
        self._lock = threading.Lock()
        self._until, self._found = steady(), True

    def __call__(self) -> bool:
        """False when it refused a trial, now or a few seconds ago. One that is busy takes writes, later."""
        with self._lock:
            if self._steady() >= self._until:
                self._found = self._try()
                self._until = self._steady() + _KEPT
            return self._found

    def _try(self) -> bool:
        try:
            with closing(_open(self._url)) as connection:
                begin(connection, write=True)
                for statement in _SQLITE if self._url.drivername == "sqlite" else _POSTGRESQL:
                    connection.execute(statement)
                connection.rollback()
        except (sqlite3.Error, psycopg.Error) as error:
            fault = fault_of(error)
            return isinstance(fault, Refusal) and fault.code is Code.BUSY
        return True


def _open(url: URL) -> Any:
    if url.drivername == "sqlite":
        return open_sqlite(url, 0)
    _, arguments = url.get_dialect()().create_connect_args(url)
    arguments = {**arguments, **postgresql_arguments(url, True, LONGEST_WAIT), "autocommit": True}
    return server_of(url.render_as_string(hide_password=False)).connect(arguments, LONGEST_WAIT)
