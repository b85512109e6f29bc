"""Load by wrk: quick enough to keep a server busy from one core, every answer looked at."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from bench.load import Outcome
from bench.machine import LOAD_CORE, start

_SCRIPT = Path(__file__).with_name("wrk.lua")


def run_wrk(port: int, requests: Path, seconds: float, connections: int = 16) -> Outcome:
    """Requests of a file of `write_requests`, sent from the other core. Raises RuntimeError when an answer was not what
    it should be."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}", "-s", str(_SCRIPT), f"http://127.0.0.1:{port}/"]
    environment = {**os.environ, "REQUESTS": str(requests)}
    process = start(command, LOAD_CORE, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, said = process.communicate(timeout=seconds + 30)
    found = json.loads(said)
    if process.returncode or found["wrong"] or not found["answers"]:
        raise RuntimeError(f"wrk: {said.decode()}")
    return Outcome(found["answers"] / found["seconds"], found["answers"], found["p50_ms"], found["p99_ms"])
