"""The feed of changes as status models read it: in the order of their commits, over connections of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg

from domain.certificates import CertificateState
from store.base import GONE, NOT_REVOKED, RECORD, Records
from store.direct import Connections, drop
from store.engine import LOCK_WAIT
from store.status_changes import CHANNEL, LINK

_AFTER = """
SELECT s.sequence, s.link, s.issuer, s.serial, c.state, c.not_after, r.revoked_at, r.reason
FROM status_changes AS s
LEFT JOIN certificates AS c ON c.issuer = s.issuer AND c.serial = s.serial
LEFT JOIN revocations AS r ON r.issuer = s.issuer AND r.serial = s.serial
WHERE s.sequence >= {0} ORDER BY s.sequence LIMIT {0}
"""
_NEWEST = "SELECT sequence, link FROM status_changes ORDER BY sequence DESC LIMIT 1"
_VALID = "SELECT issuer, serial, not_after FROM certificates WHERE not_after >= {0}"
_REVOKED = "SELECT issuer, serial, not_after, revoked_at, reason FROM revocations WHERE not_after >= {0}"
_RESERVED = """
SELECT c.issuer, c.serial FROM applications AS a JOIN certificates AS c ON c.application_id = a.id
WHERE a.issued_at IS NULL AND c.state <> {0}
"""
"""A certificate is signed when its application is closed, so the few that are not are found through these."""

_MOMENT = "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint"
_BLOCK = 1 << 14
_ISSUED = CertificateState.ISSUED.value


@dataclass(frozen=True, slots=True)
class Position:
    """How far the feed was read: the number of a change, and the head of the audit trail after its commit, so that the
    same number in another past, such as that of a backup that was restored, is seen to be another. START is before the
    first change."""

    sequence: int
    link: bytes


START = Position(0, bytes(LINK))

StatusRow = tuple[str, bytes, str | None, int | None, int | None, int | None]
"""Issuer, serial, state (None when the certificate's row was erased), end of validity, and when and why it was revoked
or held: as stored, since there are millions."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Certificates that changed, with the status they have now, up to a position; and whether that was all."""

    rows: Sequence[StatusRow]
    position: Position
    complete: bool


class StatusFeed:
    """Threads may share it, but for `wait`; a forked child opens connections of its own."""

    def __init__(self, url: str, *, lock_wait: float = LOCK_WAIT) -> None:
        """`lock_wait` is in seconds. Connects when first asked. Raises Refusal(BAD_CONFIGURATION)."""
        self._connections = Connections(url, lock_wait=lock_wait)
        self.postgresql = self._connections.postgresql
        self._after = self._connections.text(_AFTER)
        self._listening: psycopg.Connection[Any] | None = None

    def after(self, position: Position, limit: int) -> Changes | None:
        """At most `limit` changes after that position; None when there is no such position, because its change is
        kept no longer or never was. Raises Refusal(STORE_UNAVAILABLE) or Refusal(BUSY)."""
        rows = self._connections.rows(self._after, (position.sequence, limit + 1))
        if position != START:
            if not rows or (rows[0][0], _link(rows[0])) != (position.sequence, position.link):
                return None
            rows = rows[1:]
        elif rows and rows[0][0] != 1:
            return None  # the first ones are not kept any more
        rows = rows[:limit]
        found = Position(rows[-1][0], _link(rows[-1])) if rows else position
        return Changes([row[2:] for row in rows], found, len(rows) < limit)

    def moment(self) -> datetime:
        """Now by the clock of the database, whole seconds (PostgreSQL). Raises as `after` does."""
        ((second,),) = self._connections.rows(_MOMENT, ())
        return datetime.fromtimestamp(second, UTC)

    def newest(self) -> Position:
        """Where the feed ends. Raises as `after` does."""
        rows = self._connections.rows(_NEWEST, ())
        return Position(rows[0][0], _link(rows[0])) if rows else START

    @contextmanager
    def everything(self, marks: Mapping[str, int], now: int) -> Iterator[tuple[Position, Iterator[Records]]]:
        """All certificates that have not ended by `now`, as of a position; of several records of one the last counts.
        `marks` gives the number that stands for an issuer. Raises as `after` does, also from the iterator."""
        with self._connections.snapshot() as query:
            newest = [row for block in query(_NEWEST, (), 1) for row in block]
            text = self._connections.text

            def blocks() -> Iterator[Records]:
                for rows in query(text(_VALID), (now,), _BLOCK):
                    yield _records(rows, marks)
                for rows in query(text(_REVOKED), (now,), _BLOCK):
                    yield _records(rows, marks)
                for rows in query(text(_RESERVED), (_ISSUED,), _BLOCK):
                    yield _gone([serial for _, serial in rows])

            yield (Position(newest[0][0], _link(newest[0])) if newest else START), blocks()

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Wait so long, or until the next urgent change where the database tells of it (PostgreSQL). For one thread."""
        if not self.postgresql or stop.is_set():
            stop.wait(seconds)
            return
        try:
            if self._listening is None:
                self._listening = self._connections.open()
                self._listening.execute(f"LISTEN {CHANNEL}")
                return  # what came before nobody listened
            for _ in self._listening.notifies(timeout=seconds, stop_after=1):
                pass
        except psycopg.Error:
            self._deafen()
            stop.wait(seconds)

    def _deafen(self) -> None:
        drop(self._listening)
        self._listening = None

    def close(self) -> None:
        """Close the connections that are not in use; the next question opens a new one."""
        self._connections.close()
        self._deafen()


def _link(row: Sequence[Any]) -> bytes:
    """Processes of an older version write none."""
    return row[1] or bytes(LINK)


def _records(rows: Sequence[Sequence[Any]], marks: Mapping[str, int]) -> Records:
    """Of issuer, serial, end, and when and why revoked, if so."""
    columns = list(zip(*rows, strict=True))
    made = _gone(columns[1])
    made["mark"] = [marks[issuer] for issuer in columns[0]]
    made["not_after"] = columns[2]
    made["revoked_at"], made["reason"] = columns[3:] if len(columns) > 3 else (0, NOT_REVOKED)
    return made


def _gone(serials: Sequence[bytes]) -> Records:
    return np.frombuffer(b"".join([serial + GONE for serial in serials]), RECORD).copy()
