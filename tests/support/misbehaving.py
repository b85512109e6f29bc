"""Servers on loopback that behave as badly as a test wants."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

Talk = Callable[[socket.socket, Event], None]


class Server:
    """A server on loopback that says what a test makes it say, to one client after the other."""

    def __init__(self, talk: Talk, context: ssl.SSLContext | None = None) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._talk, self._context, self._over = talk, context, Event()
        self.requests: list[bytes] = []
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listening.getsockname()[1]}/x"

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            plain.settimeout(5)
            with suppress(OSError), self._secured(plain) as taken:
                self.requests.append(_request(taken))
                self._talk(taken, self._over)
            plain.close()

    def _secured(self, plain: socket.socket) -> socket.socket:
        return self._context.wrap_socket(plain, server_side=True) if self._context else plain

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(timeout=5)


def _request(taken: socket.socket) -> bytes:
    """Everything that a client sends before it waits, or what comes before it goes."""
    octets = taken.recv(65536)
    while octets:
        head, end, body = octets.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if end and len(body) >= int(length[1] if length else 0):
            break
        more = taken.recv(65536)
        if not more:
            break
        octets += more
    return octets


Serve = Callable[..., Server]
