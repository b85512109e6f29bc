"""Following: a status model is kept at what the database says, and made anew when it cannot follow."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import lmdb

from domain.errors import Code, Refusal
from domain.ports import Clock, Steady
from store.feed import StatusFeed, StatusRow
from store.model import ModelState, Overtaken, StatusModel

_log = logging.getLogger("jpki.status")
_LIMIT = 5000
_FEW = 50_000
"""Changes beside a base that never are too many."""

_SHARE = 16
"""More changes than one for so many certificates have a new base made, and so does a day: certificates end."""

_DAY = 86_400 * 10**9
_REST = 0.02
"""Seconds between two readings of the feed, however often it wakes us."""


class StatusFollower:
    """Keeps a model up to date from the feed. Every process of a node may have one: one at a time works."""

    def __init__(self, model: StatusModel, feed: StatusFeed, clock: Clock, steady: Steady, folder: Path) -> None:
        """`folder` is where processes find out who works."""
        self._model, self._feed, self._clock, self._steady, self._folder = model, feed, clock, steady, folder
        self.make_elsewhere: Callable[[], object] = self.make
        """How `run` has large bases made: that takes a processor for a while, which is better another process's."""
        self._maker: threading.Thread | None = None

    def follow(self) -> bool:
        """Apply all changes there are; False when the model must be made first. What returned before this was called
        is in the model when it returns. Raises Refusal(STORE_UNAVAILABLE), also when the model cannot be written."""
        try:
            while (done := self._step()) is None:
                pass
        except (lmdb.Error, OSError) as error:
            raise _unwritable(error) from None
        return done

    def _step(self) -> bool | None:
        """One reading and writing; None when there is more to do."""
        state = self._model.state()
        if state is None:
            return False
        asked = self._steady()
        changes = self._feed.after(state.position, _LIMIT)
        if changes is None:
            # Too long ago, or another past: a backup was restored. From now on it is not believed.
            self._model.forget(state)
            return False
        if not changes.rows and state.checked_at >= asked:
            return True
        try:
            self._model.apply(state, changes.rows, changes.position, asked if changes.complete else None)
        except Overtaken:
            return None
        return True if changes.complete else None

    def make(self, *, anew: bool = False) -> int:
        """Make what is to be made: the model from the database if it cannot follow or `anew`, a new base from the one
        before if that has grown old. How many certificates are in it. A model that can follow goes on until the next
        one is there. Raises as `follow` does, and Refusal(BUSY) when another process is at it."""
        with self._held("maker") as mine:
            if not mine:
                raise Refusal(Code.BUSY, "another process of this node makes the status model")
            try:
                return self._make(anew)
            except (lmdb.Error, OSError) as error:
                raise _unwritable(error) from None

    def _make(self, anew: bool) -> int:
        now = int(self._clock().timestamp())
        if not self.follow() or anew:
            self._make_anew(now)
            self.follow()
        elif self._is_old():
            self._model.merge(now, self._steady())
        return self._model.sizes()[0]

    def _make_anew(self, now: int) -> None:
        begun = self._steady()
        number = self._model.next_base()
        with self._feed.everything(self._model.marks, now) as (position, blocks):
            self._model.write(number, blocks, now)
        since: list[StatusRow] = []
        complete = False
        while True:
            asked = self._steady()
            changes = self._feed.after(position, _LIMIT)
            if changes is None:
                raise Refusal(Code.STORE_UNAVAILABLE, "the database has another past than a moment ago; try again")
            since += changes.rows
            ahead, complete, position = complete and not changes.rows, changes.complete, changes.position
            if not complete:
                continue
            try:
                self._model.swap(ModelState(number, asked, begun, position), since)
            except Overtaken:
                if ahead and (state := self._model.state()):
                    self._model.forget(state)  # it knows of changes that the database does not
            else:
                return

    def _is_old(self) -> bool:
        state = self._model.state()
        certificates, changes = self._model.sizes()
        age = self._steady() - state.made_at if state else 0
        return changes > max(_FEW, certificates // _SHARE) or age > _DAY

    def run(self, poll: timedelta, stop: threading.Event) -> None:
        """Follow until told to stop, whenever no other process of the node does."""
        while not stop.is_set():
            try:
                with self._held("follower") as mine:
                    while mine and mine == self._inode("follower") and not stop.is_set():
                        self._attempt()
                        stop.wait(_REST)
                        self._feed.wait(poll.total_seconds(), stop)
                self._model.refresh()
            except (Refusal, lmdb.Error, OSError) as error:
                _log.warning("the status model stays behind", extra={"facts": {"why": _word(error)}})
            stop.wait(poll.total_seconds())

    def _attempt(self) -> None:
        try:
            self._model.refresh()
            if not self.follow() or self._is_old():
                self._have_made()
        except Exception as error:
            # Look-ups notice by the model's age, and ask the database themselves. Whatever it was, it is tried again.
            _log.warning("the status model stays behind", extra={"facts": {"why": _word(error)}})

    def _have_made(self) -> None:
        """Beside the following, which goes on."""

        def work() -> None:
            try:
                large = max(self._feed.newest().sequence, *self._model.sizes()) > _FEW
                (self.make_elsewhere if large else self.make)()
            except Exception as error:  # it is tried again
                _log.warning("no status model was made", extra={"facts": {"why": type(error).__name__}})

        maker = self._maker
        if maker is None or not maker.is_alive():
            self._maker = threading.Thread(target=work, name="status-maker", daemon=True)
            self._maker.start()

    def _path(self, task: str) -> Path:
        return self._folder / f"{task}.lock"

    def _inode(self, task: str) -> int:
        try:
            return self._path(task).stat().st_ino
        except FileNotFoundError:
            return 0

    @contextmanager
    def _held(self, task: str) -> Iterator[int]:
        """Whether this process is the one that does this: the number of the file that says so, as long as it is there;
        0 otherwise. It lets go when it ends, however it ends. Raises Refusal(STORE_UNAVAILABLE)."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self._path(task).open("ab")
        except OSError as error:
            raise _unwritable(error) from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield 0
            else:
                yield os.fstat(file.fileno()).st_ino


def _word(error: Exception) -> str:
    return error.code.value if isinstance(error, Refusal) else type(error).__name__


def _unwritable(error: Exception) -> Refusal:
    return Refusal(Code.STORE_UNAVAILABLE, f"the status model cannot be written ({type(error).__name__}); see the disk")
