"""Issuance and revocation, durable: in process, over the API, and by `openssl ca` beside them."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from time import thread_time

from bench.batches import BATCH, LARGE, WARM, Files
from bench.callers import CORES, issue_at_once, rate_of_processes
from bench.figures import Figure, Slice, once, side_by_side
from bench.house import add_residents
from bench.limits import DISK, RSA, durable_writes, rsa2048
from bench.load import Load, Outcome, run_load, write_requests
from bench.peer import Peer, good_row
from bench.people import CITY, as_json, make_applications, make_requests
from bench.plan import Plan
from bench.service import http_request, serving
from bench.status import Door
from ca.issue import issue
from ca.revoke import RevocationRequest, revoke_resident
from config.assemble import Services
from config.enrolment import enrol
from domain.applications import IssuanceApplication
from domain.parties import LOCAL_OPERATOR
from domain.revocation import RevocationCause

OPENSSL_CA = "openssl ca, a batch"
OPENSSL_REVOKE = "openssl ca -revoke"
_PEER_REVOCATIONS = 3
_MANY = 8  # connections
_PATH = "/v1/issuance-applications"


def measure_issuance(
    services: Services, peer: Peer, serials: Sequence[bytes], folder: Path, plan: Plan
) -> list[Figure]:
    """A pair applied for, recorded, signed, recorded and answered: one after the other, by several callers at once, and
    as files that workers take up; then both certificates revoked by resident code.

    No pair is given out before it is on disk, and everything runs on one processor, but for `crowd-all` and
    `batch-all`, where two processes have one each; the limit is that of one. A pair takes two signatures; `openssl ca`
    makes them in one process and writes its index once, at the end. What is taken, read and sealed of a file is
    measured by itself.
    """
    applications = prepare(services, 1_000_000, plan.rounds * plan.issues)
    desk = _Desk(services, applications, plan.issues)
    size = plan.rounds * plan.issues
    crowd = _Desk(services, prepare(services, 1_500_000, 8 * size), plan.issues)
    files = Files(services, prepare(services, 3_000_000, BATCH * size), BATCH * plan.issues)
    large = Files(services, prepare(services, 4_000_000, LARGE * size + plan.rounds * WARM), LARGE * plan.issues)
    batches = _Batches(peer, applications, serials, plan.issues)
    slices = {
        RSA: rsa2048(plan.slice),
        DISK: durable_writes(folder, plan.slice / 2),
        "pair": desk.issue(),
        "crowd": crowd.issue_at_once(),
        "crowd-all": crowd.issue_on_all(),
        "take": files.take(),
        "batch": files.work_off(),
        "batch-all": large.work_off_on_all(),
        OPENSSL_CA: batches.issue(),
        "revoke": desk.revoke(),
        OPENSSL_REVOKE: batches.revoke(),
    }
    rates = side_by_side(slices, plan.rounds, plan.tell)
    pair, revoke = "a pair issued in process, durable", "both certificates of a resident revoked, durable"
    batch, every = "a batch worked off by one worker", f"… by {len(CORES)} workers, each on a processor of its own"
    crowd_all = f"… {_MANY} callers of {len(CORES)} processes, each on a processor of its own"
    return [
        Figure("issue", pair, "pairs", rates["pair"], RSA, rates[RSA], 2),
        Figure("issue-processor", f"{pair}: processor time alone", "pairs", desk.by_processor, RSA, rates[RSA], 2),
        Figure("issue-crowd", f"{pair}, {_MANY} callers", "pairs", rates["crowd"], RSA, rates[RSA], 2),
        Figure("issue-crowd-all", crowd_all, "pairs", rates["crowd-all"], RSA, rates[RSA], 2),
        Figure("batch-take", "applications of a file taken: read, sealed, durable", "lines", rates["take"]),
        Figure("batch", batch, "pairs", rates["batch"], RSA, rates[RSA], 2),
        Figure("batch-processor", "… processor time alone", "pairs", files.by_processor, RSA, rates[RSA], 2),
        Figure("batch-all", every, "pairs", rates["batch-all"], RSA, rates[RSA], 2),
        Figure("batch-peer", batch, "pairs", rates["batch"], OPENSSL_CA, rates[OPENSSL_CA], 2),
        Figure("batch-all-peer", every, "pairs", rates["batch-all"], OPENSSL_CA, rates[OPENSSL_CA], 2),
        Figure("issue-peer", pair, "pairs", rates["pair"], OPENSSL_CA, rates[OPENSSL_CA], 2),
        Figure("issue-crowd-all-peer", crowd_all, "pairs", rates["crowd-all"], OPENSSL_CA, rates[OPENSSL_CA], 2),
        Figure("peer-issue", OPENSSL_CA, "certificates", rates[OPENSSL_CA], RSA, rates[RSA]),
        Figure("disk", "durable writes of 32 KiB", "writes", rates[DISK]),
        Figure("revoke", revoke, "residents", rates["revoke"], DISK, rates[DISK]),
        Figure("revoke-peer", revoke, "residents", rates["revoke"], OPENSSL_REVOKE, rates[OPENSSL_REVOKE], 2),
    ]


def measure_api(services: Services, folder: Path, plan: Plan) -> list[Figure]:
    """Pairs over HTTPS with mutual TLS and JSON, over one connection that is kept and over several."""
    city = folder / "kiyose"
    enrol(services, CITY, LOCAL_OPERATOR, folder=city, life=timedelta(days=30))
    applications = prepare(services, 2_000_000, 2 * plan.rounds * plan.issues)
    rest = iter(applications)
    with serving(services.settings, "api") as port:

        def door(connections: int) -> Door:
            what = f"a pair over the API, {connections} connection{'s' if connections > 1 else ''}"
            path = folder / f"api-{connections}.requests"
            load = Load(port, str(path), 60.0, "2263657274", 201, connections, endless=False, tls=str(city))

            def ask() -> Outcome:
                write_requests(path, map(_post, islice(rest, plan.issues)))
                return run_load(load)

            return Door(what, ask, connections)

        doors = {"one": door(1), "many": door(_MANY)}
        slices = {RSA: rsa2048(plan.slice), **{name: door.slice() for name, door in doors.items()}}
        rates = side_by_side(slices, plan.rounds, plan.tell)
    return [
        Figure(f"api-{name}", door.what, "pairs", rates[name], RSA, rates[RSA], 2, door.notes())
        for name, door in doors.items()
    ]


def prepare(services: Services, first: int, count: int) -> list[IssuanceApplication]:
    """Residents on record from number `first` on, and their applications."""
    add_residents(services, first, count)
    return make_applications(first, make_requests(2 * count))


class _Desk:
    """In process: what is applied for, `size` applications a slice, and revoked in the slice after."""

    def __init__(self, services: Services, applications: Sequence[IssuanceApplication], size: int) -> None:
        self._authority, self._state = services.authority, services.settings.state
        self._rest = iter(applications)
        self._size = size
        self._issued: list[IssuanceApplication] = []
        self.by_processor: list[float] = []

    def issue(self) -> Slice:
        def step() -> int:
            started = thread_time()
            self._issued = list(islice(self._rest, self._size))
            for application in self._issued:
                issue(self._authority, application)
            self.by_processor.append(len(self._issued) / (thread_time() - started))
            return len(self._issued)

        return once(step)

    def issue_at_once(self) -> Slice:
        """By as many threads as a server has for as many callers."""

        def step() -> int:
            issue_at_once(self._authority, taken := list(islice(self._rest, self._size)), _MANY)
            return len(taken)

        return once(step)

    def issue_on_all(self) -> Slice:
        """By as many threads, on all processors."""

        def measure() -> float:
            warm, taken = (list(islice(self._rest, times * self._size)) for times in (1, 6))
            return rate_of_processes(self._state, taken, warm, _MANY)

        return measure

    def revoke(self) -> Slice:
        def step() -> int:
            for application in self._issued:
                cause, code = RevocationCause.CARD_LOST, application.resident_code
                revoke_resident(self._authority, RevocationRequest(CITY, application.key, code, cause))
            return len(self._issued)

        return once(step)


class _Batches:
    """The same requests given to `openssl ca`, and a few of its certificates revoked by it in a long index."""

    def __init__(
        self, peer: Peer, applications: Sequence[IssuanceApplication], serials: Sequence[bytes], size: int
    ) -> None:
        self._peer = peer
        self._serials = serials
        self._files = _write_requests(peer.folder, applications[:size])

    def issue(self) -> Slice:
        def step() -> int:
            self._peer.issue(self._files)
            return len(self._files)

        return once(step)

    def revoke(self) -> Slice:
        def step() -> int:
            made = sorted((self._peer.folder / "certs").iterdir())[:_PEER_REVOCATIONS]
            for path in made:
                self._peer.ca("-revoke", str(path))
                path.unlink()
            return len(made)

        measure = once(step)

        def prepare_and_measure() -> float:
            self._peer.keep(map(good_row, self._serials))
            rate = measure()
            self._peer.keep([])
            return rate

        return prepare_and_measure


def _write_requests(folder: Path, applications: Sequence[IssuanceApplication]) -> list[Path]:
    paths = []
    for number, request in enumerate(der for a in applications for der in a.requests.values()):
        body = "\n".join(textwrap.wrap(base64.b64encode(request).decode(), 64))
        path = folder / f"{number}.csr"
        path.write_text(f"-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n")
        paths.append(path)
    return paths


def _post(application: IssuanceApplication) -> bytes:
    headers = f"Content-Type: application/json\r\nIdempotency-Key: {application.key}\r\n"
    return http_request("POST", _PATH, as_json(application), headers)
