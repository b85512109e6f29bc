"""Disks: a whole authority at work while its disk is full, or may only be read, and afterwards.

The disk is a file system of its own, really full, or failed as one does whose device is broken, and then repaired as
when the machine is started again. What is told meanwhile is held against the truth. Linux, as root.

`python -m bench.disks --keep`
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import monotonic, sleep

from rich.console import Console

from bench import machine, report
from bench.askers import Askers
from bench.batches import as_file
from bench.clerks import Clerks
from bench.figures import Value
from bench.image import enter
from bench.issuance import prepare
from bench.pace import Pace
from bench.people import CITY, ITEMS, resident_code
from bench.reaper import Reaper
from bench.service import ROOT
from bench.site import Site, Watch
from bench.storm import calm_of
from bench.supervisor import await_ready, bugs_in
from bench.truth import Truth
from ca.batches import progress_of, take_batch
from config.assemble import Services
from config.batching import make_batching
from config.enrolment import enrol
from domain.batches import ItemState
from domain.certificates import IssuerId, Kind
from domain.errors import Refusal
from domain.events import EventType
from domain.mass import MassEvent, MassState, RegisterOrder
from domain.parties import LOCAL_OPERATOR
from domain.people import MunicipalityCode
from mass.account import find_account
from mass.preview import preview
from mass.run import token_of
from policies.validity import day_in_japan
from web.batches import read_line

ENGINES, FAULTS = ("sqlite", "postgresql"), ("full", "read-only")
HINO = MunicipalityCode("132128")
_PAIRS, _REVOKED, _CHECKS, _BATCH, _MOVED = 120, 40, 4_000, 60, 20_000
_LONG = 900.0
"""Seconds for which clerks ask again: they outlast the fault."""
_VICTIMS = ("publisher", "status worker", "api worker")
"""Killed in the middle of it, so that others have to begin without a disk."""


def trouble(engine: str, fault: str, folder: Path, seconds: float) -> list[Value]:
    """What was told while the disk was full, or failed, for that long, and how it was afterwards."""
    with ExitStack() as stack:
        site = Site(folder, engine, stack)
        stop, truth = threading.Event(), Truth()
        with site.services() as services:
            applications = prepare(services, 1_000_000, _PAIRS + _BATCH)
            enrol(services, CITY, LOCAL_OPERATOR, folder=folder / "city", life=timedelta(days=30))
            issuers = {f"{kind.value}-g1": services.issuers[IssuerId(f"{kind.value}-g1")] for kind in Kind}
            event = _renaming(services)
        api, status = (int(door.bind.rpartition(":")[2]) for door in (site.settings.api, site.settings.status))
        clerks = Clerks(api, folder / "city", truth, stop, applications[_BATCH:], _LONG)
        askers = Askers(status, issuers, truth, stop)
        paces = [Pace(count, 2 * seconds) for count in (_PAIRS, _REVOKED, _CHECKS)]
        acts: list[Callable[[], None]] = [askers.fetch_lists, partial(clerks.revoke, paces[1])]
        acts += [partial(clerks.issue, paces[0])] * 2
        acts += [partial(askers.ask, number, paces[2]) for number in range(2)]
        threads = [threading.Thread(target=act, daemon=True) for act in acts]
        os.sync()
        programs = stack.enter_context(ExitStack())
        supervisor = programs.enter_context(site.running())
        for thread in threads:
            thread.start()
        sleep(seconds / 2)
        command = [sys.executable, "-m", "cli", "--state", str(site.state), "mass", "run", event.id]
        run = subprocess.Popen([*command, "--confirm", token_of(event), "--rest", "3"], cwd=ROOT)
        stack.callback(run.kill)
        with site.services() as services:
            octets = as_file(applications[:_BATCH])
            batch = take_batch(make_batching(services, read_line), LOCAL_OPERATOR, "batch", octets).batch.id
        sleep(1.0)  # both have begun
        watch, heard, answered = Watch(site.settings), clerks.heard.copy(), clerks.issued + clerks.revoked
        spoil = site.image.fill if fault == "full" else lambda: None
        if fault == "read-only":
            site.image.fail()
        watch.look(seconds / 2, spoil)
        site.switch_log()
        reaper = Reaper(supervisor, stop)
        killed = sum(map(reaper.kill, _VICTIMS))
        watch.look(seconds / 2, spoil)
        said, answered = dict(truth.said), clerks.issued + clerks.revoked - answered
        heard = clerks.heard - heard
        if fault == "full":
            site.image.free()
        else:
            run.kill()
            programs.close()
            site.shut_down()
            site.image.repair()
            programs.enter_context(site.running())
        begun = monotonic()
        ready = await_ready(site.settings)
        while left := _left(site, batch, event.id, clerks):
            if monotonic() - begun > _LONG:
                truth.wrong.append(f"not done: {left}")
                break
            sleep(1.0)
        done = monotonic() - begun
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
        calm = calm_of(site.settings, askers, truth)
        bugs = bugs_in(site.log)
        ended = run.poll()
    found: dict[str, tuple[str, str, float, object]] = {
        "answered": ("answers to clerks while it lasted", "", answered, None),
        "heard": ("and refusals", "", heard.total(), dict(heard)),
        "told": ("answers by OCSP until its end", "", sum(said.values()), said),
        "looks": ("looks at /readyz while it lasted", "", sum(watch.said.values()), dict(watch.said)),
        "silent": ("looks at /healthz that were not answered with 200", "", watch.silent, None),
        "killed": ("processes killed while it lasted", "", killed, None),
        "run-ended": ("the mass event's own process ended then", "", ended not in (None, 0), None),
        "ready": ("ready again after it", "s", ready, None),
        "done": ("until everything that was asked for was done", "s", done, None),
        "issued": ("pairs issued, with the batch's", "", clerks.issued + _BATCH, None),
        "revoked": ("residents' certificates revoked", "", clerks.revoked, None),
        "verified": ("answers read by a library, and their signatures verified", "", askers.verified, None),
        "unlisted": ("lists that lacked something after that", "", not calm.listed, None),
        "faults": ("faults found by `jpki check` after that", "", calm.faults, None),
        "bugs": ("lines about bugs in the programs' logs", "", len(bugs), bugs[:3] or None),
        "wrong": ("wrong answers", "", len(truth.wrong), sorted(set(truth.wrong))[:3] or None),
    }
    name = f"{engine}, {fault}"
    return [
        Value(f"disks-{engine}-{fault}-{key}", f"{name}: {what}", unit, [float(value)], _said(more))
        for key, (what, unit, value, more) in found.items()
    ]


def _said(more: object) -> dict[str, str]:
    if isinstance(more, dict):
        more = [f"{count} {word}" for word, count in sorted(more.items())]
    return {"said": "; ".join(map(str, more))} if isinstance(more, list) else {}


def _left(site: Site, batch: int, event: str, clerks: Clerks) -> str:
    """What is not done yet."""
    try:
        with site.services() as services:
            progress = progress_of(make_batching(services, read_line), LOCAL_OPERATOR, batch)
            state = find_account(services.mass, event, LOCAL_OPERATOR).state
    except Refusal as refusal:
        return refusal.code.value
    left = {
        "the batch": progress.counts.get(ItemState.ISSUED) != _BATCH,
        "the mass event": state is not MassState.DONE,
        "issuing": clerks.issued < _PAIRS,
        "revoking": clerks.revoked < _REVOKED,
    }
    return ", ".join(name for name, is_left in left.items() if is_left)


def _renaming(services: Services) -> MassEvent:
    """The addresses of a city's residents change, in some forty steps."""
    items = replace(ITEMS, address="東京都日野市神明１－１２－１")
    rows = [(*services.sealer.seal(resident_code(2_000_000 + number)), HINO, items) for number in range(_MOVED)]
    with services.begin() as work:
        work.residents.put_many(rows, services.clock())
        work.commit()
    day = day_in_japan(services.clock())
    order = RegisterOrder(EventType.ADDRESS_RENAMING, day, HINO, HINO, "東京都日野市神明１", "東京都日野市神明２")
    return preview(services.mass, order, LOCAL_OPERATOR)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.disks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the trouble lasts")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="may be repeated; both otherwise")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="may be repeated; both otherwise")
    parser.add_argument("--keep", action="store_true", help="keep the results")
    arguments = parser.parse_args()
    enter()
    console, found = Console(width=200), list[Value]()
    described = machine.describe(Path("/var/tmp"))
    for engine in arguments.engine or ENGINES:
        for fault in arguments.fault or FAULTS:
            with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder:
                values = trouble(engine, fault, Path(folder), arguments.seconds)
            for value in values:
                console.print(f"{value.id}: {value.median:g} {value.notes.get('said', '')}", soft_wrap=True)
            found += values
    console.print(report.table(found))
    if arguments.keep:
        kept = report.keep({"disks": found}, described, "disks", "python -m bench.disks")
        console.print(f"raw results: {kept}", soft_wrap=True)
    bad = ("-silent", "-unlisted", "-faults", "-bugs", "-wrong")
    raise SystemExit(any(value.id.endswith(bad) and value.median for value in found))


if __name__ == "__main__":
    main()
