"""Connections of the event loop: HTTP read as it comes, OCSP answered at once, everything else left to the application.

Sizes and times are bounded for each connection, and connections for each client: nobody can hold the others up.
"""

from __future__ import annotations

from collections import deque
from http import HTTPStatus
from threading import Event

import httptools

from ocsp.request import MAX_OCTETS
from web.heads import answer_head, head_of
from web.ocsp import GET_RULE, POST_RULE, PREFIX, from_target
from web.reception import Reception, Request
from web.wires import Wire

REQUEST_SECONDS = 5.0
"""For a request to arrive whole, and for the client to take something of an answer that waits for it."""

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
_POST, _GET = POST_RULE.encode(), PREFIX.encode()


class Connection:
    """One connection: requests one after the other, as many as the client likes to send."""

    __slots__ = (
        "_begun",
        "_body",
        "_fed",
        "_head",
        "_headers",
        "_ignored",
        "_parser",
        "_reception",
        "_refusal",
        "_target",
        "_trailing",
        "_waiting",
        "_whole",
        "busy",
        "client",
        "deadline",
        "over",
        "room",
        "wire",
    )

    wire: Wire
    """What it hears and speaks by; given by who makes it."""
    busy: bool
    """Whether the application is at work on a request."""
    over: bool
    """Whether nothing more is to be sent."""
    room: Event | None
    """Whether the client has taken all that the application sent; none before the application is asked."""
    _parser: httptools.HttpRequestParser | None
    """None while no head had to be read."""
    _begun: bool
    """Whether the parser is within a request."""
    _whole: bytes | None
    """What is read at the moment, if it begins with a request."""
    _refusal: HTTPStatus | None
    """What is to be answered when the application is done with the requests before."""

    def __init__(self, reception: Reception, client: str) -> None:
        self._reception, self.client = reception, client
        self.deadline = reception.now + REQUEST_SECONDS
        self.busy = self.over = self._ignored = self._begun = self._trailing = False
        self.room = self._parser = self._refusal = self._whole = None
        self._waiting: deque[Request] = deque()
        self._fed = 0
        reception.enter(self)

    # --- the wire's side ---

    def connection_lost(self) -> None:
        self.over = True
        if self.room is not None:
            self.room.set()
        self._reception.leave(self)

    def data_received(self, data: bytes) -> None:
        if self.over or self._ignored:
            return
        if self._begun or self.busy:
            self._read(data)
        elif found := self._reception.forms.find(data):
            self._answer(POST_RULE, "POST", *found)
        else:
            self._whole = data
            self._read(data)

    def _read(self, data: bytes) -> None:
        if self._parser is None:
            self._parser = httptools.HttpRequestParser(self)
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserUpgrade, httptools.HttpParserError):
            self._refuse(HTTPStatus.BAD_REQUEST)
        if self._fed > MAX_REQUEST:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self._whole = None

    def pause_writing(self) -> None:
        """The client does not take its answers: nothing more is read from it until it does, or its time is over."""
        self.deadline = self._reception.now + REQUEST_SECONDS
        self.wire.pause_reading()

    def resume_writing(self) -> None:
        if self.room is not None:
            self.room.set()
        if self.over:
            self.deadline = self._reception.now + LINGER_SECONDS
            self.wire.resume_reading()
        elif self.busy:
            self.deadline = float("inf")
        else:
            self._await_client()

    # --- the parser's side ---

    def on_message_begin(self) -> None:
        self._begun = True
        self._target = self._body = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head = self._fed = 0
        self._trailing = False
        if not (self.busy or self.wire.waiting):
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
        if not self._trailing:  # what stands behind a body in chunks says nothing of the request (RFC 9110 §6.5.1)
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._trailing = True
        for name, value in self._headers:
            word = name.lower()
            if word == b"content-length" and int(value) > MAX_OCTETS:
                self._cut_off()
            elif word == b"expect" and value.lower() == b"100-continue" and self._may_continue():
                self.wire.write(_CONTINUE)

    def _may_continue(self) -> bool:
        """A client of HTTP/1.0 does not know what that is (RFC 9110 §10.1.1)."""
        return self._parser is not None and self._parser.get_http_version() != "1.0" and not self.busy

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > MAX_OCTETS:
            self._cut_off()

    def on_message_complete(self) -> None:
        self._begun = False
        if self.over or self._ignored or self._parser is None:
            return
        whole, self._whole = self._whole, None
        method, target, keep_alive = self._parser.get_method(), self._target, self._parser.should_keep_alive()
        if method == b"POST" and target == _POST and not self.busy:
            if whole is not None:
                self._reception.forms.learn(whole, (name for name, _ in self._headers), self._body, keep_alive)
            self._answer(POST_RULE, "POST", self._body, keep_alive)
        elif method == b"GET" and target.startswith(_GET) and not self.busy:
            self._answer(GET_RULE, "GET", from_target(target.decode("latin-1")), keep_alive)
        else:
            self._pass_on(self._parser, keep_alive)

    def _cut_off(self) -> None:
        """Pass on a request whose body is longer than any that is taken, as far as it came, and read no more."""
        if not self._ignored and self._parser is not None:
            self._ignored = True
            self._pass_on(self._parser, False)

    def _pass_on(self, parser: httptools.HttpRequestParser, keep_alive: bool) -> None:
        method, target = parser.get_method().decode("latin-1"), self._target.decode("latin-1")
        version = parser.get_http_version()
        self._waiting.append(Request(method, target, version, self._headers, self._body, keep_alive))
        if not self.busy:
            self.resume()

    # --- answers ---

    @property
    def date(self) -> bytes:
        return self._reception.date

    def send(self, piece: bytes) -> None:
        """Send a piece of the application's answer, which it has `room` for."""
        self.wire.write(piece)
        if not self.wire.waiting and self.room is not None:
            self.room.set()

    def resume(self) -> None:
        """Go on with what the client has sent meanwhile: its requests are answered in their order."""
        self.busy = False
        if self.over:
            return
        if self._waiting:
            request = self._waiting.popleft()
            self.busy = True
            if self.room is None:
                self.room = Event()
                self.room.set()
            self.wire.pause_reading()
            if not self.wire.waiting:
                self.deadline = float("inf")
            self._reception.pass_on(self, request)
        elif self._refusal is not None:
            self._say(self._refusal)
        elif not self.wire.waiting:
            self._await_client()

    def _await_client(self) -> None:
        """Read what it says next, and the rest of what it began to say."""
        self.deadline = self._reception.now + (REQUEST_SECONDS if self._begun else IDLE_SECONDS)
        self.wire.resume_reading()

    def linger(self) -> None:
        """Hang up without a reset: what the client still sends is read and thrown away for a while."""
        self.over = True
        self.deadline = self._reception.now + (REQUEST_SECONDS if self.wire.waiting else LINGER_SECONDS)
        self.wire.resume_reading()
        self.wire.write_eof()

    def _answer(self, rule: str, method: str, octets: bytes, keep_alive: bool) -> None:
        reception = self._reception
        found = reception.answer(rule, method, octets)
        keep_alive = keep_alive and not reception.stopping
        self.deadline = reception.now + IDLE_SECONDS
        self.wire.write(answer_head(found, method == "GET", keep_alive, reception.date) + found.der)
        if not keep_alive:
            self.over = True
            self.wire.close()

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer what cannot be read, when its turn has come, and hang up; nothing of what follows is looked at."""
        if self.over or self._ignored:
            return
        self._ignored = True
        self._reception.refused(status)
        if self.busy:
            self._refusal = status
        else:
            self._say(status)

    def _say(self, status: HTTPStatus) -> None:
        body = status.phrase.encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        self.wire.write(head_of(status, headers, False, self._reception.date) + body)
        self.linger()
