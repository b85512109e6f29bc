"""`jpki top`: what the status service does now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from io import StringIO
from pathlib import Path
from socket import socket

import pytest
from rich.console import Console

from cli.top import Look, render
from config.settings import load
from config.signing import SECONDS, SigningCount
from domain.gauges import Gauge
from tests.support.serving import serving
from tests.support.terminal import Terminal, issue_pair
from web.metrics import Meter

SLOW = (*[0] * len(SECONDS), 3)
OVERDUE = Gauge(
    "jpki_lists_overdue", "Lists", (((("issuer", "authentication-g1"),), 3.0), ((("issuer", "signature-g1"),), 2.0))
)
BELIEVED = Gauge("jpki_status_model_believed", "1 while it is", (((), 0.0),))


@pytest.fixture
def terminal(terminal: Terminal) -> Terminal:
    """One whose status service has a port where nobody listens."""
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        terminal.change_settings("127.0.0.1:8080", f"127.0.0.1:{probe.getsockname()[1]}")
    return terminal


def test_it_shows_answers_times_and_ages(terminal: Terminal, tmp_path: Path) -> None:
    issue_pair(terminal, tmp_path / "pair")
    with serving("status", terminal.state):
        answered, stop = threading.Event(), threading.Event()
        asking = threading.Thread(target=_ask, args=(terminal.state, answered, stop))
        asking.start()
        assert answered.wait(60)
        done = terminal("top", "--once", "--interval", "1.5")
        stop.set()
        asking.join()
    assert done.code == 0, done.err
    shown = {cells[1].strip(): cells[2].strip() for cells in _cells(done.out)}
    assert float(shown["malformed-request"].replace(",", "")) > 0
    assert "status model last compared, seconds ago" in shown
    assert "lists overdue (alarm) signature-g1" in shown
    assert any(name.startswith("/ocsp") and "ms" in value for name, value in shown.items())


def test_without_a_service_it_says_what_to_start(terminal: Terminal) -> None:
    done = terminal("top", "--once")
    assert done.code == 1
    assert "jpki serve" in done.err


@pytest.mark.parametrize(
    ("missing", "words"),
    [pytest.param([], "ready", id="well"), pytest.param(["database"], "NOT READY: database", id="ill")],
)
def test_what_is_not_ready_stands_above(missing: list[str], words: str) -> None:
    assert str(render(Look(1.0), Look(2.0, missing=missing), "http://x").title).endswith(words)


def test_times_of_signatures_are_those_since_the_start() -> None:
    now, meter = Look(2.0), Meter(signed_elsewhere=lambda: [SigningCount("publisher", "lists", "rsa", SLOW, 9.0)])
    for seconds in (*[1e-5] * 60, *[1e-3] * 40):
        meter.signature("responder", "ec-p256", seconds)
    now.read(meter.exposition().decode())
    console = Console(width=120, record=True, file=StringIO())
    console.print(render(Look(1.0), now, "http://x"))
    shown = {cells[1].strip(): cells[2].strip() for cells in _cells(console.export_text())}
    assert shown["signatures, responder ec-p256: half, 99 in 100 within"] == "0.02 ms, 1 ms"
    assert shown["signatures, lists rsa elsewhere: half, 99 in 100 within"] == "longer, longer"


def test_alarms_stand_first_in_a_terminal_of_few_rows() -> None:
    now, meter = Look(2.0), Meter(gauges=lambda: [OVERDUE, BELIEVED])
    for outcome in ("good", "revoked", "unknown", "try-later"):
        meter.ocsp_answer(outcome)
    now.read(meter.exposition().decode())
    console = Console(width=100, record=True, file=StringIO())
    console.print(render(Look(1.0), now, "http://127.0.0.1:8080"))
    shown = "\n".join(console.export_text().splitlines()[:7])
    cells = {row[1].strip(): row[2].strip() for row in _cells(shown)}
    assert (cells["ALARM: lists overdue"], cells["ALARM: status model believed"]) == ("5", "0")


def _ask(state: Path, answered: threading.Event, stop: threading.Event) -> None:
    host, _, port = load(state).status.bind.rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=60)
    while not stop.wait(0.01):
        connection.request("POST", "/ocsp", b"nonsense", {"Content-Type": "application/ocsp-request"})
        connection.getresponse().read()
        answered.set()
    connection.close()


def _cells(table: str) -> Iterator[list[str]]:
    yield from (cells for line in table.splitlines() if len(cells := line.replace("┃", "│").split("│")) == 4)
