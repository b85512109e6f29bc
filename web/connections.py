"""Connections of the event loop: HTTP read as it comes, OCSP answered at once, everything else left to the application.

Sizes and times are bounded for each connection, and connections for each client: nobody can hold the others up.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from threading import Event
from typing import cast

import httptools
from werkzeug.http import http_date

from ocsp.request import MAX_OCTETS
from ocsp.response import OcspAnswer
from web.ocsp import GET_RULE, POST_RULE, PREFIX, as_http, from_target

REQUEST_SECONDS = 5.0
"""For a request to arrive whole, and for the client to take an answer that waits for it."""

IDLE_SECONDS = 15.0
"""For the next request on a connection."""

MAX_HEAD = 16_384
"""Octets of request line and headers together."""

MAX_TARGET = 8_190
"""Octets of the request target: what gunicorn's other worker takes of the whole request line."""

MAX_REQUEST = MAX_TARGET + MAX_HEAD + 2 * MAX_OCTETS
"""Octets of a request in all, with the chunks a body comes in and what the parser keeps until a header is complete."""

LINGER_SECONDS = 0.5
"""For a client that is refused to stop sending and hang up, so that it reads why."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


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

    def tick(self, now: float, date: datetime) -> None:
        """Note the time, by the loop and by the clock, and end the connections whose time is over."""
        self.now = now
        self.date = http_date(date).encode()
        for connection in [each for each in self.connections if each.deadline < now]:
            connection.transport.abort()


class Connection(asyncio.Protocol):
    """One connection: requests one after the other, as many as the client likes to send."""

    transport: asyncio.Transport
    deadline: float
    busy: bool
    """Whether the application is at work on a request."""
    over: bool
    """Whether nothing more is to be sent."""
    room: Event
    """Whether the client has taken nearly all that was sent to it."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self.busy = self.over = self._ignored = False
        self.room = Event()
        self.room.set()
        self._client = ""
        self.on_message_begin()
        self.deadline = reception.now + REQUEST_SECONDS

    # --- the transport's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        reception, self.transport = self._reception, cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._client = str(peer[0]) if isinstance(peer, tuple) else ""
        reception.connections.add(self)
        reception.clients[self._client] += 1
        if len(reception.connections) > reception.most or reception.clients[self._client] > reception.most_of_one:
            reception.refused(0)
            self.transport.abort()

    def connection_lost(self, _exc: Exception | None) -> None:
        reception = self._reception
        self.over = True
        self.room.set()
        reception.connections.discard(self)
        reception.clients[self._client] -= 1
        if not reception.clients[self._client]:
            del reception.clients[self._client]

    def data_received(self, data: bytes) -> None:
        if self.over or self._ignored:
            return
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserUpgrade, httptools.HttpParserError):
            self._refuse(HTTPStatus.BAD_REQUEST)
        if self._fed > MAX_REQUEST:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def pause_writing(self) -> None:
        """The client does not take its answers: nothing more is read from it until it does, or its time is over."""
        self.room.clear()
        self.deadline = self._reception.now + REQUEST_SECONDS
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.room.set()
        if self.busy:
            self.deadline = float("inf")
        else:
            self.deadline = self._reception.now + IDLE_SECONDS
            self.transport.resume_reading()

    # --- the parser's side ---

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = b""
        self._head = 0
        self._fed = 0
        self._ignored = False
        self.deadline = self._reception.now + REQUEST_SECONDS

    def on_url(self, url: bytes) -> None:
        self._target += url
        if len(self._target) > MAX_TARGET:
            self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG)
        elif not url.isascii():
            self._refuse(HTTPStatus.BAD_REQUEST)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value)
        if self._head > MAX_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        for name, value in self._headers:
            word = name.lower()
            if word == b"content-length" and int(value) > MAX_OCTETS:
                self._cut_off()
            elif word == b"expect" and value.lower() == b"100-continue" and not self.busy:
                self.transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > MAX_OCTETS:
            self._cut_off()

    def on_message_complete(self) -> None:
        if self.over or self._ignored:
            return
        parser, target = self._parser, self._target
        method, keep_alive = parser.get_method(), parser.should_keep_alive()
        if method == b"POST" and target == _POST and not self.busy:
            self._answer(POST_RULE, "POST", self._body, keep_alive)
        elif method == b"GET" and target.startswith(_GET) and not self.busy:
            self._answer(GET_RULE, "GET", from_target(target.decode("latin-1")), keep_alive)
        else:
            self._pass_on(keep_alive)

    def _cut_off(self) -> None:
        """Pass on a request whose body is longer than any that is taken, as far as it came, and read no more."""
        if not self._ignored:
            self._ignored = True
            self._pass_on(False)

    def _pass_on(self, keep_alive: bool) -> None:
        parser = self._parser
        method, target = parser.get_method().decode("latin-1"), self._target.decode("latin-1")
        version = parser.get_http_version()
        self._waiting.append(Request(method, target, version, self._headers, self._body, keep_alive))
        if not self.busy:
            self.resume()

    # --- answers ---

    @property
    def date(self) -> bytes:
        return self._reception.date

    def resume(self) -> None:
        """Go on with what the client has sent meanwhile: its requests are answered in their order."""
        self.busy = False
        if self.over:
            return
        if not self._waiting:
            self.deadline = self._reception.now + IDLE_SECONDS
            self.transport.resume_reading()
            return
        request = self._waiting.popleft()
        self.busy = True
        self.deadline = float("inf")
        self.transport.pause_reading()
        self._reception.pass_on(self, request)

    def finish(self) -> None:
        """Hang up when everything is sent."""
        self.over = True
        self.deadline = self._reception.now + REQUEST_SECONDS
        self.transport.close()

    def linger(self) -> None:
        """Hang up without a reset: what the client still sends is read and thrown away for a while."""
        self.over = True
        self.deadline = self._reception.now + LINGER_SECONDS
        self.transport.resume_reading()
        self.transport.write_eof()

    def _answer(self, rule: str, method: str, octets: bytes, keep_alive: bool) -> None:
        reception = self._reception
        found = reception.answer(rule, method, octets)
        keep_alive = keep_alive and not reception.stopping
        if method == "POST" or not found.max_age:
            head = _plain_head(len(found.der), keep_alive, reception.date)
        else:
            shared, produced_at = found.shared, found.produced_at
            head = _kept_head(len(found.der), found.max_age, shared, produced_at, keep_alive, reception.date)
            head += b'ETag: "%b"\r\n\r\n' % sha256(found.der).hexdigest().encode()
        self.transport.write(head + found.der)
        if keep_alive:
            self.deadline = reception.now + IDLE_SECONDS
        else:
            self.finish()

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer what cannot be read and hang up; nothing of what follows is looked at."""
        if self.over or self._ignored:
            return
        self._ignored = True
        self._reception.refused(status)
        body = status.phrase.encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        self.transport.write(head_of(status, headers, False, self._reception.date) + body)
        self.linger()


_POST, _GET = POST_RULE.encode(), PREFIX.encode()


@lru_cache(maxsize=1024)
def _plain_head(length: int, keep_alive: bool, date: bytes) -> bytes:
    """The head of an answer that nobody may store."""
    answer = OcspAnswer(bytes(length), "")
    return head_of(200, as_http(answer, cacheable=False).headers, keep_alive, date)


@lru_cache(maxsize=1024)
def _kept_head(
    length: int, max_age: int, shared: bool, produced_at: datetime | None, keep_alive: bool, date: bytes
) -> bytes:
    """The head of an answer that caches may store, up to its ETag."""
    answer = OcspAnswer(bytes(length), "", max_age, shared, produced_at)
    *headers, _ = as_http(answer, cacheable=True).headers
    return head_of(200, headers, keep_alive, date)[:-2]


def head_of(status: int, headers: Sequence[tuple[str, str]], keep_alive: bool, date: bytes) -> bytes:
    """Status line and headers; the latter without what belongs to the connection."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    connection = "keep-alive" if keep_alive else "close"
    first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nDate: {date.decode()}\r\n"
    return f"{first}{lines}Connection: {connection}\r\n\r\n".encode("latin-1")
