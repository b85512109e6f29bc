"""Clerks: threads that issue and revoke over the API, and ask again in the same words until they are answered."""

from __future__ import annotations

import base64
import json
import random
import ssl
import threading
from collections import Counter
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from time import monotonic
from typing import Any

from cryptography import x509

from bench.pace import Pace
from bench.people import as_json
from bench.truth import REVOKED, Named, Truth
from domain.applications import IssuanceApplication

_PASSING = ("busy", "in-progress", "store-unavailable", "signer-unavailable")
_PATIENCE = 120.0
"""Seconds within which each request is answered, whatever is killed meanwhile."""


@dataclass(frozen=True, slots=True)
class _Pair:
    resident_code: str
    key: str
    certificates: list[Named]


class Clerks:
    """What they did is counted: requests that had to be sent again and what they heard, the longest that one of them
    waited (seconds). Each is answered within `patience` seconds."""

    def __init__(
        self,
        port: int,
        credential: Path,
        truth: Truth,
        stop: threading.Event,
        applications: list[IssuanceApplication],
        patience: float = _PATIENCE,
    ) -> None:
        self._patience, self.heard = patience, Counter[str]()
        self._port, self._truth, self._stop = port, truth, stop
        self._context = ssl.create_default_context(cafile=credential / "authority.pem")
        self._context.load_cert_chain(credential / "client.pem", credential / "client.key")
        self._waiting, self._living = applications, list[_Pair]()
        self.issued = self.revoked = self.repeated = 0
        self.longest = 0.0

    def issue(self, pace: Pace) -> None:
        """One application after the other, at that pace."""
        line = _Line(self._port, self._context)
        while self._waiting and pace.wait(self._stop):
            application = self._waiting.pop()
            answer = self._insist(line, "/v1/issuance-applications", as_json(application), application.key)
            if answer is None:
                continue
            certificates = [
                Named(f"{kind}-g1", x509.load_der_x509_certificate(base64.b64decode(der)).serial_number.to_bytes(16))
                for kind, der in answer["certificates"].items()
            ]
            self._truth.issued(certificates)
            self._living.append(_Pair(application.resident_code.digits, application.key, certificates))
            self.issued += 1

    def revoke(self, pace: Pace) -> None:
        """One of the pairs there are after the other, at that pace."""
        line, chance = _Line(self._port, self._context), random.Random(1)
        while pace.wait(self._stop):
            if not self._living:
                pace.undo()
                continue
            pair = self._living.pop(chance.randrange(len(self._living)))
            body = json.dumps({"resident_code": pair.resident_code, "cause": "card-lost"}).encode()
            self._truth.began(pair.certificates, REVOKED)
            if self._insist(line, "/v1/revocations", body, f"revoke-{pair.key}") is not None:
                self._truth.returned(pair.certificates)
                self.revoked += 1

    def _insist(self, line: _Line, path: str, body: bytes, key: str) -> dict[str, Any] | None:
        begun = monotonic()
        try:
            while monotonic() - begun < self._patience:
                try:
                    status, answer = line.post(path, body, key)
                except (OSError, HTTPException):
                    status, answer = 0, {}
                    line.close()
                if status in (200, 201):
                    return answer
                if status and answer.get("code") not in _PASSING:
                    self._truth.wrong.append(f"refused: {answer.get('code')} {answer.get('reference', '')}".rstrip())
                    return None
                self.repeated += 1
                self.heard[str(answer.get("code", "nothing"))] += 1
                self._stop.wait(0.1)
        finally:
            self.longest = max(self.longest, monotonic() - begun)
        self._truth.wrong.append("nobody answered")
        return None


class _Line:
    """A connection that is kept until it breaks."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._connection = HTTPSConnection("127.0.0.1", port, context=context, timeout=30)

    def post(self, path: str, body: bytes, key: str) -> tuple[int, dict[str, Any]]:
        self._connection.request("POST", path, body, {"Content-Type": "application/json", "Idempotency-Key": key})
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())

    def close(self) -> None:
        self._connection.close()
