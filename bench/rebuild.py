"""Rebuild: the status model of ten million certificates made from SQL, made anew while it serves, and what the service
gives with it beside one of 100,000."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import perf_counter

import numpy as np

from bench.figures import Figure, Finding, Value, side_by_side
from bench.house import ISSUER, LIFE, make_house, serve_by
from bench.load import Outcome, write_requests
from bench.machine import SERVER_CORE, start
from bench.ocsp import make_ocsp_requests
from bench.plan import Plan
from bench.service import ROOT, http_request, serving, started
from bench.wrk import run_wrk
from config.assemble import Services, assemble

SMALL, LARGE = 100_000, 10_000_000
_REVOKED = 20
"""One certificate of so many is revoked."""
_ASKED = 50_000
_ROUNDS, _SECONDS = 5, 3.0
_OFTEN = 0.02
_HEAD = "Content-Type: application/ocsp-request\r\n"
_COLUMNS = {"certificates": "state", "revocations": "revoked_at, reason"}


@dataclass(frozen=True, slots=True)
class _House:
    """An authority with that many certificates, and requests about some that are good."""

    services: Services
    count: int
    asked: Path

    def make(self, *options: str) -> subprocess.Popen[bytes]:
        """`jpki model make` in a process of its own, as services have it made."""
        state = str(self.services.settings.state)
        return start([sys.executable, "-m", "cli", "--state", state, "model", "make", *options], cwd=ROOT)


def measure_rebuild(folder: Path, plan: Plan) -> list[Finding]:
    """Takes some three minutes, and 2 GB of disk."""
    small, large = (_fill(folder / str(count), count, plan) for count in (SMALL, LARGE))
    made = {house.count: _seconds(house.make()) for house in (small, large)}
    settings = {house.count: serve_by(house.services.settings.state, "event-loop") for house in (small, large)}
    plan.tell("start")
    begun = perf_counter()
    with started(settings[LARGE], "status", SERVER_CORE) as (port, _):
        answers = run_wrk(port, large.asked, 1.0, 1).answers
        opened = perf_counter() - begun - 1.0
    with ExitStack() as stack:
        ports = {count: stack.enter_context(serving(row, "status")) for count, row in settings.items()}
        rates = side_by_side(
            {
                str(house.count): lambda house=house: run_wrk(ports[house.count], house.asked, _SECONDS).rate  # type: ignore[misc]
                for house in (small, large)
            },
            _ROUNDS,
            plan.tell,
        )
        plan.tell("made anew while it serves")
        again, outcomes, unbelieved = _while_serving(large, ports[LARGE])
    disk = sum(path.stat().st_blocks * 512 for path in large.services.node.folder.rglob("*") if path.is_file()) / 1e6
    what = f"{LARGE:,} in the status model"
    meanwhile = [outcome.rate for outcome in outcomes]
    usual = rates[str(LARGE)]
    return [
        Value("rebuild-made", f"{what}: made from SQLite where there was none", "s", [made[LARGE]]),
        Value("rebuild-start", f"{what}: the service started, until it answered", "s", [opened], {"answers": answers}),
        Value("rebuild-disk", f"{what}: on disk", "MB", [disk]),
        Figure("rebuild-http", f"OCSP over HTTP, {what}", "answers", usual, f"{SMALL:,} in it", rates[str(SMALL)]),
        Value("rebuild-anew", f"{what}: made anew from SQLite while it serves", "s", [again]),
        Figure(
            "rebuild-meanwhile",
            "OCSP over HTTP meanwhile",
            "answers",
            meanwhile,
            "otherwise",
            [usual[number % len(usual)] for number in range(len(meanwhile))],
            notes={
                "p50_ms": round(median(outcome.p50_ms for outcome in outcomes), 2),
                "p99_ms": round(median(outcome.p99_ms for outcome in outcomes), 2),
            },
        ),
        Value("rebuild-unbelieved", "moments meanwhile at which the model was not believed", "", [unbelieved]),
    ]  # fmt: skip


def _seconds(process: subprocess.Popen[bytes]) -> float:
    begun = perf_counter()
    if process.wait():
        raise RuntimeError("no model was made; its reason stands above")
    return perf_counter() - begun


def _while_serving(house: _House, port: int) -> tuple[float, Sequence[Outcome], int]:
    """Seconds it took, what was answered meanwhile, and how often the model was not believed when it was looked at."""
    outcomes = list[Outcome]()
    with _watched(house) as unbelieved:
        begun = perf_counter()
        process = house.make("--anew")
        while process.poll() is None:
            outcomes.append(run_wrk(port, house.asked, 1.0))
        took = perf_counter() - begun
    if process.returncode:
        raise RuntimeError("no model was made; its reason stands above")
    return took, outcomes, sum(unbelieved)


@contextmanager
def _watched(house: _House) -> Iterator[list[bool]]:
    lookup, stop, seen = house.services.node.lookup, Event(), list[bool]()

    def watch() -> None:
        while not stop.wait(_OFTEN):
            seen.append(not lookup.is_fresh())

    thread = Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _fill(folder: Path, count: int, plan: Plan) -> _House:
    """Certificates and revocations with what status is made of and nothing else, behind the indexes that are asked."""
    plan.tell(f"{count:,} certificates on record")
    services = make_house(folder)
    now = int(services.clock().timestamp())
    chance = np.random.default_rng(count)
    high = np.sort(chance.integers(1 << 62, 1 << 63, count, np.uint64))
    octets = np.stack([high, chance.integers(0, 1 << 63, count, np.uint64)], 1).astype(">u8").tobytes()
    ends = now + 86_400 * (1 + chance.integers(0, LIFE.days, count))
    serials = [octets[at : at + 16] for at in range(0, len(octets), 16)]
    rows = zip(serials, ends.tolist(), strict=True)
    revoked = [(serials[n], int(ends[n]), now, n % 6) for n in range(0, count, _REVOKED)]
    services.close()
    connection = sqlite3.connect(folder / "jpki.db", isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    for table, more in _COLUMNS.items():
        # A copy without constraints is filled in a minute instead of ten.
        connection.execute(f"CREATE TABLE filled AS SELECT * FROM {table} WHERE 0")  # noqa: S608
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"ALTER TABLE filled RENAME TO {table}")
        values = "?, ?, 'issued'" if table == "certificates" else "?, ?, ?, ?"
        text = f"INSERT INTO {table} (issuer, serial, not_after, {more}) VALUES ('{ISSUER}', {values})"  # noqa: S608
        connection.executemany(text, rows if table == "certificates" else revoked)
        connection.execute(f"CREATE UNIQUE INDEX {table}_one ON {table} (issuer, serial)")
    connection.execute("CREATE INDEX certificates_by_not_after ON certificates (not_after, issuer, serial)")
    connection.execute("CREATE INDEX revocations_by_not_after ON revocations (not_after)")
    connection.execute("COMMIT")
    connection.close()
    chosen = chance.choice(count, min(count, _ASKED), replace=False)
    good = [serials[n] for n in chosen.tolist() if n % _REVOKED]
    asked = folder / "asked.requests"
    requests = make_ocsp_requests(services.issuers[ISSUER], good, nonce=False)
    write_requests(asked, (http_request("POST", "/ocsp", request, _HEAD) for request in requests))
    return _House(assemble(folder), count, asked)
