"""The entrance of the event loop as a real server: more connections than there are files for, and none of them lost."""

from __future__ import annotations

import resource
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep

from tests.support.serving import Served, running

ASKED = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
PATIENCE = 60


def connect(served: Served, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((served.host, served.port), timeout=PATIENCE, source_address=(source, 0))


def ask(connection: socket.socket) -> bytes:
    """All that the server says, until it hangs up."""
    connection.sendall(ASKED)
    connection.shutdown(socket.SHUT_WR)  # the rest of the way stays open
    said = b""
    while piece := connection.recv(65_536):
        said += piece
    return said


def too_many(served: Served) -> int:
    """Connections that were not let in, so far."""
    return sum(line["connections"] for line in list(served.lines) if line["event"] == "too many connections")


def await_too_many(served: Served, count: int) -> None:
    deadline = monotonic() + PATIENCE
    while too_many(served) < count and monotonic() < deadline:
        sleep(0.01)  # said within a tick of the worker
    assert too_many(served) >= count


def test_one_client_cannot_take_all_the_files_there_are(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "tests.support.specimen", "status", str(tmp_path), "event-loop")
    with running("prlimit", "--nofile=160:160", *command) as served, ExitStack() as held:
        with connect(served, "127.0.0.2") as polite:
            assert ask(polite).startswith(b"HTTP/1.1 200 ")
        for _ in range(100):
            held.enter_context(connect(served))
        await_too_many(served, 60)  # of the files 128 are the application's, and half of the others are for one client
        with connect(served, "127.0.0.2") as polite:
            assert ask(polite).startswith(b"HTTP/1.1 200 ")


def test_without_files_it_takes_connections_later(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "tests.support.specimen", "status", str(tmp_path), "event-loop")
    with running(*command) as served:
        with connect(served) as first:
            assert ask(first).startswith(b"HTTP/1.1 200 ")
        (worker,) = served.workers()
        before = resource.prlimit(worker, resource.RLIMIT_NOFILE)
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (3, before[1]))
        with connect(served) as waiting:
            await_too_many(served, 1)
            resource.prlimit(worker, resource.RLIMIT_NOFILE, before)
            assert ask(waiting).startswith(b"HTTP/1.1 200 ")
