"""Admission at real services with several workers: by every channel, and dead on the next request."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException

import pytest
from cryptography.x509 import ocsp

from domain.parties import LOCAL_OPERATOR
from tests.support.approved import Scene, closed_to_others
from tests.support.authority import KIYOSE
from verifiers import registry

LIST = f"/crl/signature-g1/{KIYOSE.code.area}.crl"
PURPOSE = {"JPKI-Purpose": "contract"}

Answer = tuple[int, str]
"""Status, and what OCSP or the problem says; of an answer that is neither, nothing."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with closed_to_others(tmp_path_factory.mktemp("closed") / "state") as scene:
        yield scene


def sent(
    connection: HTTPConnection, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    """An answer; where the server has closed a connection that was idle, on one that is made anew."""
    for last in (False, True):
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        except (HTTPException, OSError):
            connection.close()
            if last:
                raise
    raise AssertionError


def asked(
    connection: HTTPConnection, path: str, content: object = None, headers: Mapping[str, str] = PURPOSE
) -> Answer:
    """Status, and the rule or code of a problem."""
    body = json.dumps(content).encode() if content is not None else None
    about = {**headers, "Content-Type": "application/json"} if body else headers
    status, octets = sent(connection, "POST" if body else "GET", path, body, about)
    if status < 400:
        return status, ""
    problem = json.loads(octets)
    return status, problem.get("facts", {}).get("rule", problem["code"])


def by_ocsp(connection: HTTPConnection, request: bytes, headers: Mapping[str, str] = PURPOSE) -> Answer:
    status, octets = sent(connection, "POST", "/ocsp", request, {"Content-Type": "application/ocsp-request", **headers})
    return status, ocsp.load_der_ocsp_response(octets).response_status.name.lower()


def by_list(connection: HTTPConnection, headers: Mapping[str, str] = PURPOSE) -> Answer:
    return asked(connection, LIST, headers=headers)


def test_every_worker_gives_status_to_an_approved_verifier_for_its_purpose_alone(scene: Scene) -> None:
    assert len(scene.api.workers()) >= 2
    with ExitStack() as stack:
        for connection in scene.connect(stack, "api", "bank"):
            assert by_ocsp(connection, scene.request) == (200, "successful")
            assert by_list(connection) == (200, "")
            for declared in ({}, {"JPKI-Purpose": "log-in"}, {**PURPOSE, "JPKI-Provider": "shop"}):
                assert by_ocsp(connection, scene.request, declared) == (200, "unauthorized")
                assert by_list(connection, declared)[0] == 403


@pytest.mark.parametrize("name", ["hopeful", "kiyose", "aoi"])
def test_nobody_else_is_given_any(name: str, scene: Scene) -> None:
    rule = "signature-not-approved" if name == "hopeful" else "not-a-verifier"
    with ExitStack() as stack:
        for connection in scene.connect(stack, "api", name):
            assert by_ocsp(connection, scene.request, {}) == (200, "unauthorized")
            assert by_list(connection, {}) == (403, rule)
            for path in (
                "/v1/filters/signature",
                "/v1/filters/signature/key",
                "/v1/filters/signature/files/signature-g1",
            ):
                assert asked(connection, path, headers={}) == (403, rule)


@pytest.mark.parametrize("server", ["event-loop", "threads"])
def test_over_open_http_a_signature_is_needed_and_lists_are_not_given(server: str, scene: Scene) -> None:
    request = scene.signed("bank")
    with ExitStack() as stack:
        for connection in scene.connect(stack, server):
            assert by_ocsp(connection, scene.signed("steady")) == (200, "successful")
            assert by_ocsp(connection, scene.signed("hopeful")) == (200, "unauthorized")
            assert by_ocsp(connection, request) == (200, "unauthorized")  # of two purposes, none declared
            assert by_ocsp(connection, scene.request) == (200, "unauthorized")
            assert by_list(connection) == (401, "caller-unknown")


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


def validated(scene: Scene, _name: str, connection: HTTPConnection) -> Answer:
    """A consent that is not signed: what stands behind admission refuses it."""
    request = scene.card.request()
    content = {
        "format": "raw",
        "purpose": request.purpose,
        "document": _base64(request.document),
        "signature": _base64(request.signature or b""),
        "consent": {
            "text": request.consent.text.decode(),
            "signature": _base64(b"no signature"),
            "certificate": _base64(request.consent.certificate),
        },
    }
    return asked(connection, "/v1/validations", content, {"Idempotency-Key": "validation-1"})


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


Ask = Callable[[Scene, str, HTTPConnection], Answer]


def posted(path: str, **content: object) -> Ask:
    """A request about the verifier's own handle of the scene's card, or about the card where nothing is said."""

    def ask(scene: Scene, name: str, connection: HTTPConnection) -> Answer:
        about = {"handles": [scene.handles[name]]} if content else {"certificates": [_base64(scene.card.certificate)]}
        asking = {name: value for name, value in content.items() if value is not None}
        return asked(connection, path, {"purpose": "contract", **about, **asking})

    return ask


def read(path: str) -> Ask:
    return lambda scene, name, connection: asked(connection, path)


BY_TLS: dict[str, Ask] = {
    "OCSP": lambda scene, _name, connection: by_ocsp(connection, scene.request),
    "lists": lambda _scene, _name, connection: by_list(connection),
    "filters": read("/v1/filters/signature"),
    "a filter": read("/v1/filters/signature/files/signature-g1"),
    "the key of filters": read("/v1/filters/signature/key"),
    "handles": posted("/v1/handles"),
    "translations": posted("/v1/handles/translations", which=None),
    "correspondences": posted("/v1/handles/correspondences", which="carriers"),
    "subscriptions": posted("/v1/handles/subscriptions", wanted=True),
    "news": read("/v1/handles/news?after=0&purpose=contract"),
    "validations": validated,
}
SIGNED: Ask = lambda scene, name, connection: by_ocsp(connection, scene.signed(name), {})  # noqa: E731
GIVEN = {**dict.fromkeys(BY_TLS, (200, "")), "OCSP": (200, "successful"), "validations": (422, "bad-consent")}
GONE = {"OCSP": (200, "unauthorized")}
CODE = {"handles", "translations", "correspondences", "subscriptions", "news", "validations"}

ENDINGS: dict[str, tuple[str, Callable[[Scene, str], None], dict[str, Answer]]] = {
    "a suspension, which leaves it an operator without approval": (
        "shop",
        suspend,
        {**dict.fromkeys(BY_TLS, (403, "approval-not-in-force")), **GONE, "validations": (422, "bad-consent")},
    ),
    "the end of the credential": (
        "club",
        withdraw,
        {name: (401, "unknown-caller" if name in CODE else "caller-unknown") for name in BY_TLS} | GONE,
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_is_dead_on_the_next_request_by_every_channel_in_every_worker(ending: str, scene: Scene) -> None:
    name, end, refused = ENDINGS[ending]
    with ExitStack() as stack:
        tls = scene.connect(stack, "api", name)
        plain = {server: scene.connect(stack, server) for server in scene.servers}
        scene.handles[name] = handle_of(scene, tls[0])
        for connection in tls:  # they are all looked up and kept, in this second
            assert {channel: ask(scene, name, connection) for channel, ask in BY_TLS.items()} == GIVEN
        for connections in plain.values():
            assert {SIGNED(scene, name, connection) for connection in connections} == {(200, "successful")}
        end(scene, name)
        for connection in tls:
            assert {channel: ask(scene, name, connection) for channel, ask in BY_TLS.items()} == refused
        for server, connections in plain.items():
            assert {SIGNED(scene, name, connection) for connection in connections} == {(200, "unauthorized")}, server
            assert scene.reached(server, connections) == set(scene.servers[server].workers())
        assert scene.reached("api", tls) == set(scene.api.workers())
        if end is suspend:
            resume(scene, name)
            for connections in plain.values():
                assert {SIGNED(scene, name, connection) for connection in connections} == {(200, "successful")}


def handle_of(scene: Scene, connection: HTTPConnection) -> str:
    content = {"certificates": [_base64(scene.card.certificate)], "purpose": "contract"}
    headers = {"Content-Type": "application/json"}
    _, octets = sent(connection, "POST", "/v1/handles", json.dumps(content).encode(), headers)
    handle: str = json.loads(octets)["handles"][0]["handle"]
    return handle
