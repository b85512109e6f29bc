"""Strangers at open ports: connections that say nothing, or one octet at a time, or nonsense, or go at once."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from time import sleep

from bench.pace import Pace
from bench.service import http_request

_PIECE = 1 << 16
_TYPE = "Content-Type: application/ocsp-request\r\n"


class Strangers:
    """Threads that trouble the OCSP door at `port`, and all that is open on `others` too, until told to stop; what each
    has done is counted. `connections` were opened and closed at once, `silent` held open, and of `octets` of nonsense
    every second piece came as a proper request."""

    def __init__(self, port: int, stop: threading.Event, others: tuple[int, ...] = ()) -> None:
        self._port, self._stop, self._others = port, stop, others
        self.connections = self.octets = self.silent = self.refused = 0

    def start(self, floods: int, slow: int, connections: Pace, megabytes: Pace) -> list[threading.Thread]:
        """That many threads that open and close, that many slow clients at each port, and one that sends nonsense."""
        acts: list[Callable[[], None]] = [partial(self._flood, connections)] * floods
        acts += [partial(self._dawdle, port, slow) for port in (self._port, *self._others)]
        acts.append(partial(self._rave, megabytes))
        threads = [threading.Thread(target=self._until_stopped, args=(act,), daemon=True) for act in acts]
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

    def _open(self, port: int) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), timeout=5)

    def _flood(self, pace: Pace) -> None:
        while pace.wait(self._stop):
            try:
                self._open(self._port).close()
            except OSError:
                pace.undo()
                raise
            self.connections += 1
        self._stop.wait()

    def _dawdle(self, port: int, slow: int) -> None:
        """Half of them silent, half an octet a second, as long as they are let."""
        held = []
        try:
            for _ in range(slow):
                held.append(self._open(port))
                self.silent += 1
            for octet in cycle(b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"):
                if self._stop.wait(1.0):
                    return
                for client in held[::2]:
                    client.sendall(bytes((octet,)))
        finally:
            for client in held:
                client.close()

    def _rave(self, pace: Pace) -> None:
        chance = random.Random()
        kinds: Iterator[Callable[[bytes], bytes]] = cycle((bytes, _as_request))
        while pace.wait(self._stop):
            begun, make = self.octets, next(kinds)
            while self.octets - begun < 1 << 20 and not self._stop.is_set():
                try:
                    self._send(make(chance.randbytes(_PIECE)))
                except OSError:
                    self.refused += 1
                    sleep(0.01)
        self._stop.wait()

    def _send(self, octets: bytes) -> None:
        """On a connection of its own: what was not read when it was closed was sent all the same."""
        with self._open(self._port) as client:
            try:
                for _ in range(16):
                    client.sendall(octets)
                    self.octets += len(octets)
            except OSError:
                self.refused += 1


def _as_request(octets: bytes) -> bytes:
    """A proper request with nonsense in it."""
    return http_request("POST", "/ocsp", octets, _TYPE)
