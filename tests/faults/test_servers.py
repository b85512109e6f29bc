"""Servers killed at their work: what was answered holds, and what was not is answered when asked again."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from threading import Event, Semaphore
from time import monotonic
from typing import TypeVar

from domain.certificates import Kind
from tests.support.callers import UNANSWERED, Caller, Reply
from tests.support.faults import RESIDENTS, Forks, State, act, now
from tests.support.serving import Served, serving

Answer = TypeVar("Answer", Reply, str)

CALLERS = 4
PATIENCE = 60.0
"""Seconds within which every request is answered."""


class Counter:
    """A municipality's busy counter: pairs for one resident after the other, and every second one revoked again."""

    def __init__(self, state: Path, served: Served) -> None:
        self.served = served
        self.pairs: dict[int, dict[Kind, bytes]] = {}
        self.revoked: set[int] = set()
        self._state = state
        self._issuers = {kind: (state / "certs" / f"{kind.value}-g2.cer").read_bytes() for kind in Kind}
        self._numbers = count(1)
        self._answers = Semaphore(0)
        self._over = Event()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Work until `close`."""
        with ThreadPoolExecutor(CALLERS) as pool:
            self._work = [pool.submit(self._serve) for _ in range(CALLERS)]
            try:
                yield
            finally:
                self._over.set()

    def close(self) -> None:
        """Begin nothing more, and wait until everything that was asked is answered."""
        self._over.set()
        for work in self._work:
            work.result()

    def await_answers(self, how_many: int) -> None:
        end = monotonic() + PATIENCE
        for _ in range(how_many):
            while not self._answers.acquire(timeout=0.2):
                assert monotonic() < end, "nobody is answered"
                for work in self._work:
                    assert not work.done() or work.result()

    def _serve(self) -> None:
        caller = Caller(self._state / "kiyose")
        while not self._over.is_set():
            number = next(self._numbers)
            assert number <= RESIDENTS
            pair = self._insist(partial(caller.issue, number=number, key=f"application-{number}")).body
            certificates = {kind: base64.b64decode(pair["certificates"][kind.value]) for kind in Kind}
            self.pairs[number] = certificates
            self._answers.release()
            if number % 2:
                self._insist(partial(caller.revoke, number=number, key=f"revocation-{number}"))
                self.revoked.add(number)
            for kind, der in certificates.items():
                said = self._insist(partial(caller.status, certificate=der, issuer=self._issuers[kind]))
                assert said == ("revoked" if number % 2 else "good")

    def _insist(self, ask: Callable[..., Answer]) -> Answer:
        """Ask until there is an answer, in the same words: a caller cannot know how far an earlier request came."""
        end = monotonic() + PATIENCE
        while monotonic() < end:
            with suppress(*UNANSWERED):
                answer = ask(self.served)
                if isinstance(answer, str) or answer.status in (200, 201):
                    return answer
                assert answer.body["code"] in ("busy", "in-progress"), answer.body
            self._over.wait(0.02)
        raise AssertionError("there is no answer")


def kill(*process_ids: int) -> None:
    for process_id in process_ids:
        os.kill(process_id, signal.SIGKILL)


def test_servers_killed_at_their_work_keep_what_was_promised(opened: State, forks: Forks, spoilt: Path) -> None:
    with opened.copied(spoilt) as state, ExitStack() as servers:
        start = partial(serving, "api", state.path)
        counter = Counter(state.path, servers.enter_context(start()))
        with counter.open():
            counter.await_answers(10)
            kill(counter.served.workers()[0])
            counter.await_answers(20)
            kill(counter.served.process_id)
            counter.served = servers.enter_context(start())
            counter.await_answers(20)
            kill(counter.served.process_id, *counter.served.workers())
            counter.served = servers.enter_context(start())
            counter.await_answers(20)
            counter.close()
        judged, published, after = forks.run(state, act("judge"), act("publish"), act("judge"), now=now()).told
        assert judged["faults"] == after["faults"] == after["notes"] == []
        assert published["published"].keys() == {"authentication-g2/13221.crl", "signature-g2/13221.crl"}
        expected = {
            sha256(der).hexdigest(): "revoked" if number in counter.revoked else "good"
            for number, pair in counter.pairs.items()
            for der in pair.values()
        }
        assert {row["sha256"]: row["status"] for row in after["certificates"]} == expected
