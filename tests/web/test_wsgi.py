"""Both services of an initialised state directory: from an application to a revocation, through real connections."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from config.assemble import assemble, system_clock, system_random
from config.enrolment import enrol
from config.initialise import initialise
from domain.birth import BirthDate
from domain.certificates import Kind
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.people import BasicAttributes, ResidentCode, ResidentState, Sex
from tests.support.authority import KIYOSE
from tests.support.requests import make_pair
from tests.support.serving import ROOT, Served, serving
from tests.support.verifiers import approve

CODE = ResidentCode("01234567892")
ITEMS = {"name": "山田　花子", "address": "東京都清瀬市中里五丁目８４２番地", "birth_date": "1990-02-28", "sex": "2"}
ATTRIBUTES = BasicAttributes(ITEMS["name"], ITEMS["address"], BirthDate(1990, 2, 28), Sex.FEMALE)
PARTIES = (
    Party(0, Role.MUNICIPALITY, "kiyose", KIYOSE.code),
    Party(0, Role.VERIFIER, "bank", kinds=frozenset(Kind)),
)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with a municipality, a verifier and a resident; clients' files lie in `clients/`."""
    state = tmp_path_factory.mktemp("house") / "state"
    initialise(
        state,
        api="127.0.0.1:0",
        status="127.0.0.1:0",
        template=None,
        clock=system_clock,
        random=system_random,
        on_step=lambda _step: None,
    )
    with closing(assemble(state)) as services:
        for party in PARTIES:
            enrol(services, party, LOCAL_OPERATOR, folder=state / "clients" / party.name, life=timedelta(days=30))
        approve(services.begin, "bank")
        with services.begin() as work:
            index, sealed = services.sealer.seal(CODE)
            work.residents.put(index, sealed, KIYOSE.code, ATTRIBUTES, ResidentState.PRESENT, services.clock())
            work.commit()
    return state


@pytest.fixture(scope="module")
def api(state: Path) -> Iterator[Served]:
    with serving("api", state) as served:
        yield served


@pytest.fixture(scope="module")
def status(state: Path) -> Iterator[Served]:
    with serving("status", state) as served:
        yield served


def call(
    api: Served, state: Path, client: str, path: str, body: bytes, content_type: str = "application/json"
) -> tuple[int, bytes]:
    folder = state / "clients" / client
    context = ssl.create_default_context(cafile=folder / "authority.pem")
    context.load_cert_chain(folder / "client.pem", folder / "client.key")
    with closing(HTTPSConnection(api.host, api.port, timeout=30, context=context)) as connection:
        connection.request("POST", path, body, {"Content-Type": content_type, "Idempotency-Key": f"key-of-{path}"})
        response = connection.getresponse()
        return response.status, response.read()


def act(api: Served, state: Path, path: str, body: object) -> tuple[int, Any]:
    status, content = call(api, state, "kiyose", path, json.dumps(body).encode())
    return status, json.loads(content)


def ask(api: Served, state: Path, request: bytes) -> ocsp.OCSPResponse:
    status, content = call(api, state, "bank", "/ocsp", request, "application/ocsp-request")
    assert status == 200
    return ocsp.load_der_ocsp_response(content)


def test_issue_ask_revoke_ask_again(api: Served, state: Path) -> None:
    application = {
        "resident_code": CODE.digits,
        "municipality_code": KIYOSE.code.value,
        "attributes": ITEMS,
        "card": {"id": "AB12345678", "expires_on": f"{system_clock().year + 5}-02-28"},
        "requests": {kind.value: base64.b64encode(request).decode() for kind, request in make_pair().items()},
    }
    issued, answer = act(api, state, "/v1/issuance-applications", application)
    repeated, same = act(api, state, "/v1/issuance-applications", application)
    assert (issued, repeated) == (201, 200)
    assert same == {**answer, "repeated": True}

    certificate = x509.load_der_x509_certificate(base64.b64decode(answer["certificates"]["signature"]))
    issuer = x509.load_der_x509_certificate((state / "certs" / "signature-g1.cer").read_bytes())
    certificate.verify_directly_issued_by(issuer)
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256())
    request = builder.build().public_bytes(Encoding.DER)
    assert ask(api, state, request).certificate_status is ocsp.OCSPCertStatus.GOOD

    revocation = {"resident_code": CODE.digits, "cause": "key-report"}
    rehearsed, preview = act(api, state, "/v1/revocations?dry_run=true", revocation)
    revoked, receipt = act(api, state, "/v1/revocations", revocation)
    assert (rehearsed, revoked) == (200, 200)
    assert preview["revokes"] == receipt["revoked"] == ["signature", "authentication"]
    after = ask(api, state, request)
    assert after.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert after.revocation_reason is x509.ReasonFlags.key_compromise


def test_the_status_service_gives_strangers_issuers_and_no_answers(status: Served, state: Path) -> None:
    with closing(HTTPConnection(status.host, status.port, timeout=30)) as connection:
        connection.request("GET", "/ca/signature-g2.cer")
        assert connection.getresponse().read() == (state / "certs" / "signature-g2.cer").read_bytes()
        connection.request("GET", "/ocsp/AAAA")
        answer = ocsp.load_der_ocsp_response(connection.getresponse().read())
        assert answer.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
        connection.request("GET", "/readyz")
        assert json.loads(connection.getresponse().read())["parts"]["database"]
        connection.request("POST", "/v1/revocations", b"{}")
        assert connection.getresponse().status == 404


def test_no_log_names_the_resident(state: Path) -> None:
    with serving("api", state) as served:
        act(served, state, "/v1/revocations", {"resident_code": CODE.digits, "cause": "holder-request"})
        act(served, state, "/v1/resident-notices", {"resident_code": CODE.digits, **ITEMS})
    assert "municipality:kiyose" in served.log
    for value in (CODE.digits, *ITEMS.values()):
        assert len(value) == 1 or value not in served.log


def test_a_service_that_cannot_start_says_why(state: Path) -> None:
    key = state / "keys" / "signature-g1-ocsp.pem"
    aside = key.rename(state / "aside.pem")
    program = "import pathlib, sys, web.server as s; s.serve('status', pathlib.Path(sys.argv[1]))"
    ended = subprocess.run(
        [sys.executable, "-c", program, str(state)], cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )
    aside.rename(key)
    # 3 by gunicorn's own account; 1 when the end of its second worker interrupts it on the way out.
    assert ended.returncode in (1, 3)
    assert "the service cannot start: bad-configuration: signature-g1-ocsp.pem cannot be read" in ended.stderr


def test_without_settings_nothing_starts(tmp_path: Path) -> None:
    program = "import pathlib, sys, web.server as s; s.serve('api', pathlib.Path(sys.argv[1]))"
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "there is no jpki.toml" in ended.stderr
