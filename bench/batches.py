"""Files of applications: taken, and worked off by one worker on one processor, or by one on each."""

from __future__ import annotations

import gc
import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count, islice
from pathlib import Path
from time import perf_counter, sleep, thread_time

from bench.callers import CORES
from bench.figures import Slice, once
from bench.machine import start
from bench.people import as_json
from bench.service import ROOT
from ca.batch_work import leave, work_off
from ca.batches import take_batch
from cli.batch_worker import settle
from config.assemble import Services
from config.batching import make_batching, make_worker
from domain.applications import IssuanceApplication
from domain.parties import LOCAL_OPERATOR
from web.batches import read_line

BATCH = 4
"""How many times as many applications there are in a file as are issued one after the other."""

LARGE = 24
"""The same for a file that is worked off on all processors: one that ends earlier than the other one waits for its last
chunk, and that must not count for much."""

WARM = 256
"""Applications with which workers get warm before the clock starts."""

_LOOK = 0.01
_NUMBERS = count(1)  # of files, which are named by them
_START = 3.0  # seconds that a worker takes to open its keys


class Files:
    """`size` applications in each file; a file that one slice took is worked off in the next."""

    def __init__(self, services: Services, applications: Sequence[IssuanceApplication], size: int) -> None:
        self._services = services
        self._batching = make_batching(services, read_line)
        self._rest = iter(applications)
        self._size = size
        self.by_processor: list[float] = []

    def take(self) -> Slice:
        octets = b""

        def step() -> int:
            self._take(octets)
            return self._size

        measure = once(step)

        def prepare_and_measure() -> float:
            nonlocal octets
            octets = self._file()
            return measure()

        return prepare_and_measure

    def work_off(self) -> Slice:
        """In this process, until nothing waits."""
        worker = make_worker(self._services, self._batching, 0)

        def step() -> int:
            started, done = thread_time(), 0
            while ended := work_off(worker):
                done += ended
            self.by_processor.append(done / (thread_time() - started))
            return done

        measure = once(step)

        def measure_and_leave() -> float:
            threshold = gc.get_threshold()
            settle()
            rate = measure()
            gc.unfreeze()
            gc.set_threshold(*threshold)
            leave(worker)
            return rate

        return measure_and_leave

    def work_off_on_all(self) -> Slice:
        """A file of its own, by `jpki serve batches` on each of the processors; a small one before it warms them."""

        def measure() -> float:
            with self._workers() as workers:
                while not all(map(_listens, workers)):
                    sleep(_LOOK)
                sleep(_START)
                self._await(self._file(WARM), workers)
                return self._size / self._await(self._file(), workers)

        return measure

    def _await(self, octets: bytes, workers: Sequence[subprocess.Popen[bytes]]) -> float:
        """Seconds from when a file was taken until it is worked off."""
        number = self._take(octets)
        started = perf_counter()
        for process in workers:
            process.send_signal(signal.SIGUSR1)
        while self._is_open(number):
            if any(process.poll() is not None for process in workers):
                raise RuntimeError("a worker died; see its log")
            sleep(_LOOK)
        return perf_counter() - started

    def _is_open(self, number: int) -> bool:
        with self._services.begin(write=False) as work:
            batch = work.batches.get(number)
        return batch is not None and batch.open > 0

    def _file(self, size: int | None = None) -> bytes:
        return as_file(islice(self._rest, size or self._size))

    def _take(self, octets: bytes) -> int:
        return take_batch(self._batching, LOCAL_OPERATOR, f"bench-file-{next(_NUMBERS)}", octets).batch.id

    @contextmanager
    def _workers(self) -> Iterator[list[subprocess.Popen[bytes]]]:
        state = self._services.settings.state
        command = [sys.executable, "-m", "cli", "--state", str(state), "serve", "batches", "--slot"]
        with (state / "batches.log").open("ab") as log, ExitStack() as stack:
            workers = []
            for slot, core in enumerate(CORES):
                process = start([*command, str(slot)], core, cwd=ROOT, stdout=log, stderr=log)
                stack.callback(process.wait)
                stack.callback(process.terminate)
                workers.append(process)
            yield workers


def _listens(process: subprocess.Popen[bytes]) -> bool:
    """Whether a worker has got so far that it waits for signals instead of dying of them."""
    if process.poll() is not None:
        raise RuntimeError("a worker did not start; see its log")
    return "sigtimedwait" in Path(f"/proc/{process.pid}/wchan").read_text()


def as_file(applications: Iterable[IssuanceApplication]) -> bytes:
    """A batch as it is sent."""
    return b"".join(map(_line, applications))


def _line(application: IssuanceApplication) -> bytes:
    document = {"idempotency_key": application.key, **json.loads(as_json(application))}
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"
