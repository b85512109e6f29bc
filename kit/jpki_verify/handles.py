"""Handles: what a person is remembered by. The authority makes them, another one for each verifier and provider."""

from __future__ import annotations

import base64
import json
import re
import ssl
from typing import Protocol

from jpki_verify.certificates import Holder
from jpki_verify.exchange import Limits, exchange
from jpki_verify.rejection import Code, Rejected, Unusable
from jpki_verify.settings import Declared

LARGEST_ANSWER = 1 << 14
_FORM = re.compile(r"[A-Za-z0-9_.~-]{8,128}")


class Handles(Protocol):
    """Who gives handles."""

    def handle_of(self, holder: Holder) -> str:
        """The handle of the person behind a certificate. Raises Rejected(HANDLES_AWAY, NOT_ADMITTED or
        NEVER_ISSUED)."""


class AuthorityHandles:
    """The authority, over mutual TLS."""

    def __init__(self, url: str, declared: Declared, context: ssl.SSLContext, limits: Limits) -> None:
        self._url, self._declared, self._context, self._limits = url, declared, context, limits

    def handle_of(self, holder: Holder) -> str:
        """One question, one handle; the certificate goes to the authority that issued it and to nobody else."""
        about = {"purpose": self._declared.purposes[holder.kind], "provider": self._declared.provider}
        content: dict[str, object] = {name: value for name, value in about.items() if value is not None}
        content["certificates"] = [base64.b64encode(holder.der).decode()]
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        body = json.dumps(content).encode()
        try:
            reply = exchange("POST", self._url, body, headers, self._limits, self._context)
        except Unusable as unusable:
            raise Rejected(Code.HANDLES_AWAY, f"the authority gives no handle now: {unusable.reason.value}") from None
        if reply.status in (400, 401, 403):
            raise Rejected(Code.NOT_ADMITTED, "the authority gives this verifier no handles for this purpose")
        if reply.status == 422:
            raise Rejected(Code.NEVER_ISSUED, "the authority has not issued this certificate")
        if reply.status != 200:
            raise Rejected(Code.HANDLES_AWAY, f"the authority gives no handle now: HTTP {reply.status}")
        return _read(reply.body)


def _read(body: bytes) -> str:
    try:
        (row,) = json.loads(body)["handles"]
        handle = row["handle"]
    except (ValueError, TypeError, KeyError, RecursionError):
        handle = None
    if not isinstance(handle, str) or not _FORM.fullmatch(handle):
        raise Rejected(Code.HANDLES_AWAY, "what the authority answered is no handle")
    return handle
