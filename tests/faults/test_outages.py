"""Outages under a running API: each is refused by its name, changes nothing, and is over when its cause is."""

from __future__ import annotations

import base64
import os
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from time import monotonic, sleep

import pytest

from domain.certificates import Kind
from tests.faults.conftest import Prepare
from tests.support.acts import Facts
from tests.support.callers import Caller, Reply
from tests.support.faults import RESIDENTS, Forks, State, act, now, open_doors
from tests.support.serving import Served, serving

PATIENCE = 30.0
"""Seconds for a service to take up what it was told."""

Prepared = Callable[[str, Prepare, datetime], State]


class Counter:
    """A municipality's counter at a running API; always at it are a holder of a pair, who wants it revoked, and an
    applicant. Each asks in the same words again and again."""

    def __init__(self, state: State, served: Served, forks: Forks) -> None:
        self.state, self.served = state, served
        self._forks = forks
        self._caller = Caller(state.path / "kiyose")
        self._numbers = count(RESIDENTS, -1)
        self._issuer = (state.path / "certs" / "signature-g2.cer").read_bytes()
        self._call_next()

    def _call_next(self) -> None:
        self._holder, self._applicant = next(self._numbers), next(self._numbers)
        pair = self._caller.issue(self.served, self._holder, f"application-{self._holder}")
        assert pair.status == 201, pair.body
        self._certificate = base64.b64decode(pair.body["certificates"][Kind.SIGNATURE.value])

    def issue(self) -> Reply:
        return self._caller.issue(self.served, self._applicant, f"application-{self._applicant}")

    def revoke(self) -> Reply:
        return self._caller.revoke(self.served, self._holder, f"revocation-{self._holder}")

    def status(self) -> str:
        """What OCSP says of the holder's certificate."""
        return self._caller.status(self.served, self._certificate, self._issuer)

    def readiness(self) -> dict[str, bool]:
        """By part."""
        parts: dict[str, bool] = self._caller.get(self.served, "/readyz").body["parts"]
        return parts

    def certificates(self) -> list[Facts]:
        """On record."""
        (facts,) = self._forks.run(self.state, act("judge"), now=now()).told
        assert facts["faults"] == []
        return list(facts["certificates"])

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """The certificates on record are the same before and after."""
        before = self.certificates()
        yield
        assert self.certificates() == before

    def refuses(self, code: str, retry_after: int, *statuses: str) -> None:
        """What would change something is refused for now; OCSP says one of `statuses`."""
        with ThreadPoolExecutor(3) as pool:
            said = pool.submit(self.status)
            replies = list(pool.map(lambda ask: ask(), (self.issue, self.revoke)))
        for reply in replies:
            assert (reply.status, reply.body["code"]) == (503, code)
            assert reply.headers["Content-Type"] == "application/problem+json"
            assert reply.headers["Retry-After"] == str(retry_after)
        assert said.result() in statuses

    def goes_on(self) -> None:
        """What was refused is done when it is asked for again, and nothing is wrong."""
        pair, receipt = self.issue(), self.revoke()
        assert (pair.status, pair.body["repeated"]) == (201, False)
        assert sorted(receipt.body["revoked"]) == ["authentication", "signature"]
        assert self.status() == "revoked"
        assert self.readiness() == {"database": True, "status": True, "responders": True, "lists": True, "disk": True}
        *_, facts = self._forks.run(self.state, act("publish"), act("judge"), now=now()).told
        assert facts["faults"] == facts["notes"] == []
        self._call_next()


@contextmanager
def opened(original: State, folder: Path, forks: Forks) -> Iterator[Counter]:
    with original.copied(folder / "state") as state, serving("api", state.path) as served:
        yield Counter(state, served, forks)


