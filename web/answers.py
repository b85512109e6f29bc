"""Answers in JSON, and the header that makes a repeated request harmless."""

from __future__ import annotations

import json
import re

from flask import Response, request

from domain.errors import Code, Refusal

KEY = "[!-~]{8,100}"
"""The form of idempotency keys."""


def json_answer(content: object, status: int = 200) -> Response:
    """`content` as application/json; kept by no cache unless the caller says otherwise."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
    response = Response(body, status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def idempotency_key() -> str:
    """The request's Idempotency-Key: 8 to 100 visible ASCII characters. Raises Refusal(MALFORMED)."""
    key = request.headers.get("Idempotency-Key", "")
    if not re.fullmatch(KEY, key):
        raise Refusal(
            Code.MALFORMED,
            "send an Idempotency-Key header of 8 to 100 visible ASCII characters, a new one for each new request",
            pointer="Idempotency-Key",
        )
    return key


def flag(name: str) -> bool:
    """The query parameter `name`, true or false, false when absent; no other parameter may be there."""
    values = request.args.getlist(name)
    if set(request.args) - {name} or values not in ([], ["true"], ["false"]):
        raise Refusal(Code.MALFORMED, f"the only query parameter here is {name}, true or false", pointer=name)
    return values == ["true"]
