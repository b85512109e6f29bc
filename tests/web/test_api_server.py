"""The API as a real server: who is let in by TLS, who is told what, and how soon a withdrawal counts."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from http.client import HTTPSConnection
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.serving import Served, running
from tests.support.transport import Transport
from web.bodies import BODY_LIMIT

HOUR = timedelta(hours=1)
BODY = json.dumps({"resident_code": "01234567892", "cause": "key-report"}).encode()
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "key-of-a-request"}


@pytest.fixture(scope="module")
def transport(tmp_path_factory: pytest.TempPathFactory) -> Transport:
    return Transport(tmp_path_factory.mktemp("api"))


@pytest.fixture(scope="module")
def served(transport: Transport) -> Iterator[Served]:
    with running(sys.executable, "-m", "tests.support.specimen", "api", str(transport.folder)) as served:
        yield served


def register(transport: Transport, client: Path, role: str = "municipality") -> Path:
    """Put the client on the register; the file that has to go for its withdrawal."""
    certificate = x509.load_pem_x509_certificate(client.read_bytes()).public_bytes(Encoding.DER)
    entry = transport.folder / "registered" / sha256(certificate).hexdigest()
    entry.parent.mkdir(exist_ok=True)
    entry.write_text(role)
    return entry


@contextmanager
def connection(served: Served, context: ssl.SSLContext) -> Iterator[HTTPSConnection]:
    opened = HTTPSConnection(served.host, served.port, timeout=10, context=context)
    try:
        yield opened
    finally:
        opened.close()


def post(opened: HTTPSConnection, body: bytes = BODY, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
    opened.request("POST", "/v1/revocations", body, {**HEADERS, **(headers or {})})
    response = opened.getresponse()
    return response.status, json.loads(response.read())


def ask(
    served: Served, context: ssl.SSLContext, body: bytes = BODY, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Status and content of the answer to one request on a connection of its own."""
    with connection(served, context) as opened:
        return post(opened, body, headers)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls-1.2", "tls-1.3"])
def test_a_registered_caller_is_served(served: Served, transport: Transport, version: ssl.TLSVersion) -> None:
    client = transport.make_client("kiyose")
    register(transport, client)
    context = transport.context(client)
    context.minimum_version = context.maximum_version = version
    status, receipt = ask(served, context)
    assert status == 200
    assert receipt["revoked"] == ["signature"]


def test_older_versions_of_tls_are_refused(served: Served, transport: Transport) -> None:
    context = transport.context()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with connection(served, context) as opened, pytest.raises(ssl.SSLError):
        opened.connect()


def test_without_a_certificate_the_reason_is_told(served: Served, transport: Transport) -> None:
    status, problem = ask(served, transport.context())
    assert (status, problem["code"]) == (401, "unknown-caller")
    assert "no client certificate" in problem["detail"]


def test_a_certificate_that_is_not_registered_is_told_so(served: Served, transport: Transport) -> None:
    status, problem = ask(served, transport.context(transport.make_client("stranger")))
    assert (status, problem["code"]) == (401, "unknown-caller")
    assert "not registered" in problem["detail"]


def test_a_withdrawal_counts_from_the_next_request_on_an_open_connection(served: Served, transport: Transport) -> None:
    client = transport.make_client("hino")
    entry = register(transport, client)
    with connection(served, transport.context(client)) as opened:
        assert post(opened)[0] == 200
        before = opened.sock
        entry.unlink()
        assert post(opened)[0] == 401
        assert opened.sock is before


@pytest.mark.parametrize(
    ("begins", "life", "alert"),
    [
        pytest.param(-2 * HOUR, HOUR, "certificate expired", id="expired"),
        pytest.param(5 * HOUR, HOUR, "bad certificate", id="not-yet-valid"),
    ],
)
def test_tls_itself_refuses_certificates_out_of_time(
    served: Served, transport: Transport, begins: timedelta, life: timedelta, alert: str
) -> None:
    client = transport.make_client(f"out-of-time-{alert[:3]}", begins, life)
    register(transport, client)
    with pytest.raises(ssl.SSLError, match=alert):
        ask(served, transport.context(client))


