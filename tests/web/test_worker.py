"""Sockets of the worker: a request arrives in time or the connection counts as reset."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from time import monotonic

import pytest

from web import worker
from web.worker import BoundedSocket


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
