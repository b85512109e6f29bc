"""The machine and the programs a run was made with, without any name of the machine; and the pinning of processes."""

from __future__ import annotations

import os
import platform
import sqlite3
import ssl
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cryptography.hazmat.backends.openssl import backend

_PACKAGES = ("cryptography", "flask", "gunicorn", "sqlalchemy")
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
"""What is measured runs on one, what asks it on the other; on a machine of one core they are the same."""


def pin(*cores: int) -> None:
    """Keep this process, and those it starts, on these cores; the server's if none is named."""
    os.sched_setaffinity(0, cores or {SERVER_CORE})


def start(command: Sequence[str], *cores: int, **options: object) -> subprocess.Popen[bytes]:
    """A process kept on these cores, or on all."""
    chosen = cores or CORES
    return subprocess.Popen(command, preexec_fn=lambda: pin(*chosen), **options)  # type: ignore[call-overload,no-any-return]  # noqa: PLW1509


def describe(folder: Path) -> dict[str, Any]:
    """Processor, memory, versions; `folder` is where the databases lie."""
    return {
        "processor": _field(Path("/proc/cpuinfo"), "model name"),
        "cores": len(CORES),
        "memory_gib": round(int(_field(Path("/proc/meminfo"), "MemTotal").split()[0]) / 2**20),
        "virtual": "hypervisor" in _field(Path("/proc/cpuinfo"), "flags").split(),
        "file_system": _file_system(folder),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "openssl_of_cryptography": backend.openssl_version_text(),
        "openssl_of_python": ssl.OPENSSL_VERSION,
        "openssl_program": _output("openssl", "version"),
        "sqlite": sqlite3.sqlite_version,
        **{package: version(package) for package in _PACKAGES},
        "load_average_before": os.getloadavg()[0],
    }


def _field(path: Path, name: str) -> str:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown 0"


def _file_system(folder: Path) -> str:
    return _output("stat", "--file-system", "--format=%T", str(folder))


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
