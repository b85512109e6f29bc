"""Admission at real services with several workers: by every channel, and dead on the next request."""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import ocsp

from config.assemble import Services, assemble, system_clock, system_random
from config.enrolment import enrol
from config.initialise import initialise
from config.officers import OfficerCredential
from config.rules import template
from config.vetting import Handed, add_verifier
from crl.publish import publish_due
from domain import der
from domain.certificates import Kind
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.standings import Standing
from tests.support.authority import KIYOSE
from tests.support.responder import sign_ocsp_request
from tests.support.serving import Served, serving
from tests.support.signers import key_bits_of
from verifiers import registry
from verifiers.vetting import Request

LIFE = timedelta(days=30)
CONNECTIONS = 8
LIST = f"/crl/signature-g1/{KIYOSE.code.area}.crl"
BANK = Request(
    "bank",
    Standing.ACCREDITED_PRIVATE,
    {Kind.SIGNATURE: frozenset({"contract", "identity-check"}), Kind.AUTHENTICATION: frozenset({"log-in"})},
)
SHOP = Request("shop", Standing.ACCREDITED_PRIVATE, {Kind.SIGNATURE: frozenset({"contract"})})
CLUB = Request("club", Standing.ACCREDITED_PRIVATE, SHOP.purposes)
PURPOSE = {"JPKI-Purpose": "contract"}

Answer = tuple[int, str]
"""Status, and what OCSP or the problem says."""


class Scene:
    """An authority with lists for verifiers alone, two officers, two verifiers, and connections to all its workers."""

    def __init__(self, state: Path, services: Services, api: Served, status: Served) -> None:
        self.state, self.services, self.api, self.status = state, services, api, status
        issuer = x509.load_der_x509_certificate((state / "certs" / "signature-g1.cer").read_bytes())
        public = issuer.public_key()
        assert isinstance(public, RSAPublicKey)
        name, key = (hashlib.sha256(octets).digest() for octets in (issuer.subject.public_bytes(), key_bits_of(public)))
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, 0x40 << 120, hashes.SHA256())
        self.request = builder.build().public_bytes(Encoding.DER)

    def officers(self) -> tuple[OfficerCredential, OfficerCredential]:
        folders = self.state / "credentials"
        return OfficerCredential.read(folders / "aoi"), OfficerCredential.read(folders / "ken")

    def signed(self, name: str) -> bytes:
        folder = self.state / "credentials" / name
        key = load_pem_private_key((folder / "client.key").read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / "client.pem").read_bytes())
        start, end = der.only(self.request, der.SEQUENCE)
        tbs = self.request[start:end]
        return sign_ocsp_request(tbs, key, certificate.public_bytes(Encoding.DER))  # type: ignore[arg-type]

    def connect(self, stack: ExitStack, name: str | None) -> list[HTTPConnection]:
        """Connections that stay open, to the API as `name` or to the status service."""
        found: list[HTTPConnection] = []
        for _ in range(CONNECTIONS):
            if name is None:
                found.append(HTTPConnection(self.status.host, self.status.port, timeout=30))
            else:
                folder = self.state / "credentials" / name
                context = ssl.create_default_context(cafile=folder / "authority.pem")
                context.load_cert_chain(folder / "client.pem", folder / "client.key")
                found.append(HTTPSConnection(self.api.host, self.api.port, timeout=30, context=context))
            stack.enter_context(closing(found[-1]))
        return found

    def fingerprint(self, name: str) -> bytes:
        pem = (self.state / "credentials" / name / "client.pem").read_bytes()
        return hashlib.sha256(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)).digest()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    state = tmp_path_factory.mktemp("closed") / "state"
    initialise(
        state,
        api="127.0.0.1:0",
        status="127.0.0.1:0",
        template=template().replace('\naccess = "open"', '\naccess = "notified-verifiers"'),
        clock=system_clock,
        random=system_random,
        on_step=lambda _step: None,
    )
    with closing(assemble(state)) as services:
        folders = state / "credentials"
        for name in ("aoi", "ken"):
            enrol(services, Party(0, Role.OPERATOR, name), LOCAL_OPERATOR, folder=folders / name, life=LIFE)
        city = Party(0, Role.MUNICIPALITY, "kiyose", KIYOSE.code)
        enrol(services, city, LOCAL_OPERATOR, folder=folders / "kiyose", life=LIFE)
        stranger = Party(0, Role.VERIFIER, "hopeful", kinds=frozenset(Kind))
        enrol(services, stranger, LOCAL_OPERATOR, folder=folders / "hopeful", life=LIFE)
        publish_due(services.publisher)
        with serving("api", state) as api, serving("status", state) as status:
            scene = Scene(state, services, api, status)
            for wanted in (BANK, SHOP, CLUB):
                handed = Handed(folders / wanted.name, LIFE)
                add_verifier(services, wanted, scene.officers(), None, "shown", handed, "for the test")
            yield scene


