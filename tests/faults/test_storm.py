"""A storm in small: everything at once, and nothing that is told is wrong."""

from __future__ import annotations

import subprocess
import sys

from tests.support.serving import ROOT


def test_in_a_storm_of_clerks_strangers_and_killed_processes_nothing_told_is_wrong() -> None:
    command = [sys.executable, "-m", "bench.storm", "--seconds", "8", "--share", "0.01"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (line.partition(": ") for line in done.stdout.splitlines() if line.startswith("storm-sqlite-"))
    told = {name.removeprefix("storm-sqlite-"): float(value) for name, _, value in lines}
    assert (told["issued"], told["revoked"]) == (31, 8)
    assert told["heard-good"] > 100
    assert told["heard-revoked"] > 10
    assert "heard-unknown" not in told
    assert told["lists"] > 0
    assert told["verified"] > 0
    assert told["killed-status-worker"] == 1
    assert told["memory"] < 400
    assert told["wrong"] == told["faults"] == told["unlisted"] == 0
