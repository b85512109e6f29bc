"""The worker on batches: works off what waits, erases what is old, goes on with mass events that were left."""

from __future__ import annotations

import gc
import logging
import signal
import time
from datetime import timedelta
from pathlib import Path

from ca.batch_work import Worker, erase_old, leave, work_round
from cli.publisher import assembled_anew, next_wait
from config.assemble import Services, assemble
from config.batching import make_batching, make_worker
from config.signing import SigningCounts
from domain.errors import Code, Refusal
from domain.mass import MassState
from mass.pace import REST
from mass.resumption import Resumption
from web.batches import read_line

_log = logging.getLogger("jpki.batches")

ERASED_EVERY = timedelta(hours=1)
"""How often the worker in the first slot looks for batches that were kept long enough."""

_MADE_UNLOOKED = 50_000
"""Objects, more than there are of one chunk."""

_HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


def run_worker(state: Path, slot: int) -> None:
    """Work until SIGTERM or SIGINT; SIGUSR1 looks for work at once, SIGHUP reads the settings again.

    A refusal is logged, and the next rounds come later and later until one succeeds. Raises ConfigurationFaults.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)  # they wait for the end of the round
    services = assemble(state)
    services.require_schema()
    worker, resumption = _worker(services, slot), Resumption(services.mass)
    settle()
    wait, counts = timedelta(0), SigningCounts(state, f"batches-{slot}")
    erased_at = None
    while True:
        services.signing.hear(counts.tell)
        done = go_round(worker)
        counts.keep()
        rest = go_on(resumption) if done == 0 and slot == 0 else None
        now = services.clock()
        if done == 0 and slot == 0 and (erased_at is None or now - erased_at >= ERASED_EVERY):
            erased_at = now
            erase(worker)
        poll = services.settings.batches.poll
        wait = timedelta(0) if done else rest or next_wait(wait, poll, well=done is not None)
        heard = signal.sigtimedwait(_HEARD, wait.total_seconds())
        if heard and heard.si_signo in (signal.SIGTERM, signal.SIGINT):
            break
        if heard and heard.si_signo == signal.SIGHUP:
            services = assembled_anew(state, services)
            worker, resumption = _worker(services, slot), Resumption(services.mass)
    _leave(worker)
    services.close()


def settle() -> None:
    """Have the collector of garbage leave alone what is there for good, and come seldom for the rest: what a chunk
    makes goes by itself when the chunk has ended, and lives too long not to be looked through again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MADE_UNLOOKED)


def _worker(services: Services, slot: int) -> Worker:
    return make_worker(services, make_batching(services, read_line), slot)


def go_round(worker: Worker) -> int | None:
    """One round; how many applications ended in it, or None when it was refused."""
    try:
        if done := work_round(worker):
            _log.info("worked on batches", extra={"facts": {"applications": done}})
            return done
    except Refusal as refusal:
        _tell(refusal)
        return None
    return 0


def go_on(resumption: Resumption) -> timedelta | None:
    """A step of a mass event whose runner has died, if there is one; how long to rest then."""
    begun = time.monotonic()
    try:
        if event := resumption.go_on():
            if event.state is not MassState.RUNNING:
                _log.info("finished a mass event", extra={"facts": {"event": event.id, "state": event.state.value}})
            return timedelta(seconds=REST * (time.monotonic() - begun))
    except Refusal as refusal:
        _tell(refusal)
    return None


def erase(worker: Worker) -> None:
    """Erase batches that were kept long enough."""
    try:
        while erased := erase_old(worker.batching):
            _log.info("erased old batches", extra={"facts": {"batches": erased}})
    except Refusal as refusal:
        _tell(refusal)


def _tell(refusal: Refusal) -> None:
    # Busy: another worker has the slot, or died and left it behind for a minute; or others write.
    level = logging.INFO if refusal.code is Code.BUSY else logging.ERROR
    _log.log(level, "refused", extra={"facts": {"code": refusal.code.value, "detail": refusal.detail}})


def _leave(worker: Worker) -> None:
    try:
        leave(worker)
    except Refusal as refusal:
        _log.info("the slot stays taken for a minute", extra={"facts": {"code": refusal.code.value}})
