"""A nation's services as processes: an API, and status nodes that only read, each at the end of a line of its own."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from time import monotonic, sleep

from cryptography import x509
from cryptography.x509 import ocsp
from psycopg import sql

from domain.certificates import Kind
from store.grants import status_grants
from tests.support.callers import UNANSWERED, Caller, Reply, ocsp_question, word_of
from tests.support.faults import RESIDENTS, ROOT, Forks, State, act, found, now
from tests.support.partition import Line, line_to
from tests.support.postgres import PostgresServer
from tests.support.serving import Served, running
from tests.support.truth import Known, Truth

MAX_AGE = 1.0
"""Seconds that a node may go on without the database."""

PATIENCE = 60.0
"""Seconds after which what was waited for counts as never."""

LIST = "signature-g2/13221.crl"
"""Where certificates of `Nation.issue` are listed once they are revoked."""

ROLE = "status_node"
_EARLIER = timedelta(hours=2)
_GAUGE = re.compile(r"^(\w+)(?:\{[^}]*\})? ([-+\d.einf]+)$", re.MULTILINE)


def await_(done: Callable[[], bool], what: str) -> float:
    """How long it took."""
    begun = monotonic()
    while not done():
        assert monotonic() - begun < PATIENCE, f"never: {what}"
        sleep(0.01)
    return monotonic() - begun


def signal_tree(process_id: int, sign: signal.Signals) -> None:
    """To a process and those below it; first to those who start others."""
    with suppress(ProcessLookupError, FileNotFoundError):
        os.kill(process_id, sign)
        children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
        for child in children:
            signal_tree(int(child), sign)


@dataclass
class Node:
    """A status node: `jpki serve status --node`, on a machine whose clock is wrong by `skew`."""

    name: str
    state: Path
    skew: timedelta
    served: Served = field(init=False)
    _process: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        words = ("--state", str(self.state), "serve", "status", "--node", self.name, "--bind", "127.0.0.1:0")
        program = (sys.executable, "-W", "error", "-m", "tests.support.skewed", str(self.skew.total_seconds()))
        self.served = self._process.enter_context(running(*program, *words))

    def send(self, sign: signal.Signals) -> None:
        signal_tree(self.served.process_id, sign)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self._process.close()

    def stop(self) -> None:
        self.send(signal.SIGCONT)
        self._process.close()

    def get(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        connection = HTTPConnection(self.served.host, self.served.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def answer(self, known: Known) -> ocsp.OCSPResponse:
        _, body = self.get("POST", "/ocsp", ocsp_question(known.der, known.issuer))
        return ocsp.load_der_ocsp_response(body)

    def says(self, known: Known) -> str:
        try:
            return word_of(self.answer(known))
        except (OSError, HTTPException):
            return "silence"

    def is_saying(self, word: str, known: Known) -> bool:
        return self.says(known) == word

    def readiness(self) -> tuple[int, Mapping[str, bool]]:
        status, body = self.get("GET", "/readyz")
        return status, json.loads(body)["parts"]

    def gauges(self) -> Mapping[str, float]:
        """Those of the node itself, by name."""
        _, body = self.get("GET", "/metrics")
        return {name: float(value) for name, value in _GAUGE.findall(body.decode())}

    def lists(self, known: Known) -> bool:
        """Whether the list that this node gives has the certificate on it."""
        _, der = self.get("GET", f"/crl/{LIST}")
        serial = x509.load_der_x509_certificate(known.der).serial_number
        return x509.load_der_x509_crl(der).get_revoked_certificate_by_serial_number(serial) is not None

    def is_well(self) -> bool:
        """Ready, and no longer in need of the database for each answer."""
        return self.readiness()[0] == 200 and self.gauges()["jpki_status_model_believed"] == 1


class Publisher:
    """The process `jpki serve publisher`; what it logs goes into a file."""

    def __init__(self, state: State, log: Path) -> None:
        self._log = log
        command = (sys.executable, "-W", "error", "-m", "cli", "--state", str(state.path), "serve", "publisher")
        with log.open("wb") as file:
            self._process = subprocess.Popen(command, cwd=ROOT, stderr=file)

    @property
    def process_id(self) -> int:
        return self._process.pid

    def send(self, sign: signal.Signals) -> None:
        assert self._process.poll() is None, self._log.read_text()
        self._process.send_signal(sign)

    def halt(self) -> None:
        """It stands still when this returns."""
        self.send(signal.SIGSTOP)
        state = Path(f"/proc/{self.process_id}/stat")
        await_(lambda: state.read_text().rpartition(")")[2].split()[0] == "T", "the publisher stands still")

    def refusals(self) -> Sequence[str]:
        """The codes of all refusals it logged."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [line["code"] for line in lines if "refused" in line["event"]]

    def close(self) -> None:
        for sign in (signal.SIGCONT, signal.SIGTERM):
            self._process.send_signal(sign)
        assert self._process.wait(PATIENCE) == 0, self._log.read_text()


def await_word(node: Node, word: str, *knowns: Known) -> None:
    for known in knowns:
        await_(partial(node.is_saying, word, known), f"{node.name} says {word}")


