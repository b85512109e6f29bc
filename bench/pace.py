"""The pace of a storm: so many acts spread evenly over so many seconds, by several threads together."""

from __future__ import annotations

import threading
from time import monotonic


class Pace:
    """`count` acts in `seconds`; who is late hurries, who is early waits."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count, self._each = count, seconds / count
        self._lock = threading.Lock()
        self._begun, self._given = monotonic(), 0

    def wait(self, stop: threading.Event) -> bool:
        """Until the next act is due; False when there is none any more, or all is to stop."""
        with self._lock:
            if self._given >= self._count:
                return False
            due = self._begun + self._given * self._each
            self._given += 1
        stop.wait(max(due - monotonic(), 0.0))
        return not stop.is_set()

    def undo(self) -> None:
        """The act that was due could not be done yet."""
        with self._lock:
            self._given -= 1

    @property
    def is_over(self) -> bool:
        """Whether all acts were begun."""
        return self._given >= self._count
