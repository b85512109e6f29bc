"""The front: OCSP, nearly all that the status service is asked, answered before Flask hears of it."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from ocsp.request import MAX_OCTETS
from web.environ import ROUTE
from web.metrics import Meter
from web.ocsp import GET_RULE, POST_RULE, PREFIX, Answer, as_http, from_target, raw_target

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_DIGITS = len(str(MAX_OCTETS))


class _Asked(NamedTuple):
    rule: str
    octets: bytes


class OcspFront:
    """Answers as the blueprint of `web.ocsp` would, octet for octet; everything else goes on to the application behind.

    Flask takes three times as long for a request as the responder for its answer. What is not plain, such as a body of
    unknown length, is left to it, and so is every refusal.
    """

    def __init__(self, behind: WSGIApplication, answer: Answer, meter: Meter) -> None:
        self._behind = behind
        self._answer = answer
        self._meter = meter

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = _asked(environ)
        if asked is None:
            return self._behind(environ, start_response)
        started = perf_counter()
        method = environ["REQUEST_METHOD"]
        environ[ROUTE] = asked.rule
        found = self._answer(asked.octets, None)
        self._meter.ocsp_answer(found.outcome)
        headers, body = as_http(found, cacheable=method == "GET")
        start_response("200 OK", headers)
        self._meter.http_request(asked.rule, method, 200, perf_counter() - started)
        return (body,)


def _asked(environ: WSGIEnvironment) -> _Asked | None:
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if method == "POST" and path == POST_RULE:
        length = environ.get("CONTENT_LENGTH", "")
        if length.isascii() and length.isdigit() and len(length) <= _DIGITS and int(length) <= MAX_OCTETS:
            return _Asked(POST_RULE, environ["wsgi.input"].read(int(length)))
    elif method == "GET" and path.startswith(PREFIX):
        return _Asked(GET_RULE, from_target(raw_target(environ)))
    return None
