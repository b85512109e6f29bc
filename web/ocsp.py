"""The OCSP doors: POST and GET by RFC 6960 appendix A, with HTTP caching by RFC 9919 §6 and §7."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from flask import Blueprint, Response, request
from werkzeug.http import http_date
from werkzeug.routing import BaseConverter

from domain.errors import Refusal
from ocsp.request import MAX_OCTETS
from ocsp.responder import refused
from ocsp.response import OcspAnswer
from policies.admission import Requestor
from web.bodies import receive

MEDIA_TYPE = "application/ocsp-response"
POST_RULE = "/ocsp"
PREFIX = f"{POST_RULE}/"
GET_RULE = f"{PREFIX}<rest:encoded>"

_ESCAPED = (("%2F", "/"), ("%2B", "+"), ("%3D", "="))

Answer = Callable[[bytes, Requestor | None], OcspAnswer]

Caller = Callable[[dict[str, Any]], Requestor | None]
"""Who calls, from the environment of the request, or None for anybody else. May raise Refusal."""

Count = Callable[[str], None]


class Rest(BaseConverter):
    """All that is left of a path, slashes and nothing included: base64 may begin with one and hold two in a row."""

    regex = ".*"
    part_isolating = False


class OcspReply(NamedTuple):
    """An answer as HTTP carries it."""

    headers: list[tuple[str, str]]
    body: bytes


def ocsp_blueprint(answer: Answer, caller: Caller, count: Count) -> Blueprint:
    """POST /ocsp and GET /ocsp/<base64>. `count` is told the outcome of each. The app must know the converter `Rest`.

    The media type of a POST is not looked at: the octets decide, and no client is hurt by that.
    """
    door = Blueprint("ocsp", __name__)

    def reply(octets: bytes, cacheable: bool) -> Response:
        found = answer_caller(answer, caller, octets, request.environ)
        count(found.outcome)
        headers, body = as_http(found, cacheable)
        # Always 200: some clients (openssl ocsp) throw the body of any other answer away, and with it the reason.
        return Response(body, 200, headers)

    @door.post(POST_RULE)
    def post_ocsp() -> Response:
        return reply(receive(MAX_OCTETS), cacheable=False)

    @door.get(GET_RULE)
    def get_ocsp(encoded: str) -> Response:
        del encoded  # decoded once already, so "%2F" and "+" are no longer what was sent
        return reply(from_target(raw_target(request.environ)), cacheable=True)

    return door


def answer_caller(answer: Answer, caller: Caller, octets: bytes, environ: dict[str, Any]) -> OcspAnswer:
    """The answer to the party that calls; an OCSP error, too, while nobody can say who that is."""
    try:
        requestor = caller(environ)
    except Refusal as refusal:
        return refused(refusal)
    return answer(octets, requestor)


def as_http(answer: OcspAnswer, cacheable: bool) -> OcspReply:
    """Headers and body of an answer. Content-Length is always there: HTTP/1.0 clients cannot read chunks.

    Expires follows max-age rather than nextUpdate, so that a cache that knows only the old header keeps a revoked
    answer no longer than the others.
    """
    headers = [("Content-Type", MEDIA_TYPE), ("Content-Length", str(len(answer.der)))]
    if not (cacheable and answer.max_age and answer.produced_at):
        headers.append(("Cache-Control", "no-store"))
        return OcspReply(headers, answer.der)
    scope = "public" if answer.shared else "private"
    headers += [
        ("Cache-Control", f"max-age={answer.max_age}, {scope}, no-transform, must-revalidate"),
        ("Last-Modified", http_date(answer.produced_at)),
        ("Expires", http_date(answer.produced_at + timedelta(seconds=answer.max_age))),
        ("ETag", f'"{hashlib.sha256(answer.der).hexdigest()}"'),
    ]
    return OcspReply(headers, answer.der)


def raw_target(environ: Mapping[str, str]) -> str:
    """The path of the request as it stood in the request line, still escaped (gunicorn: RAW_URI)."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]
    if not target.startswith("/"):  # absolute form, RFC 9112 §3.2.2
        target = "/" + target.partition("://")[2].partition("/")[2]
    return target


def from_target(target: str) -> bytes:
    """The request in a GET path: base64, escaped or not (RFC 6960 §A.1). No octets where it is not base64.

    Nothing is guessed: a space is not a plus, and missing padding stays missing.
    """
    try:
        encoded = target.removeprefix(PREFIX)
        for escaped, plain in _ESCAPED:  # nearly always all there is to it, and much quicker
            encoded = encoded.replace(escaped, plain)
        return base64.b64decode(unquote_to_bytes(encoded) if "%" in encoded else encoded, validate=True)
    except ValueError:
        return b""
