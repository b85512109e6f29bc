"""Joint work: steps of several callers in one transaction, so that one write to disk carries them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Condition, get_ident
from typing import Any, TypeVar

from domain.errors import Code, Refusal
from domain.ports import Begin, UnitOfWork

T = TypeVar("T")

MOST = 256
"""Steps that go into one transaction: what waits longer for its turn than for the disk gains nothing."""

_OUTAGES = {Code.BUSY, Code.STORE_UNAVAILABLE}


class JointWork:
    """Runs steps in units of work, those together that come while another unit is at work.

    Nobody waits for company: who finds nobody at work begins at once, and takes along whatever waits. A step that is
    refused after the database refused a statement takes its whole unit back; then each of the unit runs alone, so that
    none is refused for another's sake. A step that gives a refusal back, instead of raising it, says that it wrote
    nothing.
    """

    def __init__(self, begin: Begin, *, lasting: bool = True) -> None:
        """`lasting` as in `Begin`."""
        self._begin = begin
        self._lasting = lasting
        self._turn = Condition()
        self._waiting: list[_Entry] = []
        self._leader: int | None = None

    def run(self, step: Callable[[UnitOfWork], T]) -> T:
        """What the step gives, committed. Raises what the step raises, and what beginning and committing raise.

        A step may run twice, the first time in a unit that is not committed; and it must not begin units of its own.
        """
        (outcome,) = self.run_all([step])
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    def run_all(self, steps: Sequence[Callable[[UnitOfWork], T]]) -> list[T | Refusal]:
        """What each step gives or is refused with, in their order. Raises whatever else a step raises."""
        entries = [_Entry(step) for step in steps]
        if self._leader == get_ident():
            self._carry_out(entries)
        else:
            with self._turn:
                self._waiting += entries
            self._take_part(entries)
        for entry in entries:
            if entry.bug is not None:
                raise entry.bug
        return [entry.outcome for entry in entries]

    def _take_part(self, entries: Sequence[_Entry]) -> None:
        """Until all of them are done: lead whenever nobody does."""
        while True:
            with self._turn:
                while self._leader is not None and not all(entry.done for entry in entries):
                    self._turn.wait()
                if all(entry.done for entry in entries):
                    return
                group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                self._leader = get_ident()
            try:
                self._carry_out(group)
            finally:
                with self._turn:
                    for entry in group:
                        entry.done = True
                    self._leader = None
                    self._turn.notify_all()

    def _carry_out(self, entries: Sequence[_Entry]) -> None:
        """All in one unit; else each in one of its own."""
        try:
            with self._begin(lasting=self._lasting) as work:
                outcomes = [entry.step(work) for entry in entries]
                if not all(isinstance(outcome, Refusal) for outcome in outcomes):
                    work.commit()
        except Refusal as refusal:
            if len(entries) == 1 or refusal.code in _OUTAGES:
                for entry in entries:
                    entry.outcome = _copy(refusal)
                return
        except BaseException as error:
            if len(entries) == 1 or not isinstance(error, Exception):
                for entry in entries:
                    entry.bug = error
                return
        else:
            for entry, outcome in zip(entries, outcomes, strict=True):
                entry.outcome = outcome
            return
        for entry in entries:
            self._carry_out([entry])


class _Entry:
    """A step in its queue. `bug` is what it raised that was no refusal."""

    __slots__ = ("bug", "done", "outcome", "step")

    def __init__(self, step: Callable[[UnitOfWork], Any]) -> None:
        self.step = step
        self.done = False
        self.outcome: Any = None
        self.bug: BaseException | None = None


def _copy(refusal: Refusal) -> Refusal:
    """Each caller raises one of their own: raising writes into it."""
    return Refusal(refusal.code, refusal.detail, pointer=refusal.pointer, facts=refusal.facts)
