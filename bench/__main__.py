"""`python -m bench`: measure everything, print the tables, keep the raw results in one file.

`python -m bench.pages` makes the tables of the documents of it.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench import machine, report
from bench.figures import Finding
from bench.parts import PARTS, Bench
from bench.plan import Plan, full, quick, wanted

_COLUMNS = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
_QUIET = 0.5
"""The load average above which figures are not worth keeping."""

_DISK = "/var/tmp"
"""Where databases lie: /tmp is in memory on many machines, and nothing there is durable."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--wanted", action="store_true", help="all of which something is wanted: some twelve minutes")
    sizes.add_argument("--full", action="store_true", help="everything, storms and growth too: some forty minutes")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated; keeps no results")
    parser.add_argument("--keep", action="store_true", help="keep results of parts, too")
    parser.add_argument("--certificates", type=int, help="on record for mass events; the plan's number otherwise")
    parser.add_argument("--database", default="", help="URL of an empty database for mass events; SQLite otherwise")
    parser.add_argument("--peers", type=Path, default=Path(".venv-peers"), help="where django-ca and certomancer are")
    arguments = parser.parse_args()
    console = Console()
    if not console.is_terminal:
        console.width = 170
    with _Announcement(console) as tell, tempfile.TemporaryDirectory(dir=_DISK) as folder:
        plan = (full if arguments.full else wanted if arguments.wanted else quick)(tell)
        plan = replace(plan, database=arguments.database)
        plan = replace(plan, certificates=arguments.certificates or plan.certificates)
        found = machine.describe(Path(folder))
        machine.pin()
        parts = run(plan, Path(folder), arguments.peers.absolute() / "bin", arguments.only or plan.parts)
    for findings in parts.values():
        console.print(report.table(findings))
    if found["load_average_before"] > _QUIET:
        console.print("The machine was busy when this began: measure again when it is quiet.", style="bold")
    if arguments.keep or not arguments.only:
        mode = "-".join(arguments.only or [plan.mode])
        console.print(f"raw results: {report.keep(parts, found, mode, _command())}", soft_wrap=True)


def run(plan: Plan, folder: Path, programs: Path, parts: Sequence[str]) -> dict[str, Sequence[Finding]]:
    """What the parts find, in the order of PARTS."""
    bench, found = Bench(folder, programs, plan), dict[str, Sequence[Finding]]()
    for name, measure in PARTS.items():
        if name in parts:
            begun = monotonic()
            found[name] = measure(bench)
            plan.tell(f"{name}: {monotonic() - begun:.0f} s")
    bench.close()
    return found


def _command() -> str:
    """Without the places of this machine."""
    words = [word for word in sys.argv[1:] if "/" not in word and word not in ("--peers", "--keep")]
    return shlex.join(["python", "-m", "bench", *words])


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
