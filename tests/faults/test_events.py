"""A mass event in small: killed in the middle, gone on with, and right throughout."""

from __future__ import annotations

import subprocess
import sys

from tests.support.serving import ROOT


def test_a_merger_that_is_killed_in_the_middle_is_done_whole_and_right_throughout() -> None:
    options = ["--residents", "1100", "--act", "merge", "--engine", "sqlite", "--calm", "1"]
    command = [sys.executable, "-m", "bench.events", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sqlite merge: 3 steps" in done.stdout
    lines = (line.partition(": ") for line in done.stdout.splitlines() if line.startswith("events-sqlite-merge-"))
    told = {name.removeprefix("events-sqlite-merge-"): value.split()[0] for name, _, value in lines}
    assert int(told["asked"].partition(".")[0].replace(",", "")) > 20
    assert [told[name] for name in ("wrong", "unlisted", "missing", "faults")] == ["0.00"] * 4
