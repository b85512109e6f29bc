"""One HTTP exchange with a bound on everything: time in all, octets, media type; no redirect is followed."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Event, Thread, Timer
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from jpki_verify.rejection import Reason, Unusable

_RESOLVING = BoundedSemaphore(16)
"""How many names may be looked up at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an exchange may take from the first octet to the last, and how many octets an answer may have."""

    patience: timedelta
    octets: int


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """Status, media type without parameters, and body."""

    status: int
    media_type: str
    body: bytes


def fetch(
    url: str,
    media_type: str,
    limits: Limits,
    context: ssl.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """The body that GET gives, to one who says so in `headers`. Raises Unusable."""
    return _only(exchange("GET", url, None, {"Accept": media_type, **(headers or {})}, limits, context), media_type)


def post(
    url: str, body: bytes, sent: str, received: str, limits: Limits, context: ssl.SSLContext | None = None
) -> bytes:
    """The body that POST gives, of media types `sent` and `received`. Raises Unusable."""
    return _only(exchange("POST", url, body, {"Content-Type": sent, "Accept": received}, limits, context), received)


def exchange(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    limits: Limits,
    context: ssl.SSLContext | None = None,
) -> Reply:
    """What the server says, whatever its status is. Raises Unusable(UNREACHABLE, TOO_SLOW, TOO_LARGE or REDIRECTED).

    `patience` is for all of it: the name, every address of it, TLS, and the answer. A resolver that hangs is left to
    itself; and since the time of a socket counts anew with each octet, so that a server could drip for ever, the
    connection is cut from outside when time is up. No proxy is asked, whatever the environment says.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    late = Event()
    try:
        end = monotonic() + limits.patience.total_seconds()
        with _connected(host, parts.port or (443 if secure else 80), end, late) as plain:
            connection = HTTPConnection(host, parts.port, timeout=_left(end))
            connection.sock = (context or tls()).wrap_socket(plain, server_hostname=host) if secure else plain
            try:
                connection.request(method, target, body, {**headers, "Connection": "close"})
                with connection.getresponse() as response:
                    reply = _read(response, limits.octets)
            finally:
                connection.close()
    except TimeoutError:
        raise Unusable(Reason.TOO_SLOW) from None
    except (OSError, HTTPException, ValueError):
        raise Unusable(Reason.TOO_SLOW if late.is_set() else Reason.UNREACHABLE) from None
    if late.is_set():  # a body without a length ends where the connection was cut
        raise Unusable(Reason.TOO_SLOW)
    return reply


def tls(authority: str | None = None, certificate: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """What servers are known by: that authority's certificate (a file) alone, else those of the system; and what we
    show them. TLS 1.2 or later; names are always checked."""
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate:
        context.load_cert_chain(certificate, key)
    return context


@contextmanager
def _connected(host: str, port: int, end: float, late: Event) -> Iterator[socket.socket]:
    """A connection that is cut when time is up, also while TLS or the reader holds it."""
    opened = _connect(host, port, end)
    handle = socket.socket(fileno=os.dup(opened.fileno()))  # the connection's other end of the same rope
    timer = Timer(max(0.0, end - monotonic()), _cut, (handle, late))
    timer.daemon = True
    timer.start()
    try:
        yield opened
    finally:
        timer.cancel()
        timer.join()
        handle.close()
        opened.close()


def _connect(host: str, port: int, end: float) -> socket.socket:
    """A connection to the first address that takes one. Raises OSError, TimeoutError when time is up."""
    refused: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in _addresses(host, port, end):
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(_left(end))
            opened.connect(address)
        except OSError as error:
            opened.close()
            refused = error
        else:
            return opened
    raise refused


def _addresses(host: str, port: int, end: float) -> list[Any]:
    """What the system's resolver says. It takes the time it likes, so a thread asks it, and is left behind when time is
    up; of these there are never more than a few. Raises OSError, TimeoutError."""
    if not _RESOLVING.acquire(timeout=_left(end)):
        raise TimeoutError
    answers: SimpleQueue[list[Any] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except OSError as error:
            answers.put(error)
        except UnicodeError:
            answers.put(OSError("this is no name of a host"))
        finally:
            _RESOLVING.release()

    Thread(target=ask, daemon=True).start()
    try:
        found = answers.get(timeout=_left(end))
    except Empty:
        raise TimeoutError from None
    if isinstance(found, OSError):
        raise found
    return found


def _left(end: float) -> float:
    """Seconds until the end, more than none. Raises TimeoutError when it is over."""
    seconds = end - monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _cut(handle: socket.socket, late: Event) -> None:
    late.set()
    try:
        handle.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _read(response: HTTPResponse, most: int) -> Reply:
    if 300 <= response.status < 400:
        raise Unusable(Reason.REDIRECTED)
    if response.length is not None and response.length > most:
        raise Unusable(Reason.TOO_LARGE)
    body = response.read(most + 1)
    if len(body) > most:
        raise Unusable(Reason.TOO_LARGE)
    if response.length:  # http.client is content with fewer octets than were promised when it is told how many to read
        raise HTTPException("the body is cut short")
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Reply(response.status, media_type, body)


def _only(reply: Reply, media_type: str) -> bytes:
    if reply.status in (401, 403):
        raise Unusable(Reason.NOT_ADMITTED)
    if reply.status != 200:
        raise Unusable(Reason.HTTP_ERROR)
    if reply.media_type != media_type:
        raise Unusable(Reason.WRONG_MEDIA_TYPE)
    return reply.body
