"""`jpki serve` of a state directory, as a machine runs it: started, asked whether it is ready, and its log read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from ssl import create_default_context
from time import monotonic, sleep
from typing import Any

from bench import machine
from bench.service import ROOT
from config.settings import Settings

PATIENCE = 180.0
"""Seconds for everything to be well again by itself."""


@contextmanager
def supervised(settings: Settings, log: Path) -> Iterator[int]:
    """All programs of it, ready; the supervisor's process. What they log of bugs goes to standard error at the end,
    however that comes."""
    command = [sys.executable, "-m", "cli", "--state", str(settings.state), "serve"]
    try:
        with log.open("ab") as into, machine.start(command, cwd=ROOT, stdout=into, stderr=subprocess.STDOUT) as process:
            try:
                await_ready(settings)
                yield process.pid
            finally:
                process.terminate()
    finally:
        for line in bugs_in(log):
            print(line, file=sys.stderr)


def bugs_in(log: Path) -> list[str]:
    """Lines with the place of a fault of ours, or with what the database said of it."""
    lines = log.read_text(errors="replace").splitlines()
    return [line for line in lines if '"trace"' in line or "the database refused a statement" in line]


def await_ready(settings: Settings) -> float:
    """Seconds until both services say that all of their parts are well."""
    begun = monotonic()
    for service in ("status", "api"):
        while readiness(settings, service)[0] != 200:
            if monotonic() - begun > PATIENCE:
                return float("inf")
            sleep(0.25)
    return monotonic() - begun


def readiness(
    settings: Settings, service: str, path: str = "/readyz", patience: float = 30.0
) -> tuple[int, dict[str, Any]]:
    """What a service says of itself; (0, {}) where it says nothing for `patience` seconds."""
    door: HTTPConnection
    if service == "api":
        context = create_default_context(cafile=settings.transport.authority_certificate)
        door = HTTPSConnection(settings.api.bind, timeout=patience, context=context)
    else:
        door = HTTPConnection(settings.status.bind, timeout=patience)
    try:
        door.request("GET", path)
        response = door.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, HTTPException, ValueError):
        return 0, {}
    finally:
        door.close()
