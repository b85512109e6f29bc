"""A storm: an hour of issuing, revoking, publishing and asking squeezed into minutes, with slow clients, floods,
nonsense and killed processes. What is told is held against the truth of every moment.

`python -m bench.storm --seconds 240 --engine postgresql`
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import monotonic, sleep

from rich.console import Console

from bench import machine, report
from bench.askers import Askers
from bench.clerks import Clerks
from bench.figures import Value
from bench.hour import HOUR, Hour
from bench.house import make_house
from bench.issuance import prepare
from bench.pace import Pace
from bench.people import CITY
from bench.plan import Plan
from bench.reaper import KINDS, Reaper
from bench.service import ROOT
from bench.strangers import Strangers
from bench.supervisor import PATIENCE, await_ready, bugs_in, supervised
from bench.truth import Truth
from config.enrolment import enrol
from config.settings import Settings
from domain.certificates import IssuerId, Kind
from domain.parties import LOCAL_OPERATOR
from tests.support.postgres import running_postgres

ENGINES = ("sqlite", "postgresql")
_WORKERS, _CLERKS, _ASKERS, _FLOODS = 2, 3, 4, 2
_NONE = ("-wrong", "-faults", "-unlisted", "-bugs")
"""Of these there may be none."""


@dataclass(frozen=True, slots=True)
class Calm:
    """How it was when the storm was over: seconds until every part was ready, whether all revoked were listed then, and
    what `jpki check` said."""

    ready_after: float
    listed: bool
    faults: int


def measure_storm(folder: Path, plan: Plan) -> list[Value]:
    """The hour in `plan.storm` seconds, on each engine."""
    machine.pin(*machine.CORES)
    found = []
    for engine in ENGINES:
        plan.tell(f"a storm over {engine}")
        found += storm(engine, folder / engine, HOUR, plan.storm)
    machine.pin()
    return found


def storm(engine: str, folder: Path, hour: Hour, seconds: float, seed: int = 0) -> list[Value]:
    """What happened in it, and how it was afterwards. It lasts as long as the hour's counts take, if that is longer.
    By `seed` other questions are asked, and other processes killed first."""
    with ExitStack() as stack:
        database = ""
        if engine == "postgresql":
            server = stack.enter_context(running_postgres())
            database = server.url(server.new_database())
        services = make_house(folder, database, workers=_WORKERS)
        stack.callback(services.close)
        applications = prepare(services, 1_000_000, hour.pairs)
        enrol(services, CITY, LOCAL_OPERATOR, folder=folder / "city", life=timedelta(days=30))
        log = services.settings.state / "serve.log"
        supervisor = stack.enter_context(supervised(services.settings, log))
        api, status = (int(door.bind.rpartition(":")[2]) for door in (services.settings.api, services.settings.status))
        stop, truth = threading.Event(), Truth()
        issuers = {f"{kind.value}-g1": services.issuers[IssuerId(f"{kind.value}-g1")] for kind in Kind}
        clerks = Clerks(api, folder / "city", truth, stop, applications)
        askers, strangers = Askers(status, issuers, truth, stop), Strangers(status, stop, (api,))
        reaper = Reaper(supervisor, stop)
        begun = monotonic()
        counts = (hour.pairs, hour.revocations, hour.checks, hour.connections, hour.megabytes)
        paces = [Pace(count, seconds) for count in counts]
        acts: list[Callable[[], None]] = [partial(clerks.issue, paces[0])] * _CLERKS
        acts += [partial(clerks.revoke, paces[1]), askers.fetch_lists]
        acts += [partial(reaper.work, hour.kills, seconds, seed % len(KINDS))]
        acts += [partial(askers.ask, seed + number, paces[2]) for number in range(_ASKERS)]
        threads = [threading.Thread(target=_noting, args=(act, truth), daemon=True) for act in acts]
        for thread in threads:
            thread.start()
        threads += strangers.start(_FLOODS, hour.slow, *paces[3:])
        while monotonic() - begun < 10 * seconds + PATIENCE and not truth.wrong:
            sleep(0.5)
            enough = reaper.killed.total() >= hour.kills and all(pace.is_over for pace in paces)
            if enough and monotonic() - begun >= seconds:
                break
        else:
            truth.wrong.append("the hour did not end")
        lasted = monotonic() - begun
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
        calm = calm_of(services.settings, askers, truth)
        reaper.watch()
    bugs = bugs_in(log)
    found = {
        "seconds": ("the hour took", "s", lasted),
        "issued": ("pairs issued", "", clerks.issued),
        "revoked": ("residents' certificates revoked", "", clerks.revoked),
        "repeated": ("requests of clerks that were sent again", "", clerks.repeated),
        "waited": ("the longest that a clerk waited", "s", clerks.longest),
        "asked": ("answers by OCSP, each held against the truth", "", askers.asked),
        **{f"heard-{word}": (f"of them *{word}*", "", count) for word, count in sorted(truth.said.items())},
        "verified": ("of them read by a library, and their signatures verified", "", askers.verified),
        "lists": ("lists fetched, verified and held against the truth", "", truth.lists),
        "lost": ("questions lost with a killed worker or in the crowd", "", askers.lost),
        "connections": ("connections opened and closed", "", strangers.connections),
        "slow": ("slow and silent connections", "", strangers.silent),
        "nonsense": ("nonsense at the OCSP door", "MB", strangers.octets >> 20),
        **{f"killed-{kind.replace(' ', '-')}": (f"killed: {kind}", "", n) for kind, n in reaper.killed.items()},
        **{f"memory-{name}": (f"most memory of a process of {name}", "MiB", n) for name, n in reaper.peaks.items()},
        "memory": ("most memory of any process", "MiB", max(reaper.peaks.values())),
        "together": ("most memory of all processes together", "MiB", reaper.together),
        "ready": ("ready again after the storm", "s", calm.ready_after),
        "unlisted": ("lists that lacked something after that", "", not calm.listed),
        "faults": ("faults found by `jpki check` after that", "", calm.faults),
        "bugs": ("lines about bugs in the programs' logs", "", len(bugs)),
        "wrong": ("wrong answers", "", len(truth.wrong)),
    }
    told = {"wrong": sorted(set(truth.wrong)), "bugs": bugs}
    said = {name: {"said": "; ".join(lines[:5])} for name, lines in told.items() if lines}
    return [
        Value(f"storm-{engine}-{name}", f"{engine}: {what}", unit, [float(value)], said.get(name, {}))
        for name, (what, unit, value) in found.items()
    ]


def _noting(act: Callable[[], None], truth: Truth) -> None:
    try:
        act()
    except Exception as error:  # whatever it is, it is told
        truth.wrong.append(f"{type(error).__name__}: {error}")


def calm_of(settings: Settings, askers: Askers, truth: Truth) -> Calm:
    """Nobody does anything about it: the publisher publishes what is due, and everything agrees."""
    begun = monotonic()
    ready = await_ready(settings)
    while not truth.is_listed() and monotonic() - begun < PATIENCE:
        sleep(1.0)
        for issuer in ("signature-g1", "authentication-g1"):
            askers.fetch_list(issuer)
    command = [sys.executable, "-m", "cli", "--state", str(settings.state), "check", "--no-notes"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(checked.stderr, end="", file=sys.stderr)
    return Calm(ready, truth.is_listed(), len(checked.stderr.splitlines()) if checked.returncode else 0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.storm", description=__doc__)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--share", type=float, default=1.0, help="of the hour's counts")
    parser.add_argument("--kills", type=int, help="processes killed; a share of the hour's otherwise")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    arguments = parser.parse_args()
    hour = HOUR.part(arguments.share)
    hour = replace(hour, kills=arguments.kills or hour.kills)
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        found = storm(arguments.engine, Path(folder) / "house", hour, arguments.seconds, arguments.seed)
    Console(width=150).print(report.table(found))
    for value in found:
        print(f"{value.id}: {value.median:g}")
    raise SystemExit(any(value.id.endswith(_NONE) and value.median for value in found))


if __name__ == "__main__":
    main()
