"""The status model: the status of every issued certificate in files that all processes of a node read at once.

It is made from the database and can be thrown away at any time. A base (`store.base`) has nearly all of it; what
changed since is in LMDB, where readers see the newest commit at once and lock nothing. From time to time both make a
new base.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import lmdb

from domain.certificates import CertificateState, IssuerId
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from domain.status import CertificateStatus, good_until
from store.base import ENTRY, GONE, NOT_REVOKED, Records, StatusBase, records, write_base
from store.feed import Position, StatusRow
from store.status_changes import LINK

_STATE = b"state"
_LAST_BASE = b"base"
_MARK = b"issuer "
_FORM = struct.Struct(f">QqqQ{LINK}s")
_HEAD = struct.Struct(">Qq")
_NUMBER = struct.Struct(">Q")
_ISSUED = CertificateState.ISSUED.value
_GOOD = (0, NOT_REVOKED)
_WHY = 5
_GOOD_END = ENTRY.pack(0, 0, *_GOOD)[_WHY:]
_LATEST = (1 << 32) - 1
_SWEPT = 2000
"""Changes looked at in one transaction once they are in the base: others write between two of them."""

_SIZE = 64 << 30
"""The most the file of changes may grow to; it takes only what is in it."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """The base that is read, when it was made and when the database was last seen to have nothing newer (nanoseconds of
    the machine's steady clock), and how far the feed of changes was read."""

    base: int
    checked_at: int
    made_at: int
    position: Position


class Overtaken(Exception):
    """Another process has applied changes since these were read."""


def _nothing(_serial: bytes) -> None:
    return None


class StatusModel:
    """Threads may share it; a forked child opens the files anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pid = -1
        self._lock = threading.Lock()
        self._base: tuple[int, StatusBase] | None = None

    def find(self, issuer: IssuerId, serial: SerialNumber, oldest: int, now: int) -> CertificateStatus | None:
        """The status, or None when the certificate is not in it or has ended by `now` (seconds since 1970), or when the
        database was last compared before `oldest` (nanoseconds of the steady clock)."""
        octets = serial.octets
        with self._open().begin() as transaction:
            state = transaction.get(_STATE)
            entry = transaction.get(octets, db=self._changes)
        if state is None:
            return None
        base, checked_at = _HEAD.unpack_from(state)
        if checked_at < oldest:
            return None
        if entry is None and (entry := self._base_of(base).find(octets)) is None:
            return None
        mark, not_after, revoked_at, reason = ENTRY.unpack(entry)
        if self._issuer(mark) != issuer:
            return None
        if not_after < now:
            return None  # what is erased when a certificate has ended is the database's affair
        if reason == NOT_REVOKED:
            return good_until(datetime.fromtimestamp(not_after, UTC))
        return CertificateStatus("revoked", datetime.fromtimestamp(revoked_at, UTC), CrlReason(reason))

    def good_at(self, issuer: IssuerId, now: int, oldest: int) -> Callable[[bytes], bool]:
        """Whether `find` would call the certificate with these serial octets good, for many of them. Each look-up sees
        what was written before it; what was written since is judged by `oldest` anew."""
        read, changes = self._open().begin, self._changes
        mark = self._marks.get(issuer, 0)
        low, high = ENTRY.pack(mark, now, *_GOOD), ENTRY.pack(mark, _LATEST, *_GOOD)
        seen = -1
        find: Callable[[bytes], bytes | None] = _nothing

        def good(serial: bytes) -> bool:
            nonlocal seen, find
            transaction = read()
            commit = transaction.id()
            if commit != seen:
                state = transaction.get(_STATE)
                if state is None:
                    return False
                base, checked_at = _HEAD.unpack_from(state)
                if checked_at < oldest:
                    return False
                try:
                    find = self._base_of(base).find
                except FileNotFoundError:  # replaced a moment ago
                    return False
                seen = commit
            entry = transaction.get(serial, None, changes) or find(serial)
            return entry is not None and low <= entry <= high and entry[_WHY:] == _GOOD_END

        return good

    def state(self) -> ModelState | None:
        """None before the first base."""
        with self._open().begin() as transaction:
            octets = transaction.get(_STATE)
        return _unpack(octets) if octets else None

    def sizes(self) -> tuple[int, int]:
        """How many certificates are in the base, and how many changes beside it."""
        with self._open().begin() as transaction:
            octets = transaction.get(_STATE)
            changes = transaction.stat(self._changes)["entries"]
        return (self._base_of(_unpack(octets).base).count if octets else 0), changes

    def apply(
        self, seen: ModelState, rows: Iterable[StatusRow], position: Position, checked_at: int | None
    ) -> ModelState:
        """Put in what changed after `seen`, up to `position`. `checked_at` is when the database was asked, if it has
        nothing newer. Raises Overtaken when the model is not any more as `seen`."""
        with self._open().begin(write=True) as transaction:
            octets = transaction.get(_STATE)
            now = _unpack(octets) if octets else None
            if now is None or now.position != seen.position:
                raise Overtaken
            self._put(transaction, rows)
            found = replace(now, position=position, checked_at=max(now.checked_at, checked_at or 0))
            transaction.put(_STATE, _pack(found))
        return found

    @property
    def marks(self) -> Mapping[str, int]:
        """The number that stands for an issuer; one that was not met before gets one."""
        return _Marks(self)

    def forget(self, seen: ModelState) -> None:
        """Have no status any more, because there is no way from what the model says to what the database says. One that
        is not any more as `seen` is left alone."""
        with self._open().begin(write=True) as transaction:
            octets = transaction.get(_STATE)
            if octets and _unpack(octets).position == seen.position:
                transaction.delete(_STATE)

    def write(self, blocks: Iterable[Records], now: int) -> int:
        """Make a base of all certificates; its number. Nobody reads it until it is swapped in."""
        number = self._next_base()
        write_base(self._path(number), blocks, now)
        return number

    def swap(self, made: ModelState, rows: Iterable[StatusRow]) -> None:
        """Read the base that was written, with what changed since beside it, as of `made`, in one step: who asks hears
        what was read before, or this. Where there was nothing to read, it is compared with the database before it is
        believed: who made changes meanwhile could not put them here. Raises Overtaken when the model knows more."""
        with self._open().begin(write=True) as transaction:
            octets = transaction.get(_STATE)
            before = _unpack(octets) if octets else None
            if before and before.position.sequence > made.position.sequence:
                raise Overtaken
            transaction.drop(self._changes, delete=False)
            self._put(transaction, rows)
            transaction.put(_STATE, _pack(made if before else replace(made, checked_at=0)))
        self._remove_all_but(made.base)

    def _put(self, transaction: Any, rows: Iterable[StatusRow]) -> None:
        for issuer, serial, state, not_after, revoked_at, reason in rows:
            entry = GONE
            if state == _ISSUED:
                why = _GOOD if revoked_at is None else (revoked_at, reason)
                entry = ENTRY.pack(self._marks.get(issuer) or self._mark(transaction, issuer), not_after, *why)
            transaction.put(serial, entry, db=self._changes)

    def merge(self, now: int, made_at: int) -> bool:
        """Make a base of the one that is read and the changes since, without those that have ended by `now`, while both
        are read and written; False when the model was made anew meanwhile."""
        number = self._next_base()
        with self._open().begin() as transaction:
            octets = transaction.get(_STATE)
            changes = b"".join(key + entry for key, entry in transaction.cursor(self._changes))
        if octets is None:
            return False
        before = _unpack(octets).base
        write_base(self._path(number), chain(self._base_of(before).blocks(), [records(changes)]), now)
        with self._open().begin(write=True) as transaction:
            octets = transaction.get(_STATE)
            if octets is None or (state := _unpack(octets)).base != before:
                return False
            transaction.put(_STATE, _pack(replace(state, base=number, made_at=made_at)))
        self._remove_all_but(number)
        self._sweep(StatusBase(self._path(number)), changes, now)
        return True

    def _sweep(self, base: StatusBase, changes: bytes, now: int) -> None:
        """Drop changes that the base says, too, or that have ended."""
        width = len(changes) // (len(records(changes)) or 1)
        for start in range(0, len(changes), _SWEPT * width):
            part = changes[start : start + _SWEPT * width]
            with self._open().begin(write=True) as transaction:
                for at in range(0, len(part), width):
                    serial = part[at : at + width - ENTRY.size]
                    entry = transaction.get(serial, db=self._changes)
                    if entry is None:
                        continue
                    said = base.find(serial)
                    if said == entry or (said is None and (entry == GONE or ENTRY.unpack(entry)[1] < now)):
                        transaction.delete(serial, db=self._changes)

    def refresh(self) -> None:
        """Let go of a base that is read no longer."""
        with self._open().begin() as transaction:
            octets = transaction.get(_STATE)
        if octets:
            self._base_of(_unpack(octets).base)

    def close(self) -> None:
        """Close the files in this process; the next use opens them again."""
        if self._pid == os.getpid():
            self._environment.close()
        self._pid = -1

    def _base_of(self, number: int) -> StatusBase:
        """Raises FileNotFoundError for one that was replaced a moment ago."""
        known = self._base
        if known is None or known[0] != number:
            self._base = known = number, StatusBase(self._path(number))
        return known[1]

    def _next_base(self) -> int:
        """A number no base had before: processes know bases by their numbers."""
        with self._open().begin(write=True) as transaction:
            (last,) = _NUMBER.unpack(transaction.get(_LAST_BASE, _NUMBER.pack(0)))
            transaction.put(_LAST_BASE, _NUMBER.pack(last + 1))
        return int(last) + 1

    def _path(self, number: int) -> Path:
        return self._folder / f"base-{number}"

    def _remove_all_but(self, number: int) -> None:
        for path in self._folder.glob("base-*"):
            if path != self._path(number):
                path.unlink(missing_ok=True)

    def _issuer(self, mark: int) -> IssuerId | None:
        if mark not in self._issuers:
            with self._environment.begin() as transaction:
                self._read_marks(transaction)
        return self._issuers.get(mark)

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
        self._changes = self._environment.open_db(b"changes")
        self._base = None
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


class _Marks(Mapping[str, int]):
    def __init__(self, model: StatusModel) -> None:
        self._model = model

    def __getitem__(self, issuer: str) -> int:
        environment = self._model._open()
        known = self._model._marks.get(issuer)
        if known is None:
            with environment.begin(write=True) as transaction:
                known = self._model._mark(transaction, issuer)
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(self._model._marks)

    def __len__(self) -> int:
        return len(self._model._marks)


def _pack(state: ModelState) -> bytes:
    return _FORM.pack(state.base, state.checked_at, state.made_at, state.position.sequence, state.position.link)


def _unpack(octets: bytes) -> ModelState:
    base, checked_at, made_at, sequence, link = _FORM.unpack(octets)
    return ModelState(base, checked_at, made_at, Position(sequence, link))
