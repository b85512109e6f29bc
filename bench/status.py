"""OCSP over HTTP: the services as shipped, on one core, and `openssl ocsp` beside them."""

from __future__ import annotations

import base64
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from bench.figures import Figure, Slice, side_by_side
from bench.house import ISSUER
from bench.limits import P256, p256
from bench.load import Load, Outcome, run_load, write_requests
from bench.ocsp import VERIFIER, make_ocsp_requests
from bench.peer import Peer, good_row
from bench.plan import Plan
from bench.service import http_request, serving
from config.assemble import Services
from config.enrolment import enrol
from domain.parties import LOCAL_OPERATOR

OPENSSL = "openssl ocsp"
_TYPE = "Content-Type: application/ocsp-request\r\n"
_SUCCESSFUL = "0a0100"  # ENUMERATED 0, OCSPResponseStatus
_MOST = 20_000  # different requests in a file


@dataclass
class Door:
    """A way to ask, and what came of asking in each round."""

    what: str
    load: Load
    outcomes: list[Outcome] = field(default_factory=list)

    def slice(self) -> Slice:
        def measure() -> float:
            self.outcomes.append(run_load(self.load))
            return self.outcomes[-1].rate

        return measure

    def notes(self) -> dict[str, object]:
        """Medians over the rounds, in milliseconds."""
        return {
            "connections": self.load.connections,
            "p50_ms": round(statistics.median(outcome.p50_ms for outcome in self.outcomes), 2),
            "p99_ms": round(statistics.median(outcome.p99_ms for outcome in self.outcomes), 2),
        }


def measure_status(services: Services, peer: Peer, serials: Sequence[bytes], folder: Path, plan: Plan) -> list[Figure]:
    """The status service by POST without and with a nonce, by GET, and with a connection for each request; the API by
    POST from a notified verifier; and the peer."""
    bank = folder / "bank"
    enrol(services, VERIFIER, LOCAL_OPERATOR, folder=bank, life=timedelta(days=30))
    asked = serials[:_MOST]
    issuer = services.issuers[ISSUER]
    plain = make_ocsp_requests(issuer, asked, nonce=False)
    nonced = make_ocsp_requests(issuer, asked, nonce=True)
    gets = [f"/ocsp/{quote(base64.b64encode(request).decode(), safe='')}" for request in plain]
    files = {
        "post": [http_request("POST", "/ocsp", request, _TYPE) for request in plain],
        "nonce": [http_request("POST", "/ocsp", request, _TYPE) for request in nonced],
        "get": [http_request("GET", target) for target in gets],
        "alone": [http_request("POST", "/ocsp", request, f"{_TYPE}Connection: close\r\n") for request in plain],
        "peer": [http_request("POST", "/", request, _TYPE, version="1.0") for request in plain],
    }
    for name, requests in files.items():
        write_requests(folder / f"{name}.requests", requests)
    peer.keep(map(good_row, serials))
    with serving(services, "status") as port, serving(services, "api") as api, peer.responder() as peer_port:
        kept = Load(port, str(folder / "post.requests"), plan.http_slice, _SUCCESSFUL)
        alone = replace(kept, requests=str(folder / "alone.requests"), connections=1, keep_alive=False)
        doors = {
            "post": Door("OCSP over HTTP, POST", kept),
            "nonce": Door("OCSP over HTTP, POST, nonce", replace(kept, requests=str(folder / "nonce.requests"))),
            "get": Door("OCSP over HTTP, GET", replace(kept, requests=str(folder / "get.requests"))),
            "alone": Door("OCSP over HTTP, a connection each", alone),
            "tls": Door("OCSP over HTTPS, notified verifier, POST", replace(kept, port=api, tls=str(bank))),
            "peer": Door(OPENSSL, replace(alone, port=peer_port, requests=str(folder / "peer.requests"))),
        }
        slices = {P256: p256(plan.slice), **{name: door.slice() for name, door in doors.items()}}
        rates = side_by_side(slices, plan.rounds, plan.tell)
    figures = [
        Figure(f"http-{name}", door.what, "answers", rates[name], P256, rates[P256], notes=door.notes())
        for name, door in doors.items()
    ]
    for name in ("post", "alone"):
        what = f"{doors[name].what}, beside {OPENSSL}"
        figures.append(Figure(f"http-{name}-peer", what, "answers", rates[name], OPENSSL, rates["peer"]))
    return figures
