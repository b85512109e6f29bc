"""Wires over real sockets: slow clients, half-closed ones, and those that hang up in the middle."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

import uvloop

from web.wires import Wire

LONG = bytes(range(256)) * 40_000
PATIENCE = 60


class Heard:
    """Everything that a wire tells."""

    def __init__(self) -> None:
        self.data = b""
        self.paused = self.resumed = 0
        self.lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.data += data

    def pause_writing(self) -> None:
        self.paused += 1

    def resume_writing(self) -> None:
        self.resumed += 1

    def connection_lost(self) -> None:
        assert not self.lost.is_set()
        self.lost.set()


def joined(act: Callable[[Wire, Heard, socket.socket], Awaitable[None]]) -> None:
    """Have a wire and its client act."""

    async def run() -> None:
        with ExitStack() as stack:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            client = stack.enter_context(socket.create_connection(listener.getsockname()))
            connected = stack.enter_context(listener.accept()[0])
            client.setblocking(False)
            heard = Heard()
            wire = Wire(asyncio.get_running_loop(), connected, heard)
            wire.open()
            async with asyncio.timeout(PATIENCE):
                await act(wire, heard, client)
            wire.abort()

    uvloop.run(run())


async def read_all(client: socket.socket) -> bytes:
    loop, found = asyncio.get_running_loop(), b""
    while piece := await loop.sock_recv(client, 65_536):
        found += piece
    return found


def test_a_slow_client_gets_everything_before_the_end() -> None:
    async def act(wire: Wire, heard: Heard, client: socket.socket) -> None:
        wire.write(b"first ")
        for piece in (LONG, b"", b" last"):
            wire.write(piece)
        assert wire.waiting
        wire.close()
        wire.write(b" too late")
        assert not heard.lost.is_set()
        assert await read_all(client) == b"first " + LONG + b" last"
        await heard.lost.wait()
        assert heard.paused > 1, "each time that something was taken"

    joined(act)


def test_a_client_that_says_no_more_gets_what_it_is_owed() -> None:
    async def act(wire: Wire, heard: Heard, client: socket.socket) -> None:
        wire.write(LONG)
        await asyncio.get_running_loop().sock_sendall(client, b"a request")
        client.shutdown(socket.SHUT_WR)
        assert await read_all(client) == LONG
        await heard.lost.wait()
        assert heard.data == b"a request"

    joined(act)


def test_an_end_that_is_announced_comes_behind_everything_and_the_client_is_still_heard() -> None:
    async def act(wire: Wire, heard: Heard, client: socket.socket) -> None:
        wire.write(LONG)
        wire.write_eof()
        wire.write(b"too late")
        assert await read_all(client) == LONG
        assert (heard.resumed, wire.waiting) == (1, False)
        await asyncio.get_running_loop().sock_sendall(client, b"still here")
        client.shutdown(socket.SHUT_WR)
        await heard.lost.wait()
        assert heard.data == b"still here"

    joined(act)


def test_a_reset_ends_it_and_nothing_has_any_effect_then() -> None:
    async def act(wire: Wire, heard: Heard, client: socket.socket) -> None:
        wire.write(LONG)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        await heard.lost.wait()
        for act in (wire.pause_reading, wire.resume_reading, wire.write_eof, wire.close, wire.abort):
            act()
        wire.write(b"to nobody")
        assert not wire.waiting

    joined(act)


def test_what_a_client_did_not_take_is_not_kept_for_it() -> None:
    async def act(wire: Wire, heard: Heard, client: socket.socket) -> None:
        wire.write(LONG)
        wire.abort()
        assert heard.lost.is_set()
        try:
            taken = await read_all(client)
        except ConnectionResetError:
            taken = b""
        assert len(taken) < len(LONG)

    joined(act)


def test_nothing_is_read_while_reading_is_paused() -> None:
    async def act(wire: Wire, heard: Heard, client: socket.socket) -> None:
        wire.pause_reading()
        await asyncio.get_running_loop().sock_sendall(client, b"later")
        await asyncio.sleep(0)
        assert heard.data == b""
        wire.resume_reading()
        while not heard.data:
            await asyncio.sleep(0)
        assert heard.data == b"later"

    joined(act)
