"""Wires: connected sockets that never wait. What the client does not take now is kept until it does."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from typing import Protocol

_PIECE = 65_536
"""Octets that are read at once."""

_NOW = socket.MSG_DONTWAIT
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: what was not taken is thrown away, and the client hears it."""


class Receiver(Protocol):
    """Who reads what comes on a wire, and hears what becomes of what is written to it."""

    def data_received(self, data: bytes) -> None: ...

    def pause_writing(self) -> None:
        """The client does not take all of what was sent; heard again, it has taken a part."""

    def resume_writing(self) -> None:
        """The client has taken everything."""

    def connection_lost(self) -> None:
        """Nothing more comes, and nothing more goes."""


class Wire:
    """One socket. The loop knows of it only while something is waited for.

    After its end, whoever ended it, nothing that is asked of it has any effect.
    """

    __slots__ = ("_closing", "_ending", "_loop", "_reading", "_receiver", "_socket", "_unsent", "_watched")

    def __init__(self, loop: asyncio.AbstractEventLoop, connected: socket.socket, receiver: Receiver) -> None:
        self._loop, self._socket, self._receiver = loop, connected, receiver
        self._unsent = deque[memoryview]()
        self._reading = True
        self._watched = self._ending = self._closing = False

    def open(self) -> None:
        """Read what is there, and from now on what comes."""
        self._receive()
        self._watch()

    @property
    def waiting(self) -> bool:
        """Whether the client has still to take something."""
        return bool(self._unsent)

    def pause_reading(self) -> None:
        self._reading = False
        self._watch()

    def resume_reading(self) -> None:
        self._reading = True
        self._watch()

    def write(self, octets: bytes) -> None:
        """Send now what goes now, and the rest later; nothing behind an end that was announced."""
        if self._closing or self._ending:
            return
        if self._unsent:
            self._unsent.append(memoryview(octets))
            return
        try:
            sent = self._socket.send(octets, _NOW)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lose()
            return
        if sent < len(octets):
            self._unsent.append(memoryview(octets)[sent:])
            self._loop.add_writer(self._socket.fileno(), self._send_rest)
            self._receiver.pause_writing()

    def write_eof(self) -> None:
        """Announce the end when everything is sent; what the client says is still read."""
        self._ending = True
        if not self._unsent and not self._closing:
            try:
                self._socket.shutdown(socket.SHUT_WR)
            except OSError:
                self._lose()

    def close(self) -> None:
        """Hang up when everything is sent."""
        if self._unsent:
            self._closing = True
            self._watch()
        else:
            self._lose()

    def abort(self) -> None:
        """Hang up now. What the client has not taken is thrown away, by the system too."""
        if self._unsent:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._lose()

    def _watch(self) -> None:
        """Have the loop tell of what comes, or not."""
        wanted = self._reading and not self._closing
        if wanted != self._watched:
            self._watched = wanted
            if wanted:
                self._loop.add_reader(self._socket.fileno(), self._receive)
            else:
                self._loop.remove_reader(self._socket.fileno())

    def _receive(self) -> None:
        try:
            data = self._socket.recv(_PIECE, _NOW)
        except BlockingIOError:
            return
        except OSError:
            self._lose()
            return
        if data:
            self._receiver.data_received(data)
        else:  # the client says no more; what it is owed it gets
            self.close()

    def _send_rest(self) -> None:
        unsent = self._unsent
        try:
            while unsent:
                unsent[0] = unsent[0][self._socket.send(unsent[0], _NOW) :]
                if not unsent[0]:
                    unsent.popleft()
        except BlockingIOError:
            self._receiver.pause_writing()
            return
        except OSError:
            self._lose()
            return
        self._loop.remove_writer(self._socket.fileno())
        if self._closing:
            self._lose()
            return
        if self._ending:
            self.write_eof()
        self._receiver.resume_writing()

    def _lose(self) -> None:
        number = self._socket.fileno()
        if number < 0:
            return
        self._closing = True
        if self._watched:
            self._watched = False
            self._loop.remove_reader(number)
        if self._unsent:
            self._unsent.clear()
            self._loop.remove_writer(number)
        self._socket.close()
        self._receiver.connection_lost()
