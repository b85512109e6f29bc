"""The status service as a real server that is killed under load: every answer that left is on record, sealed."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest
from cryptography.x509 import ocsp

from config.assemble import assemble, system_clock, system_random
from config.initialise import initialise
from config.inspection import filing_of
from domain.certificates import Issuer, IssuerId
from oversight.reconcile import reconcile
from provisions.entries import read_entries
from provisions.filing import file_due
from provisions.tags import open_epoch, open_line, tag_of
from tests.support.people import serial_of
from tests.support.responder import make_cert_id, make_ocsp_request
from tests.support.serving import Served, serving

ISSUER = IssuerId("signature-g1")
CLIENTS = 4
ENOUGH = 300
"""Answers after which the workers are killed."""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("provisions") / "state"
    initialise(
        state,
        api="127.0.0.1:0",
        status="127.0.0.1:0",
        template=None,
        clock=system_clock,
        random=system_random,
        on_step=lambda _step: None,
    )
    path = state / "jpki.toml"
    path.write_text(path.read_text("utf-8").replace('access = "notified-verifiers"', 'access = "open"'), "utf-8")
    return state


class Client:
    """Asks about one serial after the other, and keeps those that were answered."""

    def __init__(self, served: Served, issuer: Issuer, number: int) -> None:
        self.answered: list[bytes] = []
        self.unanswered = 0
        self._served, self._issuer, self._number = served, issuer, number
        self._thread = Thread(target=self._ask)
        self._stop = False
        self._thread.start()

    def stop(self) -> None:
        self._stop = True
        self._thread.join()

    def _ask(self) -> None:
        connection = HTTPConnection(self._served.host, self._served.port, timeout=10)
        count = 0
        while not self._stop:
            serial = serial_of(f"client {self._number} asks {count}")
            count += 1
            try:
                connection.request("POST", "/ocsp", make_ocsp_request(make_cert_id(serial, self._issuer)))
                body = connection.getresponse().read()
                assert ocsp.load_der_ocsp_response(body).response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
            except (OSError, HTTPException, ValueError):
                self.unanswered += 1
                connection.close()
            else:
                self.answered.append(serial.octets)
        connection.close()


def until(condition: object, clients: list[Client], count: int) -> None:
    deadline = monotonic() + 60
    while sum(len(client.answered) for client in clients) < count:
        assert monotonic() < deadline, condition


@pytest.fixture(scope="module")
def answered(state: Path) -> list[bytes]:
    """The serials about which an answer left, before and after all workers were killed at once."""
    with closing(assemble(state)) as services:
        issuer = services.issuers[ISSUER]
    with serving("status", state) as served:
        clients = [Client(served, issuer, number) for number in range(CLIENTS)]
        try:
            until("there are answers", clients, ENOUGH)
            for worker in served.workers():
                os.kill(worker, signal.SIGKILL)
            until("there are answers again", clients, 2 * ENOUGH)
        finally:
            for client in clients:
                client.stop()
    assert sum(client.unanswered for client in clients) > 0
    return [serial for client in clients for serial in client.answered]


@pytest.fixture(scope="module")
def filed(state: Path, answered: list[bytes]) -> tuple[int, int]:
    """How many segments and records were filed."""
    with closing(assemble(state)) as services:
        return file_due(filing_of(services))


def test_every_answer_that_left_is_in_the_ledger_and_little_more(
    state: Path, answered: list[bytes], filed: tuple[int, int]
) -> None:
    with closing(assemble(state)) as services:
        filing = filing_of(services)
        segments, records = filed
        assert segments >= 2
        assert len(answered) <= records <= len(answered) + 2 * CLIENTS
        found = set()
        with services.begin(write=False) as work:
            for epoch, sealed in work.provisions.epochs().items():
                key = open_epoch(filing.master, epoch, sealed)
                for serial in answered:
                    subject = (ISSUER, serial)
                    for line in work.provisions.lines(epoch, [tag_of(key, subject)]):
                        (entry,) = read_entries(open_line(key, subject, line.sealed))
                        assert (entry.party, entry.answered) == (None, "unknown")
                        assert abs((datetime.now(UTC) - entry.at).total_seconds()) < 600
                        found.add(serial)
        assert found == set(answered)
        assert [finding.text for finding in reconcile(services.inspection()) if finding.area == "provisions"] == []


def test_no_serial_is_in_clear_in_segments_database_or_settings(
    state: Path, answered: list[bytes], filed: tuple[int, int]
) -> None:
    """Raw, in hex and in decimal; a wrong search would find nothing, so it is shown to find what is there."""
    assert filed[1]
    files = [path for path in state.rglob("*") if path.is_file() and "status-model" not in path.parts]
    everything = b"\0".join(path.read_bytes() for path in files)
    assert any(path.suffix == ".provisions" for path in files)
    assert b"provisions-filed" in everything
    for serial in answered[:200]:
        for form in (
            serial,
            serial.hex().encode(),
            serial.hex().upper().encode(),
            str(int.from_bytes(serial)).encode(),
        ):
            assert form not in everything
