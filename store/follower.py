"""Following: a status model is kept at what the database says, and made anew when it cannot follow."""

from __future__ import annotations

import fcntl
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import lmdb

from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.ports import Clock, StatusLookup
from domain.serial import SerialNumber
from domain.status import CertificateStatus
from store.model import Overtaken, StatusModel
from store.work import SqlBegin

_log = logging.getLogger("jpki.status")
_LIMIT = 5000


class StatusFollower:
    """Keeps a model up to date from the database. Every process of a node may have one: one at a time works."""

    def __init__(self, model: StatusModel, begin: SqlBegin, clock: Clock, lock: Path) -> None:
        self._model, self._begin, self._clock, self._lock = model, begin, clock, lock

    def follow(self) -> bool:
        """Apply all changes there are; False when the model must be built first. What returned before this was called
        is in the model when it returns. Raises Refusal(STORE_UNAVAILABLE), also when the model cannot be written."""
        try:
            while (done := self._step()) is None:
                pass
        except lmdb.Error as error:
            raise _unwritable(error) from None
        return done

    def _step(self) -> bool | None:
        """One reading and writing; None when there is more to do."""
        state = self._model.state()
        if state is None:
            return False
        asked = int(self._clock().timestamp())
        with self._begin(write=False) as work:
            rows = work.status_changes.after(state.sequence, _LIMIT)
            if not rows and work.status_changes.last() < state.sequence:
                return False  # an older database was restored
        if not rows and state.checked_at >= asked:
            return True
        complete = len(rows) < _LIMIT
        sequence = rows[-1][0] if rows else state.sequence
        try:
            self._model.apply(state, [row for _, row in rows], sequence, asked if complete else None)
        except Overtaken:
            return None
        return True if complete else None

    def build(self) -> int:
        """Make the model anew while the old one is read; how many certificates are in it. Raises as `follow` does, and
        Refusal(BUSY) when another process is at it."""
        with self._held() as mine:
            if not mine:
                raise Refusal(Code.BUSY, "another process follows the database on this node and builds the model")
            return self._build()

    def _build(self) -> int:
        try:
            with self._begin(write=False) as work:
                count = self._model.build(work.status_changes.everything(), work.status_changes.last())
        except lmdb.Error as error:
            raise _unwritable(error) from None
        self.follow()
        return count

    def run(self, poll: timedelta, stop: threading.Event) -> None:
        """Follow until told to stop, whenever no other process of the node does."""
        while not stop.is_set():
            with self._held() as mine:
                while mine and not stop.wait(poll.total_seconds()):
                    self._attempt()
            stop.wait(poll.total_seconds())

    def _attempt(self) -> None:
        try:
            if not self.follow():
                _log.info("built the status model", extra={"facts": {"certificates": self._build()}})
        except Refusal as refusal:
            # Look-ups notice by the model's age, and ask the database themselves.
            _log.warning("the status model stays behind", extra={"facts": {"why": refusal.code.value}})

    @contextmanager
    def _held(self) -> Iterator[bool]:
        """Whether this process is the one that follows; it lets go when it ends, however it ends."""
        self._lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True


class ModelStatusLookup:
    """`domain.ports.StatusLookup` that asks the model first. What is not in it, and everything when it has not been
    seen to agree with the database for longer than `max_age`, is asked of the `source`: only that may say *unknown*."""

    def __init__(self, model: StatusModel, source: StatusLookup, clock: Clock, max_age: timedelta) -> None:
        self._model, self._source, self._clock = model, source, clock
        self._max_age = max_age
        self._bounds: tuple[datetime, int, int] | None = None

    def status_of(self, issuer: IssuerId, serial: SerialNumber) -> CertificateStatus:
        """Raises Refusal(STORE_UNAVAILABLE) or Refusal(BUSY)."""
        try:
            found = self._model.find(issuer, serial, *self._seconds())
        except lmdb.Error:
            found = None
        return found or self._source.status_of(issuer, serial)

    def good_at(self, issuer: IssuerId, now: datetime) -> Callable[[bytes], bool]:
        try:
            return self._model.good_at(issuer, int((now - self._max_age).timestamp()), int(now.timestamp()))
        except lmdb.Error:
            return lambda _: False

    def _seconds(self) -> tuple[int, int]:
        """The oldest comparison that is believed, and now. Kept while the clock gives the same object: it is asked many
        thousand times in a second."""
        now = self._clock()
        bounds = self._bounds
        if bounds is None or bounds[0] is not now:
            bounds = self._bounds = now, int((now - self._max_age).timestamp()), int(now.timestamp())
        return bounds[1:]


def _unwritable(error: lmdb.Error) -> Refusal:
    return Refusal(Code.STORE_UNAVAILABLE, f"the status model cannot be written ({type(error).__name__}); see the disk")
