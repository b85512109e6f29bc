"""Turns: threads that want to write do so in the order in which they asked.

A pool gives its only connection to whoever asks when it is free, which is the thread that has just given it back: while
several write all the time, one does and the others wait in vain.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import Code, Refusal


class Turns:
    """Threads may share it."""

    def __init__(self, longest_wait: float) -> None:
        """`longest_wait` is in seconds."""
        self._longest_wait = longest_wait
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raises Refusal(BUSY) when the turn does not come in time."""
        self._take()
        try:
            yield
        finally:
            self._leave()

    def _take(self) -> None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if not mine.acquire(timeout=self._longest_wait):
            with self._lock:
                if mine in self._waiting:  # or it was handed over just now
                    self._waiting.remove(mine)
                    raise Refusal(
                        Code.BUSY, "others have been writing to the database for long; try again in a few seconds"
                    )

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
