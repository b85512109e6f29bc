"""The worker process of the event loop: connections by the thousand in one thread, under gunicorn's care."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import uvloop
from gunicorn.workers.base import Worker

from domain.ports import Clock
from web.behind import Behind
from web.entrance import Entrance
from web.reception import Reception

if TYPE_CHECKING:
    from web.front import OcspFront

TICK_SECONDS = 0.25

_OWN_FILES = 128
"""Files that the application has open beside the connections."""


class EventWorker(Worker):  # type: ignore[misc]
    """Serves an application that has `front`: the OCSP answers of which the loop gives itself."""

    def run(self) -> None:
        """Until gunicorn says that it is over, or is not there any more."""
        signal.set_wakeup_fd(-1)  # gunicorn's; the loop has one of its own, which must stay
        uvloop.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        self._take_signals(loop)
        front: OcspFront = self.wsgi.wsgi_app
        address = self.sockets[0].getsockname()
        refused: Counter[int] = Counter()
        most = _files_for(self.cfg.worker_connections)
        with ThreadPoolExecutor(self.cfg.threads, "behind") as executor:
            behind = Behind(front.behind, executor, self.log.access, (str(address[0]), int(address[1])))
            reception = Reception(
                answer=front.answer_quickly,
                pass_on=behind.pass_on,
                refused=lambda status: refused.update((status,)),
                most=most,
                most_of_one=most // 2,
            )
            reception.tick(loop.time(), front.clock())
            entrances = [Entrance(loop, listener.sock, reception) for listener in self.sockets]
            for entrance in entrances:
                entrance.open()
            while self.alive and os.getppid() == self.ppid:
                self.notify()
                await asyncio.sleep(TICK_SECONDS)
                reception.tick(loop.time(), front.clock())
                front.flush()
                self._log_refused(refused)
            await self._stop(entrances, reception, front.clock)
            front.flush()

    def _take_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        """In the loop instead of between any two instructions."""

        def stop() -> None:
            self.alive = False

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            loop.add_signal_handler(number, stop)

    def _log_refused(self, refused: Counter[int]) -> None:
        unreadable = sum(count for status, count in refused.items() if status)
        if unreadable:
            self.log.error_log.warning("a request could not be read", extra={"facts": {"requests": unreadable}})
        if refused[0]:
            self.log.error_log.warning("too many connections", extra={"facts": {"connections": refused[0]}})
        refused.clear()

    async def _stop(self, entrances: list[Entrance], reception: Reception, clock: Clock) -> None:
        """Take no more connections; let answers under way be finished."""
        reception.stopping, loop = True, asyncio.get_running_loop()
        for entrance in entrances:
            entrance.close()
        for connection in list(reception.connections):
            if not connection.busy:
                connection.wire.close()
        until = loop.time() + self.cfg.graceful_timeout
        while reception.connections and loop.time() < until:
            await asyncio.sleep(TICK_SECONDS / 5)
            reception.tick(loop.time(), clock())
        for connection in list(reception.connections):
            connection.wire.abort()


def _files_for(connections: int) -> int:
    """As many of these connections as the process may have open, which it allows itself as far as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = connections + _OWN_FILES if hard == resource.RLIM_INFINITY else min(connections + _OWN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(files - _OWN_FILES, 2)
