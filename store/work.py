"""Units of work: one transaction over all repositories, and the one way to begin it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from domain.code_keys import CodeKeyWatch
from domain.errors import Code, Refusal
from domain.ports import Signer
from store.applications import Applications
from store.batches import Batches
from store.certificates import Certificates
from store.changes import Changes
from store.code_keys import CodeKeys
from store.detection import Detection
from store.engine import LOCK_WAIT, open_reader, open_writer
from store.handles import Handles
from store.holds import Holds
from store.lists import Lists
from store.mass import Mass
from store.notices import Notices
from store.parties import Parties
from store.proposals import Proposals
from store.provisions import Provisions
from store.residents import Residents
from store.revocations import Revocations
from store.statements import Statements
from store.status_changes import StatusChanges
from store.tracers import Tracers
from store.trail import Trail
from store.turns import Turns
from store.validations import Validations
from store.vetting import Vettings


class SqlUnitOfWork:
    """`domain.ports.UnitOfWork`, from entering the block to leaving it.

    Writers are one after the other: each begins by locking the audit head (on SQLite the whole file), so what one
    reads nobody changes before it commits. A commit that fails may have happened: repeat with the same idempotency key.
    """

    def __init__(
        self,
        engine: Engine,
        signer: Signer | None,
        write: bool,
        keys: CodeKeyWatch | None,
        on_change: Callable[[], object],
        register_changing: Callable[[], AbstractContextManager[object]],
        turn: AbstractContextManager[object],
        *,
        lasting: bool = True,
    ) -> None:
        self._engine = engine
        self._turn = turn
        self._signer = signer
        self._write = write
        self._lasting = lasting
        self._keys = keys
        self._on_change = on_change
        self._register_changing = register_changing
        self._new_keys = False

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            opened.enter_context(self._turn)
            self._open(opened)
            self._opened = opened.pop_all()
        return self

    def _open(self, opened: ExitStack) -> None:
        self._statements = statements = Statements(self._engine, self._write, self._lasting)
        opened.callback(statements.close)
        self.lists = Lists(statements)
        self.batches = Batches(statements)
        self.code_keys = CodeKeys(statements)
        self.residents = Residents(statements, self._not_found)
        self.notices = Notices(statements)
        self.applications = Applications(statements)
        self.status_changes = StatusChanges(statements)
        self.certificates = Certificates(statements, self.lists, self.status_changes)
        self.revocations = Revocations(statements, self.lists, self.status_changes)
        self.changes = Changes(statements)
        self.mass = Mass(statements)
        self.holds = Holds(statements, self.lists, self.status_changes)
        self.handles = Handles(statements)
        self.tracers = Tracers(statements)
        self.parties = Parties(statements)
        self.proposals = Proposals(statements)
        self.vettings = Vettings(statements)
        self.validations = Validations(statements)
        self.provisions = Provisions(statements)
        self.detection = Detection(statements)
        self.audit = Trail(statements, self._signer)
        if self._write:
            generations = self.audit.lock()
            self._new_keys = self._keys is not None and self._keys.attend(generations)

    def _not_found(self) -> None:
        """Called when a resident code leads to nobody. Refuses when that may be for want of keys."""
        if self._keys is None:
            return
        if self._new_keys or (not self._write and self._keys.require(self.code_keys.in_use())):
            raise Refusal(Code.BUSY, "the keys of resident codes were changed meanwhile; repeat the request")

    def commit(self) -> None:
        self.lists.write_wanted()
        urgent = self.status_changes.write(self.audit.chain())
        # Who looks parties up must not believe what was read before, from here on.
        with self._register_changing() if self.parties.changed or self.proposals.decided else nullcontext():
            self._statements.commit()
        if urgent:
            self._on_change()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()


class SqlBegin:
    """`domain.ports.Begin`. Threads may share it; a forked child opens connections of its own."""

    def __init__(
        self, url: str, signer: Signer | None, *, lock_wait: float = LOCK_WAIT, keys: CodeKeyWatch | None = None
    ) -> None:
        """`signer` signs audit heads inside the transaction: a key in memory, never a device that can stall. None for
        whoever only reads.

        `lock_wait` is in seconds. `keys` hears which generations of the keys of resident codes rows are made with.
        Connects when first called. Raises Refusal(BAD_CONFIGURATION).
        """
        self.on_change: Callable[[], object] = lambda: None
        """Called after a commit by which a status was changed that may have been told already."""
        self.register_changing: Callable[[], AbstractContextManager[object]] = nullcontext
        """Entered around a commit by which parties, credentials, approvals or rules were changed."""
        self._turns = Turns(lock_wait)
        self._lock_wait = lock_wait
        self._writer = open_writer(url, lock_wait=lock_wait)
        self._reader = open_reader(url, lock_wait=lock_wait)
        self._signer = signer
        self._keys = keys
        self._pid = os.getpid()

    def __call__(self, *, write: bool = True, lasting: bool = True) -> SqlUnitOfWork:
        if self._pid != os.getpid():
            # The parent's connections are not ours: forget them without a word to the server.
            self._writer.dispose(close=False)
            self._reader.dispose(close=False)
            self._turns = Turns(self._lock_wait)  # nobody's turn there is ever over here
            self._pid = os.getpid()
        engine = self._writer if write else self._reader
        turn = self._turns.taken() if write else nullcontext()
        return SqlUnitOfWork(
            engine, self._signer, write, self._keys, self.on_change, self.register_changing, turn, lasting=lasting
        )

    def close(self) -> None:
        """Close all connections that are not in use; the next unit of work opens new ones."""
        self._writer.dispose()
        self._reader.dispose()
