"""Mass events: everything on record held, by the command as shipped, while the status service goes on answering."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from time import perf_counter

from bench.figures import Figure
from bench.house import ISSUER, make_house
from bench.load import Load, Outcome, run_load, write_requests
from bench.machine import CORES
from bench.ocsp import make_ocsp_requests
from bench.people import ITEMS, KIYOSE
from bench.plan import Plan
from bench.population import FIRST, notices_of, populate
from bench.service import ROOT, http_request, serving
from config.assemble import Services
from domain.events import EventType
from domain.mass import CertificateOrder, RegisterOrder, Selection
from domain.parties import LOCAL_OPERATOR
from domain.revocation import RevocationCause
from mass.preview import preview
from mass.run import confirm, run, token_of
from policies.validity import day_in_japan
from residents.feed import read_notices
from residents.intake import apply_all
from residents.rows import Format

BEFORE = "before"
_TYPE = "Content-Type: application/ocsp-request\r\n"
_SUCCESSFUL = "0a0100"  # ENUMERATED 0, OCSPResponseStatus
_ASKED = 20_000
_CONNECTIONS = 4
MOVED = "東京都清瀬市新町五丁目１"


def measure_mass(folder: Path, plan: Plan) -> list[Figure]:
    """Everything held while the status service is asked, a file of notices applied, and addresses renamed;
    `plan.certificates` are on record."""
    services = make_house(folder, plan.database)
    populate(services, plan.certificates // 2, [KIYOSE])
    held = _held(services, folder, plan)
    plan.tell("a file of notices")
    notices = _notices(services, folder, plan.residents)
    plan.tell("addresses renamed")
    renamed = _renamed(services)
    services.close()
    return [
        *held,
        Figure("mass-notices", f"{plan.residents:,} notices of renamed addresses, in a file", "notices", [notices]),
        Figure("mass-renamed", f"{plan.certificates // 2:,} addresses renamed by a mass event", "residents", [renamed]),
    ]


def _notices(services: Services, folder: Path, count: int) -> float:
    path, day = folder / "notices.jsonl", day_in_japan(services.clock()).isoformat()
    path.write_text("".join(notices_of(FIRST, count, "東京都清瀬市元町１", day, KIYOSE)), "utf-8")
    began = perf_counter()
    with path.open("rb") as file:
        notices = read_notices(file, Format.JSON_LINES, LOCAL_OPERATOR.label, services.intake.municipalities)
        done = sum(1 for _ in apply_all(services.intake, notices, LOCAL_OPERATOR))
    assert done == count
    return count / (perf_counter() - began)


def _renamed(services: Services) -> float:
    """Without rests, to show what it costs."""
    day, beginning = day_in_japan(services.clock()), ITEMS.address[:10]
    order = RegisterOrder(EventType.ADDRESS_RENAMING, day, KIYOSE, KIYOSE, beginning, MOVED)
    event = preview(services.mass, order, LOCAL_OPERATOR)
    confirm(services.mass, event.id, token_of(event), LOCAL_OPERATOR)
    began = perf_counter()
    done = run(services.mass, event.id, LOCAL_OPERATOR)
    return done.tally["records"] / (perf_counter() - began)


def _held(services: Services, folder: Path, plan: Plan) -> list[Figure]:
    with services.begin(write=False) as work:
        newest = work.applications.newest()
        own = (row.serial.octets for row in work.certificates.all() if row.issuer == ISSUER)
        serials = list(islice(own, _ASKED))
    requests = make_ocsp_requests(services.issuers[ISSUER], serials, nonce=False)
    path = folder / "post.requests"
    write_requests(path, [http_request("POST", "/ocsp", request, _TYPE) for request in requests])
    plan.tell("a preview")
    began = perf_counter()
    event = preview(services.mass, CertificateOrder(RevocationCause.TEMPORARY_STOP, Selection(newest)), LOCAL_OPERATOR)
    previewed = perf_counter() - began
    confirm(services.mass, event.id, token_of(event), LOCAL_OPERATOR)
    with serving(services.settings, "status") as port:
        load = Load(port, str(path), plan.http_slice, _SUCCESSFUL, connections=_CONNECTIONS)
        run_load(load)  # connections, caches and shapes
        plan.tell("status while nothing else happens")
        before = [run_load(load) for _ in range(plan.rounds)]
        plan.tell(f"status while {plan.certificates:,} certificates are held")
        during: list[Outcome] = []
        began = perf_counter()
        with running(services.settings.state, event.id) as process:
            while process.poll() is None:
                during.append(run_load(replace(load, seconds=min(plan.http_slice, 1.0))))
            took = perf_counter() - began
    with services.begin(write=False) as work:
        ended = work.mass.find(event.id)
    assert ended is not None
    changes = ended.tally["held"]
    what = f"{changes:,} certificates"
    return [
        Figure("mass-preview", f"{what} previewed", "certificates", [changes / previewed]),
        Figure("mass-held", f"{what} held, rests included", "certificates", [changes / took]),
        Figure("mass-status-before", "OCSP over HTTP, POST, before", "answers", *_of(before)),
        Figure(
            "mass-status-during",
            f"OCSP over HTTP, POST, while {what} are held",
            "answers",
            _rates(during),
            BEFORE,
            [sum(_rates(before)) / len(before)] * len(during),
            notes=_times(during),
        ),
    ]


def _of(outcomes: list[Outcome]) -> tuple[list[float], str, list[float], float, dict[str, object]]:
    return _rates(outcomes), "", [], 1.0, _times(outcomes)


def _rates(outcomes: list[Outcome]) -> list[float]:
    return [outcome.rate for outcome in outcomes]


def _times(outcomes: list[Outcome]) -> dict[str, object]:
    """Medians over the slices, and the worst of them, in milliseconds."""
    p50, p99 = sorted(one.p50_ms for one in outcomes), sorted(one.p99_ms for one in outcomes)
    middle = len(outcomes) // 2
    return {
        "connections": _CONNECTIONS,
        "p50_ms": round(p50[middle], 2),
        "p99_ms": round(p99[middle], 2),
        "worst_p99_ms": round(p99[-1], 2),
    }


@contextmanager
def running(state: Path, event: str, *, killed: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """`jpki mass resume`, on whichever core has time. It ends well, unless it is to be `killed`."""
    command = [sys.executable, "-m", "cli", "--state", str(state), "mass", "resume", event]
    with (state / "mass.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            preexec_fn=lambda: os.sched_setaffinity(0, CORES),  # noqa: PLW1509
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait()
    assert killed or process.returncode == 0, (state / "mass.log").read_text()
