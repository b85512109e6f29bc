"""A storm in small: everything at once, and nothing that is told is wrong."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.support.serving import ROOT


def test_in_a_storm_of_writers_strangers_and_killed_workers_nothing_told_is_wrong() -> None:
    options = ["--seconds", "8", "--connections", "3000", "--megabytes", "50", "--pairs", "120"]
    command = [sys.executable, "-m", "bench.storm", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr
    told = dict(re.findall(r"^(.+): (.+)$", done.stdout, re.MULTILINE))
    counts = {name: int(value.replace(",", "")) for name, value in told.items() if re.fullmatch(r"[\d,]+", value)}
    assert counts["heard good"] > 100
    assert counts["heard revoked"] > 10
    assert "heard unknown" not in counts
    assert counts["largest worker, MiB"] < 400
    assert told["healthy afterwards"] == "yes"
