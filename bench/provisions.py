"""Provisions: what a record costs in processor time, and answers with and without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle
from time import process_time

from bench.figures import Figure, Slice, once, repeat, side_by_side
from bench.house import ISSUER
from bench.ocsp import VERIFIER, make_ocsp_requests
from bench.plan import Plan
from config.assemble import Services
from config.inspection import filing_of
from domain.provisions import Channel, Provision
from ocsp.responder import Responder, answer
from policies.admission import Requestor
from provisions.filing import file_due

_CHUNK = 100


def measure_provisions(services: Services, serials: Sequence[bytes], plan: Plan) -> list[Figure]:
    """Records alone, answers that are put on record, answers that are not, and records filed into the ledger."""
    responder = services.responder
    requests = make_ocsp_requests(services.issuers[ISSUER], serials, nonce=False)
    unrecorded = replace(responder, record=lambda _: None)
    rates = side_by_side(
        {
            "record": _records(services, serials, plan),
            "with": _answers(responder, requests, plan),
            "without": _answers(unrecorded, requests, plan),
        },
        plan.rounds,
        plan.tell,
    )
    cost = _processor(services, serials)
    plan.tell("records filed into the ledger")
    services.record.close()
    filing = filing_of(services)
    for path in sorted(filing.folder.glob("*.provisions"))[1:]:
        path.unlink()  # one full segment is enough
    filed = once(lambda: file_due(filing)[1])()
    return [
        Figure("provisions-record", "put on record", "records", rates["record"], notes={"processor_us": cost}),
        Figure("provisions-with", "OCSP in process, on record", "answers", rates["with"], "without", rates["without"]),
        Figure("provisions-without", "OCSP in process, not on record", "answers", rates["without"]),
        Figure("provisions-filed", "filed into the ledger", "records", [filed]),
    ]


def _records(services: Services, serials: Sequence[bytes], plan: Plan) -> Slice:
    following: Callable[[], bytes] = cycle(serials).__next__
    record, clock = services.record, services.clock

    def step() -> int:
        for _ in range(_CHUNK):
            record(Provision(clock(), VERIFIER, None, "log-in", ISSUER, Channel.OCSP, following(), "good"))
        return _CHUNK

    return repeat(step, plan.slice)


def _processor(services: Services, serials: Sequence[bytes]) -> float:
    """Microseconds of processor time that a record takes, its tuple included."""
    record, clock, count = services.record, services.clock, 100_000
    following: Callable[[], bytes] = cycle(serials).__next__
    started = process_time()
    for _ in range(count):
        record(Provision(clock(), VERIFIER, None, "log-in", ISSUER, Channel.OCSP, following(), "good"))
    return (process_time() - started) / count * 1e6


def _answers(responder: Responder, requests: Sequence[bytes], plan: Plan) -> Slice:
    caller = Requestor(VERIFIER)
    following: Callable[[], bytes] = cycle(requests).__next__

    def step() -> int:
        for _ in range(_CHUNK):
            assert answer(responder, following(), caller).outcome == "good"
        return _CHUNK

    return repeat(step, plan.slice)
