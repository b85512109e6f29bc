"""`python -m bench`: measure everything, print the table, keep the raw results."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench import machine, report
from bench.figures import Figure, side_by_side
from bench.house import add_certificates, make_house
from bench.issuance import measure_api, measure_issuance
from bench.limits import P256, RSA, p256, rsa2048
from bench.lists import measure_lists
from bench.mass import measure_mass
from bench.ocsp import measure_ocsp
from bench.peer import Peer
from bench.plan import Plan, full, quick
from bench.provisions import measure_provisions
from bench.residents import measure_residents
from bench.status import measure_status

_COLUMNS = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
_QUIET = 0.5
"""The load average above which figures are not worth keeping."""

_DISK = "/var/tmp"
"""Where databases lie: /tmp is in memory on many machines, and nothing there is durable."""

PARTS = ("limits", "ocsp", "status", "issuance", "api", "lists", "residents", "mass", "provisions")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="more rounds and longer lists: some twenty minutes")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated; keeps no results")
    parser.add_argument("--certificates", type=int, help="on record for mass events; the plan's number otherwise")
    parser.add_argument("--database", default="", help="URL of an empty database for mass events; SQLite otherwise")
    parser.add_argument("--peers", type=Path, default=Path(".venv-peers"), help="where django-ca and certomancer are")
    arguments = parser.parse_args()
    console = Console()
    if not console.is_terminal:
        console.width = 150
    with _Announcement(console) as tell, tempfile.TemporaryDirectory(dir=_DISK) as folder:
        plan = replace((full if arguments.full else quick)(tell), database=arguments.database)
        plan = replace(plan, certificates=arguments.certificates or plan.certificates)
        found = machine.describe(Path(folder))
        machine.pin()
        figures = run(plan, Path(folder), arguments.peers.absolute() / "bin", arguments.only or PARTS)
    console.print(report.table(figures))
    if found["load_average_before"] > _QUIET:
        console.print("The machine was busy when this began: measure again when it is quiet.", style="bold")
    if not arguments.only:
        console.print(f"raw results: {report.keep(figures, found, plan.mode)}")


def run(plan: Plan, folder: Path, programs: Path, parts: tuple[str, ...]) -> list[Figure]:
    """All figures of the parts, in the order of PARTS."""
    plan.tell("an authority with 100,000 certificates")
    services = make_house(folder / "house")
    serials = add_certificates(services, plan.pairs)
    peer = Peer(folder / "peer", services, services.settings.issuers[0])
    measures: dict[str, Callable[[], list[Figure]]] = {
        "limits": lambda: measure_limits(plan),
        "ocsp": lambda: measure_ocsp(services, serials, plan),
        "status": lambda: measure_status(services, peer, serials, folder, programs, plan),
        "issuance": lambda: measure_issuance(services, peer, serials, folder, plan),
        "api": lambda: measure_api(services, folder, plan),
        "lists": lambda: measure_lists(make_house(folder / "lists"), peer, plan),
        "residents": lambda: measure_residents(services, folder, plan),
        "mass": lambda: measure_mass(folder / "mass", plan),
        "provisions": lambda: measure_provisions(services, serials, plan),
    }
    figures = [figure for part in PARTS if part in parts for figure in measures[part]()]
    services.close()
    return figures


def measure_limits(plan: Plan) -> list[Figure]:
    """What one core signs at most."""
    rates = side_by_side({P256: p256(plan.slice), RSA: rsa2048(plan.slice)}, plan.rounds, plan.tell)
    return [Figure(f"limit-{name}", name, "signatures", rates[name]) for name in (P256, RSA)]


class _Announcement:
    """What is measured at the moment: a spinner on a terminal, one line each elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(*_COLUMNS, console=console)
        self._task = self._progress.add_task("…")

    def __enter__(self) -> Callable[[str], None]:
        if self._console.is_terminal:
            self._progress.start()
        return self._tell

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _tell(self, what: str) -> None:
        if self._console.is_terminal:
            self._progress.update(self._task, description=what)


if __name__ == "__main__":
    main()
