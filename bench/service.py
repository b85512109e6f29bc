"""Our services as programs of their own, kept on the server's core."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep
from typing import Literal

from bench.machine import SERVER_CORE, start
from config.settings import Settings

ROOT = Path(__file__).parents[1]
_LONGEST_START = 20.0


@contextmanager
def serving(settings: Settings, service: Literal["api", "status"]) -> Iterator[int]:
    """The port of a service of the state directory, as `jpki serve` runs it; its log goes into the state directory."""
    with started(settings, service, SERVER_CORE) as (port, _):
        yield port


@contextmanager
def started(settings: Settings, service: Literal["api", "status"], *cores: int) -> Iterator[tuple[int, int]]:
    """The same on these cores, or on all: port and process."""
    state = settings.state
    listen = settings.api if service == "api" else settings.status
    port = int(listen.bind.rpartition(":")[2])
    command = [sys.executable, "-m", "cli", "--state", str(state), "serve", service]
    with (state / f"{service}.log").open("wb") as log:
        process = start(command, *cores, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        try:
            await_listening(port, process)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait()


def await_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until connections are taken there. Raises RuntimeError."""
    deadline = monotonic() + _LONGEST_START
    while monotonic() < deadline and process.poll() is None:
        try:
            HTTPConnection("127.0.0.1", port, timeout=1).connect()
        except OSError:
            sleep(0.1)
        else:
            sleep(1.0)  # the worker behind the socket makes its parts
            return
    raise RuntimeError("a service did not start; see its log")


def http_request(method: str, target: str, body: bytes = b"", headers: str = "", *, version: str = "1.1") -> bytes:
    """A whole HTTP request; `headers` are lines that end in CR LF."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {target} HTTP/{version}\r\nHost: localhost\r\n{headers}{length}\r\n".encode() + body
