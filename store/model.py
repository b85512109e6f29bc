"""The status model: the status of every issued certificate in files that all processes of a node read at once.

It is made from the database and can be thrown away at any time. A base (`store.base`) has nearly all of it; what
changed since is in LMDB, where readers see the newest commit at once and lock nothing. From time to time both make a
new base.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from domain.certificates import CertificateState, IssuerId
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from domain.status import CertificateStatus, good_until
from store.base import ENTRY, GONE, NOT_REVOKED, Records, StatusBase, records, write_base
from store.feed import Position, StatusRow
from store.model_files import Marks, ModelFiles
from store.status_changes import LINK

_STATE = b"state"
_FORM = struct.Struct(f">QqqQ{LINK}s")
_HEAD = struct.Struct(">Qq")
_ISSUED = CertificateState.ISSUED.value
_GOOD = (0, NOT_REVOKED)
_WHY = 5
_GOOD_END = ENTRY.pack(0, 0, *_GOOD)[_WHY:]
_LATEST = (1 << 32) - 1
_SWEPT = 2000
"""Changes looked at in one transaction once they are in the base: others write between two of them."""

_LOOK = 10**8
"""Nanoseconds for which files of a model that were there are asked: a look costs as much as an answer of theirs."""

_TIMES = 9
"""As often somebody may replace a base while another process is about to open it."""


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
    """Threads may share it; a forked child opens the files anew, and so does everybody when they were taken away."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pid = -1
        self._lock = threading.Lock()
        self._files: ModelFiles | None = None
        self._looked = 0

    def find(self, issuer: IssuerId, serial: SerialNumber, oldest: int, now: int) -> CertificateStatus | None:
        """The status, or None when the certificate is not in it or has ended by `now` (seconds since 1970), or when the
        database was last compared before `oldest` (nanoseconds of the steady clock)."""
        octets = serial.octets
        files = self._open_lately(oldest)
        with files.environment.begin() as transaction:
            state = transaction.get(_STATE)
            entry = transaction.get(octets, db=files.changes)
        if state is None:
            return None
        base, checked_at = _HEAD.unpack_from(state)
        if checked_at < oldest:
            return None
        if entry is None and (entry := files.base(base).find(octets)) is None:
            return None
        mark, not_after, revoked_at, reason = ENTRY.unpack(entry)
        if files.issuer(mark) != issuer:
            return None
        if not_after < now:
            return None  # what is erased when a certificate has ended is the database's affair
        if reason == NOT_REVOKED:
            return good_until(datetime.fromtimestamp(not_after, UTC))
        return CertificateStatus("revoked", datetime.fromtimestamp(revoked_at, UTC), CrlReason(reason))

    def good_at(self, issuer: IssuerId, now: int, oldest: int) -> Callable[[bytes], bool]:
        """Whether `find` would call the certificate with these serial octets good, for many of them. Each look-up sees
        what was written before it; what was written since is judged by `oldest` anew."""
        files = self._open()
        read, changes = files.environment.begin, files.changes
        mark = files.mark_of(issuer) or 0
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
                    find = files.base(base).find
                except FileNotFoundError:  # replaced a moment ago
                    return False
                seen = commit
            entry = transaction.get(serial, None, changes) or find(serial)
            return entry is not None and low <= entry <= high and entry[_WHY:] == _GOOD_END

        return good

    def state(self) -> ModelState | None:
        """None before the first base."""
        return _state_of(self._open())

    def sizes(self) -> tuple[int, int]:
        """How many certificates are in the base, and how many changes beside it."""
        files, count, changes = self._open(), 0, 0
        for _ in range(_TIMES):
            with files.environment.begin() as transaction:
                octets = transaction.get(_STATE)
                changes = transaction.stat(files.changes)["entries"]
            with suppress(FileNotFoundError):
                count = files.base(_unpack(octets).base).count if octets else 0
                break
        return count, changes

    def apply(
        self, seen: ModelState, rows: Iterable[StatusRow], position: Position, checked_at: int | None
    ) -> ModelState:
        """Put in what changed after `seen`, up to `position`. `checked_at` is when the database was asked, if it has
        nothing newer. Raises Overtaken when the model is not any more as `seen`."""
        files = self._open()
        with files.environment.begin(write=True) as transaction:
            octets = transaction.get(_STATE)
            now = _unpack(octets) if octets else None
            if now is None or now.position != seen.position:
                raise Overtaken
            _put(files, transaction, rows)
            found = replace(now, position=position, checked_at=max(now.checked_at, checked_at or 0))
            transaction.put(_STATE, _pack(found))
        return found

    @property
    def marks(self) -> Mapping[str, int]:
        """The number that stands for an issuer; one that was not met before gets one."""
        return Marks(self._open())

    def forget(self, seen: ModelState) -> None:
        """Have no status any more, because there is no way from what the model says to what the database says. One that
        is not any more as `seen` is left alone."""
        with self._open().environment.begin(write=True) as transaction:
            octets = transaction.get(_STATE)
            if octets and (now := _unpack(octets)).position == seen.position and now.base == seen.base:
                transaction.delete(_STATE)

    def next_base(self) -> int:
        """The number of a base that is to be made, with `marks` that are asked for after this."""
        return self._open().next_base()

    def write(self, number: int, blocks: Iterable[Records], now: int) -> None:
        """Make a base of all certificates. Nobody reads it until it is swapped in."""
        write_base(self._open().path(number), blocks, now)

    def swap(self, made: ModelState, rows: Iterable[StatusRow]) -> None:
        """Read the base that was written, with what changed since beside it, as of `made`, in one step: who asks hears
        what was read before, or this. Where there was nothing to read, it is compared with the database before it is
        believed: who made changes meanwhile could not put them here. Raises Overtaken when the model knows more, and
        FileNotFoundError when the base was made beside files that were taken away."""
        files = self._open()
        if not files.is_ours(made.base):
            raise FileNotFoundError("the base was made for a model that is not there any more")
        with files.environment.begin(write=True) as transaction:
            octets = transaction.get(_STATE)
            before = _unpack(octets) if octets else None
            if before and before.position.sequence > made.position.sequence:
                raise Overtaken
            transaction.drop(files.changes, delete=False)
            _put(files, transaction, rows)
            transaction.put(_STATE, _pack(made if before else replace(made, checked_at=0)))
        files.remove_all_but(made.base)

    def merge(self, now: int, made_at: int) -> bool:
        """Make a base of the one that is read and the changes since, without those that have ended by `now`, while both
        are read and written; False when the model was made anew meanwhile."""
        files = self._open()
        number = files.next_base()
        with files.environment.begin() as transaction:
            octets = transaction.get(_STATE)
            changes = b"".join(key + entry for key, entry in transaction.cursor(files.changes))
        if octets is None:
            return False
        before = _unpack(octets).base
        write_base(files.path(number), chain(files.base(before).blocks(), [records(changes)]), now)
        with files.environment.begin(write=True) as transaction:
            octets = transaction.get(_STATE)
            if octets is None or (state := _unpack(octets)).base != before:
                return False
            transaction.put(_STATE, _pack(replace(state, base=number, made_at=made_at)))
        files.remove_all_but(number)
        _sweep(files, StatusBase(files.path(number)), changes, now)
        return True

    def refresh(self) -> None:
        """Let go of a base that is read no longer, and of a model whose base was taken away."""
        files = self._open()
        state = _state_of(files)
        if state is None:
            return
        if files.path(state.base).exists():
            with suppress(FileNotFoundError):
                files.base(state.base)
        else:
            self.forget(state)

    def close(self) -> None:
        """Close the files in this process; the next use opens them again."""
        if self._files is not None and self._pid == os.getpid():
            self._files.environment.close()
        self._files = None

    def _open_lately(self, moment: int) -> ModelFiles:
        """The files, which were there a tenth of a second before `moment` at the earliest."""
        files = self._files
        if files is None or not 0 <= moment - self._looked < _LOOK or self._pid != os.getpid():
            files = self._open()
            self._looked = moment
        return files

    def _open(self) -> ModelFiles:
        """The files that are there. Raises lmdb.Error and OSError."""
        files = self._files
        if files is None or self._pid != os.getpid() or not files.are_there():
            with self._lock:
                files = self._files
                if files is None or self._pid != os.getpid() or not files.are_there():
                    self._files = files = ModelFiles(self._folder)
                    self._pid = os.getpid()
        return files


