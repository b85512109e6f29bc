"""The front: OCSP, nearly all that the services are asked, answered before Flask hears of it."""

from __future__ import annotations

from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING

from domain.ports import Clock
from ocsp.request import MAX_OCTETS
from ocsp.response import OcspAnswer
from web.environ import ROUTE
from web.metrics import Meter
from web.ocsp import GET_RULE, POST_RULE, PREFIX, Answer, Caller, answer_caller, as_http, from_target, raw_target

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_TIMED_OF = 64
_DIGITS = len(str(MAX_OCTETS))


class OcspFront:
    """Answers as the blueprint of `web.ocsp` would, octet for octet; everything else goes on to the application behind.

    Flask takes three times as long for a request as the responder for its answer. What is not plain, such as a body of
    unknown length, is left to it.
    """

    def __init__(self, behind: WSGIApplication, answer: Answer, caller: Caller, meter: Meter, clock: Clock) -> None:
        self.behind = behind
        self._answer = answer
        self._caller = caller
        self._meter = meter
        self.clock = clock
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._until_timed = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        rule = _rule(environ)
        if rule is None:
            return self.behind(environ, start_response)
        started = perf_counter()
        environ[ROUTE] = rule
        method = environ["REQUEST_METHOD"]
        found = answer_caller(self._answer, self._caller, _octets(environ), environ)
        self._meter.ocsp_answer(found.outcome)
        headers, body = as_http(found, cacheable=method == "GET")
        start_response("200 OK", headers)
        self._meter.http_request(rule, method, 200, perf_counter() - started)
        return (body,)

    def answer_quickly(self, rule: str, method: str, octets: bytes) -> OcspAnswer:
        """The answer to somebody unknown, for the event loop: counted in memory until `flush`; one in 64 is timed."""
        started = 0.0
        if not self._until_timed:
            started, self._until_timed = perf_counter(), _TIMED_OF
        self._until_timed -= 1
        found = self._answer(octets, None)
        self._counts[rule, method, found.outcome] += 1
        if started:
            self._meter.http_seconds(rule, perf_counter() - started)
        return found

    def flush(self) -> None:
        """Pass on what was counted in memory."""
        counts, self._counts = self._counts, Counter()
        for (rule, method, outcome), count in counts.items():
            self._meter.ocsp_answer(outcome, count)
            self._meter.http_requests(rule, method, 200, count)


def _rule(environ: WSGIEnvironment) -> str | None:
    """The rule of the blueprint that a plain request matches."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if method == "GET" and path.startswith(PREFIX):
        return GET_RULE
    length = environ.get("CONTENT_LENGTH", "")
    plain = length.isascii() and length.isdigit() and len(length) <= _DIGITS and int(length) <= MAX_OCTETS
    return POST_RULE if plain and method == "POST" and path == POST_RULE else None


def _octets(environ: WSGIEnvironment) -> bytes:
    if environ["REQUEST_METHOD"] == "GET":
        return from_target(raw_target(environ))
    octets: bytes = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    return octets
