"""The supervisor: starts the services, restarts what dies, passes signals on, reloads when certificates change."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

SERVICES = ("api", "status", "publisher")
LONGEST_WAIT = 30.0
"""Seconds before a service that keeps dying is started again."""

_HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LOOK = 0.5
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PATIENCE = 30.0
_STEADY = 60.0


@dataclass(slots=True)
class _Child:
    """A service and its process; `again_at` is when a dead one is started again, `wait` how long the next time."""

    name: str
    process: subprocess.Popen[bytes]
    started: float
    wait: float = 1.0
    again_at: float | None = None


def supervise(state: Path, watched: Iterable[Path], workers: int = 1) -> None:
    """Run all services, and `workers` on batches, until SIGTERM or SIGINT. SIGHUP, or a change of a `watched` file,
    makes them read settings, keys and certificates again."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    files = tuple(watched)
    seen = _stamps(files)
    children: list[_Child] = []
    try:
        names = (*SERVICES, *(f"batches --slot {slot}" for slot in range(workers)))
        children += (_start(name, state) for name in names)
        while True:
            heard = signal.sigtimedwait(_HEARD, _LOOK)
            if heard and heard.si_signo != signal.SIGHUP:
                break
            stamps = _stamps(files)
            if heard or stamps != seen:
                seen = stamps
                _reload(children)
            for child in children:
                _revive(child, state)
    finally:
        _end(children)


def _start(name: str, state: Path) -> _Child:
    command = [sys.executable, "-m", "cli", "--state", str(state), "serve", *name.split()]
    return _Child(name, subprocess.Popen(command, preexec_fn=_become_a_service), time.monotonic())  # noqa: PLW1509


def end_with_parent() -> None:
    """In a child before it runs its program: it will be told to end when its parent dies, even by SIGKILL, so that
    nothing is left behind on a port."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _become_a_service() -> None:
    """In the child: it ends with the supervisor. SIGHUP means nothing to it until it listens for it, so that no reload
    ends one that is still starting; other signals are heard, though the supervisor holds them back for itself."""
    end_with_parent()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)


def _revive(child: _Child, state: Path) -> None:
    now = time.monotonic()
    if child.process.poll() is None:
        if now - child.started > _STEADY:
            child.wait = 1.0
        return
    if child.again_at is None:
        with suppress(OSError):  # a log without room must not end all services
            click.echo(f"{child.name} ended with {child.process.returncode}; again in {child.wait:.0f} s", err=True)
        child.again_at = now + child.wait
        child.wait = min(child.wait * 2, LONGEST_WAIT)
    elif now >= child.again_at:
        successor = _start(child.name, state)
        child.process, child.started, child.again_at = successor.process, successor.started, None


def _reload(children: Iterable[_Child]) -> None:
    for child in children:
        if child.process.poll() is None:
            child.process.send_signal(signal.SIGHUP)


def _end(children: Iterable[_Child]) -> None:
    alive = [child.process for child in children if child.process.poll() is None]
    for process in alive:
        process.terminate()
    deadline = time.monotonic() + _PATIENCE
    for process in alive:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _stamps(files: Iterable[Path]) -> list[int]:
    """When each file was changed, in nanoseconds; 0 for one that is not there."""
    return [file.stat().st_mtime_ns if file.exists() else 0 for file in files]