@pytest.fixture(scope="module")
def over_sqlite(prepared: Prepared, forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    with opened(prepared("sqlite", open_doors, now()), tmp_path_factory.mktemp("sqlite"), forks) as counter:
        yield counter


@pytest.fixture(scope="module")
def over_postgresql(prepared: Prepared, forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    with opened(prepared("postgresql", open_doors, now()), tmp_path_factory.mktemp("postgresql"), forks) as counter:
        yield counter


def test_a_file_locked_by_another_process(over_sqlite: Counter) -> None:
    with over_sqlite.unchanged(), closing(sqlite3.connect(over_sqlite.state.path / "jpki.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        over_sqlite.refuses("busy", 2, "good")
        other.rollback()
    over_sqlite.goes_on()


@pytest.mark.postgresql
def test_tables_locked_by_another_process(over_postgresql: Counter) -> None:
    state = over_postgresql.state
    assert state.server
    with over_postgresql.unchanged(), state.server.connect(state.database) as other, other.transaction():
        other.execute("LOCK TABLE audit_head, certificates IN ACCESS EXCLUSIVE MODE")
        # No revocation can get past the lock. What the status model has not met yet is asked of the tables.
        over_postgresql.refuses("busy", 2, "good", "try_later")
    over_postgresql.goes_on()


@contextmanager
def full_disk(served: Served) -> Iterator[None]:
    """No process of the server may write into a file any more."""
    limits = {process_id: resource.prlimit(process_id, resource.RLIMIT_FSIZE) for process_id in served.workers()}
    for process_id, (_, hard) in limits.items():
        resource.prlimit(process_id, resource.RLIMIT_FSIZE, (0, hard))
    yield
    for process_id, limit in limits.items():
        resource.prlimit(process_id, resource.RLIMIT_FSIZE, limit)


def test_a_full_disk(over_sqlite: Counter) -> None:
    with over_sqlite.unchanged(), full_disk(over_sqlite.served):
        # No status is handed over that cannot be put on record.
        over_sqlite.refuses("store-unavailable", 15, "good", "try_later")
        assert not over_sqlite.readiness()["disk"]
    over_sqlite.goes_on()


@contextmanager
def read_only(counter: Counter) -> Iterator[None]:
    """The service works on a file that it may only read."""
    settings = counter.state.path / "jpki.toml"
    written = settings.read_text()
    settings.write_text(written.replace("jpki.db", "jpki.db?mode=ro"))
    reload(counter.served)
    yield
    settings.write_text(written)
    reload(counter.served)


def reload(served: Served) -> None:
    """Have the settings read again, and wait until those who read the old ones are gone."""
    before = set(served.workers())
    os.kill(served.process_id, signal.SIGHUP)
    until(lambda: bool(served.workers()) and not before & set(served.workers()))


def end_all(served: Served) -> None:
    """Kill the workers, and wait until there are others that wait for the database."""
    before = set(served.workers())
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    until(lambda: not before & set(served.workers()) and all_said("the service waits for its database", served))


def all_said(event: str, served: Served) -> bool:
    """Whether each worker has."""
    workers = {line["worker"] for line in served.lines if line["event"] == event}
    return len(served.workers()) > 1 and workers.issuperset(served.workers())


def until(done: Callable[[], bool]) -> None:
    end = monotonic() + PATIENCE
    while not done():
        assert monotonic() < end
        sleep(0.05)


def test_a_file_that_may_only_be_read(over_sqlite: Counter) -> None:
    with over_sqlite.unchanged(), read_only(over_sqlite):
        over_sqlite.refuses("store-unavailable", 15, "good")
        assert not over_sqlite.readiness()["database"]
    over_sqlite.goes_on()


@pytest.mark.postgresql
def test_a_database_server_that_crashes_and_comes_back(over_postgresql: Counter) -> None:
    server = over_postgresql.state.server
    assert server
    with over_postgresql.unchanged():
        server.stop(crash=True)
        over_postgresql.refuses("store-unavailable", 15, "good", "try_later")
        assert not over_postgresql.readiness()["database"]
        end_all(over_postgresql.served)
        over_postgresql.refuses("store-unavailable", 15, "try_later")
        assert over_postgresql.readiness() == {"database": False}
        server.start()
        until(lambda: all_said("the service has begun", over_postgresql.served))
    over_postgresql.goes_on()