@dataclass
class Nation:
    """An authority whose database is on `server`, its API, and nodes `east` and `west` with lines."""

    state: State
    server: PostgresServer
    api: Served
    east: Node
    west: Node
    lines: Mapping[str, Line]
    truth: Truth
    _counter: Caller
    _numbers: Iterator[int]

    @property
    def nodes(self) -> tuple[Node, Node]:
        return self.east, self.west

    def issue(self) -> Known:
        """A certificate that all doors call good."""
        number = next(self._numbers)
        reply = self._counter.issue(self.api, number, f"application-{number}")
        assert reply.status == 201, reply.body
        der = base64.b64decode(reply.body["certificates"][Kind.SIGNATURE.value])
        known = Known(der, (self.state.path / "certs" / "signature-g2.cer").read_bytes(), number)
        for node in self.nodes:
            await_word(node, "good", known)
        self.truth.known.append(known)
        return known

    def try_to_revoke(self, known: Known) -> Reply:
        known.asked = known.asked or monotonic()
        reply = self._counter.revoke(self.api, known.number, f"revocation-{known.number}")
        if reply.status == 200 and known.revoked is None:
            known.revoked = monotonic()
        return reply

    def revoke(self, known: Known) -> None:
        reply = self.try_to_revoke(known)
        assert reply.status == 200, reply.body
        assert self.api_says(known) == "revoked"

    def api_says(self, known: Known) -> str:
        try:
            return self._counter.status(self.api, known.der, known.issuer)
        except UNANSWERED:
            return "silence"

    def api_readiness(self) -> Reply:
        return self._counter.get(self.api, "/readyz")

    def await_revoked(self, known: Known) -> None:
        for node in self.nodes:
            await_word(node, "revoked", known)

    def await_well(self) -> None:
        for node in self.nodes:
            await_(node.is_well, f"{node.name} is well")
        await_(lambda: self.api_readiness().status == 200, "the API is ready")


def make_state(state: State, forks: Forks) -> None:
    """Found an authority that may be served on machines whose clocks are an hour behind, and open its doors."""
    found(forks, state, now() - _EARLIER)
    settings = state.path / "jpki.toml"
    text = settings.read_text().replace('access = "notified-verifiers"', 'access = "open"')
    text = text.replace("max_age_seconds = 5", f"max_age_seconds = {MAX_AGE:.0f}")
    settings.write_text(text.replace("poll_milliseconds = 250", "poll_milliseconds = 100"))
    acts = (
        act("enrol", code="132217", folder="kiyose"),
        act("load", numbers=list(range(1, RESIDENTS + 1))),
        act("publish"),
    )
    told = forks.run(state, *acts, now=now()).told
    assert not [facts for facts in told if "refusal" in facts], told


def make_node_state(state: State, folder: Path, url: str) -> Path:
    """What a status node needs of a state directory, and nothing else: no key but those that sign answers."""
    for name in ("certs", "profiles"):
        shutil.copytree(state.path / name, folder / name)
    for path in (*state.path.glob("keys/*-ocsp.pem"), state.path / "secrets" / "key-passphrase"):
        target = folder / path.relative_to(state.path)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy2(path, target)
    text = (state.path / "jpki.toml").read_text().replace(state.url, url)
    (folder / "jpki.toml").write_text(text.replace('"crl"', f'"{state.path / "crl"}"'))
    return folder


def address(database: str, *lines: Line) -> str:
    """As a node's settings say it: by one line, or by whichever leads to the primary."""
    hosts, ports = ",".join("127.0.0.1" for _ in lines), ",".join(str(line.port) for line in lines)
    more = "&target_session_attrs=primary" if len(lines) > 1 else ""
    return f"postgresql://{ROLE}@/{database}?host={hosts}&port={ports}{more}"


def make_role(server: PostgresServer, database: str) -> None:
    """The role of status nodes."""
    with server.connect(database) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(ROLE)))
        for statement in status_grants(ROLE):
            connection.execute(statement.encode())


@contextmanager
def nation_of(state: State, folder: Path) -> Iterator[Nation]:
    """Everything running; at the end nothing may have been said that was not so."""
    assert state.server
    make_role(state.server, state.database)
    server = state.server.folder
    with ExitStack() as stack:
        lines = {name: stack.enter_context(line_to(server)) for name in ("east", "west")}
        nodes: list[Node] = []
        for name, hours in (("east", 1), ("west", -1)):
            url = address(state.database, lines[name])
            node = Node(name, make_node_state(state, folder / name, url), timedelta(hours=hours))
            stack.callback(node.stop)
            node.start()
            nodes.append(node)
        program = (sys.executable, "-W", "error", "-m", "cli", "--state", str(state.path), "serve", "api")
        api = stack.enter_context(running(*program))
        truth = Truth({}, {"api": 0.0, "east": MAX_AGE, "west": MAX_AGE})
        caller = Caller(state.path / "kiyose")
        nation = Nation(state, state.server, api, nodes[0], nodes[1], lines, truth, caller, count(1))
        truth.doors = {"api": nation.api_says, **{node.name: node.says for node in nodes}}
        stack.enter_context(truth.asking())
        nation.await_well()
        yield nation
