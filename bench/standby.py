"""A standby that is waited for: its primary is killed while clerks are served, and nothing that was answered is lost.

`python -m bench.standby --keep`
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from rich.console import Console

from bench import machine, report
from bench.figures import Value
from bench.house import make_house
from bench.issuance import prepare
from bench.people import CITY
from ca.issue import issue
from ca.revoke import RevocationRequest, revoke_resident
from config.assemble import Services
from domain.applications import IssuanceApplication
from domain.errors import Refusal
from domain.revocation import RevocationCause
from oversight.reconcile import reconcile
from tests.support.partition import line_to
from tests.support.postgres import PostgresServer, running_postgres, standby_of

_PAIRS, _CLERKS, _BEFORE = 100, 4, 80
_PATIENCE = 120.0


class Clerks:
    """Each issues and revokes, one pair after the other, and asks again until it is answered; `answers` are what they
    were told, and when, with the way to ask the same again."""

    def __init__(self, services: Services, waiting: list[IssuanceApplication]) -> None:
        self._authority, self._waiting = services.authority, waiting
        self.answers: list[tuple[Callable[[], Any], Any, float]] = []
        self.refused = 0

    def work(self) -> None:
        while self._waiting:
            application = self._waiting.pop()
            key, code = f"revoke-{application.key}", application.resident_code
            request = RevocationRequest(CITY, key, code, RevocationCause.CARD_LOST)
            self._insist(partial(issue, self._authority, application))
            self._insist(partial(revoke_resident, self._authority, request))

    def _insist(self, act: Callable[[], Any]) -> None:
        end = monotonic() + _PATIENCE
        while monotonic() < end:
            with suppress(Refusal):
                self.answers.append((act, act(), monotonic()))
                return
            self.refused += 1
            sleep(0.1)


def said(answer: Any) -> object:
    """What an answer promises: certificates, or what is revoked since when."""
    return answer.certificates if hasattr(answer, "certificates") else (answer.revoked, answer.committed_at)


def kill(server: PostgresServer) -> None:
    """All of it at once."""
    children = Path(f"/proc/{server.process_id}/task/{server.process_id}/children").read_text().split()
    for process in (server.process_id, *map(int, children)):
        os.kill(process, signal.SIGKILL)


def takeover(folder: Path) -> list[Value]:
    """What was answered before the primary was killed, and afterwards by the standby."""
    with ExitStack() as stack:
        primary = stack.enter_context(running_postgres())
        database = primary.new_database()
        here = stack.enter_context(line_to(primary.folder))
        standby = stack.enter_context(standby_of("127.0.0.1", here.port))
        there = stack.enter_context(line_to(standby.folder))
        with primary.connect() as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
        address = f"host=127.0.0.1,127.0.0.1&port={here.port},{there.port}&target_session_attrs=primary"
        services = make_house(folder / "house", f"postgresql://tests@/{database}?{address}")
        stack.callback(services.close)
        clerks = Clerks(services, prepare(services, 1_000_000, _PAIRS))
        threads = [threading.Thread(target=clerks.work) for _ in range(_CLERKS)]
        for thread in threads:
            thread.start()
        while len(clerks.answers) < _BEFORE:
            sleep(0.01)
        kill(primary)
        killed, before = monotonic(), list(clerks.answers)
        with standby.connect() as connection:
            connection.execute("SELECT pg_promote()")
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
            connection.execute("SELECT pg_reload_conf()")
        for thread in threads:
            thread.join()
        lost = sum(said(act()) != said(answer) for act, answer, _ in before)
        faults = sum(finding.level == "fault" for finding in reconcile(services.inspection()))
        first = min(at for *_, at in clerks.answers[len(before) :]) - killed
    after = len(clerks.answers) - len(before)
    found = {
        "before": ("pairs issued and revocations answered before the primary was killed", "", len(before)),
        "lost": ("of them lost", "", lost),
        "first": ("the first answer of the standby after that", "s", first),
        "after": ("answered by the standby", "", after),
        "refused": ("refusals meanwhile, each asked again", "", clerks.refused),
        "missing": ("never answered", "", 2 * _PAIRS - len(clerks.answers)),
        "faults": ("faults found by `jpki check` after that", "", faults),
    }
    return [Value(f"standby-{key}", what, unit, [float(value)]) for key, (what, unit, value) in found.items()]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.standby", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the results")
    arguments = parser.parse_args()
    described = machine.describe(Path("/var/tmp"))
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        found = takeover(Path(folder))
    console = Console(width=150)
    console.print(report.table(found))
    if arguments.keep:
        kept = report.keep({"standby": found}, described, "standby", "python -m bench.standby")
        console.print(f"raw results: {kept}", soft_wrap=True)
    raise SystemExit(any(value.id.endswith(("-lost", "-missing", "-faults")) and value.median for value in found))


if __name__ == "__main__":
    main()
