"""Handles: what a person is remembered by. The authority makes them, another one for each verifier and provider."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import ssl
from pathlib import Path
from typing import Protocol

from jpki_verify.anchors import read_file
from jpki_verify.certificates import Holder
from jpki_verify.exchange import Limits, exchange
from jpki_verify.rejection import Code, Rejected, Unusable
from jpki_verify.settings import HandleRules

LARGEST_ANSWER = 1 << 14
_FORM = re.compile(r"[A-Za-z0-9_.~-]{8,128}")


class Handles(Protocol):
    """Who gives handles."""

    def handle_of(self, holder: Holder) -> str:
        """The handle of the person behind a certificate. Raises Rejected(HANDLES_AWAY or NOT_ADMITTED)."""


class AuthorityHandles:
    """The authority, over mutual TLS."""

    def __init__(self, rules: HandleRules, context: ssl.SSLContext, limits: Limits) -> None:
        self._rules, self._context, self._limits = rules, context, limits

    def handle_of(self, holder: Holder) -> str:
        """One question, one handle; the certificate goes to the authority that issued it and to nobody else."""
        content = {"certificates": [base64.b64encode(holder.der).decode()], "purpose": self._rules.purpose}
        if self._rules.provider:
            content["provider"] = self._rules.provider
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        body = json.dumps(content).encode()
        try:
            reply = exchange("POST", self._rules.url or "", body, headers, self._limits, self._context)
        except Unusable as unusable:
            raise Rejected(Code.HANDLES_AWAY, f"the authority gives no handle now: {unusable.reason.value}") from None
        if reply.status in (401, 403):
            raise Rejected(Code.NOT_ADMITTED, "the authority gives this verifier no handles for this purpose")
        if reply.status != 200:
            raise Rejected(Code.HANDLES_AWAY, f"the authority gives no handle now: HTTP {reply.status}")
        return _read(reply.body)


class OwnHandles:
    """Handles made here with a secret of our own: for as long as the authority gives none. They change when a
    certificate is renewed."""

    def __init__(self, key: Path) -> None:
        """Raises Rejected(BAD_CONFIGURATION) for a file with fewer than 32 octets."""
        self._key = read_file(key)
        if len(self._key) < 32:
            raise Rejected(Code.BAD_CONFIGURATION, f"{key.name} is too short: want 32 random octets or more")

    def handle_of(self, holder: Holder) -> str:
        """HMAC of the certificate; without the key it tells nothing."""
        return "own-" + hmac.digest(self._key, holder.der, hashlib.sha256).hex()


def _read(body: bytes) -> str:
    try:
        (row,) = json.loads(body)["handles"]
        handle = row["handle"]
    except (ValueError, TypeError, KeyError, RecursionError):
        handle = None
    if not isinstance(handle, str) or not _FORM.fullmatch(handle):
        raise Rejected(Code.HANDLES_AWAY, "what the authority answered is no handle")
    return handle
