"""Joint work: what several callers ask for at once is done together, by one of them for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Condition, Lock, get_ident
from typing import Any, Generic, TypeVar

from domain.errors import Refusal

Asked = TypeVar("Asked")
Given = TypeVar("Given")

MOST = 64
"""How many callers are served together: who waits longer for the others than for the disk gains nothing."""

COMPANY = 0.0005
"""Seconds that are waited for those who were served together a moment ago: a write to disk takes about as long."""


class JointWork(Generic[Asked, Given]):
    """Who finds nobody at work begins, and takes along whatever waits. Who comes alone waits for nobody: only when the
    last ones were several, and come again like people at a till, is there a moment's wait for as many.

    In one process only one thread computes at a time anyway. When one does it for all, the others do not take the
    interpreter away from it while it holds the database's lock, and all of them share its transactions.
    """

    def __init__(self, company: float = COMPANY) -> None:
        """`company` is in seconds."""
        lock = Lock()
        self._turn, self._came = Condition(lock), Condition(lock)
        self._company = company
        self._last = 1  # how many were served together
        self._waiting: list[_Entry] = []
        self._leader: int | None = None

    def run(self, asked: Asked, work: Callable[[Sequence[Asked]], Sequence[Given | Refusal]]) -> Given:
        """What `work` gives for it; its refusal is raised, and so is what else `work` raises.

        `work` gives something for each that it is asked for, in their order; all callers bring the same. If it breaks,
        it does each alone, so that none fails for another's sake.
        """
        entry = _Entry(asked)
        if self._leader == get_ident():  # called by its own work
            _carry_out(work, [entry])
        else:
            with self._turn:
                self._waiting.append(entry)
                self._came.notify()
            self._take_part(entry, work)
        if entry.bug is not None:
            raise entry.bug
        if isinstance(entry.outcome, Refusal):
            raise entry.outcome
        outcome: Given = entry.outcome
        return outcome

    def _take_part(self, entry: _Entry, work: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        """Until it is done: lead whenever nobody does."""
        while True:
            with self._turn:
                while self._leader is not None and not entry.done:
                    self._turn.wait()
                if entry.done:
                    return
                self._leader = get_ident()
            group: list[_Entry] = []
            try:
                group = self._gather()
                _carry_out(work, group)
            finally:
                with self._turn:
                    for one in group:
                        one.done = True
                    self._leader = None
                    self._turn.notify_all()

    def _gather(self) -> list[_Entry]:
        with self._turn:
            self._came.wait_for(lambda: len(self._waiting) >= self._last, self._company)
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            self._last = len(group)
        return group


class _Entry:
    """What a caller asked for. `bug` is what was raised instead of an outcome."""

    __slots__ = ("asked", "bug", "done", "outcome")

    def __init__(self, asked: Any) -> None:
        self.asked = asked
        self.done = False
        self.outcome: Any = None
        self.bug: BaseException | None = None


def _carry_out(work: Callable[[Sequence[Any]], Sequence[Any]], group: Sequence[_Entry]) -> None:
    """All together; else each alone."""
    try:
        for entry, outcome in zip(group, work([entry.asked for entry in group]), strict=True):
            entry.outcome = outcome
    except BaseException as error:
        if len(group) > 1 and isinstance(error, Exception):
            for entry in group:
                _carry_out(work, [entry])
        else:
            for entry in group:
                entry.bug = error
