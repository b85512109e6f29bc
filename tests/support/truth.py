"""The truth about certificates at every moment, and what doors say of them all the while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

_REST = 0.1
"""Seconds between two questions at one door."""

Ask = Callable[["Known"], str]
"""What a door says of a certificate, in OCSP's words; "silence" when there is no answer."""


@dataclass(eq=False)
class Known:
    """A certificate that was issued, and when its revocation was asked for and when that returned."""

    der: bytes
    issuer: bytes
    number: int = 0
    asked: float | None = None
    revoked: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that was asked for at that moment."""

    door: str
    known: Known
    asked: float
    word: str


@dataclass
class Truth:
    """Asks all doors all the time. `bounds` says for each for how many seconds it may go on saying good."""

    doors: Mapping[str, Ask]
    bounds: Mapping[str, float]
    known: list[Known] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def wrong(self) -> Sequence[str]:
        """What should never have been said."""
        return [
            f"{said.door}: {said.word} {said.asked - (said.known.revoked or said.asked):.3f} s after the revocation"
            for said in tuple(self.said)
            if said.word not in ("good", "revoked", "try_later", "silence") or self._too_late(said) or _too_soon(said)
        ]

    def _too_late(self, said: Said) -> bool:
        since = said.known.revoked
        return said.word == "good" and since is not None and said.asked > since + self.bounds[said.door]

    @contextmanager
    def asking(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._ask, args=door, daemon=True) for door in self.doors.items()]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join(30)

    def _ask(self, door: str, ask: Ask) -> None:
        number = 0
        while not self.over.wait(_REST):
            if self.known:
                # Whoever was revoked last is the most interesting.
                number += 1
                known = self.known[-1 - number // 2 % len(self.known)] if number % 2 else self.known[-1]
                asked = monotonic()
                self.said.append(Said(door, known, asked, ask(known)))


def _too_soon(said: Said) -> bool:
    return said.word == "revoked" and said.known.asked is None
