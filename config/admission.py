"""The rows of admission in force, followed while a process runs: a change counts from the next request on."""

from __future__ import annotations

from threading import Event, Lock, Thread

from config.law import KIND, read_law, texts_of
from domain.errors import AWAY, Refusal
from domain.ports import Begin
from policies.rulings import AdmissionRules
from verifiers.register import Mark

EVERY = 0.5
"""Seconds between two looks at what officers of other nodes confirmed."""


class AdmissionInForce:
    """What `verifiers.gate.Gate` decides by. Threads may share it.

    A change that is confirmed on this node moves its mark of the register before it is committed, so whoever asks after
    that reads it. Of other nodes' changes a thread hears (`keep`), so that no answer waits for a database that is away.
    """

    def __init__(self, begin: Begin, mark: Mark) -> None:
        self._begin, self._mark = begin, mark
        self._seen: int | None = None
        self._known: tuple[int, AdmissionRules] | None = None
        self._lock = Lock()

    def __call__(self) -> AdmissionRules:
        """The tables. Raises Refusal(BAD_CONFIGURATION) for one that two officers did not sign just so, and what
        storage raises before anything was read; a database that is away later changes nothing."""
        mark, known = self._mark(), self._known
        if mark is None or mark != self._seen or known is None:
            known = self._look()
            self._seen = mark
        return known[1]

    def keep(self) -> None:
        """Have a thread of this process look for changes of other nodes, from now on."""
        Thread(target=self._follow, name="admission-follower", daemon=True).start()

    def _follow(self) -> None:
        rest = Event()
        while not rest.wait(EVERY):
            try:
                self._look()
            except Exception:  # a thread that ended would leave rules in force that are none
                self._known = None  # so that whoever asks next hears why

    def _look(self) -> tuple[int, AdmissionRules]:
        try:
            with self._lock, self._begin(write=False) as work:
                changes = work.proposals.confirmed(KIND)
                if self._known is None or self._known[0] != changes:
                    self._known = changes, read_law(texts_of(work)).admission
                return self._known
        except Refusal as refusal:
            if self._known is None or refusal.code not in AWAY:
                raise
            return self._known
