"""Resumption: confirmed events that nobody is at work on any more, because whoever ran them has died, go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from domain.mass import MassEvent, MassState
from domain.parties import LOCAL_OPERATOR
from mass.parts import MassParts
from mass.run import step

STANDS_STILL = timedelta(minutes=2)
"""An event that has not moved for this long is not being worked on."""

LOOK = timedelta(seconds=20)
"""From one look at events to the next, while none is gone on with."""

_ACTOR = replace(LOCAL_OPERATOR, name="worker")


class Resumption:
    """Sees events move, and takes over one that stands still. Where its runner comes back, or another one does the
    same, nothing is done twice: each step is done once (`mass.run.step`). What was confirmed is done; nobody is asked
    again."""

    def __init__(self, parts: MassParts) -> None:
        self._parts = parts
        self._seen: dict[tuple[str, int], datetime] = {}
        self._look_at: datetime | None = None

    def go_on(self) -> MassEvent | None:
        """Do a step of an event that stands still; the event afterwards, or None where there is none. Raises Refusal as
        `mass.run.step` does."""
        now = self._parts.intake.clock()
        if self._look_at is not None and now < self._look_at:
            return None
        self._look_at = now + LOOK
        with self._parts.intake.begin(write=False) as work:
            running = [event for event in work.mass.all() if event.state is MassState.RUNNING]
        places = [(event.id, event.step) for event in running]
        self._seen = {place: self._seen.get(place, now) for place in places}
        still = next((place for place in places if now - self._seen[place] >= STANDS_STILL), None)
        if still is None:
            return None
        done = step(self._parts, still[0], _ACTOR)
        self._seen[done.id, done.step] = self._seen[still]  # it is this one's until another one moves it
        self._look_at = now
        return done
