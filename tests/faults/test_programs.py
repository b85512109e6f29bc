"""The programs of `jpki serve` while their disk is full or their database away: none ends, each says how it is, and
all go on by themselves."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from ca.batches import take_batch
from config.assemble import assemble
from config.batching import make_batching
from domain.parties import LOCAL_OPERATOR
from tests.support.applications import as_line
from tests.support.authority import make_application
from tests.support.faults import ROOT, Forks, State, act, now
from tests.support.serving import Served, serving
from web.batches import read_line

PATIENCE = 120.0


class Program:
    """`jpki serve` of one service, and what it has logged."""

    def __init__(self, state: State, *words: str) -> None:
        command = [sys.executable, "-m", "cli", "--state", str(state.path), "serve", *words]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        self.lines.extend(self.process.stderr)

    def said(self, text: str, since: int = 0) -> Callable[[], bool]:
        return lambda: any(text in line for line in self.lines[since:])

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self._reader.join(30)
        assert self.process.stderr
        self.process.stderr.close()


@contextmanager
def full_disk(processes: list[int]) -> Iterator[None]:
    """None of them may write into a file any more."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for process in processes:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (0, hard))
    yield
    for process in processes:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def crashed(state: State) -> Iterator[None]:
    assert state.server
    state.server.stop(crash=True)
    try:
        yield
    finally:
        state.server.start()


def until(done: Callable[[], bool]) -> None:
    end = monotonic() + PATIENCE
    while not done():
        assert monotonic() < end
        sleep(0.05)


def get(served: Served, path: str) -> tuple[int, Any]:
    connection = HTTPConnection(served.host, served.port, timeout=30)
    with closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def word(served: Served, state: State, certificate: bytes) -> str:
    """What OCSP says."""
    issuer = x509.load_der_x509_certificate((state.path / "certs" / "signature-g2.cer").read_bytes())
    subject = x509.load_der_x509_certificate(certificate)
    octets = ocsp.OCSPRequestBuilder().add_certificate(subject, issuer, hashes.SHA1()).build()  # noqa: S303
    connection = HTTPConnection(served.host, served.port, timeout=30)
    with closing(connection):
        headers = {"Content-Type": "application/ocsp-request"}
        connection.request("POST", "/ocsp", octets.public_bytes(Encoding.DER), headers)
        answer = ocsp.load_der_ocsp_response(connection.getresponse().read())
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return answer.response_status.name.lower()
    return answer.certificate_status.name.lower()


def certificate_of(state: State) -> bytes:
    """The signing certificate of the first pair."""
    with closing(assemble(state.path)) as services, services.begin(write=False) as work:
        (der,) = (row.der for row in work.certificates.all() if row.issuer == "signature-g2")
    return bytes(der)


def test_programs_outlast_their_disk_or_database(engine: str, opened: State, forks: Forks, tmp_path: Path) -> None:
    with opened.copied(tmp_path / "state") as state, ExitStack() as stack:
        assert "refusal" not in forks.run(state, act("issue", number=1, key="first"), now=now()).told[0]
        certificate = certificate_of(state)
        served = stack.enter_context(serving("status", state.path))
        programs = [Program(state, "publisher"), Program(state, "batches")]
        for program in programs:
            stack.callback(program.close)
        publisher, batches = programs
        until(lambda: word(served, state, certificate) == "good")
        until(lambda: get(served, "/readyz")[0] == 200)
        revoke = act("revoke", number=1, key="second")

        def send_batch(name: str) -> None:
            with closing(assemble(state.path)) as services:
                take_batch(make_batching(services, read_line), LOCAL_OPERATOR, name, as_line(make_application()))

        begin = act("issue", number=2, key="third"), act("revoke", number=2, key="fourth")
        assert not [told for told in forks.run(state, *begin, now=now()).told if "refusal" in told]
        send_batch("so that it has begun")
        until(publisher.said("published a list"))
        until(batches.said("worked on batches"))
        numbers = [program.process.pid for program in programs]
        since = len(publisher.lines), len(batches.lines)
        with full_disk([*numbers, *served.workers()]) if engine == "sqlite" else crashed(state):
            if engine == "sqlite":
                assert "refusal" not in forks.run(state, revoke, now=now()).told[0]
                # Who revoked is none of this node, so it is told from the feed, or when the model is too old.
                until(lambda: word(served, state, certificate) in ("revoked", "try_later"))
                send_batch("while there is no room")
            else:
                for worker in served.workers():
                    os.kill(worker, signal.SIGKILL)
                until(lambda: "the status service starts without the database" in served.log)
            until(publisher.said("store-unavailable", since[0]))
            until(batches.said("store-unavailable", since[1]))
            status, said = get(served, "/readyz")
            assert (status, said["parts"]["disk" if engine == "sqlite" else "database"]) == (503, False)
            assert get(served, "/healthz")[0] == 200
        if engine == "postgresql":
            assert "refusal" not in forks.run(state, revoke, now=now()).told[0]
            send_batch("when it is back")
        until(lambda: word(served, state, certificate) == "revoked")
        until(publisher.said("published a list", since[0]))
        until(batches.said("worked on batches", since[1]))
        until(lambda: get(served, "/readyz")[0] == 200)
        assert [program.process.poll() for program in programs] == [None, None]
        os.kill(served.process_id, 0)
        facts = forks.run(state, act("judge"), now=now()).told[0]
        assert facts["faults"] == []
