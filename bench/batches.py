"""Files of applications: taken, and worked off by one worker on one processor, or by one on each."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count, islice
from time import perf_counter, sleep, thread_time

from bench.figures import Slice, once
from bench.machine import LOAD_CORE, SERVER_CORE, start
from bench.people import as_json
from bench.service import ROOT
from ca.batch_work import leave, work_off
from ca.batches import progress_of, take_batch
from config.assemble import Services
from config.batching import make_batching, make_worker
from domain.applications import IssuanceApplication
from domain.parties import LOCAL_OPERATOR
from web.batches import read_line

BATCH = 4
"""How many times as many applications there are in a file as are issued one after the other."""

WORKER_CORES = sorted({SERVER_CORE, LOAD_CORE})
_LOOK = 0.01
_START = 3.0  # seconds that a worker takes to open its keys


class Files:
    """`size` applications in each file; a file that one slice took is worked off in the next."""

    def __init__(self, services: Services, applications: Sequence[IssuanceApplication], size: int) -> None:
        self._services = services
        self._batching = make_batching(services, read_line)
        self._rest = iter(applications)
        self._size = size
        self._names = count()
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
            rate = measure()
            leave(worker)
            return rate

        return measure_and_leave

    def work_off_on_all(self) -> Slice:
        """A file of its own, by `jpki serve batches` on each of the processors."""

        def measure() -> float:
            octets = self._file()
            with self._workers() as workers:
                sleep(_START)
                number = self._take(octets)
                started = perf_counter()
                for process in workers:
                    process.send_signal(signal.SIGUSR1)
                while progress_of(self._batching, LOCAL_OPERATOR, number).batch.open:
                    sleep(_LOOK)
                return self._size / (perf_counter() - started)

        return measure

    def _file(self) -> bytes:
        return b"".join(map(_line, islice(self._rest, self._size)))

    def _take(self, octets: bytes) -> int:
        return take_batch(self._batching, LOCAL_OPERATOR, f"bench-file-{next(self._names)}", octets).batch.id

    @contextmanager
    def _workers(self) -> Iterator[list[subprocess.Popen[bytes]]]:
        state = self._services.settings.state
        command = [sys.executable, "-m", "cli", "--state", str(state), "serve", "batches", "--slot"]
        with (state / "batches.log").open("ab") as log, ExitStack() as stack:
            workers = []
            for slot, core in enumerate(WORKER_CORES):
                process = start([*command, str(slot)], core, cwd=ROOT, stdout=log, stderr=log)
                stack.callback(process.wait)
                stack.callback(process.terminate)
                workers.append(process)
            yield workers


def _line(application: IssuanceApplication) -> bytes:
    document = {"idempotency_key": application.key, **json.loads(as_json(application))}
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"
