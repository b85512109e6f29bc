"""Servers in processes of their own, on loopback, for as long as a test needs them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import IO, Any

from web.server import Service

ROOT = Path(__file__).parents[2]
_LISTENING = re.compile(r"Listening at: https?://(?P<host>[^:]+):(?P<port>\d+)")


@dataclass
class Served:
    """A running server: its main process, where it listens, and the lines it has logged so far (JSON objects)."""

    process_id: int
    scheme: str
    host: str
    port: int
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    def workers(self) -> list[int]:
        """The processes that do the work."""
        children = Path(f"/proc/{self.process_id}/task/{self.process_id}/children").read_text()
        return [int(child) for child in children.split()]

    @property
    def log(self) -> str:
        return "\n".join(json.dumps(line, ensure_ascii=False) for line in self.lines)


@contextmanager
def serving(service: Service, state: Path) -> Iterator[Served]:
    """A service of an initialised state directory, listening where its settings say (port 0: any free port)."""
    program = "import sys, pathlib, web.server as s; s.serve(sys.argv[1], pathlib.Path(sys.argv[2]))"
    with running(sys.executable, "-c", program, service, str(state)) as served:
        yield served


@contextmanager
def running(*command: str) -> Iterator[Served]:
    """A server program of this project. It is told to stop at the end, and everything it logged is then in `lines`."""
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    reader: Thread | None = None
    try:
        served = _await_listening(process.pid, process.stderr)
        reader = Thread(target=_read, args=(process.stderr, served.lines), daemon=True)
        reader.start()
        yield served
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if reader is not None:
            reader.join(timeout=10)
        process.stderr.close()


def _await_listening(process_id: int, stderr: IO[str]) -> Served:
    """From here on connections are taken: the system keeps them until a worker is ready."""
    said: list[str] = []
    for line in stderr:
        said.append(line)
        found = _LISTENING.search(line)
        if found:
            scheme = "https" if "https://" in line else "http"
            return Served(process_id, scheme, found["host"], int(found["port"]))
    raise AssertionError("the server did not start: " + "".join(said))


def _read(stderr: IO[str], lines: list[dict[str, Any]]) -> None:
    lines.extend(json.loads(line) if line.startswith("{") else {"event": line} for line in stderr)
