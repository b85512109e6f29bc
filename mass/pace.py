"""The pace of a run: how long it rests after a step, so that those who ask for status and write meanwhile go first."""

from __future__ import annotations

from domain.mass import MassEvent

REST = 4.0
"""The rest after a step, in shares of the time it took: a fifth of the time is work."""

_MOST = 4.0
"""A step that took much longer than the quickest one is followed by a rest that is longer by this factor at most."""

_WORK = ("held", "revoked", "records")


class Pace:
    """That of one event. Where steps become slower, others are at work, too: it makes way for them by the time that a
    step took, and once more by how much slower it was than the quickest one."""

    def __init__(self, rest: float = REST) -> None:
        """`rest` as REST."""
        self._rest = rest
        self._done: int | None = None
        self._quickest = float("inf")

    def rest_after(self, event: MassEvent, took: float) -> float:
        """Seconds to rest after a step that took so many and left the event so."""
        done = sum(event.tally.get(word, 0) for word in _WORK)
        before, self._done = self._done, done
        if before is None or done <= before:
            return self._rest * took  # of the first step it is not known how much it did
        each = took / (done - before)
        self._quickest = min(self._quickest, each)
        return self._rest * took * min(each / self._quickest, _MOST)
