"""Callers at once: single applications by several threads, of one process or of one on each processor."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import perf_counter

from bench.machine import LOAD_CORE, SERVER_CORE, pin
from ca.authority import Authority
from ca.issue import issue
from config.assemble import assemble
from domain.applications import IssuanceApplication

CORES = sorted({SERVER_CORE, LOAD_CORE})
_PATIENCE = 300.0


def issue_at_once(authority: Authority, applications: Sequence[IssuanceApplication], callers: int) -> None:
    """Each application by itself, by that many threads, as a worker of the API has them."""
    with ThreadPoolExecutor(callers) as threads:
        list(threads.map(lambda application: issue(authority, application), applications))


def rate_of_processes(
    state: Path, applications: Sequence[IssuanceApplication], warm: Sequence[IssuanceApplication], callers: int
) -> float:
    """Pairs a second by a process on each processor, as the API's workers are; `callers` threads in all.

    Each has issued its part of `warm` before the clock starts: a server that has just started is none to measure.
    """
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(len(CORES) + 1, timeout=_PATIENCE)
    parts = [(core, applications[n :: len(CORES)], warm[n :: len(CORES)]) for n, core in enumerate(CORES)]
    processes = [
        spawn.Process(target=_issue_part, args=(state, *part, callers // len(CORES), barrier)) for part in parts
    ]
    for process in processes:
        process.start()
    barrier.wait()
    started = perf_counter()
    barrier.wait()
    elapsed = perf_counter() - started
    for process in processes:
        process.join()
    return len(applications) / elapsed


def _issue_part(
    state: Path,
    core: int,
    applications: Sequence[IssuanceApplication],
    warm: Sequence[IssuanceApplication],
    callers: int,
    barrier: Barrier,
) -> None:
    pin(core)
    authority = assemble(state).authority
    try:
        issue_at_once(authority, warm, callers)
        gc.collect()
        gc.freeze()  # as a server does
        barrier.wait()
        issue_at_once(authority, applications, callers)
        barrier.wait()
    except BaseException:
        barrier.abort()  # who failed lets nobody wait
        raise
