"""A scan from the names of systems to the report: what there is in them, worked off by some processes."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from config.scan_filters import ScanKey, open_scan_filter
from domain.errors import Code, Refusal
from scan.container import ScanFilter, open_filter
from scan.files import CONTEXT, Kind, files_under, kind_of, told
from scan.layout import Spreadsheet, layout_of
from scan.places import Place
from scan.report import Finding, Gap, Report, ordered
from scan.search import Search, Trace
from scan.shared import shared_keys
from scan.tally import Find
from scan.work import Outcome, Packed, Sheet, Stretch, TableOf, Task, Worker
from store.engine import parse_url
from store.foreign import foreign_rows, foreign_tables

STRETCH = 1 << 23
_INLINE = 1 << 22
_AHEAD = 4

Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class System:
    """A system of an operator by the name it has in the report: a folder or file, or the address of a database."""

    name: str
    target: str = field(repr=False)

    @classmethod
    def of(cls, written: str) -> System:
        """`NAME=TARGET`, or a target alone, which then gives the name."""
        name, equals, target = written.partition("=")
        if equals and name and not set(name) & set("/:?"):
            return cls(name, target)
        return cls(_name_of(written), written)

    @property
    def address(self) -> str | None:
        """The address, if it is a PostgreSQL database."""
        if self.target.startswith(("postgresql://", "postgres://")):
            return "postgresql" + self.target[self.target.index("://") :]
        return None


def _name_of(target: str) -> str:
    if "://" in target:
        return parse_url("postgresql" + target[target.index("://") :]).database or "postgresql"
    return Path(target).resolve().name or "root"


@dataclass(slots=True)
class _Scan:
    """A scan as it goes on."""

    search: Search
    names: dict[str, str] = field(default_factory=dict)
    tasks: list[tuple[Task, int]] = field(default_factory=list)
    paths: dict[Place, Path] = field(default_factory=dict)
    outcome: Outcome = field(default_factory=Outcome)
    named: list[Finding] = field(default_factory=list)

    def named_safely(self, text: str) -> str:
        """A name as it may be told: without a serial, and without what moves a terminal."""
        if text not in self.names:
            if self.search.knows(text):
                self.names[text] = f"(name withheld {sum('withheld' in name for name in self.names.values()) + 1})"
            else:
                self.names[text] = "".join(
                    letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
                )
        return self.names[text]

    def place(self, system: System, source: str) -> Place:
        """A place by names that may be told."""
        return Place(self.named_safely(system.name), self.named_safely(source))

    def gap(self, place: Place, why: str) -> None:
        self.outcome.gaps.append((place, why))


def scan(
    systems: Sequence[System],
    filter_path: Path,
    key: ScanKey,
    *,
    now: datetime,
    sketch_key: bytes,
    processes: int = 2,
    on_progress: Advance = lambda _done, _total: None,
) -> Report:
    """Look at everything in the systems. `sketch_key` is 32 octets of chance that nobody needs again.

    Raises what `open_scan_filter` raises; what cannot be read of a system is a gap in the report.
    """
    found = open_scan_filter(filter_path, key, now)
    names = [system.name for system in systems]
    if len(set(names)) < len(names):
        raise Refusal(Code.MALFORMED, "two systems have one name; name them apart as NAME=TARGET")
    run = _Scan(Search(found, key.key))
    for system in systems:
        _plan(run, system, len(systems) > 1)
    secret = sketch_key if len(systems) > 1 else None
    total, done = sum(size for _, size in run.tasks), 0
    for outcome, size in _work(run, filter_path, key, secret, processes, total):
        run.outcome.merge(outcome)
        done += size
        on_progress(done, max(total, 1))
    return _report(run, found, systems, now)


def _plan(run: _Scan, system: System, sketched: bool) -> None:
    if system.address is not None:
        _plan_tables(run, system, system.address, "")
        return
    root = Path(system.target)
    if not root.exists():
        run.gap(run.place(system, root.name), "there is no such file or folder")
        return

    def source_of(path: Path) -> str:
        return path.name if path == root else path.relative_to(root).as_posix()

    for path, size in files_under(root, lambda path, why: run.gap(run.place(system, source_of(path)), why)):
        place = run.place(system, source_of(path))
        if run.search.knows(source_of(path)):
            find = run.search.look(source_of(path).encode("utf-8", "surrogateescape")).hits[0]
            run.named.append(Finding(place, Find(Trace.WHOLE, f"{find.form}, in the name", find.at, find.who), 0))
        try:
            kind = kind_of(path)
        except OSError as error:
            run.gap(place, told(error))
            continue
        run.paths[place] = path
        if kind is Kind.SQLITE:
            _plan_tables(run, system, f"sqlite:///{path.resolve()}", place.source)
        elif kind is Kind.PG_DUMP:
            run.gap(place, "it is a dump in PostgreSQL's own format; restore it, or make it plain with pg_restore -f")
        elif kind is not Kind.PLAIN:
            run.tasks.append((Packed(place, path, kind), size))
            continue
        elif sketched and path.suffix.lower() in (".csv", ".tsv"):
            with path.open("rb") as file:
                sheet = Spreadsheet.of(file.read(CONTEXT * 32))
            if sheet is not None:
                run.tasks.append((Sheet(place, path, sheet.separator), 0))
        for start in range(0, size, STRETCH):
            end = min(size, start + STRETCH)
            run.tasks.append((Stretch(place, path, start, end), end - start))


def _plan_tables(run: _Scan, system: System, address: str, file: str) -> None:
    try:
        tables = foreign_tables(address)
    except Refusal as refusal:
        run.gap(Place(run.named_safely(system.name), file), refusal.detail)
        return
    for schema, name in tables:
        shown = name if schema in ("", "public") else f"{schema}.{name}"
        place = run.place(system, f"{file}!{shown}" if file else shown)
        run.tasks.append((TableOf(place, address, (schema, name)), 0))


_workers: list[Worker] = []
"""In a process of the pool the one that it does all its tasks with."""


def _begin(filter_path: Path, key: bytes, sketch_key: bytes | None) -> None:
    search = Search(open_filter(filter_path, key, None), key)
    _workers.append(Worker(search, foreign_rows, sketch_key))


def _do(task: Task) -> Outcome:
    return _workers[0].do(task)


def _work(
    run: _Scan, filter_path: Path, key: ScanKey, sketch_key: bytes | None, processes: int, total: int
) -> Iterator[tuple[Outcome, int]]:
    if processes < 2 or total < _INLINE:
        worker = Worker(run.search, foreign_rows, sketch_key)
        for task, size in run.tasks:
            yield worker.do(task), size
        return
    arguments = (filter_path, key.key, sketch_key)
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, arguments) as pool:
        waiting: dict[Future[Outcome], int] = {}
        tasks = iter(run.tasks)
        try:
            while True:
                for task, size in tasks:
                    waiting[pool.submit(_do, task)] = size
                    if len(waiting) >= _AHEAD * processes:
                        break
                if not waiting:
                    return
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    yield future.result(), waiting.pop(future)
        except BrokenProcessPool:
            raise Refusal(
                Code.BUSY, "a process of the scan was killed; is there enough memory? Try --processes 1"
            ) from None
        finally:
            for future in waiting:
                future.cancel()


def _report(run: _Scan, found: ScanFilter, systems: Sequence[System], now: datetime) -> Report:
    outcome, findings = run.outcome, run.named
    for place, tally in outcome.tallies.items():
        for find in tally.finds(found.tables):
            if tally.rows:
                named = Place(place.system, place.source, run.named_safely(place.column))
                findings.append(Finding(named, find, outcome.rows[place]))
            else:
                findings += _by_column(run, place, find)
    told = {(each.place.system, each.place.source, each.place.column) for each in findings}
    for place, find in outcome.alike.items():
        named = Place(place.system, place.source, run.named_safely(place.column))
        if (named.system, named.source, named.column) not in told:
            findings.append(Finding(named, find, outcome.rows[place]))
    sketches = [
        (Place(place.system, place.source, run.named_safely(place.column)), sketch)
        for place, sketch in outcome.sketches.items()
    ]
    return Report(
        label=found.label,
        at=now,
        systems=tuple(run.named_safely(system.name) for system in systems),
        octets=outcome.octets,
        places=len(outcome.tallies),
        findings=ordered(_without_echoes(findings)),
        shared=tuple(shared_keys(sketches)),
        gaps=tuple(Gap(place, why) for place, why in sorted(outcome.gaps)),
    )


def _by_column(run: _Scan, place: Place, find: Find) -> Iterator[Finding]:
    """What was found in a file, by the columns of it, if it has any."""
    if place not in run.paths:
        yield Finding(place, find, 0)
        return
    path = run.paths[place]
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        layout = layout_of(path.name, text)
        if layout is None:
            yield Finding(place, find, 0)
            return
        columns = [layout.column(text, at) for at in find.at.tolist()]
    for column in dict.fromkeys(columns):
        chosen = np.array([each == column for each in columns], np.bool_)
        yield Finding(Place(place.system, place.source, run.named_safely(column)), find.where(chosen), 0)


def _without_echoes(findings: Sequence[Finding]) -> list[Finding]:
    """Without what was found in the octets of a database file and is in its tables; what only the octets hold, such as
    deleted rows, stays."""
    tables = {(each.place.system, each.place.source.rpartition("!")[0]) for each in findings if each.rows}
    return [each for each in findings if each.rows or (each.place.system, each.place.source) not in tables]
