"""The worker process: gunicorn's threads, with a bound on how long a slow or silent client may keep one.

gunicorn reads requests from blocking sockets without a time-out, waits for the first octets of a connection in a
thread, and lingers over closing ones in the loop that accepts. A handful of clients that send nothing, or one octet at
a time, or do not hang up, would hold everything.
"""

from __future__ import annotations

import errno
import socket
import ssl
from functools import partial
from selectors import EVENT_READ
from time import monotonic
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import TConn, ThreadWorker

REQUEST_SECONDS = 5.0
"""For a request to arrive whole, for the TLS handshake, and for each piece of an answer to leave."""

LINGER_SECONDS = 0.5
"""For a client to hang up after the last answer, so that it gets all of it."""


class _Bounded:
    """A socket that reads until a deadline. gunicorn calls `setblocking(True)` at the beginning of each request."""

    _deadline: float | None = None

    def setblocking(self: Any, flag: bool) -> None:
        self.settimeout(REQUEST_SECONDS if flag else 0.0)
        self._deadline = None

    def recv(self: Any, *args: int) -> bytes:
        waiting = self.gettimeout()
        if waiting:
            if self._deadline is None:
                self._deadline = monotonic() + waiting
            self.settimeout(max(min(waiting, self._deadline - monotonic()), 0.001))
        try:
            received: bytes = super().recv(*args)  # type: ignore[misc]
        except TimeoutError:
            # gunicorn takes a reset as the client's own affair; a time-out would be logged as an error of ours.
            raise ConnectionResetError(errno.ECONNRESET, "the client is too slow") from None
        return received

    def sendall(self: Any, *args: Any) -> None:
        if self.gettimeout():
            self.settimeout(REQUEST_SECONDS)
        super().sendall(*args)  # type: ignore[misc]


class BoundedSocket(_Bounded, socket.socket):
    """A TCP connection."""


class BoundedTlsSocket(_Bounded, ssl.SSLSocket):
    """A TLS connection: what an `SSLContext` makes when this is its `sslsocket_class`."""


class Connection(TConn):  # type: ignore[misc]
    """A connection that can be closed twice and does not linger long."""

    def close(self, graceful: bool = False) -> None:
        if self.sock.fileno() < 0:
            return
        if graceful:
            self.sock.setblocking(True)
            util.close_graceful(self.sock, timeout=LINGER_SECONDS)
        else:
            util.close(self.sock)


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Waits for the first octets of a connection in the selector, where waiting costs no thread, and closes
    connections in the thread that served them."""

    def accept(self, listener: socket.socket) -> None:
        try:
            accepted, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another worker was faster, or the client gave up
            return
        bounded = BoundedSocket(fileno=accepted.detach())
        conn = Connection(self.cfg, bounded, client, listener.getsockname())
        self.nr_conns += 1
        conn.timeout = monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(bounded, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: Connection) -> object:
        kept: object = super().handle(conn)
        if kept is False:
            conn.close(graceful=True)
        return kept
