"""Askers: threads that ask for status by OCSP and fetch lists, and hold what they hear against the truth."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from time import monotonic

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp

from bench.ocsp import make_ocsp_requests
from bench.pace import Pace
from bench.people import KIYOSE
from bench.service import http_request
from bench.truth import Named, Truth
from domain.certificates import Issuer

_TYPE = "Content-Type: application/ocsp-request\r\n"
_WORDS = {0x80: "good", 0xA1: "revoked", 0x82: "unknown"}
_REFUSALS = {1: "malformed-request", 2: "internal-error", 3: "try-later", 5: "sig-required", 6: "unauthorized"}
_LOOKED_AT = 64
"""One of so many answers is read by a library, too, and its signature verified."""


class Askers:
    """`lost` requests were never answered: a worker was killed, or the crowd was too great."""

    def __init__(self, port: int, issuers: Mapping[str, Issuer], truth: Truth, stop: threading.Event) -> None:
        self._port, self._issuers, self._truth, self._stop = port, issuers, truth, stop
        self._parsed = {name: x509.load_der_x509_certificate(issuer.certificate) for name, issuer in issuers.items()}
        self.asked = self.verified = self.lost = 0

    def ask(self, seed: int, pace: Pace) -> None:
        """About one certificate after the other, over a connection that is opened anew when it breaks."""
        chance, line = random.Random(seed), Line(self._port)
        while pace.wait(self._stop):
            named = self._truth.some(chance.randrange(1 << 30))
            if named is None:
                pace.undo()
                self._stop.wait(0.05)
                continue
            (request,) = make_ocsp_requests(self._issuers[named.issuer], [named.serial], nonce=chance.random() < 0.5)
            asked = monotonic()
            try:
                octets = line.exchange(http_request("POST", "/ocsp", request, _TYPE))
            except OSError:
                self.lost += 1
                line.close()
                pace.undo()
                self._stop.wait(0.05)
                continue
            self._truth.check(named, asked, monotonic(), word_of(octets, named.serial))
            self.asked += 1
            if self.asked % _LOOKED_AT == 0:
                self._look_at(octets, named)

    def _look_at(self, octets: bytes, named: Named) -> None:
        response = ocsp.load_der_ocsp_response(octets)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return
        (responder,) = response.certificates
        responder.verify_directly_issued_by(self._parsed[named.issuer])
        key = responder.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(SHA256()))
        assert response.serial_number == int.from_bytes(named.serial)
        assert response.certificate_status.name.lower() == word_of(octets, named.serial)
        self.verified += 1

    def fetch_lists(self) -> None:
        """Both lists of the city, every second."""
        while not self._stop.wait(1.0):
            for name in self._issuers:
                with suppress(OSError, HTTPException):
                    self.fetch_list(name)

    def fetch_list(self, issuer: str) -> None:
        """One list, read by a library and verified. Raises OSError or HTTPException when it cannot be had."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request("GET", f"/crl/{issuer}/{KIYOSE.value[:5]}.crl")
        response = connection.getresponse()
        octets = response.read()
        connection.close()
        if response.status != 200:
            return
        found = x509.load_der_x509_crl(octets)
        key = self._parsed[issuer].public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        assert found.is_signature_valid(key)
        number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        serials = {row.serial_number.to_bytes(16) for row in found}
        self._truth.check_list(issuer, number, found.last_update_utc.timestamp(), serials)


def word_of(octets: bytes, serial: bytes) -> str:
    """What an OCSP response (DER) about one certificate says: by the tag behind the serial number, or why nothing."""
    at = octets.find(b"\x0a\x01") + 2
    if octets[at]:
        return _REFUSALS[octets[at]]
    return _WORDS[octets[octets.index(b"\x02\x10" + serial) + 18]]


class Line:
    """A plain connection that is kept until it breaks."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def exchange(self, request: bytes) -> bytes:
        """The body of the answer. Raises OSError when there is none."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=30)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        received = self._receive(b"")
        while (end := received.find(b"\r\n\r\n")) < 0:
            received = self._receive(received)
        head = received[:end].lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        while len(received) < end + 4 + length:
            received = self._receive(received)
        if b"connection: close" in head:
            self.close()
        return received[end + 4 :]

    def _receive(self, received: bytes) -> bytes:
        assert self._socket
        if not (more := self._socket.recv(65536)):
            raise ConnectionError("it was closed")
        return received + more

    def close(self) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None
