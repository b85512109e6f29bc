"""Followers: how soon other nodes tell of a revocation that has returned, by processes as shipped over PostgreSQL."""

from __future__ import annotations

import random
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep

from cryptography.x509 import ocsp

from bench.figures import Value
from bench.house import ISSUER, LIFE, add_certificates, free_port, make_house
from bench.machine import start
from bench.ocsp import make_ocsp_requests
from bench.people import KIYOSE
from bench.plan import Plan
from bench.service import ROOT
from config.assemble import Services
from domain.revocation import CrlReason, Revocation, RevocationCause
from domain.serial import SerialNumber
from tests.support.postgres import running_postgres

NODES = ("east", "south", "west")
REVOCATIONS = 300
_LONGEST_PAUSE = 0.06
_PATIENCE = 30.0
_OFTEN = 0.001
_BELIEVED = re.compile(rb"^jpki_status_model_believed 1\.0$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Node:
    """A status node that listens on a port of loopback."""

    connection: HTTPConnection

    def is_ready(self) -> bool:
        """Whether it answers from a model of its own, and asks nobody."""
        try:
            self.connection.request("GET", "/metrics")
            return _BELIEVED.search(self.connection.getresponse().read()) is not None
        except OSError:
            self.connection.close()
            return False

    def says(self, request: bytes) -> ocsp.OCSPCertStatus:
        self.connection.request("POST", "/ocsp", request, {"Content-Type": "application/ocsp-request"})
        return ocsp.load_der_ocsp_response(self.connection.getresponse().read()).certificate_status

    def seconds_until_revoked(self, request: bytes, since: float) -> float:
        """Until it says so for the first time; what it says is asked for again and again."""
        while self.says(request) is not ocsp.OCSPCertStatus.REVOKED:
            if monotonic() > since + _PATIENCE:
                raise RuntimeError("a node does not follow")
            sleep(_OFTEN)
        return monotonic() - since


def measure_followers(folder: Path, plan: Plan) -> list[Value]:
    """Every revocation at every node, in milliseconds."""
    plan.tell(f"{len(NODES)} nodes over PostgreSQL")
    chance, lags = random.Random(1), list[float]()
    with ExitStack() as stack:
        server = stack.enter_context(running_postgres())
        services = make_house(folder, server.url(server.new_database()))
        stack.callback(services.close)
        serials = add_certificates(services, REVOCATIONS)
        nodes = [stack.enter_context(_running(services, name)) for name in NODES]
        pool = stack.enter_context(ThreadPoolExecutor(len(nodes)))
        requests = make_ocsp_requests(services.issuers[ISSUER], serials, nonce=False)
        for serial, request in zip(serials, requests, strict=True):
            assert all(node.says(request) is ocsp.OCSPCertStatus.GOOD for node in nodes)
            sleep(chance.uniform(0, _LONGEST_PAUSE))
            _revoke(services, serial)
            returned = monotonic()
            asking = [pool.submit(node.seconds_until_revoked, request, returned) for node in nodes]
            lags += [round(1000 * each.result(), 2) for each in asking]
    p99 = statistics.quantiles(lags, n=100)[98]
    what = f"{REVOCATIONS} revocations, each until {len(NODES)} other nodes told of it after it had returned"
    notes = {
        "p99_within": round(p99, 1),
        "said": f"half within {statistics.median(lags):.0f}, 99 in 100 within {p99:.0f}",
    }
    return [Value("followers-lag", what, "ms", lags, notes)]


def _revoke(services: Services, serial: bytes) -> None:
    now = services.clock()
    reason, cause = CrlReason.KEY_COMPROMISE, RevocationCause.HOLDER_REQUEST
    revocation = Revocation(ISSUER, SerialNumber.of(serial), KIYOSE, cause, reason, now, now + LIFE)
    with services.begin() as work:
        work.revocations.put(revocation, "0" * 32, now)
        work.commit()


@contextmanager
def _running(services: Services, name: str) -> Iterator[_Node]:
    """A node that is ready, as `jpki serve` runs it."""
    port, state = free_port(), services.settings.state
    command = ["--state", str(state), "serve", "status", "--node", name, "--bind", f"127.0.0.1:{port}"]
    with (state / f"{name}.log").open("wb") as log:
        process = start([sys.executable, "-m", "cli", *command], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        node, until = _Node(HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)), monotonic() + _PATIENCE
        try:
            while not node.is_ready():
                if process.poll() is not None or monotonic() > until:
                    raise RuntimeError("a node did not start; see its log")
                sleep(0.1)
            yield node
        finally:
            node.connection.close()
            process.terminate()
            process.wait()
