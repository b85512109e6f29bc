"""Strangers at an open port: connections that say nothing, or one octet at a time, or nonsense, or go at once."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable
from time import sleep

_PIECE = 1 << 16


class Strangers:
    """Threads that trouble a port until told to stop; what each has done is counted."""

    def __init__(self, port: int, stop: threading.Event) -> None:
        self._port, self._stop = port, stop
        self.connections = self.octets = self.silent = self.refused = 0

    def start(self, floods: int, slow: int) -> list[threading.Thread]:
        """That many threads that open and close, that many slow clients, and one that sends nonsense."""
        acts: list[Callable[[], None]] = [self._flood] * floods + [self._dawdle] + [self._rave]
        threads = [threading.Thread(target=self._until_stopped, args=(act,), daemon=True) for act in acts]
        self._slow = slow
        for thread in threads:
            thread.start()
        return threads

    def _until_stopped(self, act: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                act()
            except OSError:
                self.refused += 1
                sleep(0.01)

    def _open(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), timeout=5)

    def _flood(self) -> None:
        for _ in range(100):
            self._open().close()
            self.connections += 1

    def _dawdle(self) -> None:
        """Half of them silent, half an octet a second, as long as they are let."""
        held = [self._open() for _ in range(self._slow)]
        request = b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
        self.silent += len(held)
        try:
            for octet in request:
                if self._stop.wait(1.0):
                    return
                for client in held[::2]:
                    client.sendall(bytes((octet,)))
        finally:
            for client in held:
                client.close()

    def _rave(self) -> None:
        chance = random.Random()
        with self._open() as client:
            for _ in range(64):
                client.sendall(chance.randbytes(_PIECE))
                self.octets += _PIECE