def by_tls(scene: Scene, connection: HTTPConnection, headers: dict[str, str]) -> Answer:
    return _ocsp(connection, scene.request, headers)


def by_list(_scene: Scene, connection: HTTPConnection, headers: dict[str, str]) -> Answer:
    connection.request("GET", LIST, headers=headers)
    response = connection.getresponse()
    octets = response.read()
    return response.status, "list" if response.status == 200 else json.loads(octets)["facts"]["rule"]


def _ocsp(connection: HTTPConnection, request: bytes, headers: dict[str, str] | None = None) -> Answer:
    connection.request("POST", "/ocsp", request, {"Content-Type": "application/ocsp-request", **(headers or {})})
    response = connection.getresponse()
    return response.status, ocsp.load_der_ocsp_response(response.read()).response_status.name.lower()


def test_every_worker_gives_status_to_an_approved_verifier_for_its_purpose_alone(scene: Scene) -> None:
    assert len(scene.api.workers()) >= 2
    with ExitStack() as stack:
        for connection in scene.connect(stack, "bank"):
            assert by_tls(scene, connection, PURPOSE) == (200, "successful")
            assert by_list(scene, connection, PURPOSE) == (200, "list")
            for declared in ({}, {"JPKI-Purpose": "log-in"}, {**PURPOSE, "JPKI-Provider": "shop"}):
                assert by_tls(scene, connection, declared) == (200, "unauthorized")
                assert by_list(scene, connection, declared)[0] == 403


@pytest.mark.parametrize("name", ["hopeful", "kiyose", "aoi"])
def test_nobody_else_is_given_any(name: str, scene: Scene) -> None:
    rule = "signature-not-approved" if name == "hopeful" else "not-a-verifier"
    with ExitStack() as stack:
        for connection in scene.connect(stack, name):
            assert by_tls(scene, connection, {}) == (200, "unauthorized")
            assert by_list(scene, connection, {}) == (403, rule)


def test_over_open_http_a_signature_is_needed_and_lists_are_not_given(scene: Scene) -> None:
    request = scene.signed("shop")
    with ExitStack() as stack:
        for connection in scene.connect(stack, None):
            assert _ocsp(connection, request) == (200, "successful")
            assert _ocsp(connection, scene.signed("hopeful")) == (200, "unauthorized")
            assert _ocsp(connection, scene.signed("bank")) == (200, "unauthorized")  # of two purposes, none declared
            assert _ocsp(connection, scene.request, PURPOSE) == (200, "unauthorized")
            assert by_list(scene, connection, PURPOSE) == (401, "caller-unknown")


def suspend(scene: Scene, name: str) -> None:
    one, other = scene.officers()
    content: dict[str, object] = {"verifier": name, "kinds": ["signature"]}
    other.confirm(scene.services.board, one.propose(scene.services.board, "verifier-suspension", content, "a test"))


def resume(scene: Scene, name: str) -> None:
    one, other = scene.officers()
    content: dict[str, object] = {"verifier": name, "kinds": ["signature"]}
    other.confirm(scene.services.board, one.propose(scene.services.board, "verifier-resumption", content, "a test"))


def withdraw(scene: Scene, name: str) -> None:
    with scene.services.begin() as work:
        registry.withdraw(work, scene.fingerprint(name), scene.services.clock(), LOCAL_OPERATOR)
        work.commit()


ENDINGS: dict[str, tuple[str, Callable[[Scene, str], None], Answer]] = {
    "a suspension": ("shop", suspend, (403, "approval-not-in-force")),
    "the end of the credential": ("club", withdraw, (401, "caller-unknown")),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_is_dead_on_the_next_request_in_every_worker(ending: str, scene: Scene) -> None:
    name, end, refusal = ENDINGS[ending]
    request = scene.signed(name)
    with ExitStack() as stack:
        tls, plain = scene.connect(stack, name), scene.connect(stack, None)
        for connection in tls:  # they are all looked up and kept, in this second
            assert by_tls(scene, connection, PURPOSE) == (200, "successful")
            assert by_list(scene, connection, PURPOSE) == (200, "list")
        for connection in plain:
            assert _ocsp(connection, request) == (200, "successful")
        end(scene, name)
        for connection in tls:
            assert by_tls(scene, connection, PURPOSE) == (200, "unauthorized")
            assert by_list(scene, connection, PURPOSE) == refusal
        assert {_ocsp(connection, request) for connection in plain} == {(200, "unauthorized")}
        if name == "shop":
            resume(scene, name)
            assert {_ocsp(connection, request) for connection in plain} == {(200, "successful")}
