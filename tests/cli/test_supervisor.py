"""`jpki serve`: the services run, come back when they die, take up new certificates, and end together."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import IO
from unittest.mock import Mock, patch

import pytest

from ca.batches import results_of, take_batch
from cli import supervisor
from config.assemble import assemble, system_clock, system_random
from config.batching import make_batching
from config.initialise import initialise
from config.renewal import renew_due
from config.settings import load
from domain.errors import Code
from domain.parties import LOCAL_OPERATOR
from tests.support.applications import as_line
from tests.support.authority import make_application
from tests.support.serving import ROOT
from tests.support.terminal import Terminal
from web.batches import read_line

SUPERVISOR = """
import subprocess, sys, time
from cli.supervisor import _become_a_service
service = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], preexec_fn=_become_a_service)
print(service.pid, flush=True)
time.sleep(60)
"""
"""A supervisor that starts one service, which only sleeps, and says which process it is."""

TELLER = """
from pathlib import Path
from types import SimpleNamespace
from cli import supervisor
child = supervisor._Child("api", SimpleNamespace(poll=lambda: 1, returncode=1), 0.0)
supervisor._revive(child, Path())
print("goes on" if child.again_at else "does not")
"""
"""A supervisor that finds a service dead, and says so where its errors go."""


@dataclass
class Running:
    """A `jpki serve` and the lines it writes."""

    process: subprocess.Popen[str]
    lines: IO[str]
    seen: list[str] = field(default_factory=list)

    def read_until(self, *texts: str) -> str:
        """Read on until each of `texts` has been in a line; the line with the last of them."""
        missing = list(texts)
        for line in self.lines:
            self.seen.append(line)
            missing = [text for text in missing if text not in line]
            if not missing:
                return line
        raise AssertionError(f"it ended before it said {missing}: {''.join(self.seen)}")

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@contextmanager
def serving(state: Path, *words: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "--state", str(state), "serve", *words],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    try:
        yield Running(process, process.stderr)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """An authority by the machine's clock, with one worker for each service, on ports that are free."""
    state = tmp_path / "state"
    initialise(
        state,
        api=f"127.0.0.1:{free_port()}",
        status=f"127.0.0.1:{free_port()}",
        template=None,
        clock=system_clock,
        random=system_random,
        on_step=lambda _step: None,
    )
    text = (state / "jpki.toml").read_text("utf-8").replace("workers = 2", "workers = 1")
    (state / "jpki.toml").write_text(text.replace("poll_seconds = 2", "poll_seconds = 1"), "utf-8")
    return state


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def lives(pid: int) -> bool:
    """Whether the process is there and not merely waiting for somebody to read its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def main_process(line: str) -> int:
    """The number in gunicorn's line that says where it listens."""
    return int(line.rpartition("(")[2].partition(")")[0])


def served_certificate(state: Path) -> str | None:
    """What the API shows in the TLS handshake; None when it is a worker about to leave that took the connection."""
    host, _, port = load(state).api.bind.rpartition(":")
    try:
        return ssl.get_server_certificate((host, int(port)))
    except ConnectionError:
        return None


def test_the_services_run_come_back_reload_and_end_together(state: Path) -> None:
    with serving(state) as running:
        api, status = "Listening at: https://", "Listening at: http://"
        running.read_until(api, status, "signature-g2/ca.crl", "Booting worker")
        listening = {text: next(line for line in running.seen if text in line) for text in (api, status)}

        os.kill(main_process(listening[status]), signal.SIGKILL)
        running.read_until("status ended with -9; again in 1 s")
        again = running.read_until(status)
        running.read_until("Booting worker")
        assert main_process(again) != main_process(listening[status])

        services = assemble(state)
        assert len(renew_due(services, everyone=True)) == 6
        services.close()
        running.read_until("Hang up: Master")
        running.read_until("Hang up: Master")
        renewed = (state / "certs" / "api-server.pem").read_text()
        deadline = monotonic() + 20
        while served_certificate(state) != renewed and monotonic() < deadline:
            sleep(0.1)
        assert served_certificate(state) == renewed

        running.tell(signal.SIGHUP)
        running.read_until("Hang up: Master")
        running.read_until("Hang up: Master")

        running.tell(signal.SIGTERM)
        assert running.process.wait(timeout=30) == 0
        for line in (listening[api], again):
            with pytest.raises(ProcessLookupError):
                os.kill(main_process(line), 0)


def test_services_end_with_a_supervisor_that_was_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        service = int(supervisor.stdout.readline())
        assert lives(service)
        supervisor.kill()
    deadline = monotonic() + 20
    while lives(service) and monotonic() < deadline:
        sleep(0.05)
    assert not lives(service)


