"""The municipality's side of the demonstration: keys made by OpenSSL, and calls to the API over mutual TLS."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

from domain.certificates import Kind


@dataclass(frozen=True, slots=True)
class Office:
    """A counter with its credential (`credential`: the folder that enrolment wrote) and a folder for its papers."""

    address: str
    credential: Path
    papers: Path

    def make_request(self, kind: Kind) -> bytes:
        """A new RSA-2048 key in a file of its own, and the PKCS#10 request (DER) that it signs."""
        key, request = self.papers / f"{kind.value}.key", self.papers / f"{kind.value}.csr"
        openssl = f"openssl req -new -newkey rsa:2048 -nodes -sha256 -subj /CN=card -outform DER -keyout {key.name}"
        subprocess.run([*openssl.split(), "-out", request.name], check=True, capture_output=True, cwd=self.papers)
        return request.read_bytes()

    def post(self, path: str, body: dict[str, object], key: str | None = None) -> dict[str, object]:
        """The API's answer to a JSON body. Raises RuntimeError with the problem's text for anything but success."""
        context = ssl.create_default_context(cafile=str(self.credential / "authority.pem"))
        context.load_cert_chain(self.credential / "client.pem", self.credential / "client.key")
        connection = HTTPSConnection(self.address, context=context, timeout=30)
        headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            answer: dict[str, object] = json.loads(response.read())
        finally:
            connection.close()
        if response.status not in (200, 201):
            raise RuntimeError(f"{path} answered {response.status}: {answer.get('detail')}")
        return answer

    def keep(self, kind: Kind, certificate: str) -> Path:
        """Write a certificate that came as base64 DER to a PEM file among the papers."""
        path = self.papers / f"{kind.value}.pem"
        path.write_text(ssl.DER_cert_to_PEM_cert(base64.b64decode(certificate)), "ascii")
        return path
