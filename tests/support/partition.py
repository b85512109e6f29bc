"""A line to a PostgreSQL server that tests can cut: nothing passes, and nobody is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = ".s.PGSQL.5432"


class Line:
    """Takes TCP connections at `port` of the loopback, and passes everything on to a server's folder of sockets."""

    def __init__(self, server: Path) -> None:
        self._server = str(server / _NAME)
        self._cuts = 0
        self._whole = True
        self._ends: list[socket.socket] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._take, daemon=True).start()

    def cut(self) -> None:
        """From now on octets and new connections are taken and go nowhere."""
        self._whole = False
        self._cuts += 1

    def mend(self) -> None:
        """New connections pass again. Those from before stay half-open: neither end hears of the other any more."""
        self._whole = True

    def close(self) -> None:
        self._door.close()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                self._ends.append(client)
                if self._whole:
                    threading.Thread(target=self._join, args=(client, self._cuts), daemon=True).start()

    def _join(self, client: socket.socket, cuts: int) -> None:
        server = socket.socket(socket.AF_UNIX)
        self._ends.append(server)
        with suppress(OSError):
            server.connect(self._server)
            threading.Thread(target=self._pass, args=(server, client, cuts), daemon=True).start()
            self._pass(client, server, cuts)

    def _pass(self, one: socket.socket, other: socket.socket, cuts: int) -> None:
        with suppress(OSError):
            while octets := one.recv(65536):
                if cuts == self._cuts:
                    other.sendall(octets)
        if cuts == self._cuts:
            for end in (one, other):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


@contextmanager
def line_to(server: Path) -> Iterator[Line]:
    line = Line(server)
    try:
        yield line
    finally:
        line.close()
