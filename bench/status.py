"""OCSP over HTTP: the services as shipped, on one core, and their peers beside them."""

from __future__ import annotations

import base64
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from bench.figures import Figure, Slice, side_by_side
from bench.house import ISSUER, serve_by, with_ready_answers, with_rsa_responder
from bench.limits import P256, RSA, p256, rsa2048
from bench.load import Load, Outcome, run_load, write_requests
from bench.ocsp import VERIFIER, make_ocsp_requests
from bench.peer import Peer, good_row
from bench.peers import certomancer, cfssl, django_ca
from bench.plan import Plan
from bench.service import http_request, serving
from bench.wrk import run_wrk
from config.assemble import Services, assemble
from config.enrolment import enrol
from domain.parties import LOCAL_OPERATOR
from ocsp.responder import answer
from verifiers import registry

OPENSSL, CFSSL, DJANGO, CERTOMANCER = "openssl ocsp", "cfssl, signed before", "django-ca", "certomancer"
_TYPE = "Content-Type: application/ocsp-request\r\n"
_SUCCESSFUL = "0a0100"  # ENUMERATED 0, OCSPResponseStatus
_MOST = 20_000  # different requests in a file
_WAYS = ("post", "nonce", "get")
_AT_ONCE = 4
"""Connections with a request each that are open at any time: a few more than a server can be at work on."""


@dataclass
class Door:
    """A way to ask, and what came of asking in each round."""

    what: str
    ask: Callable[[], Outcome]
    connections: int = 16
    outcomes: list[Outcome] = field(default_factory=list)

    def slice(self) -> Slice:
        def measure() -> float:
            self.outcomes.append(self.ask())
            return self.outcomes[-1].rate

        return measure

    def notes(self) -> dict[str, object]:
        """Medians over the rounds, in milliseconds."""
        return {
            "connections": self.connections,
            "p50_ms": round(statistics.median(outcome.p50_ms for outcome in self.outcomes), 2),
            "p99_ms": round(statistics.median(outcome.p99_ms for outcome in self.outcomes), 2),
        }


def measure_status(
    services: Services, peer: Peer, serials: Sequence[bytes], folder: Path, programs: Path, plan: Plan
) -> list[Figure]:
    """The status service in its event loop and in threads, with a P-256 and an RSA-2048 responder key, and with ready
    answers; the API by mutual TLS; and the peers, asked in the same rounds. `programs` is where the peers' own are."""
    asked = serials[:_MOST]
    requests = _write_requests(services, asked, folder)
    state, shared = services.settings.state, folder / "status"
    peer.keep(map(good_row, serials))
    figures = []
    with ExitStack() as stack:
        enter = stack.enter_context
        django_port, django_requests = enter(django_ca(shared / "django", programs))
        certomancer_port, certomancer_requests = enter(certomancer(shared / "certomancer", programs))
        plain = make_ocsp_requests(services.issuers[ISSUER], asked, nonce=False)
        cfssl_port = enter(cfssl(shared / "cfssl", (answer(services.responder, request).der for request in plain)))
        peers = {
            "cfssl": Door(CFSSL, _wrk(cfssl_port, requests["peer"], plan)),
            "django": Door(DJANGO, _wrk(django_port, django_requests, plan)),
            "certomancer": Door(CERTOMANCER, _wrk(certomancer_port, certomancer_requests, plan)),
        }
        doors = dict(peers)
        for server in ("event-loop", "threads"):
            port = enter(serving(serve_by(state, server), "status"))
            doors |= {
                f"{server}-{way}": Door(f"OCSP, {server}, {way}", _wrk(port, requests[way], plan)) for way in _WAYS
            }
        port = enter(serving(with_ready_answers(state), "status"))
        doors["ready"] = Door("OCSP, event-loop, ready answers", _wrk(port, requests["post"], plan))
        figures += _measure(doors, P256, p256(plan.slice), plan)
        beside = {door.what: [outcome.rate for outcome in door.outcomes] for door in peers.values()}
        for name in ("event-loop-post", "ready"):
            rates = [outcome.rate for outcome in doors[name].outcomes]
            figures += [
                Figure(f"{name}-{other}", f"{doors[name].what}, beside it", "answers", rates, other, beside[other])
                for other in beside
            ]
    figures += _measure_tls(services, requests, folder, plan)
    return figures + _measure_rsa(services, peer, requests, plan)


