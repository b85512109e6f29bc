"""A PostgreSQL server as this process finds it: nobody waits for good for one that stands still.

Such a server takes questions and says nothing, and over a line that was cut TCP would wait for a quarter of an hour.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from time import monotonic, sleep
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.errors import _WaitTimeout

LONGEST_WAIT = 2.0
"""Seconds for which a server that has nothing to do but to answer may say nothing."""

PATIENCE = 70.0
"""The same where it may be at work: somewhat longer than it lets statements run."""

_LOOK = 0.2
"""Seconds from one look to the next whether a server answers again."""


class StandsStill(psycopg.OperationalError):
    """The server does not say a word."""


class BoundedConnection(psycopg.Connection[tuple[Any, ...]]):
    """It waits `longest_wait` seconds for each of the server's answers. When that is over it is closed, since nobody
    knows what the server will still say, and `lost` is called."""

    longest_wait = PATIENCE
    lost: Callable[[], object] = staticmethod(lambda: None)
    require: Callable[[], object] = staticmethod(lambda: None)

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.longest_wait)
        except _WaitTimeout:
            self.close()
            self.lost()
        raise StandsStill("the server does not answer")

    def begin(self) -> None:
        """Begin a transaction, for which a server that is alive takes no time. Raises StandsStill."""
        self.require()
        usual, self.longest_wait = self.longest_wait, LONGEST_WAIT
        try:
            self.execute("BEGIN")
        finally:
            self.longest_wait = usual


class Server:
    """Who waits for it in vain waits for all: until it answers again, everybody else is told at once."""

    def __init__(self) -> None:
        self._away_in = 0
        self._lock = threading.Lock()

    def connect(self, arguments: Mapping[str, Any], longest_wait: float = PATIENCE) -> BoundedConnection:
        """Raises StandsStill and the driver's errors."""
        self.require()
        begun = monotonic()
        try:
            connection = BoundedConnection.connect(**arguments)
        except psycopg.OperationalError:
            if monotonic() - begun > LONGEST_WAIT / 2:
                self._lose(arguments)
            raise
        connection.longest_wait, connection.require = longest_wait, self.require
        connection.lost = lambda: self._lose(arguments)
        return connection

    def require(self) -> None:
        """Raises StandsStill while the server is known not to answer."""
        if self._away_in == os.getpid():  # a forked child finds out by itself
            raise StandsStill("the server did not answer a moment ago")

    def _lose(self, arguments: Mapping[str, Any]) -> None:
        with self._lock:
            if self._away_in != os.getpid():
                self._away_in = os.getpid()
                threading.Thread(target=self._look, args=(arguments,), name="database-look", daemon=True).start()

    def _look(self, arguments: Mapping[str, Any]) -> None:
        while self._away_in:
            sleep(_LOOK)
            with suppress(psycopg.Error), BoundedConnection.connect(**arguments) as connection:
                connection.longest_wait = LONGEST_WAIT
                connection.execute("SELECT 1")
                self._away_in = 0


@cache
def server_of(_address: str) -> Server:
    """The one at that address, for all of this process."""
    return Server()