def test_tls_itself_refuses_certificates_of_other_authorities(
    served: Served, transport: Transport, tmp_path: Path
) -> None:
    client = Transport(tmp_path).make_client("foreign")
    register(transport, client)
    with pytest.raises(ssl.SSLError, match=r"unknown ca|decrypt error"):
        ask(served, transport.context(client))


def test_a_server_certificate_is_not_a_client_certificate(served: Served, transport: Transport, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(transport.plain_server_key)
    context = transport.context()
    context.load_cert_chain(transport.folder / "server.pem", key)
    with pytest.raises(ssl.SSLError):
        ask(served, context)


def test_headers_make_nobody_a_caller(served: Served, transport: Transport) -> None:
    forged = {"X-SSL-Client-Verify": "SUCCESS", "X-Forwarded-Client-Cert": "Hash=00", "Client-Cert": ":AA==:"}
    assert ask(served, transport.context(), headers=forged)[0] == 401


def test_there_are_no_session_tickets(served: Served, transport: Transport) -> None:
    with connection(served, transport.context()) as opened:
        post(opened)
        assert isinstance(opened.sock, ssl.SSLSocket)
        assert opened.sock.session is None or not opened.sock.session.has_ticket


@pytest.mark.parametrize("chunked", [False, True], ids=["with-its-length", "in-chunks"])
def test_a_body_that_is_too_large(served: Served, transport: Transport, chunked: bool) -> None:
    client = transport.make_client(f"large-{chunked}")
    register(transport, client)
    octets = b" " * (BODY_LIMIT + 1)
    with connection(served, transport.context(client)) as opened:
        opened.request(
            "POST", "/v1/revocations", iter([octets]) if chunked else octets, HEADERS, encode_chunked=chunked
        )
        response = opened.getresponse()
        assert response.status == 413
        told = json.loads(response.read())
        assert (told["code"], told["detail"]) == ("too-large", f"send at most {BODY_LIMIT} octets")


def test_plain_http_is_not_answered(served: Served, transport: Transport) -> None:
    with socket.create_connection((served.host, served.port), timeout=10) as plain:
        plain.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b"alive" not in plain.recv(1000)
    assert ask(served, transport.context())[0] == 401


def test_the_log_names_parties_and_failed_handshakes_and_no_bodies(transport: Transport) -> None:
    client = transport.make_client("logged")
    register(transport, client)
    late = transport.make_client("late", -2 * HOUR, HOUR)
    with running(sys.executable, "-m", "tests.support.specimen", "api", str(transport.folder)) as served:
        ask(served, transport.context(client))
        ask(served, transport.context(), "不明".encode())
        with pytest.raises(ssl.SSLError):
            ask(served, transport.context(late))
    requests = [line for line in served.lines if line["event"] == "request"]
    assert [(line["route"], line["status"], line.get("party")) for line in requests] == [
        ("/v1/revocations", 200, "municipality:party"),
        ("/v1/revocations", 401, None),
    ]
    assert any(line["event"].endswith("certificate has expired") for line in served.lines)
    assert "01234567892" not in served.log
    assert "不明" not in served.log
    assert served.host not in "".join(map(str, requests))


def test_a_renewed_server_certificate_is_taken_up_on_a_signal(transport: Transport) -> None:
    with running(sys.executable, "-m", "tests.support.specimen", "api", str(transport.folder)) as served:
        before = shown_certificate(served)
        transport.write_server()
        os.kill(served.process_id, signal.SIGHUP)
        deadline = monotonic() + 20
        while shown_certificate(served) == before:
            assert monotonic() < deadline
        assert ask(served, transport.context())[0] == 401


def shown_certificate(served: Served) -> str:
    return ssl.get_server_certificate((served.host, served.port))
