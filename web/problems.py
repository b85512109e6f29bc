"""Problems: what is refused, as application/problem+json (RFC 9457) with words for people in English and Japanese."""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, InternalServerError

from domain.errors import Code, Refusal
from domain.events import NoticeState
from domain.ports import RandomSource

MEDIA_TYPE = "application/problem+json"
INTERNAL = "internal-error"
QUARANTINED = NoticeState.QUARANTINED.value
"""What is said of a notice that was put aside, whatever the code: to send it again would be in vain."""

STATUS: Mapping[Code, int] = {
    Code.MALFORMED: 400,
    Code.TOO_LARGE: 413,
    Code.WRONG_METHOD: 405,
    Code.WRONG_TYPE: 415,
    Code.NOT_FOUND: 404,
    Code.UNKNOWN_CALLER: 401,
    Code.NOT_ADMITTED: 403,
    Code.SECOND_OFFICER: 403,
    Code.PROPOSAL_CLOSED: 409,
    Code.WRONG_MUNICIPALITY: 403,
    Code.UNKNOWN_RESIDENT: 422,
    Code.RESIDENT_GONE: 422,
    Code.ITEMS_DIFFER: 422,
    Code.BAD_REQUEST_SIGNATURE: 422,
    Code.BAD_KEY: 422,
    Code.BAD_PROOF: 422,
    Code.KEY_USED_BEFORE: 422,
    Code.SAME_KEY: 422,
    Code.UNDER_AGE: 422,
    Code.SUBSTITUTE_NEEDED: 422,
    Code.SUBSTITUTE_UNCONFIRMED: 422,
    Code.UNDER_GUARDIANSHIP: 422,
    Code.CARD_EXPIRED: 422,
    Code.CARD_LIFE: 422,
    Code.BAD_PLAN: 422,
    Code.LINT: 500,
    Code.LIVE_PAIR: 409,
    Code.NO_LIVE_CERTIFICATE: 409,
    Code.NOT_PENDING: 409,
    Code.NOT_HELD: 409,
    Code.NOT_RELEASABLE: 409,
    Code.TOO_MANY_ATTEMPTS: 429,
    Code.IN_PROGRESS: 409,
    Code.IDEMPOTENCY_MISMATCH: 422,
    Code.ALREADY_APPLIED: 409,
    Code.OUT_OF_ORDER: 409,
    Code.CAUSE_NOT_ALLOWED: 422,
    Code.FOREIGN_ISSUER: 422,
    Code.BAD_CONSENT: 422,
    Code.CONSENT_EXPIRED: 422,
    Code.CONSENT_USED: 409,
    Code.BAD_DOCUMENT: 422,
    Code.BAD_RECEIPT: 422,
    Code.CLOCK_BEHIND: 503,
    Code.WOULD_SHRINK: 500,
    Code.QUEUE_FULL: 429,
    Code.BUSY: 503,
    Code.STORE_UNAVAILABLE: 503,
    Code.SIGNER_UNAVAILABLE: 503,
    Code.BAD_CONFIGURATION: 500,
}

# Seconds a caller is asked to wait. Every 503 has a row; so have the 409 that passes by itself and the 429.
RETRY_AFTER: Mapping[Code, int] = {
    Code.IN_PROGRESS: 5,
    Code.QUEUE_FULL: 60,
    Code.TOO_MANY_ATTEMPTS: 600,
    Code.BUSY: 2,
    Code.CLOCK_BEHIND: 60,
    Code.STORE_UNAVAILABLE: 15,
    Code.SIGNER_UNAVAILABLE: 15,
}

# HTTP's own errors that Flask raises before or instead of a view.
_CODE_OF_STATUS = {404: Code.NOT_FOUND, 405: Code.WRONG_METHOD, 413: Code.TOO_LARGE, 415: Code.WRONG_TYPE}

_log = logging.getLogger("jpki.web")


@dataclass(frozen=True, slots=True)
class Message:
    """What people read about a code: what it is and what to do next."""

    title_en: str
    title_ja: str
    action_en: str
    action_ja: str


@cache
def messages() -> Mapping[str, Message]:
    """All messages of `messages.toml` by code value, and those for `INTERNAL` and `QUARANTINED`. Read once."""
    table = tomllib.loads((files("web") / "messages.toml").read_text("utf-8"))
    return {code: Message(**message) for code, message in table.items()}


def install_problems(app: Flask, random: RandomSource) -> None:
    """Have `app` answer every refusal, every HTTP error and every bug with a problem. `random` makes references.

    What is the authority's own fault (500) keeps its detail, and goes to the log with its place."""
    app.register_error_handler(HTTPException, _http_error)

    def ours(error: BaseException, event: str, code: str) -> Response:
        """Whoever was told the reference, and says it, is found in the log, with the place of the fault."""
        reference = random(6).hex()
        facts = {"reference": reference, "code": code, "route": _route()}
        _log.error(event, exc_info=error, extra={"facts": facts})
        return _problem(500, code, reference=reference)

    def refused(refusal: Refusal) -> Response:
        if STATUS[refusal.code] == 500:
            return ours(refusal, "refused by ourselves", refusal.code.value)
        return _refused(refusal)

    def bug(error: BaseException) -> Response:
        return ours(error, "a request failed", INTERNAL)

    def bug_beside_a_view(error: InternalServerError) -> Response:
        return bug(error.original_exception or error)

    app.register_error_handler(Refusal, refused)
    app.register_error_handler(Exception, bug)
    app.register_error_handler(InternalServerError, bug_beside_a_view)


def _refused(refusal: Refusal) -> Response:
    code, status = refusal.code, STATUS[refusal.code]
    said = {"detail": refusal.detail, "pointer": refusal.pointer, "facts": refusal.facts or None}
    words = QUARANTINED if refusal.facts.get("state") == QUARANTINED else code.value
    response = _problem(status, code.value, words, **said)
    if code in RETRY_AFTER:
        response.headers["Retry-After"] = str(RETRY_AFTER[code])
    if status == 401:
        # RFC 9110 §15.5.2 wants a challenge; no scheme is registered for certificates of the transport.
        response.headers["WWW-Authenticate"] = 'TLS-Client-Certificate realm="jpki"'
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    response = _problem(status, _CODE_OF_STATUS.get(status, Code.MALFORMED).value)
    for name, value in error.get_headers(request.environ):
        if name != "Content-Type":  # Allow of a 405, Content-Range of a 416
            response.headers[name] = value
    return response


def _problem(status: int, code: str, words: str | None = None, **members: object) -> Response:
    message = messages()[words or code]
    body = {
        "type": f"urn:jpki:problem:{code}",
        "status": status,
        "code": code,
        "title": message.title_en,
        "title_ja": message.title_ja,
        "action": message.action_en,
        "action_ja": message.action_ja,
        **{name: value for name, value in members.items() if value is not None},
    }
    response = Response(json.dumps(body, ensure_ascii=False) + "\n", status, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def _route() -> str | None:
    """The rule that matched, never the path: paths can hold what they should not."""
    return request.url_rule.rule if request.url_rule else None
