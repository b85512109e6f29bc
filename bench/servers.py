"""Servers: what workers of one status service, and nodes of their own, answer over HTTP for each second of processor
time that they take."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.house import ISSUER, add_certificates, free_port, make_house, serve_by
from bench.load import write_requests
from bench.machine import start
from bench.ocsp import make_ocsp_requests
from bench.service import ROOT, await_listening, http_request, started
from bench.wrk import run_wrk

WORKERS, NODES = (1, 2), (1, 2, 4)
_ROUNDS, _SERVED = 5, 5_000
_SECONDS = 4.0
"""Of load in each round."""
_TICKS = os.sysconf("SC_CLK_TCK")


def measure_workers(folder: Path) -> dict[int, list[float]]:
    """By the number of workers of one service, with one model."""
    found = {}
    for count in WORKERS:
        house = folder / f"workers-{count}"
        asked = _fill(house, count)
        with started(serve_by(house, "event-loop"), "status") as server:
            found[count] = _measured([server], asked)
    return found


def measure_nodes(folder: Path) -> dict[int, list[float]]:
    """By the number of nodes with a worker and a model each, which follow one database."""
    house = folder / "nodes"
    asked = _fill(house, 1)
    serve_by(house, "event-loop")
    found = {}
    for count in NODES:
        with ExitStack() as stack:
            found[count] = _measured([stack.enter_context(_node(house, number)) for number in range(count)], asked)
    return found


def _fill(house: Path, workers: int) -> Path:
    """A file of requests about the certificates of a new authority."""
    services = make_house(house, workers=workers)
    serials = add_certificates(services, _SERVED)
    services.node.make()
    requests = make_ocsp_requests(services.issuers[ISSUER], serials, nonce=False)
    asked, head = house / "asked.requests", "Content-Type: application/ocsp-request\r\n"
    write_requests(asked, (http_request("POST", "/ocsp", request, head) for request in requests))
    services.close()
    return asked


@contextmanager
def _node(house: Path, number: int) -> Iterator[tuple[int, int]]:
    """Port and process of a node of its own."""
    port, named = free_port(), ("--node", f"node-{number}")
    command = [sys.executable, "-m", "cli", "--state", str(house)]
    subprocess.run([*command, "model", "make", *named], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    with (house / f"node-{number}.log").open("wb") as log:
        bind = f"127.0.0.1:{port}"
        process = start([*command, "serve", "status", *named, "--bind", bind], cwd=ROOT, stdout=log, stderr=log)
        try:
            await_listening(port, process)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait()


def _measured(servers: Sequence[tuple[int, int]], asked: Path) -> list[float]:
    """Answers of all of them at once for each second of processor time of all, in each round."""
    with ThreadPoolExecutor(len(servers)) as pool:

        def load(seconds: float) -> float:
            ask = partial(run_wrk, requests=asked, seconds=seconds)
            return sum(outcome.answers for outcome in pool.map(ask, (port for port, _ in servers)))

        def served() -> float:
            before = sum(_processor(process) for _, process in servers)
            answers = load(_SECONDS)
            return answers / (sum(_processor(process) for _, process in servers) - before)

        load(1.0)
        return [served() for _ in range(_ROUNDS)]


def _processor(process: int) -> float:
    """Seconds of processor time of a process and its children."""
    ticks = 0
    for one in (process, *_children(process)):
        _, _, fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")
        ticks += sum(map(int, fields.split()[11:13]))
    return ticks / _TICKS


def _children(process: int) -> Iterator[int]:
    for child in map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()):
        yield child
        yield from _children(child)
