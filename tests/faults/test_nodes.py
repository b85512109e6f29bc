"""Several status nodes over one database, killed, paused, cut off and with wrong clocks: none says good for longer than
it may after a revocation has returned, and each is right again without anybody's doing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import monotonic, sleep

import pytest

from domain.certificates import CertificateRecord, Validity
from domain.revocation import CrlReason
from store.schema import create
from tests.support.faults import ROOT
from tests.support.partition import Line, line_to
from tests.support.postgres import PostgresServer
from tests.support.stores import NOW, Store, add_certificate, revocation_of, sql_store

pytestmark = pytest.mark.postgresql

MAX_AGE = 2.0
"""Seconds that a node may go on without the database."""

QUICK = 1.0
"""Seconds within which the other nodes follow."""

PATIENCE = 30.0
LONG = Validity(datetime(2020, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC))


@dataclass
class Node:
    """A node's process."""

    url: str
    folder: Path
    skew: timedelta = timedelta(0)
    process: subprocess.Popen[str] = field(init=False)

    def start(self) -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.support.status_node", self.url, str(self.folder)]
        numbers = [str(MAX_AGE), str(self.skew.total_seconds())]
        self.process = subprocess.Popen(
            [*command, *numbers], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._read() == "ready"

    def ask(self, question: str) -> str:
        assert self.process.stdin
        print(question, file=self.process.stdin, flush=True)
        return self._read()

    def says(self, record: CertificateRecord) -> str:
        return self.ask(f"{record.issuer} {record.serial.octets.hex()}")

    def saying(self, word: str, record: CertificateRecord) -> Callable[[], bool]:
        return lambda: self.says(record) == word

    def is_fresh(self) -> bool:
        return self.ask("fresh") == "True"

    def _read(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def send(self, sign: signal.Signals) -> None:
        os.kill(self.process.pid, sign)

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


@dataclass
class Nation:
    """An authority's database and three nodes: one plain, one behind a line that can be cut, one with a wrong clock."""

    store: Store
    line: Line
    plain: Node
    far: Node
    wrong: Node
    issued: int = 0

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self.plain, self.far, self.wrong

    def issue(self) -> CertificateRecord:
        self.issued += 1
        record = add_certificate(self.store.begin, f"holder {self.issued}", validity=LONG)
        with self.store.begin() as work:
            work.certificates.complete([(record.issuer, record.serial, b"certificate")])
            work.commit()
        for node in self.nodes:
            await_(node.is_fresh)
            await_(node.saying("good", record))
        return record

    def revoke(self, record: CertificateRecord) -> float:
        """When it returned."""
        with self.store.begin() as work:
            work.revocations.put(revocation_of(record, reason=CrlReason.KEY_COMPROMISE), "receipt", NOW)
            work.commit()
        return monotonic()


def await_(done: Callable[[], bool]) -> float:
    """How long it took."""
    begun = monotonic()
    while not done():
        assert monotonic() - begun < PATIENCE, "it did not happen in time"
        sleep(0.01)
    return monotonic() - begun


@contextmanager
def running(*nodes: Node) -> Iterator[None]:
    try:
        for node in nodes:
            node.start()
        yield
    finally:
        for node in nodes:
            node.stop()


@pytest.fixture(scope="module")
def nation(postgres: PostgresServer) -> Iterator[Nation]:
    folder = Path(tempfile.mkdtemp(prefix="jpki-nodes-"))
    name = postgres.new_database()
    url = postgres.url(name)
    create(url)
    server = Path(url.rpartition("host=")[2])
    with sql_store(url) as store, line_to(folder, server) as line:
        plain = Node(url, folder / "plain")
        far = Node(f"postgresql://tests@/{name}?host={folder}", folder / "far")
        wrong = Node(url, folder / "wrong", timedelta(hours=-7))
        with running(plain, far, wrong):
            yield Nation(store, line, plain, far, wrong)


def test_all_nodes_follow_within_a_second_whatever_their_clocks_say(nation: Nation) -> None:
    took = []
    for _ in range(10):
        record = nation.issue()
        returned = nation.revoke(record)
        for node in nation.nodes:
            await_(node.saying("revoked", record))
        took.append(monotonic() - returned)
    assert median(took) < QUICK  # all of them do on a machine that has nothing else to do


def test_a_node_that_was_paused_says_nothing_that_it_knew_before(nation: Nation) -> None:
    record = nation.issue()
    for node in nation.nodes:
        node.send(signal.SIGSTOP)
    nation.revoke(record)
    sleep(MAX_AGE + 0.1)
    for node in nation.nodes:
        node.send(signal.SIGCONT)
        assert node.says(record) in ("revoked", "try-later")
        await_(node.saying("revoked", record))


def test_a_node_that_was_killed_is_right_when_it_is_back(nation: Nation) -> None:
    record = nation.issue()
    nation.plain.send(signal.SIGKILL)
    nation.plain.stop()
    returned = nation.revoke(record)
    nation.plain.start()
    while monotonic() < returned + MAX_AGE:
        nation.plain.says(record)
    assert nation.plain.says(record) in ("revoked", "try-later")
    await_(nation.plain.saying("revoked", record))
    await_(nation.plain.is_fresh)


def test_a_node_that_is_cut_off_says_try_later_and_then_what_is_so(nation: Nation) -> None:
    record, other = nation.issue(), nation.issue()
    nation.line.cut()
    returned = nation.revoke(record)
    heard: list[tuple[float, str]] = []
    while not heard or heard[-1][0] < MAX_AGE + 2:  # one question may take seconds
        asked = monotonic()
        heard.append((asked - returned, nation.far.says(record)))
        assert monotonic() - asked < PATIENCE / 2, "nobody waits that long"
    assert {word for since, word in heard if since > MAX_AGE} == {"try-later"}
    assert nation.far.says(other) == "try-later"
    for node in (nation.plain, nation.wrong):
        await_(node.saying("revoked", record))
    nation.line.mend()
    await_(nation.far.saying("revoked", record))
    await_(nation.far.is_fresh)
    assert nation.far.says(other) == "good"


def test_nodes_are_right_again_after_the_database_cut_all_connections(nation: Nation, postgres: PostgresServer) -> None:
    record = nation.issue()
    postgres.end_sessions()
    nation.store.begin.close()  # type: ignore[attr-defined]
    nation.revoke(record)
    for node in nation.nodes:
        await_(node.saying("revoked", record))
