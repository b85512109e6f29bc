"""The reception: what the connections of a worker share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from werkzeug.http import http_date

from ocsp.response import OcspAnswer
from web.forms import Forms

if TYPE_CHECKING:
    from web.connections import Connection


@dataclass(frozen=True, slots=True)
class Request:
    """A request for the application, with names of headers as they came."""

    method: str
    target: str
    version: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    keep_alive: bool


@dataclass
class Reception:
    """What the connections of a worker share. Seconds are those of the event loop.

    `answer` gives the OCSP answer to octets that came by a rule and method; `pass_on` has the application answer a
    request on a connection, which it has `resume` at the end; `refused` hears what was answered to what could not be
    read, or 0 for a connection too many.
    """

    answer: Callable[[str, str, bytes], OcspAnswer]
    pass_on: Callable[[Connection, Request], None]
    refused: Callable[[int], None]
    most: int
    most_of_one: int
    now: float = 0.0
    date: bytes = b""
    stopping: bool = False
    connections: set[Connection] = field(default_factory=set)
    clients: Counter[str] = field(default_factory=Counter)
    forms: Forms = field(default_factory=Forms)

    def tick(self, now: float, date: datetime) -> None:
        """Note the time, by the loop and by the clock, and end the connections whose time is over."""
        self.now = now
        self.date = http_date(date).encode()
        for connection in [each for each in self.connections if each.deadline < now]:
            connection.wire.abort()

    def is_full_for(self, client: str) -> bool:
        """Whether there are as many connections as there may be, of all or of this client."""
        return len(self.connections) >= self.most or self.clients.get(client, 0) >= self.most_of_one

    def enter(self, connection: Connection) -> None:
        self.connections.add(connection)
        self.clients[connection.client] = self.clients.get(connection.client, 0) + 1

    def leave(self, connection: Connection) -> None:
        self.connections.discard(connection)
        left = self.clients[connection.client] - 1
        if left:
            self.clients[connection.client] = left
        else:
            del self.clients[connection.client]
