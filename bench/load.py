"""Load: requests sent over a number of connections from a process of its own, each answer checked and timed.

`python -m bench.load` reads a `Load` as JSON on standard input and writes what came of it on standard output.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from time import perf_counter

from bench.machine import LOAD_CORE, start

_LONGEST = 20.0
"""Seconds to wait for an answer before the run is given up: a peer may hang for good."""


@dataclass(frozen=True, slots=True)
class Load:
    """`requests` is a file of `write_requests`. With `endless` they come round again, else the run ends with them.

    `contains` (hex) must be within each answer, and its status must be `status`. `tls` is a folder of
    `jpki municipalities enrol`.
    """

    port: int
    requests: str
    seconds: float
    contains: str
    status: int = 200
    connections: int = 16
    keep_alive: bool = True
    endless: bool = True
    tls: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Answers a second, and the times within which half of them and 99 in a hundred came (milliseconds)."""

    rate: float
    answers: int
    p50_ms: float
    p99_ms: float


def write_requests(path: Path, requests: Iterable[bytes]) -> None:
    """Keep whole HTTP requests in a file, each behind its length."""
    path.write_bytes(b"".join(len(request).to_bytes(4) + request for request in requests))


def run_load(load: Load) -> Outcome:
    """Carry it out in a process on the other core. Raises RuntimeError when an answer was not what it should be."""
    process = start([sys.executable, "-m", "bench.load"], LOAD_CORE, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said, _ = process.communicate(json.dumps(asdict(load)).encode(), timeout=load.seconds + 2 * _LONGEST)
    if process.returncode:
        raise RuntimeError("the load was given up; its reason stands above")
    return Outcome(**json.loads(said))


def _read_requests(path: str) -> list[bytes]:
    octets, at, found = Path(path).read_bytes(), 0, []
    while at < len(octets):
        end = at + 4 + int.from_bytes(octets[at : at + 4])
        found.append(octets[at + 4 : end])
        at = end
    return found


class _Run:
    """What the connections share."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.contains = bytes.fromhex(load.contains)
        self.status = str(load.status).encode()
        requests = _read_requests(load.requests)
        self._requests: Iterator[bytes] = cycle(requests) if load.endless else iter(requests)
        self.times: list[float] = []
        self.started = perf_counter()
        self.ended = self.started
        self._open = load.connections
        self.over = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes | None:
        """None when the time is over, or nothing is left to ask."""
        self.ended = perf_counter()
        return None if self.ended - self.started > self.load.seconds else next(self._requests, None)

    def answered(self, head: bytes, body: bytes, took: float) -> None:
        if head.split(b" ", 2)[1] != self.status or self.contains not in body:
            self.fail(f"an answer is not what it should be: {head[:60]!r} {body[:200]!r}")
        self.times.append(took)

    def finish(self) -> None:
        """One connection is done."""
        self._open -= 1
        if not self._open and not self.over.done():
            self.over.set_result(None)

    def fail(self, why: str) -> None:
        if not self.over.done():
            self.over.set_exception(RuntimeError(why))


class _Client(asyncio.Protocol):
    """One connection: a request at a time, the next one as soon as the answer is whole."""

    def __init__(self, run: _Run, request: bytes, done: asyncio.Future[bool]) -> None:
        self._run, self._request, self._done = run, request, done
        self._received = b""
        self._transport: asyncio.Transport
        self._started = perf_counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._run.load.keep_alive:
            self._started = perf_counter()  # where connections are not kept, making one is part of the answer
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        self._received = b""
        self._run.answered(head, body, perf_counter() - self._started)
        request = self._run.next_request() if self._run.load.keep_alive else None
        if request is None:
            self._done.set_result(True)
            self._transport.close()
            return
        self._started = perf_counter()
        self._transport.write(request)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._run.fail(f"a connection was lost: {exc}")
            self._done.set_result(False)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise RuntimeError("an answer has no Content-Length")


async def _connect_and_ask(run: _Run, context: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    while (request := run.next_request()) is not None and not run.over.done():
        done: asyncio.Future[bool] = loop.create_future()
        client = _Client(run, request, done)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", run.load.port, ssl=context)
        if not await done or run.load.keep_alive:
            break
    run.finish()


async def _carry_out(load: Load) -> Outcome:
    context = None
    if load.tls:
        folder = Path(load.tls)
        context = ssl.create_default_context(cafile=folder / "authority.pem")
        context.load_cert_chain(folder / "client.pem", folder / "client.key")
    run = _Run(load)
    tasks = [asyncio.create_task(_connect_and_ask(run, context)) for _ in range(load.connections)]
    async with asyncio.timeout(load.seconds + _LONGEST):
        await run.over
        await asyncio.gather(*tasks)
    return Outcome(
        rate=len(run.times) / (run.ended - run.started),
        answers=len(run.times),
        p50_ms=1000 * _quantile(run.times, 0.50),
        p99_ms=1000 * _quantile(run.times, 0.99),
    )


def _quantile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_carry_out(Load(**json.load(sys.stdin)))))))
