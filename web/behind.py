"""The application behind the event loop: a WSGI application answers in threads, at the client's own pace."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from io import BytesIO
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from web.connections import Connection
from web.heads import head_of
from web.reception import Request

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

Access = Callable[["Outcome", Any, "WSGIEnvironment", timedelta], None]
"""Writes the line of the access log: gunicorn's `Logger.access`."""


@dataclass
class Outcome:
    """What became of a request: the status line's code and how many octets of the body went out."""

    status: int = 500
    sent: int = 0


class Behind:
    """Has a WSGI application answer what the event loop does not."""

    def __init__(self, app: WSGIApplication, executor: Executor, access: Access, server: tuple[str, int]) -> None:
        self._app, self._executor, self._access, self._server = app, executor, access, server

    def pass_on(self, connection: Connection, request: Request) -> None:
        """Answer in a thread; the connection goes on when that is done."""
        delivery = _Delivery(connection, request, asyncio.get_running_loop())
        self._executor.submit(self._carry_out, delivery, request)

    def _carry_out(self, delivery: _Delivery, request: Request) -> None:
        started = perf_counter()
        environ = make_environ(request, self._server)
        try:
            pieces = self._app(environ, delivery.start)
            try:
                delivery.send_all(pieces)
            finally:
                if close := getattr(pieces, "close", None):
                    close()
        except _Gone:
            pass
        except Exception:  # Flask answers its own faults; this is one of the server or of a body under way
            delivery.break_off()
            raise
        finally:
            self._access(delivery.outcome, None, environ, timedelta(seconds=perf_counter() - started))


class _Gone(Exception):
    """The client has gone, or takes nothing any more."""


class _Delivery:
    """An answer on its way from a thread to the loop."""

    def __init__(self, connection: Connection, request: Request, loop: asyncio.AbstractEventLoop) -> None:
        self.outcome = Outcome()
        self._connection, self._loop = connection, loop
        self._bare = request.method == "HEAD"
        self._keep_alive = request.keep_alive
        self._headers: list[tuple[str, str]] = []

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
        """WSGI's start_response."""
        del exc_info
        self.outcome.status, self._headers = int(status[:3]), headers
        return self._refuse_to_write

    def send_all(self, pieces: Iterable[bytes]) -> None:
        names = {name.lower() for name, _ in self._headers}
        empty = self.outcome.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        keep_alive = self._keep_alive and (empty or "content-length" in names)  # else only its end tells its length
        self._call(self._begin, keep_alive)
        for piece in pieces:
            if piece and not self._bare:
                self._await_room()
                self._call(self._connection.send, piece)
                self.outcome.sent += len(piece)
        self._call(self._connection.resume if keep_alive else self._connection.linger)

    def break_off(self) -> None:
        self._call(self._connection.wire.abort)

    def _begin(self, keep_alive: bool) -> None:
        connection = self._connection
        if not connection.over:
            connection.wire.write(head_of(self.outcome.status, self._headers, keep_alive, connection.date))

    def _await_room(self) -> None:
        """Wait until the client has taken what was sent before. Raises _Gone when it does not in its time."""
        room = self._connection.room
        if room is None:  # as it is not, once the application is asked
            raise _Gone
        room.wait()
        room.clear()
        if self._connection.over:  # looked at last: a loss that comes now sets `room` again
            raise _Gone

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: the worker ends
            self._loop.call_soon_threadsafe(function, *arguments)

    def _refuse_to_write(self, _: bytes) -> object:
        raise NotImplementedError("answers are iterated over")


def make_environ(request: Request, server: tuple[str, int]) -> WSGIEnvironment:
    """The environment of PEP 3333. Names with underscores are left out: they could pass for others (as `Path_Info`)."""
    path, _, query = request.target.partition("?")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(_path_of(path)).decode("latin-1"),
        "RAW_URI": request.target,
        "QUERY_STRING": query,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{request.version}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        word = name.decode("latin-1").upper()
        if "_" in word:
            continue
        key = word.replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


def _path_of(target: str) -> str:
    """The path of the absolute form, too (RFC 9112 §3.2.2)."""
    return target if target.startswith("/") else "/" + target.partition("://")[2].partition("/")[2]
