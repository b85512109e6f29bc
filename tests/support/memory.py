"""A store in memory: the test double of the SQL store, with transactions, constraints and failing commits.

A unit of work writes to a copy of the tables, and `commit` puts the copy in place. Stored values are immutable, so a
copy of each dict is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Lock
from types import TracebackType
from typing import Literal, Self

from domain.certificates import CertificateState, IssuerId
from domain.code_keys import CodeKeyWatch
from domain.errors import Code, Refusal
from domain.serial import SerialNumber
from domain.status import UNKNOWN, CertificateStatus, good_until
from tests.support.memory_batches import Batches, Mass
from tests.support.memory_certificates import Applications, Certificates, Validations
from tests.support.memory_detection import Detection
from tests.support.memory_handles import Handles, Tracers
from tests.support.memory_lists import Changes, Lists
from tests.support.memory_parties import Audit, Parties, Proposals, Vettings
from tests.support.memory_provisions import Provisions
from tests.support.memory_residents import CodeKeys, Notices, Residents
from tests.support.memory_revocations import Holds, Revocations
from tests.support.memory_tables import Tables


class MemoryStore:
    """`begin` is the port. `faults` names commits that fail, counted from 1 since the store was made: `lost` leaves
    nothing behind, `kept` is stored although the caller hears of a failure. `on_begin` is called before each unit,
    `keys` hears which generations of keys are in use."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.writing = Lock()
        self.commits = 0
        self.faults: dict[int, Literal["lost", "kept"]] = {}
        self.on_begin: Callable[[bool], None] | None = None
        self.keys: CodeKeyWatch | None = None

    def begin(self, *, write: bool = True, lasting: bool = True) -> MemoryUnit:
        if self.on_begin is not None:
            self.on_begin(write)
        return MemoryUnit(self, write)

    def status_of(self, issuer: IssuerId, serial: SerialNumber) -> CertificateStatus:
        """The `StatusLookup` port."""
        record = self.tables.certificates.get((issuer, serial))
        if record is None or record.state is CertificateState.RESERVED:
            return UNKNOWN
        if revocation := self.tables.revocations.get((issuer, serial)):
            return CertificateStatus("revoked", revocation.revoked_at, revocation.reason)
        return good_until(record.validity.not_after)

    def good_at(self, issuer: IssuerId, now: datetime, _until: int) -> Callable[[bytes], bool]:
        return lambda serial: self.status_of(issuer, SerialNumber.of(serial)).at(now).word == "good"


class MemoryUnit:
    """`domain.ports.UnitOfWork` over a copy of the store's tables."""

    def __init__(self, store: MemoryStore, write: bool) -> None:
        self._store = store
        self._write = write

    def __enter__(self) -> Self:
        if self._write and not self._store.writing.acquire(timeout=5):
            raise Refusal(Code.BUSY, "another unit of work is writing; try again")
        tables = self._store.tables.copy()
        self.tables = tables
        self.code_keys = CodeKeys(tables)
        self._new_keys = bool(self._write and self._store.keys and self._store.keys.attend(self.code_keys.in_use()))
        self.residents = Residents(tables, self._not_found)
        self.notices = Notices(tables)
        self.applications = Applications(tables)
        self.lists = Lists(tables)
        self.batches = Batches(tables)
        self.certificates = Certificates(tables, self.lists)
        self.revocations = Revocations(tables)
        self.changes = Changes(tables)
        self.mass = Mass(tables)
        self.holds = Holds(tables)
        self.handles = Handles(tables)
        self.tracers = Tracers(tables)
        self.parties = Parties(tables)
        self.proposals = Proposals(tables)
        self.vettings = Vettings(tables)
        self.validations = Validations(tables)
        self.provisions = Provisions(tables)
        self.detection = Detection(tables)
        self.audit = Audit(tables)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._write:
            self._store.writing.release()

    def _not_found(self) -> None:
        keys = self._store.keys
        if keys and (self._new_keys or (not self._write and keys.require(self.code_keys.in_use()))):
            raise Refusal(Code.BUSY, "the keys of resident codes were changed meanwhile; repeat the request")

    def commit(self) -> None:
        if not self._write:
            raise RuntimeError("a reading unit of work cannot be committed")
        self._store.commits += 1
        fault = self._store.faults.get(self._store.commits)
        if fault != "lost":
            self.audit.chain()
            self._store.tables = self.tables.copy()
        if fault is not None:
            raise Refusal(Code.STORE_UNAVAILABLE, "the store is away; try again")