def test_the_publisher_reads_its_settings_again_when_told(state: Path) -> None:
    settings = (state / "jpki.toml").read_text("utf-8")
    with serving(state, "publisher") as running:
        running.read_until("signature-g2/ca.crl")
        (state / "jpki.toml").write_text("nonsense", "utf-8")
        running.tell(signal.SIGHUP)
        told = json.loads(running.read_until("the settings have faults; those read before stay in force"))
        assert told["why"].startswith("jpki.toml: ")
        (state / "jpki.toml").write_text(settings.replace('"crl"\nlifetime', '"elsewhere"\nlifetime'), "utf-8")
        running.tell(signal.SIGHUP)
        running.read_until("signature-g2/ca.crl")
        assert (state / "elsewhere" / "signature-g2" / "ca.crl").exists()
        running.tell(signal.SIGTERM)
        assert running.process.wait(timeout=30) == 0


def test_a_worker_on_batches_reads_its_settings_again_and_ends_when_told(state: Path) -> None:
    with serving(state, "batches", "--slot", "1") as running:
        with closing(assemble(state)) as services:
            batching = make_batching(services, read_line)
            taken = take_batch(batching, LOCAL_OPERATOR, "of-bad-lines", as_line(make_application()))
            running.read_until("worked on batches")
            (result,) = results_of(batching, LOCAL_OPERATOR, taken.batch.id)
            assert result.item.refusal is not None
            assert result.item.refusal.code is Code.UNKNOWN_RESIDENT
        (state / "jpki.toml").write_text("nonsense", "utf-8")
        running.tell(signal.SIGHUP)
        running.read_until("the settings have faults; those read before stay in force")
        running.tell(signal.SIGTERM)
        assert running.process.wait(timeout=30) == 0


def test_a_service_does_not_start_over_a_database_of_another_version(state: Path) -> None:
    (state / "jpki.db").write_bytes(b"")
    with serving(state, "status") as running:
        running.read_until("the database has no tables of this program")
        assert running.process.wait(timeout=30) == 3
    with serving(state, "publisher") as running:
        running.read_until("The configuration has faults:")
        running.read_until("database: the database has no tables of this program")
        assert running.process.wait(timeout=30) == 2


def test_serving_begins_with_a_look_at_the_whole_configuration(terminal: Terminal) -> None:
    (terminal.state / "keys" / "signature-g1.pem").unlink()
    (terminal.state / "profiles" / "ca-p384.toml").write_text("[[")
    with patch("cli.serve.supervise") as supervise:
        said = terminal("serve")
    assert said.code == 2
    assert "signature-g1.pem cannot be read" in said.err
    assert "ca-p384.toml: " in said.err
    supervise.assert_not_called()


class Time:
    """Seconds that pass when they are told to."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


def test_a_service_that_keeps_dying_is_started_later_and_later() -> None:
    time = Time()
    dead = Mock(poll=Mock(return_value=1), returncode=1)
    child = supervisor._Child("api", dead, time.now)
    waits = []
    with (
        patch("cli.supervisor.time", time),
        patch("cli.supervisor._start", lambda name, _state: supervisor._Child(name, dead, time.now)),
    ):
        for _ in range(8):
            died = time.now
            supervisor._revive(child, Path())
            while child.again_at is not None:
                time.now += 0.5
                supervisor._revive(child, Path())
            waits.append(time.now - died)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_service_that_ran_for_a_minute_is_started_soon_again() -> None:
    time = Time()
    alive = Mock(poll=Mock(return_value=None))
    child = supervisor._Child("api", alive, time.now, wait=30.0)
    with patch("cli.supervisor.time", time):
        supervisor._revive(child, Path())
        assert child.wait == 30
        time.now += 61
        supervisor._revive(child, Path())
    assert child.wait == 1


def test_a_log_without_room_does_not_end_the_supervisor() -> None:
    with Path("/dev/full").open("wb") as log:
        command = [sys.executable, "-c", TELLER]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, check=False)
    assert done.stdout == "goes on\n"


def test_a_service_that_does_not_end_is_ended() -> None:
    stubborn = Mock(poll=Mock(return_value=None), wait=Mock(side_effect=[subprocess.TimeoutExpired("api", 30), 0]))
    supervisor._end([supervisor._Child("api", stubborn, 0.0)])
    assert [call[0] for call in stubborn.method_calls] == ["poll", "terminate", "wait", "kill", "wait"]
