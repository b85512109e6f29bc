"""Faults on order: state directories to spoil, and processes that are killed or stand still at their work there."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.acts import Facts
from tests.support.postgres import PostgresServer
from tests.support.steps import DURABLE, SHARED

ROOT = Path(__file__).parents[2]

NOW = datetime(2027, 4, 1, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SETTLED = NOW + 3 * HOUR
"""When `settle` is done with a house."""

RESIDENTS = 400
"""Of an authority that `open_doors` made."""

KIYOSE, SAPPORO = "132217", "011002"

Act = tuple[str, dict[str, Any]]


def act(name: str, **arguments: Any) -> Act:
    """One of `tests.support.acts`."""
    return name, arguments


@dataclass(frozen=True)
class State:
    """A state directory over SQLite, or over a database of a PostgreSQL server."""

    path: Path
    server: PostgresServer | None = None
    database: str = ""

    @property
    def url(self) -> str:
        """As `jpki.toml` says it."""
        return self.server.url(self.database) if self.server else "sqlite:///jpki.db"

    @contextmanager
    def copied(self, path: Path) -> Iterator[State]:
        """A copy at `path` for as long as it is needed. Nobody may be at work here."""
        copy = State(path, self.server, self.server.copy_database(self.database) if self.server else "")
        shutil.copytree(self.path, path)
        settings = path / "jpki.toml"
        settings.write_text(settings.read_text().replace(self.url, copy.url))
        try:
            yield copy
        finally:
            shutil.rmtree(path)
            if copy.server:
                copy.server.drop_database(copy.database)


@dataclass(frozen=True)
class Outcome:
    """What a process told of each act that it finished, and whether it was killed or which steps it took."""

    told: list[Facts]
    killed: bool
    steps: list[str]


class Forks:
    """The program `tests.support.forks`. Acts are done at `now`; `last` is the step that the process does not take."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.support.forks"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        self._process.communicate()

    def warm(self, state: State) -> None:
        """Make the processes that will work there, or in a copy, begin sooner."""
        self._ask("warm", [_order(state, (), NOW, None)])

    def run(
        self,
        state: State,
        *acts: Act,
        now: datetime,
        last: int | None = None,
        kinds: Sequence[str] = DURABLE,
        fault: str = "",
    ) -> Outcome:
        """A process of its own; it is killed before the last step, or after all of them when there are just as many.
        A `fault` of `tests.support.disks` comes instead of the kill."""
        return self._ask("alone", [{**_order(state, acts, now, last), "kinds": kinds, "fault": fault}])[0]

    def meanwhile(self, state: State, first: Act, *others: Act, now: datetime, last: int) -> list[Outcome]:
        """A process that stands still before its last step until another one has done the other acts, or has waited a
        moment in vain for what the first one holds."""
        orders = [_order(state, [first], now, last), _order(state, others, now, None)]
        return self._ask("meanwhile", [{**order, "lock_wait": 0.1, "kinds": SHARED} for order in orders])

    def together(self, state: State, *acts: Act, now: datetime) -> list[Outcome]:
        """Each act in a process of its own, all at once."""
        return self._ask("together", [_order(state, [one], now, None) for one in acts])

    def _ask(self, way: str, orders: list[Facts]) -> list[Outcome]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"way": way, "orders": orders}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, "the program ended"
        outcomes = json.loads(answer)
        for outcome in outcomes:
            for told in outcome["told"]:
                assert "failed" not in told, told["failed"]
        return [Outcome(one["told"], one["signal"] == signal.SIGKILL, one["steps"]) for one in outcomes]


def _order(state: State, acts: Sequence[Act], now: datetime, last: int | None) -> Facts:
    order = {"state": str(state.path), "acts": acts, "now": now.isoformat(), "last": last}
    return {**order, "lock_wait": 5.0, "kinds": DURABLE}


def found(forks: Forks, state: State, now: datetime = NOW) -> None:
    """Found an authority there."""
    told = forks.run(state, act("found", url=state.url), now=now).told
    assert told == [{}], told
    forks.warm(state)


def settle(forks: Forks, state: State) -> None:
    """Give a new authority a past: of residents 1 to 6, those from 2 on hold pairs, and resident 4 has moved since.
    Everything is published."""
    steps = (
        act("enrol", code=KIYOSE, folder="kiyose"),
        act("load", numbers=[1, 2, 3, 4, 5, 6]),
        act("publish"),
        act("wait", minutes=60),
        *(act("issue", number=number, key=f"first {number}") for number in (2, 3, 4, 5, 6)),
        act("wait", minutes=60),
        act("move", number=4, notice_id="first"),
        act("wait", minutes=60),
        act("publish"),
        act("judge"),
    )
    told = forks.run(state, *steps, now=NOW).told
    assert not (refused := [facts for facts in told if "refusal" in facts]), refused
    assert told[-1]["faults"] == told[-1]["notes"] == []


def open_doors(forks: Forks, state: State) -> None:
    """Make a new authority ready to serve by the real clock: a municipality has its credential (`kiyose`),
    residents from 1 on may apply, everybody may ask for status, and lists are out."""
    settings = state.path / "jpki.toml"
    settings.write_text(settings.read_text().replace('access = "notified-verifiers"', 'access = "open"'))
    acts = (
        act("enrol", code=KIYOSE, folder="kiyose"),
        act("load", numbers=list(range(1, RESIDENTS + 1))),
        act("publish"),
        act("judge"),
    )
    told = forks.run(state, *acts, now=now()).told
    assert told[-1]["faults"] == told[-1]["notes"] == []


def now() -> datetime:
    """By the real clock, because servers go by it."""
    return datetime.now(UTC).replace(microsecond=0)
