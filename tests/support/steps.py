"""Steps of a process: named as they come, and before one of them the process is killed, or stands still."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event

from keys.software import SoftwareSigner
from store.engine import begin
from store.statements import Statements

_IN_FILES = ("mkdir", "fsync", "rename", "replace", "rmdir", "unlink")

DURABLE = ("commit", "sign", *_IN_FILES)
"""What leaves something behind, or goes out to a key store. Between two of these there is nothing to try."""

SHARED = ("begin", "sign")
"""Where another process may come in between: outside transactions, and inside, when locks are held."""


class Steps:
    """The steps taken so far, of the kinds that count (the first words of their names). Before step number `last` (from
    0) comes the `blow`: SIGKILL ends the process, from SIGSTOP it goes on when it is told to, and a disk that is full
    or may only be read stays so."""

    def __init__(self, kinds: Collection[str], last: int | None, blow: Callable[[], object]) -> None:
        self.taken: list[str] = []
        self._kinds = kinds
        self._last = last
        self._blow = blow

    def begin(self) -> None:
        """Nothing was done yet: before that comes the blow of step -1."""
        if self._last == -1:
            self._blow()

    def before(self, name: str) -> None:
        """The step of this name comes next."""
        if name.partition(" ")[0] in self._kinds:
            self._stop_here()
            self.taken.append(name)

    def returned(self) -> None:
        """All steps are taken, and whoever asked for them was answered."""
        self._stop_here()

    def _stop_here(self) -> None:
        if len(self.taken) == self._last:
            self._last = None
            self._blow()


@contextmanager
def watched(steps: Steps) -> Iterator[None]:
    """Meanwhile every transaction's beginning and commit, every signature, and every call that puts files and folders
    in place is a step."""
    load = SoftwareSigner.from_pem
    with ExitStack() as stack:
        for name in ("begin", "commit"):
            listener = partial(_heard, steps, name)
            event.listen(Engine, name, listener)
            stack.callback(event.remove, Engine, name, listener)
        # The schema is made by SQLAlchemy; units of work speak to the drivers.
        stack.enter_context(patch("store.statements.begin", _stepped(steps, "begin", begin)))
        stack.enter_context(patch.object(Statements, "commit", _stepped(steps, "commit", Statements.commit)))
        signers = staticmethod(lambda *arguments, **options: _SteppedSigner(load(*arguments, **options), steps))
        stack.enter_context(patch.object(SoftwareSigner, "from_pem", signers))
        for name in _IN_FILES:
            stack.enter_context(patch.object(os, name, _stepped(steps, name, getattr(os, name))))
        yield


def _heard(steps: Steps, name: str, _connection: object) -> None:
    steps.before(name)


class _SteppedSigner:
    def __init__(self, inner: SoftwareSigner, steps: Steps) -> None:
        self._inner = inner
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def sign(self, message: bytes | memoryview) -> bytes:
        self._steps.before("sign")
        return self._inner.sign(message)

    def sign_digest(self, digest: bytes) -> bytes:
        self._steps.before("sign")
        return self._inner.sign_digest(digest)


def _stepped(steps: Steps, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def stepped(*arguments: Any, **options: Any) -> Any:
        path = Path(arguments[0]) if isinstance(arguments[0], str | Path) else None
        if not (name == "mkdir" and path and path.exists()):
            steps.before(f"{name} {path.name if path else ''}".rstrip())
        return act(*arguments, **options)

    return stepped
