"""Mass events at full size: previewed, run, killed in the middle, gone on with, and checked, while others ask.

`python -m bench.events --residents 100000 --act rename --act merge --engine sqlite --keep`
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import perf_counter, sleep

from rich.console import Console

from bench import machine, report
from bench.askers import Line, word_of
from bench.children import peak_of
from bench.figures import Finding, Value
from bench.house import make_house
from bench.mass import MOVED, running
from bench.ocsp import make_ocsp_requests
from bench.partitions import verified
from bench.people import ITEMS, KIYOSE
from bench.population import populate
from bench.service import http_request, started
from config.assemble import Services
from crl.diff import Comparison
from crl.earlier import Earlier
from crl.files import map_current
from crl.publish import publish_due
from crl.read import read_list
from crl.rows import Rows
from domain.certificates import IssuerId, Kind
from domain.events import EventType
from domain.lists import Scope
from domain.mass import CertificateOrder, MassEvent, MassOrder, MassState, RegisterOrder, Selection
from domain.parties import LOCAL_OPERATOR
from domain.people import MunicipalityCode
from domain.revocation import RevocationCause
from domain.serial import SerialNumber
from mass.account import account_of
from mass.preview import preview
from mass.run import confirm, token_of
from oversight.reconcile import reconcile
from policies.validity import day_in_japan
from tests.support.postgres import running_postgres

ACTS, ENGINES = ("rename", "merge", "hold"), ("sqlite", "postgresql")
HINO = MunicipalityCode("132128")
_TYPE = "Content-Type: application/ocsp-request\r\n"
_ASKED, _REST = 2_000, 0.01
_LOOK = 25
"""Answers from one look at the run to the next: beside those before it there is none."""

_WINDOW = 1.0
"""Seconds within which a status model of another process shows what was committed."""

Named = tuple[IssuerId, SerialNumber]


class Asker:
    """One slow, steady caller of the status service, who compares each answer with the database."""

    def __init__(self, services: Services, port: int) -> None:
        self._services, self._line, self._chance = services, Line(port), random.Random(1)
        self._sample = self._drawn()
        self.times: list[float] = []
        self.asked = self.late = self.wrong = 0

    def ask(self) -> None:
        """Ask once, and rest."""
        named = self._chance.choice(self._sample)
        before = self._stands(named)
        word = self._exchange(named)
        allowed = {self._word(before), self._word(self._stands(named))}
        if word not in allowed | {"try-later"}:
            self.late += 1
            sleep(_WINDOW)
            self.wrong += self._exchange(named) != self._word(self._stands(named))
        self.asked += 1
        sleep(_REST)

    def ask_for(self, seconds: float) -> None:
        end = perf_counter() + seconds
        while perf_counter() < end:
            self.ask()

    def taken(self) -> tuple[float, float]:
        """Milliseconds within which half of the answers came, and 99 in a hundred; the next ones are counted anew."""
        times, self.times = sorted(self.times), []
        return 1000 * times[len(times) // 2], 1000 * times[len(times) * 99 // 100]

    def _drawn(self) -> list[Named]:
        found: list[Named] = []
        with self._services.begin(write=False) as work:
            for number, row in enumerate(work.certificates.all()):
                if len(found) < _ASKED:
                    found.append((row.issuer, row.serial))
                elif (place := self._chance.randrange(number + 1)) < _ASKED:
                    found[place] = (row.issuer, row.serial)
        return found

    def _stands(self, named: Named) -> bool:
        with self._services.begin(write=False) as work:
            return work.revocations.find(*named) is not None

    @staticmethod
    def _word(stands: bool) -> str:
        return "revoked" if stands else "good"

    def _exchange(self, named: Named) -> str:
        serial = named[1].octets
        (request,) = make_ocsp_requests(self._services.issuers[named[0]], [serial], nonce=False)
        begun = perf_counter()
        octets = self._line.exchange(http_request("POST", "/ocsp", request, _TYPE))
        self.times.append(perf_counter() - begun)
        return word_of(octets, serial)


def measure_event(
    folder: Path, engine: str, act: str, residents: int, calm: float, *, check: bool, console: Console
) -> list[Value]:
    """One event over so many residents with a pair each, in an authority of its own; `calm` seconds before it are what
    answers meanwhile are compared with."""
    with ExitStack() as stack:
        server = stack.enter_context(running_postgres()) if engine == "postgresql" else None
        services = make_house(folder, server.url(server.new_database()) if server else "")
        stack.callback(services.close)
        began = perf_counter()
        populate(services, residents, [KIYOSE])
        for kind in Kind:
            _use(services, Scope(IssuerId(f"{kind.value}-g1"), HINO))
        publish_due(services.publisher)
        services.node.make()
        console.print(f"{engine} {act}: {residents:,} residents on record in {perf_counter() - began:.0f} s")
        began = perf_counter()
        event = preview(services.mass, _order(services, act), LOCAL_OPERATOR)
        previewed = perf_counter() - began
        confirm(services.mass, event.id, token_of(event), LOCAL_OPERATOR)
        port, _ = stack.enter_context(started(services.settings, "status"))
        asker = Asker(services, port)
        asker.ask_for(1.0)
        asker.taken()
        asker.ask_for(calm)
        before = asker.taken()
        console.print(f"{engine} {act}: {event.steps:,} steps")
        took, memory = _run(services, event, asker, max(1, event.steps // 2))
        unlisted = _lists(services, folder)
        more, most = _run(services, event, asker, None)
        during = asker.taken()
        ended = _now(services, event)
        assert ended.state is MassState.DONE, ended.state
        changes = max(ended.tally.get("records", 0), ended.tally.get("held", 0))
        unlisted += _lists(services, folder)
        asker.ask_for(2.0)
        faults = _faults(services) if check else 0
        missing = account_of(event).changes - sum(ended.tally.get(word, 0) for word in ("records", "held", "revoked"))
    name, what = f"events-{engine}-{act}", f"{engine}, {act}, {residents:,} residents"
    rows: list[tuple[str, str, str, float]] = [
        ("previewed", "previewed", "s", previewed),
        ("took", f"done in {event.steps:,} steps, rests included, killed once", "s", took + more),
        ("rate", "of them a second", "", changes / (took + more)),
        ("memory", "most memory of the run", "MiB", max(memory, most)),
        ("p50-ratio", f"p50 of status meanwhile, times that before ({before[0]:.2f} ms)", "", during[0] / before[0]),
        ("p99-ratio", f"p99 of status meanwhile, times that before ({before[1]:.2f} ms)", "", during[1] / before[1]),
        ("asked", "answers, each compared with the database", "", asker.asked),
        ("late", "of them that came between a commit and its return", "", asker.late),
        ("wrong", "of them wrong", "", asker.wrong),
        ("unlisted", "lists that were not what the database says, or not verified by OpenSSL", "", unlisted),
        ("missing", "changes that the preview counted and that were not made", "", missing),
    ]
    if check:
        rows.append(("faults", "faults found by jpki check", "", faults))
    return [Value(f"{name}-{id_}", f"{what}: {text}", unit, [value]) for id_, text, unit, value in rows]


def _use(services: Services, scope: Scope) -> None:
    with services.begin() as work:
        work.lists.register(scope)
        work.commit()


def _order(services: Services, act: str) -> MassOrder:
    if act == "hold":
        with services.begin(write=False) as work:
            return CertificateOrder(RevocationCause.TEMPORARY_STOP, Selection(work.applications.newest()))
    day, old = day_in_japan(services.clock()), ITEMS.address[:10]
    if act == "rename":
        return RegisterOrder(EventType.ADDRESS_RENAMING, day, KIYOSE, KIYOSE, old, MOVED)
    return RegisterOrder(EventType.MUNICIPALITY_MERGER, day, KIYOSE, HINO, old, "東京都日野市新町五丁目１")


def _now(services: Services, event: MassEvent) -> MassEvent:
    with services.begin(write=False) as work:
        found = work.mass.find(event.id)
    assert found is not None
    return found


def _run(services: Services, event: MassEvent, asker: Asker, kill_at: int | None) -> tuple[float, float]:
    """`jpki mass resume` until it ends, or until it is killed in the middle of a step behind that one; seconds, and
    most memory in MiB. Meanwhile others ask."""
    began, memory = perf_counter(), 0.0
    with running(services.settings.state, event.id, killed=kill_at is not None) as process:
        while process.poll() is None:
            asker.ask()
            if asker.asked % _LOOK:
                continue
            memory = max(memory, peak_of(process.pid))
            if kill_at is not None and _now(services, event).step >= kill_at:
                process.kill()
                break
    return perf_counter() - began, memory


def _lists(services: Services, folder: Path) -> int:
    """Publish what changed; how many lists are not exactly what the database says, or are not signed by their issuer in
    the eyes of OpenSSL."""
    report_ = publish_due(services.publisher)
    assert not report_.refused, report_.refused[:3]
    with services.begin(write=False) as work:
        scopes = [row.scope for row in work.lists.scopes() if row.scope.municipality is not None]
        differing = 0
        for scope in scopes:
            file = map_current(services.settings.crl_directory, scope)
            assert file is not None
            comparison = Comparison(Earlier(read_list(file).entries))
            for block in work.revocations.blocks_of(scope, None):
                comparison.feed(Rows.of(block))
            found = comparison.result()
            differing += bool(found.added or found.changed or found.removed)
    return differing + len(scopes) - verified(services, scopes, folder)


def _faults(services: Services) -> int:
    """As `jpki check` finds them; signatures of certificates are believed, since the population shares one."""
    inspection = replace(services.inspection(), verify_signature=lambda *_: True)
    faults = [finding for finding in reconcile(inspection) if finding.level == "fault"]
    for fault in faults[:5]:
        Console(stderr=True).print(f"{fault.area}: {fault.text}")
    return len(faults)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.events", description=__doc__)
    parser.add_argument("--residents", type=int, default=100_000, help="each with a pair of certificates")
    parser.add_argument("--act", choices=ACTS, action="append", help="may be repeated; rename and merge otherwise")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="may be repeated; both otherwise")
    parser.add_argument("--calm", type=float, default=30.0, help="seconds of asking before")
    parser.add_argument("--no-check", action="store_true", help="leave the comparison of everything out at the end")
    parser.add_argument("--keep", action="store_true", help="keep the results")
    arguments = parser.parse_args()
    console = Console(width=170, highlight=False)
    found: list[Finding] = []
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        described = machine.describe(Path(folder))
        for engine in arguments.engine or ENGINES:
            for act in arguments.act or ACTS[:2]:
                place, check = Path(folder) / f"{engine}-{act}", not arguments.no_check
                values = measure_event(
                    place, engine, act, arguments.residents, arguments.calm, check=check, console=console
                )
                for value in values:
                    console.print(f"{value.id}: {value.median:,.2f} {value.unit}".rstrip())
                found += values
    console.print(report.table(found))
    if arguments.keep:
        words = ["python -m bench.events", f"--residents {arguments.residents}"]
        words += [f"--{name} {one}" for name in ("act", "engine") for one in getattr(arguments, name) or ()]
        words += ["--no-check"] * arguments.no_check
        part = "events-hold" if arguments.act == ["hold"] else "events"
        console.print(f"raw results: {report.keep({part: found}, described, part, ' '.join(words))}")
    raise SystemExit(_failed(found))


def _failed(found: Sequence[Finding]) -> bool:
    return any(row.median != 0 for row in found if row.id.endswith(("-wrong", "-unlisted", "-missing", "-faults")))


if __name__ == "__main__":
    main()
