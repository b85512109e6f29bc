"""The supervisor: what becomes of the services when it dies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

ROOT = Path(__file__).parents[2]
SUPERVISOR = """
import subprocess, sys, time
from cli.supervisor import _become_a_service
service = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], preexec_fn=_become_a_service)
print(service.pid, flush=True)
time.sleep(60)
"""


def lives(pid: int) -> bool:
    """Whether the process is there and not merely waiting for somebody to read its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


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
