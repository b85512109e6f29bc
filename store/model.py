"""The status model: the status of every issued certificate in a file that all processes of a node read at once.

It is made from the database and can be thrown away at any time. LMDB keeps it: readers see the newest commit at once
and lock nothing.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lmdb

from domain.certificates import CertificateState, IssuerId
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from domain.status import CertificateStatus, good_until
from store.status_changes import StatusRow

_STATE = b"state"
_MARK = b"issuer "
_STATE_FORM = struct.Struct(">cqq")
_GOOD = struct.Struct(">Bq")
_REVOKED = struct.Struct(">qB")
_ISSUED = CertificateState.ISSUED.value
_LATEST = (1 << 63) - 1
_CHUNK = 100_000
_SIZE = 64 << 30
"""The most the file may grow to; it takes only what is in it."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """Which of the two tables is read, the newest change in it, and when (seconds since 1970) the database was last
    seen to have no newer one."""

    table: bytes
    sequence: int
    checked_at: int


class Overtaken(Exception):
    """Another process has applied changes since these were read."""


class StatusModel:
    """Threads may share it; a forked child opens the file anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pid = -1
        self._lock = threading.Lock()

    def find(self, issuer: IssuerId, serial: SerialNumber, oldest: int, now: int) -> CertificateStatus | None:
        """The status, or None when the certificate is not in it or has ended by `now`, or when the database was last
        seen before `oldest`; both in seconds since 1970."""
        environment = self._open()
        with environment.begin() as transaction:
            octets = transaction.get(_STATE)
            if octets is None:
                return None
            table, _, checked_at = _STATE_FORM.unpack(octets)
            if checked_at < oldest:
                return None
            found = transaction.get(serial.octets, db=self._tables[table])
            if found is not None and found[0] not in self._issuers:
                self._read_marks(transaction)
        if found is None or self._issuers.get(found[0]) != issuer:
            return None
        not_after = _GOOD.unpack_from(found)[1]
        if not_after < now:
            return None  # what is erased when a certificate has ended is the database's affair
        if len(found) == _GOOD.size:
            return good_until(datetime.fromtimestamp(not_after, UTC))
        seconds, reason = _REVOKED.unpack_from(found, _GOOD.size)
        return CertificateStatus("revoked", datetime.fromtimestamp(seconds, UTC), CrlReason(reason))

    def good_at(self, issuer: IssuerId, oldest: int, now: int) -> Callable[[bytes], bool]:
        """Whether `find` would call the certificate with these serial octets good, for many of them."""
        environment = self._open()
        mark = self._marks.get(issuer, 0)
        low, high = _GOOD.pack(mark, now), _GOOD.pack(mark, _LATEST)
        read, believed, table = environment.begin, b"", None

        def good(serial: bytes) -> bool:
            nonlocal believed, table
            transaction = read()
            octets = transaction.get(_STATE)
            if octets != believed:
                if octets is None:
                    return False
                name, _, checked_at = _STATE_FORM.unpack(octets)
                if checked_at < oldest:
                    return False
                table, believed = self._tables[name], octets
            found = transaction.get(serial, None, table)
            # What is revoked has more octets, so it is not within the bounds of what is good even where it sorts there.
            return found is not None and low <= found <= high and len(found) == len(low)

        return good

    def state(self) -> ModelState | None:
        """None before the first build."""
        with self._open().begin() as transaction:
            octets = transaction.get(_STATE)
        return ModelState(*_STATE_FORM.unpack(octets)) if octets else None

    def apply(self, seen: ModelState, rows: Sequence[StatusRow], sequence: int, checked_at: int | None) -> ModelState:
        """Put in what changed after `seen`, up to `sequence`. `checked_at` is when the database was asked, if it has
        nothing newer. Raises Overtaken when the model is not any more as `seen`."""
        environment = self._open()
        with environment.begin(write=True) as transaction:
            now = ModelState(*_STATE_FORM.unpack(transaction.get(_STATE)))
            if (now.table, now.sequence) != (seen.table, seen.sequence):
                raise Overtaken
            self._put(transaction, rows, self._tables[now.table], append=False)
            found = replace(now, sequence=sequence, checked_at=max(now.checked_at, checked_at or 0))
            transaction.put(_STATE, _STATE_FORM.pack(found.table, found.sequence, found.checked_at))
        return found

    def build(self, blocks: Iterable[Sequence[StatusRow]], sequence: int) -> int:
        """Fill the table that is not read with all certificates, by serial, as of `sequence`; then have it be the one
        that is read. How many there are."""
        environment = self._open()
        state = self.state()
        table = b"b" if state and state.table == b"a" else b"a"
        target = self._tables[table]
        with environment.begin(write=True) as transaction:
            transaction.drop(target, delete=False)
        count = 0
        for rows in blocks:
            with environment.begin(write=True) as transaction:
                self._put(transaction, rows, target, append=True)
            count += len(rows)
        with environment.begin(write=True) as transaction:
            transaction.put(_STATE, _STATE_FORM.pack(table, sequence, 0))
            if state:
                transaction.drop(self._tables[state.table], delete=False)
        return count

    def close(self) -> None:
        """Close the file in this process; the next use opens it again."""
        if self._pid == os.getpid():
            self._environment.close()
        self._pid = -1

    def _put(self, transaction: Any, rows: Iterable[StatusRow], table: Any, *, append: bool) -> None:
        for issuer, serial, state, not_after, revoked_at, reason in rows:
            if state != _ISSUED:
                if state is None:
                    transaction.delete(bytes(serial), db=table)
                continue
            mark = self._marks.get(issuer) or self._mark(transaction, issuer)
            value = _GOOD.pack(mark, not_after)
            if revoked_at is not None:
                value += _REVOKED.pack(revoked_at, reason)
            transaction.put(bytes(serial), value, db=table, append=append)

    def _mark(self, transaction: Any, issuer: str) -> int:
        """The number of an issuer that this process has not met; a new one if no process has."""
        self._read_marks(transaction)
        if issuer in self._marks:
            return self._marks[issuer]
        mark = max(self._marks.values(), default=0) + 1
        transaction.put(_MARK + issuer.encode(), bytes((mark,)))
        self._marks[issuer] = mark
        self._issuers[mark] = IssuerId(issuer)
        return mark

    def _open(self) -> Any:
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    self._open_anew()
        return self._environment

    def _open_anew(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Without sync: what a power cut takes away is made again. The operating system keeps it when a process dies.
        self._environment = lmdb.open(
            str(self._folder), map_size=_SIZE, max_dbs=3, max_readers=1024, sync=False, metasync=False, mode=0o600
        )
        self._tables = {name: self._environment.open_db(name) for name in (b"a", b"b")}
        self._marks: dict[str, int] = {}
        self._issuers: dict[int, IssuerId] = {}
        with self._environment.begin() as transaction:
            self._read_marks(transaction)
        self._pid = os.getpid()

    def _read_marks(self, transaction: Any) -> None:
        for key, value in transaction.cursor():
            if key.startswith(_MARK):
                issuer = IssuerId(key.removeprefix(_MARK).decode())
                self._marks[issuer], self._issuers[value[0]] = value[0], issuer