def _measure_rsa(services: Services, peer: Peer, requests: dict[str, Path], plan: Plan) -> list[Figure]:
    """The same certificates answered for by an RSA-2048 key; also with a connection for each request, as `openssl ocsp`
    wants it, of which several wait all the time, so that no server waits for the load. These rounds are short and many:
    a busy moment spoils few of them."""
    state = services.settings.state
    with_rsa_responder(services)
    often = replace(plan, rounds=3 * plan.rounds, http_slice=plan.http_slice / 2)
    alone = Load(0, str(requests["alone"]), often.http_slice, _SUCCESSFUL, connections=_AT_ONCE, keep_alive=False)
    peer.take_responder(services, assemble(state).settings.issuers[0])
    with ExitStack() as stack:
        enter = stack.enter_context
        doors, singles = dict[str, Door](), dict[str, Door]()
        for server in ("event-loop", "threads"):
            port = enter(serving(serve_by(state, server), "status"))
            doors |= {
                f"rsa-{server}-{way}": Door(f"OCSP, RSA, {server}, {way}", _wrk(port, requests[way], plan))
                for way in _WAYS
            }
            single = replace(alone, port=port)
            singles[f"rsa-{server}-alone"] = Door(f"OCSP, RSA, {server}, a connection each", _ask(single), _AT_ONCE)
        single = replace(alone, port=enter(peer.responder()), requests=str(requests["peer"]))
        singles["peer"] = Door(OPENSSL, _ask(single), _AT_ONCE)
        figures = _measure(doors, RSA, rsa2048(plan.slice), plan)
        figures += _measure(singles, RSA, rsa2048(plan.slice), often)
    openssl = [outcome.rate for outcome in singles["peer"].outcomes]
    for server in ("event-loop", "threads"):
        door = singles[f"rsa-{server}-alone"]
        rates = [outcome.rate for outcome in door.outcomes]
        figures.append(Figure(f"rsa-{server}-openssl", f"{door.what}, beside it", "answers", rates, OPENSSL, openssl))
    return figures


def _measure_tls(services: Services, requests: dict[str, Path], folder: Path, plan: Plan) -> list[Figure]:
    """The API by POST from a notified verifier that keeps its connections."""
    bank = folder / "bank"
    registered = replace(VERIFIER, approvals=())
    enrol(services, registered, LOCAL_OPERATOR, folder=bank, life=timedelta(days=30))
    with services.begin() as work:
        stored = registry.find_party(work, VERIFIER.role, VERIFIER.name)
        for approval in VERIFIER.approvals:
            work.parties.approve(stored.id, approval)
        work.commit()
    with serving(services.settings, "api") as port:
        load = Load(port, str(requests["post"]), plan.http_slice, _SUCCESSFUL, tls=str(bank))
        doors = {"tls": Door("OCSP over HTTPS, notified verifier, POST", _ask(load))}
        return _measure(doors, P256, p256(plan.slice), plan)


def _measure(doors: dict[str, Door], against: str, limit: Slice, plan: Plan) -> list[Figure]:
    slices = {against: limit, **{name: door.slice() for name, door in doors.items()}}
    rates = side_by_side(slices, plan.rounds, plan.tell)
    return [
        Figure(f"http-{name}", door.what, "answers", rates[name], against, rates[against], notes=door.notes())
        for name, door in doors.items()
    ]


def _wrk(port: int, requests: Path, plan: Plan) -> Callable[[], Outcome]:
    return lambda: run_wrk(port, requests, plan.http_slice)


def _ask(load: Load) -> Callable[[], Outcome]:
    return lambda: run_load(load)


def _write_requests(services: Services, serials: Sequence[bytes], folder: Path) -> dict[str, Path]:
    issuer = services.issuers[ISSUER]
    plain = make_ocsp_requests(issuer, serials, nonce=False)
    nonced = make_ocsp_requests(issuer, serials, nonce=True)
    gets = [f"/ocsp/{quote(base64.b64encode(request).decode(), safe='')}" for request in plain]
    found = {
        "post": [http_request("POST", "/ocsp", request, _TYPE) for request in plain],
        "nonce": [http_request("POST", "/ocsp", request, _TYPE) for request in nonced],
        "get": [http_request("GET", target) for target in gets],
        "alone": [http_request("POST", "/ocsp", request, f"{_TYPE}Connection: close\r\n") for request in plain],
        "peer": [http_request("POST", "/", request, _TYPE, version="1.0") for request in plain],
    }
    paths = {name: folder / f"{name}.requests" for name in found}
    for name, requests in found.items():
        write_requests(paths[name], requests)
    return paths
