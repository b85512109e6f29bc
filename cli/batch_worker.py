"""The worker on batches: takes up what waits, round after round, and erases what was kept long enough."""

from __future__ import annotations

import logging
import signal
from datetime import timedelta
from pathlib import Path

from ca.batch_work import Worker, erase_old, leave, work_round
from cli.publisher import assembled_anew, next_wait
from config.assemble import Services, assemble
from config.batching import make_batching, make_worker
from config.signing import SigningCounts
from domain.errors import Code, Refusal
from web.batches import read_line

_log = logging.getLogger("jpki.batches")

ERASED_EVERY = timedelta(hours=1)
"""How often the worker in the first slot looks for batches that were kept long enough."""

_HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


def run_worker(state: Path, slot: int) -> None:
    """Work until SIGTERM or SIGINT; SIGUSR1 looks for work at once, SIGHUP reads the settings again.

    A refusal is logged, and the next rounds come later and later until one succeeds. Raises ConfigurationFaults.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)  # they wait for the end of the round
    services = assemble(state)
    services.require_schema()
    worker = _worker(services, slot)
    wait, counts = timedelta(0), SigningCounts(state, f"batches-{slot}")
    erased_at = None
    while True:
        services.signing.hear(counts.tell)
        done = go_round(worker)
        counts.keep()
        now = services.clock()
        if done == 0 and slot == 0 and (erased_at is None or now - erased_at >= ERASED_EVERY):
            erased_at = now
            erase(worker)
        poll = services.settings.batches.poll
        wait = timedelta(0) if done else next_wait(wait, poll, well=done is not None)
        heard = signal.sigtimedwait(_HEARD, wait.total_seconds())
        if heard and heard.si_signo in (signal.SIGTERM, signal.SIGINT):
            break
        if heard and heard.si_signo == signal.SIGHUP:
            services = assembled_anew(state, services)
            worker = _worker(services, slot)
    _leave(worker)
    services.close()


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


def erase(worker: Worker) -> None:
    """Erase batches that were kept long enough."""
    try:
        while erased := erase_old(worker.batching):
            _log.info("erased old batches", extra={"facts": {"batches": erased}})
    except Refusal as refusal:
        _tell(refusal)


def _tell(refusal: Refusal) -> None:
    # Busy: another worker has the slot, or died and left it behind for a minute.
    level = logging.INFO if refusal.code is Code.BUSY else logging.ERROR
    _log.log(level, "refused", extra={"facts": {"code": refusal.code.value, "detail": refusal.detail}})


def _leave(worker: Worker) -> None:
    try:
        leave(worker)
    except Refusal as refusal:
        _log.info("the slot stays taken for a minute", extra={"facts": {"code": refusal.code.value}})
