"""Fixtures of the kit: an operator's credential, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from jpki_verify.ocsp_request import RequestSigner
from jpki_verify.settings import Credential
from tests.support.specimens import make_credential


@pytest.fixture(scope="session")
def credential(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_credential(tmp_path_factory.mktemp("credential"))


@pytest.fixture(scope="session")
def signer(credential: Path) -> RequestSigner:
    files = (credential / name for name in ("client.pem", "client.key", "authority.pem"))
    return RequestSigner(Credential(*files))
