"""What an operator keeps: handles with its own references, challenges until they are used, evidence if it must.

One SQLite file. No column holds a serial number or a certificate, nor anything that was made of one here.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jpki_verify.rejection import Code, Rejected

_TABLES = """
CREATE TABLE IF NOT EXISTS challenges (digest BLOB PRIMARY KEY, ends INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS challenges_ends ON challenges (ends);
CREATE TABLE IF NOT EXISTS accounts (
    handle TEXT PRIMARY KEY, kind TEXT NOT NULL, reference TEXT NOT NULL, seen INTEGER NOT NULL,
    lost INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS evidence (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, handle TEXT NOT NULL, kind TEXT NOT NULL, purpose TEXT NOT NULL,
    source TEXT NOT NULL, as_of INTEGER NOT NULL, digest BLOB NOT NULL, salt BLOB NOT NULL, erase_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS evidence_erase_at ON evidence (erase_at);
CREATE INDEX IF NOT EXISTS evidence_handle ON evidence (handle);
CREATE TABLE IF NOT EXISTS lists (scope TEXT PRIMARY KEY, number TEXT NOT NULL) WITHOUT ROWID;
"""
_PATIENCE = 10.0  # seconds for another process to finish its write


@dataclass(frozen=True, slots=True)
class Evidence:
    """That somebody was confirmed: the least that shows it later. `as_of` is the time of the status that was relied on,
    `digest` the SHA-256 of what was signed; with `salt` it shows the authority what the question was asked for."""

    at: datetime
    handle: str
    kind: str
    purpose: str
    source: str
    as_of: datetime
    digest: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Erased:
    """How many of each were erased."""

    challenges: int
    accounts: int
    evidence: int


class Store:
    """The file; every method is one transaction, on a connection of its own, so threads and processes may share it."""

    def __init__(self, path: Path) -> None:
        """Opens the file, or makes it, for its owner alone. Raises Rejected(BAD_CONFIGURATION)."""
        self._path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            with self._open() as database:
                database.executescript(_TABLES)
        except (OSError, sqlite3.Error):
            raise Rejected(
                Code.BAD_CONFIGURATION, f"{path} is no database that can be written: see [store] path"
            ) from None

    def keep_challenge(self, octets: bytes, ends: datetime, now: datetime) -> None:
        """Remember a challenge by its digest. Anybody may have challenges made: each takes two along that are over, so
        that there are no more than are made within their life."""
        with self._open() as database:
            over = "DELETE FROM challenges WHERE digest IN (SELECT digest FROM challenges WHERE ends < ? LIMIT 2)"
            database.execute(over, (_seconds(now),))
            database.execute("INSERT INTO challenges VALUES (?, ?)", (hashlib.sha256(octets).digest(), _seconds(ends)))

    def take_challenge(self, octets: bytes, now: datetime) -> bool:
        """Whether this challenge waits and is in time; from now on it does not wait any more. One caller alone is told
        so, whoever else asks at the same moment."""
        with self._open() as database:
            statement = "DELETE FROM challenges WHERE digest = ? RETURNING ends"
            rows = database.execute(statement, (hashlib.sha256(octets).digest(),)).fetchall()
        return bool(rows) and _seconds(now) <= rows[0][0]

    def remember(self, handle: str, kind: str, reference: str, now: datetime) -> None:
        """Keep what the operator's own system calls the person behind a handle."""
        statement = (
            "INSERT INTO accounts (handle, kind, reference, seen) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (handle) DO UPDATE SET reference = excluded.reference, seen = excluded.seen"
        )
        with self._open() as database:
            database.execute(statement, (handle, kind, reference, _seconds(now)))

    def reference_of(self, handle: str, now: datetime) -> str | None:
        """What was kept with the handle; the time it stays begins anew."""
        with self._open() as database:
            statement = "UPDATE accounts SET seen = max(seen, ?) WHERE handle = ? RETURNING reference"
            rows = database.execute(statement, (_seconds(now), handle)).fetchall()
        return rows[0][0] if rows else None

    def older_handles(self, kind: str, generation: str, last: str, most: int) -> list[str]:
        """Handles behind `last` that were made in other generations of the authority's key, and are not lost."""
        statement = (
            "SELECT handle FROM accounts WHERE kind = ? AND NOT lost AND handle NOT LIKE ? AND handle > ?"
            " ORDER BY handle LIMIT ?"
        )
        with self._open() as database:
            rows = database.execute(statement, (kind, f"{generation}-%", last, most)).fetchall()
        return [handle for (handle,) in rows]

    def rename(self, newer: Mapping[str, str]) -> None:
        """Keep under newer handles what was kept under older ones."""
        pairs = [(handle, former) for former, handle in newer.items() if handle != former]
        with self._open() as database:
            database.executemany("UPDATE OR REPLACE accounts SET handle = ? WHERE handle = ?", pairs)
            database.executemany("UPDATE evidence SET handle = ? WHERE handle = ?", pairs)

    def lose(self, handles: Iterable[str]) -> None:
        """Ask about these no more: nobody understands them."""
        with self._open() as database:
            database.executemany("UPDATE accounts SET lost = 1 WHERE handle = ?", [(handle,) for handle in handles])

    def forget(self, handle: str) -> bool:
        """Erase a person: account and evidence. Whether there was anything."""
        with self._open() as database:
            changes = [
                database.execute(f"DELETE FROM {table} WHERE handle = ?", (handle,)).rowcount  # noqa: S608
                for table in ("accounts", "evidence")
            ]
        return any(changes)

    def keep_evidence(self, evidence: Evidence, life: timedelta) -> None:
        """Keep evidence for so long."""
        row = (
            _seconds(evidence.at),
            evidence.handle,
            evidence.kind,
            evidence.purpose,
            evidence.source,
            _seconds(evidence.as_of),
            evidence.digest,
            evidence.salt,
            _seconds(evidence.at + life),
        )
        with self._open() as database:
            database.execute(
                "INSERT INTO evidence (at, handle, kind, purpose, source, as_of, digest, salt, erase_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )

    def evidence(self, handle: str | None = None) -> list[Evidence]:
        """All evidence, or that about one person, the oldest first."""
        statement = (
            "SELECT at, handle, kind, purpose, source, as_of, digest, salt FROM evidence"
            " WHERE handle = coalesce(?, handle) ORDER BY id"
        )
        with self._open() as database:
            rows = database.execute(statement, (handle,)).fetchall()
        return [Evidence(_moment(row[0]), row[1], row[2], row[3], row[4], _moment(row[5]), *row[6:]) for row in rows]

    def is_newest(self, scope: str, number: int) -> bool:
        """Whether no list of the scope with a higher number was seen; the number is kept."""
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            row = database.execute("SELECT number FROM lists WHERE scope = ?", (scope,)).fetchone()
            seen = int(row[0]) if row else -1
            if number > seen:
                database.execute("INSERT OR REPLACE INTO lists VALUES (?, ?)", (scope, str(number)))
        return number >= seen

    def erase(self, now: datetime, account_life: timedelta) -> Erased:
        """Erase what is over: challenges and evidence by their end, accounts that were not seen for so long. The octets
        are overwritten in the file, too."""
        moment = _seconds(now)
        with self._open() as database:
            counts = (
                database.execute("DELETE FROM challenges WHERE ends < ?", (moment,)).rowcount,
                database.execute("DELETE FROM accounts WHERE seen < ?", (_seconds(now - account_life),)).rowcount,
                database.execute("DELETE FROM evidence WHERE erase_at <= ?", (moment,)).rowcount,
            )
        with self._open() as database:
            database.execute("VACUUM")
        return Erased(*counts)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are committed at the end, or not at all."""
        with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as database:
            database.execute("PRAGMA secure_delete = ON")
            with database:
                yield database


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
