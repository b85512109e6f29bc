"""Database errors as the caller should hear them: busy, away, or a bug. Driver texts hold values and end here."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from functools import cache

import psycopg
from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import Code, Refusal
from store.tables import metadata

_log = logging.getLogger(__name__)

_BUSY = "the database is busy; try again in a few seconds"
_AWAY = "the database cannot be used at the moment; try again later"

# Primary result codes, https://www.sqlite.org/rescode.html.
_SQLITE_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SQLITE_AWAY = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}

# By SQLSTATE: lock timeout, statement timeout, serialisation failure, deadlock.
_POSTGRESQL_BUSY = {"55P03", "57014", "40001", "40P01"}
# By class: connection, read-only or idle transaction ended, resources, shutdown, system error, damaged data.
_POSTGRESQL_AWAY = ("08", "25006", "25P", "53", "57P", "58", "XX")
_POSTGRESQL_DENIED, _POSTGRESQL_GRANTS = "42501", "aclchk.c"

Refusals = Mapping[str, Refusal]
"""By constraint: what its violation means to the caller."""

_NO_REFUSALS: Refusals = {}


class DatabaseBug(RuntimeError):
    """The database refused a statement for a reason that neither waiting nor the caller can change."""


def fault_of(error: Exception, refusals: Refusals = _NO_REFUSALS) -> Refusal | DatabaseBug:
    """What to raise instead of an error of SQLAlchemy or of a driver; raise it outside the `except` block, so that no
    values travel along.

    The cause goes to the log by its code names, never by the driver's text.
    """
    if isinstance(error, PoolTimeout):
        _log.warning("no database connection became free in time")
        return Refusal(Code.BUSY, _BUSY)
    original = error.orig or error if isinstance(error, DBAPIError) else error
    constraint = _violated(original)
    if constraint is not None and constraint in refusals:
        return refusals[constraint].again()
    name, code = _classify(original)
    if code is None:
        bug = DatabaseBug(f"the database refused a statement: {name} {constraint or ''}".rstrip())
        _log.error("%s", bug)  # the log of a bug has its place, and no text of it
        return bug
    _log.warning("database failure: %s", name)
    return Refusal(code, _BUSY if code is Code.BUSY else _AWAY)


def _classify(error: BaseException) -> tuple[str, Code | None]:
    """(a name for the log, BUSY or STORE_UNAVAILABLE or None for a bug)."""
    match error:
        case sqlite3.Error():
            number = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code of an extended one
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            if number in _SQLITE_BUSY:
                return name, Code.BUSY
            return name, Code.STORE_UNAVAILABLE if number in _SQLITE_AWAY else None
        case psycopg.Error():
            state = error.sqlstate
            name = f"{type(error).__name__} {state or ''}".rstrip()
            if state in _POSTGRESQL_BUSY:
                return name, Code.BUSY
            # Without a state the server never answered: refused, lost, or not there.
            away = state.startswith(_POSTGRESQL_AWAY) if state else isinstance(error, psycopg.OperationalError)
            # By the same state it says that its caller may not, and that it may not itself, on a disk only to be read.
            away |= state == _POSTGRESQL_DENIED and error.diag.source_file != _POSTGRESQL_GRANTS
            return name, Code.STORE_UNAVAILABLE if away else None
    return type(error).__name__, None


def _violated(error: BaseException) -> str | None:
    """The name of the violated constraint. SQLite only tells the columns."""
    match error:
        case sqlite3.IntegrityError():
            columns = str(error).removeprefix("UNIQUE constraint failed: ")
            return _constraints().get(columns)
        case psycopg.IntegrityError():
            return error.diag.constraint_name
    return None


@cache
def _constraints() -> Mapping[str, str]:
    """Names by columns; asked for only when all tables are known."""
    return {
        ", ".join(f"{table.name}.{column.name}" for column in rule.columns): str(rule.name)
        for table in metadata.tables.values()
        for rule in (*table.constraints, *table.indexes)
        if isinstance(rule, (PrimaryKeyConstraint, UniqueConstraint)) or (isinstance(rule, Index) and rule.unique)
    }
