"""Sources opened by settings: over mutual TLS the authority hears what a list is fetched for, and nobody else does."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from domain.certificates import Kind
from jpki_verify.rejection import Reason, Unusable
from jpki_verify.settings import load_settings
from jpki_verify.sources import open_sources
from jpki_verify.store import Store
from tests.support.authority import NOW, make_issuer
from tests.support.lists import make_list
from tests.support.misbehaving import Serve
from tests.support.operator import FILES, write_settings
from tests.support.specimens import make_holder
from tests.support.transport import Transport

DECLARED = {"signature": "contract", "provider": "書店"}
HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/pkix-crl\r\n\r\n"


@pytest.fixture
def transport(tmp_path: Path) -> Transport:
    return Transport(tmp_path)


@pytest.fixture
def context(transport: Transport) -> ssl.SSLContext:
    """A server that wants to see who comes."""
    key = transport.folder / "plain.pem"
    key.write_bytes(transport.plain_server_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(transport.folder / "server.pem", key)
    context.load_verify_locations(transport.folder / "transport-ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def fetch_list(transport: Transport, base: str) -> None:
    """Look a holder up in the list that is fetched from there."""
    client = transport.make_client("bank").read_bytes()
    credential = transport.folder / "credential"
    credential.mkdir()
    for name, file in FILES.items():
        authority = (transport.folder / "transport-ca.pem").read_bytes()
        (credential / file).write_bytes(authority if name == "authority" else client)
    path = write_settings(
        transport.folder / "operator",
        [make_issuer(Kind.SIGNATURE)],
        credential,
        status={"lists": base, "sources": ["lists"]},
        declared=DECLARED,
    )
    settings = load_settings(path)
    open_sources(settings, Store(settings.store.path))["lists"](make_holder("signature-rsa2048"), NOW, b"")


def test_the_authority_hears_what_a_list_is_fetched_for(
    serve: Serve, transport: Transport, context: ssl.SSLContext
) -> None:
    server = serve(HEAD % b"200 OK" + make_list(), context)
    fetch_list(transport, server.url)
    (request,) = server.requests
    assert request.startswith(b"GET /x/signature-g1/13221.crl HTTP/1.1\r\n")
    assert b"JPKI-Purpose: contract\r\n" in request
    assert b"JPKI-Provider: %E6%9B%B8%E5%BA%97\r\n" in request


def test_nobody_hears_it_where_anybody_listens(serve: Serve, transport: Transport) -> None:
    server = serve(HEAD % b"200 OK" + make_list())
    fetch_list(transport, server.url)
    assert b"JPKI-" not in server.requests[0]


def test_lists_that_are_not_for_us(serve: Serve, transport: Transport, context: ssl.SSLContext) -> None:
    server = serve(HEAD % b"403 No", context)
    with pytest.raises(Unusable) as caught:
        fetch_list(transport, server.url)
    assert caught.value.reason is Reason.NOT_ADMITTED