def _state_of(files: ModelFiles) -> ModelState | None:
    with files.environment.begin() as transaction:
        octets = transaction.get(_STATE)
    return _unpack(octets) if octets else None


def _put(files: ModelFiles, transaction: Any, rows: Iterable[StatusRow]) -> None:
    for issuer, serial, state, not_after, revoked_at, reason in rows:
        entry = GONE
        if state == _ISSUED:
            why = _GOOD if revoked_at is None else (revoked_at, reason)
            entry = ENTRY.pack(files.mark(transaction, issuer), not_after, *why)
        transaction.put(serial, entry, db=files.changes)


def _sweep(files: ModelFiles, base: StatusBase, changes: bytes, now: int) -> None:
    """Drop changes that the base says, too, or that have ended."""
    width = len(changes) // (len(records(changes)) or 1)
    for start in range(0, len(changes), _SWEPT * width):
        part = changes[start : start + _SWEPT * width]
        with files.environment.begin(write=True) as transaction:
            for at in range(0, len(part), width):
                serial = part[at : at + width - ENTRY.size]
                entry = transaction.get(serial, db=files.changes)
                if entry is None:
                    continue
                said = base.find(serial)
                if said == entry or (said is None and (entry == GONE or ENTRY.unpack(entry)[1] < now)):
                    transaction.delete(serial, db=files.changes)


def _pack(state: ModelState) -> bytes:
    return _FORM.pack(state.base, state.checked_at, state.made_at, state.position.sequence, state.position.link)


def _unpack(octets: bytes) -> ModelState:
    base, checked_at, made_at, sequence, link = _FORM.unpack(octets)
    return ModelState(base, checked_at, made_at, Position(sequence, link))
