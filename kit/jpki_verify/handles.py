"""Handles: what a person is remembered by. The authority makes them, another one for each verifier and provider."""

from __future__ import annotations

import base64
import json
import re
import ssl
from collections.abc import Sequence
from typing import Any, Protocol

from jpki_verify.certificates import Holder
from jpki_verify.exchange import Limits, exchange
from jpki_verify.rejection import Code, Rejected, Unusable
from jpki_verify.settings import Declared, Kind

LARGEST_ANSWER = 1 << 17
MOST = 1000
"""Handles that are translated at once."""

_FORM = re.compile(r"[1-9][0-9]{0,2}-[a-z2-7]{8,128}")


class Handles(Protocol):
    """Who gives handles."""

    def handle_of(self, holder: Holder) -> str:
        """The handle of the person behind a certificate. Raises Rejected(HANDLES_AWAY, NOT_ADMITTED or
        NEVER_ISSUED)."""

    def translate(self, handles: Sequence[str], kind: Kind) -> list[str] | None:
        """The same ones, of certificates of that kind, under the newest key; None when one of them is understood no
        more. Raises Rejected(HANDLES_AWAY or NOT_ADMITTED)."""


def generation_of(handle: str) -> str:
    """The generation of the authority's key that a handle was made with: what stands before its dash."""
    return handle.partition("-")[0]


class AuthorityHandles:
    """The authority, over mutual TLS."""

    def __init__(self, url: str, declared: Declared, context: ssl.SSLContext, limits: Limits) -> None:
        self._url, self._declared, self._context, self._limits = url, declared, context, limits

    def handle_of(self, holder: Holder) -> str:
        """One question, one handle; the certificate goes to the authority that issued it and to nobody else."""
        rows = self._ask("", {"certificates": [base64.b64encode(holder.der).decode()]}, holder.kind)
        if rows is None or len(rows) != 1 or not isinstance(rows[0], dict):
            raise _no_handle()
        return _checked(rows[0].get("handle"))

    def translate(self, handles: Sequence[str], kind: Kind) -> list[str] | None:
        """At most `MOST` at once."""
        rows = self._ask("/translations", {"handles": list(handles)}, kind)
        if rows is not None and len(rows) != len(handles):
            raise _no_handle()
        return None if rows is None else [_checked(row) for row in rows]

    def _ask(self, path: str, content: dict[str, object], kind: Kind) -> list[Any] | None:
        """What the authority answers; None where there is nothing of that name."""
        about = {"purpose": self._declared.purposes[kind], "provider": self._declared.provider}
        body = json.dumps({**content, **{name: value for name, value in about.items() if value is not None}}).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            reply = exchange("POST", self._url + path, body, headers, self._limits, self._context)
        except Unusable as unusable:
            raise Rejected(Code.HANDLES_AWAY, f"the authority gives no handle now: {unusable.reason.value}") from None
        match reply.status:
            case 200:
                return _rows(reply.body)
            case 404:
                return None
            case 422:
                raise Rejected(Code.NEVER_ISSUED, "the authority has not issued this certificate")
            case 400 | 401 | 403:
                raise Rejected(Code.NOT_ADMITTED, "the authority gives this verifier no handles for this purpose")
            case status:
                raise Rejected(Code.HANDLES_AWAY, f"the authority gives no handle now: HTTP {status}")


def _rows(body: bytes) -> list[Any]:
    try:
        rows = json.loads(body)["handles"]
    except (ValueError, TypeError, KeyError, RecursionError):
        rows = None
    if not isinstance(rows, list):
        raise _no_handle()
    return rows


def _checked(handle: object) -> str:
    if not isinstance(handle, str) or not _FORM.fullmatch(handle):
        raise _no_handle()
    return handle


def _no_handle() -> Rejected:
    return Rejected(Code.HANDLES_AWAY, "what the authority answered is no handle")
