"""A line to a PostgreSQL server that tests can cut: nothing passes, and nobody is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = ".s.PGSQL.5432"


class Line:
    """Takes connections in `folder`, as a server's folder of sockets would, and passes everything on."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.folder = folder
        self._server = str(server / _NAME)
        self._whole = threading.Event()
        self._whole.set()
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(folder / _NAME))
        self._door.listen()
        threading.Thread(target=self._take, daemon=True).start()

    def cut(self) -> None:
        """From now on octets and new connections are taken and go nowhere."""
        self._whole.clear()

    def mend(self) -> None:
        """Everything that was on its way arrives."""
        self._whole.set()

    def close(self) -> None:
        self._door.close()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        self._whole.wait()
        server = socket.socket(socket.AF_UNIX)
        with suppress(OSError):
            server.connect(self._server)
            threading.Thread(target=self._pass, args=(server, client), daemon=True).start()
            self._pass(client, server)

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while octets := one.recv(65536):
                self._whole.wait()
                other.sendall(octets)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def line_to(folder: Path, server: Path) -> Iterator[Line]:
    """`folder` must have a short name: it becomes part of a socket's address."""
    line = Line(folder, server)
    try:
        yield line
    finally:
        line.mend()
        line.close()
