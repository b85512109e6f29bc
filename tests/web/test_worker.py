"""The worker: a request arrives in time or the connection counts as reset; one that follows at once is served so."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from io import BytesIO
from queue import SimpleQueue
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.workers.gthread import ThreadWorker

from web import worker
from web.worker import BoundedSocket, PatientWorker


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[BoundedSocket, socket.socket]]:
    """The server's end and the client's, with a twentieth of a second for a request."""
    monkeypatch.setattr(worker, "REQUEST_SECONDS", 0.05)
    ours, theirs = socket.socketpair()
    with closing(BoundedSocket(fileno=ours.detach())) as bounded, closing(theirs):
        bounded.setblocking(True)
        yield bounded, theirs


def test_what_is_there_is_read(pair: tuple[BoundedSocket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(b"GET")
    assert ours.recv(10) == b"GET"
    theirs.shutdown(socket.SHUT_WR)
    assert ours.recv(10) == b""


def test_silence_is_a_reset(pair: tuple[BoundedSocket, socket.socket]) -> None:
    with pytest.raises(ConnectionResetError):
        pair[0].recv(10)


def test_one_octet_at_a_time_does_not_buy_time(pair: tuple[BoundedSocket, socket.socket]) -> None:
    ours, theirs = pair
    started = monotonic()
    while monotonic() - started < 0.06:
        theirs.sendall(b"G")
        ours.recv(1)
    late = monotonic()
    with pytest.raises(ConnectionResetError):
        ours.recv(1)
    assert monotonic() - late < 0.04


def test_the_next_request_has_its_own_time(pair: tuple[BoundedSocket, socket.socket]) -> None:
    ours, theirs = pair
    with pytest.raises(ConnectionResetError):
        ours.recv(1)
    ours.setblocking(True)
    theirs.sendall(b"G")
    assert ours.recv(1) == b"G"


def test_an_answer_has_its_own_time_too(pair: tuple[BoundedSocket, socket.socket]) -> None:
    ours, theirs = pair
    with pytest.raises(ConnectionResetError):
        ours.recv(1)
    ours.sendall(b"408")
    assert theirs.recv(3) == b"408"
    assert ours.gettimeout() == 0.05


def test_the_selector_gets_a_socket_that_does_not_wait(pair: tuple[BoundedSocket, socket.socket]) -> None:
    ours, _ = pair
    ours.setblocking(False)
    with pytest.raises(BlockingIOError):
        ours.recv(1)


class Served:
    """A worker without a server, its connection to a client, and how often it was told to handle that."""

    def __init__(self, ours: BoundedSocket, monkeypatch: pytest.MonkeyPatch) -> None:
        self.worker = PatientWorker.__new__(PatientWorker)
        self.worker.alive = True
        self.worker.tpool = SimpleNamespace(_work_queue=SimpleQueue())
        self.conn: Any = SimpleNamespace(sock=ours, parser=SimpleNamespace(unreader=SimpleNamespace(buf=BytesIO())))
        self.requests = 0
        monkeypatch.setattr(ThreadWorker, "handle", self._handle)

    def _handle(self, conn: Any) -> bool:
        self.requests += 1
        conn.parser.unreader.buf = BytesIO()
        with suppress(ConnectionResetError):
            conn.sock.recv(1)
        return True

    def handle(self) -> object:
        return self.worker.handle(self.conn)


@pytest.fixture
def served(pair: tuple[BoundedSocket, socket.socket], monkeypatch: pytest.MonkeyPatch) -> Served:
    return Served(pair[0], monkeypatch)


def test_requests_that_follow_at_once_stay_in_one_thread(
    served: Served, pair: tuple[BoundedSocket, socket.socket]
) -> None:
    pair[1].sendall(b"abc")
    assert served.handle() is True
    assert served.requests == 3


def test_a_request_that_was_read_with_the_one_before_is_served(served: Served) -> None:
    served.conn.parser.unreader.buf = BytesIO(b"b")
    assert served.worker._asks_again(served.conn)


def test_a_silent_client_gives_its_thread_back_soon(served: Served, pair: tuple[BoundedSocket, socket.socket]) -> None:
    pair[1].sendall(b"a")
    started = monotonic()
    served.handle()
    assert served.requests == 1
    assert monotonic() - started < 1


def test_nobody_is_waited_for_while_others_wait(served: Served, pair: tuple[BoundedSocket, socket.socket]) -> None:
    pair[1].sendall(b"abc")
    served.worker.tpool._work_queue.put("another connection")
    served.handle()
    assert served.requests == 1


def test_a_worker_that_stops_waits_for_nobody(served: Served, pair: tuple[BoundedSocket, socket.socket]) -> None:
    pair[1].sendall(b"abc")
    served.worker.alive = False
    served.handle()
    assert served.requests == 1
