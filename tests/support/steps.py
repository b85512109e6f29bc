"""Durable steps of a process: named as they come, and before one of them the process is killed, or stands still."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event

from keys.software import SoftwareSigner

_FILE_STEPS = ("mkdir", "fsync", "rename", "replace", "rmdir", "unlink")


class Steps:
    """The steps taken so far. Before step number `last` (from 0) the process sends itself `sign`: SIGKILL ends it,
    from SIGSTOP it goes on when it is told to. What lies between two steps leaves nothing behind, so that all there is
    to try is to stop before each of them, and after the last."""

    def __init__(self, last: int | None = None, sign: int = signal.SIGKILL) -> None:
        self.taken: list[str] = []
        self._last = last
        self._sign = sign

    def before(self, name: str) -> None:
        """The step of this name comes next."""
        self._stop_here()
        self.taken.append(name)

    def returned(self) -> None:
        """All steps are taken, and whoever asked for them was answered."""
        self._stop_here()

    def _stop_here(self) -> None:
        if len(self.taken) == self._last:
            self._last = None
            os.kill(os.getpid(), self._sign)


@contextmanager
def watched(steps: Steps) -> Iterator[None]:
    """Meanwhile every commit, every signature, and every call that puts files and folders in place is a step."""

    def before_commit(_connection: object) -> None:
        steps.before("commit")

    load = SoftwareSigner.from_pem
    event.listen(Engine, "commit", before_commit)
    with ExitStack() as stack:
        stack.callback(event.remove, Engine, "commit", before_commit)
        signers = staticmethod(lambda *arguments: _SteppedSigner(load(*arguments), steps))
        stack.enter_context(patch.object(SoftwareSigner, "from_pem", signers))
        for name in _FILE_STEPS:
            stack.enter_context(patch.object(os, name, _stepped(steps, name, getattr(os, name))))
        yield


class _SteppedSigner:
    def __init__(self, inner: SoftwareSigner, steps: Steps) -> None:
        self._inner = inner
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def sign(self, message: bytes) -> bytes:
        self._steps.before("sign")
        return self._inner.sign(message)


def _stepped(steps: Steps, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def stepped(*arguments: Any, **options: Any) -> Any:
        path = Path(arguments[0]) if isinstance(arguments[0], str | Path) else None
        if not (name == "mkdir" and path and path.exists()):
            steps.before(f"{name} {path.name if path else ''}".rstrip())
        return act(*arguments, **options)

    return stepped
