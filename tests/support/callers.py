"""Callers of a running API: a municipality at its counter, over mutual TLS."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from domain.certificates import Kind
from tests.support.acts import make_requests
from tests.support.residents import as_fields, record, resident_code
from tests.support.serving import Served

UNANSWERED = (OSError, HTTPException)
"""What a caller sees of a server that dies: no connection, or none any more."""


@dataclass(frozen=True)
class Reply:
    """An answer of the API."""

    status: int
    headers: Mapping[str, str]
    body: Any


def ocsp_question(certificate: bytes, issuer: bytes) -> bytes:
    """An OCSP request (DER) about a certificate (DER)."""
    subject, authority = (x509.load_der_x509_certificate(der) for der in (certificate, issuer))
    builder = ocsp.OCSPRequestBuilder().add_certificate(subject, authority, hashes.SHA256())
    return builder.build().public_bytes(Encoding.DER)


def word_of(answer: ocsp.OCSPResponse) -> str:
    """The status, or why there is none: `good`, `try_later`."""
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return answer.response_status.name.lower()
    return answer.certificate_status.name.lower()


class Caller:
    """Whoever holds the credential in a folder. Each request is a connection of its own, to a server as it stands."""

    def __init__(self, credential: Path) -> None:
        self._context = ssl.create_default_context(cafile=credential / "authority.pem")
        self._context.load_cert_chain(credential / "client.pem", credential / "client.key")

    def issue(self, served: Served, number: int, key: str) -> Reply:
        """Apply for a pair for resident `number`."""
        fields = as_fields(record(number))
        code, municipality = fields.pop("resident_code"), fields.pop("municipality_code")
        requests = make_requests(f"{number} {key}", *Kind)
        body = {
            "resident_code": code,
            "municipality_code": municipality,
            "attributes": fields,
            "card": {"id": f"card-{number}", "expires_on": "2036-02-28"},
            "requests": {kind.value: base64.b64encode(request).decode() for kind, request in requests.items()},
        }
        return self.post(served, "/v1/issuance-applications", body, key)

    def revoke(self, served: Served, number: int, key: str) -> Reply:
        """Hand on the wish of resident `number` to have everything revoked."""
        body = {"resident_code": resident_code(number).digits, "cause": "holder-request"}
        return self.post(served, "/v1/revocations", body, key)

    def post(self, served: Served, path: str, body: object, key: str = "") -> Reply:
        headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        reply = self._ask(served, "POST", path, json.dumps(body).encode(), headers)
        return Reply(reply.status, reply.headers, json.loads(reply.body))

    def get(self, served: Served, path: str) -> Reply:
        reply = self._ask(served, "GET", path, b"", {})
        return Reply(reply.status, reply.headers, json.loads(reply.body))

    def status(self, served: Served, certificate: bytes, issuer: bytes) -> str:
        """What OCSP says of a certificate (DER), or why it does not: `good`, `try_later`."""
        octets = ocsp_question(certificate, issuer)
        reply = self._ask(served, "POST", "/ocsp", octets, {"Content-Type": "application/ocsp-request"})
        return word_of(ocsp.load_der_ocsp_response(reply.body))

    def _ask(self, served: Served, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        connection = HTTPSConnection(served.host, served.port, context=self._context, timeout=30)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()
