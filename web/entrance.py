"""The entrance: takes connections from a listening socket, as many as there may be."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from web.connections import Connection
from web.reception import Reception
from web.wires import Wire

_IN_A_ROW: Final = 8
"""Connections taken before others have their turn."""

_UNTAKEN: Final = 65_536
"""Octets of an answer that the system takes beyond those that are on their way: a client that is slow but takes its
answer is told from one that does not."""

_PAUSE: Final = 0.25
"""Seconds without looking for connections while there is nothing to make them of."""


class Entrance:
    """A listening socket in the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, listener: socket.socket, reception: Reception) -> None:
        self._loop, self._listener, self._reception = loop, listener, reception
        self._pause: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        # What is set here, each connection has from its beginning.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNTAKEN)

    def open(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener.fileno(), self._take)

    def close(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()

    def _take(self) -> None:
        for _ in range(_IN_A_ROW):
            try:
                connected, address = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):  # others were quicker, or the client gave up
                return
            except OSError:  # of files, memory: who waits to be taken would wake the loop again and again
                self._loop.remove_reader(self._listener.fileno())
                self._pause = self._loop.call_later(_PAUSE, self.open)
                self._reception.refused(0)
                return
            self._let_in(connected, str(address[0]))

    def _let_in(self, connected: socket.socket, client: str) -> None:
        if self._reception.is_full_for(client):
            self._reception.refused(0)
            connected.close()
        else:
            connection = Connection(self._reception, client)
            connection.wire = Wire(self._loop, connected, connection)
            connection.wire.open()
