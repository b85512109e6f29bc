"""Fixtures of the kit: an operator's credential, made once."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from jpki_verify.ocsp_request import RequestSigner
from jpki_verify.settings import Credential
from tests.support.misbehaving import Serve, Server, Talk
from tests.support.specimens import make_credential


@pytest.fixture(scope="session")
def credential(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_credential(tmp_path_factory.mktemp("credential"))


@pytest.fixture(scope="session")
def signer(credential: Path) -> RequestSigner:
    files = (credential / name for name in ("client.pem", "client.key", "authority.pem"))
    return RequestSigner(Credential(*files))


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def started(talk: Talk | bytes, context: ssl.SSLContext | None = None) -> Server:
        words = talk if isinstance(talk, bytes) else b""
        servers.append(Server(talk if callable(talk) else lambda taken, _: taken.sendall(words), context))
        return servers[-1]

    yield started
    for server in servers:
        server.close()
