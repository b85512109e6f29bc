"""A store in memory: the test double of the SQL store, with transactions, constraints and failing commits.

A unit of work writes to a copy of the tables, and `commit` puts the copy in place. Stored values are immutable, so a
copy of each dict is enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from threading import Lock
from types import TracebackType
from typing import Literal, Self

from audit.chain import GENESIS, body_of, chain
from domain.applications import ApplicationRecord
from domain.batches import Batch, BatchItem, ItemState
from domain.certificates import Carrier, CertificateRecord, CertificateState, IssuerId
from domain.changes import LagCount, Leg, ListChange
from domain.code_keys import CodedRow, CodeKeyRecord, CodeKeyWatch, CodeMove, CodePart
from domain.detection import Alarm, AskingDay
from domain.errors import Code, Refusal
from domain.events import AuditEvent, AuditHead, AuditRow, NoticeRecord, NoticeState
from domain.holds import Hold, Release
from domain.lists import ListRecord, ListState, Scope, ScopeRecord
from domain.mass import MassEvent, MassRow, Target
from domain.parties import Credential, Party
from domain.people import BasicAttributes, MunicipalityCode, Resident, ResidentState
from domain.proposals import Decision, Proposal, ProposalState
from domain.provisions import LedgerLine, Segment
from domain.revocation import Revocation, RevocationBlock
from domain.serial import SerialNumber
from domain.standings import Approval, Standing
from domain.status import UNKNOWN, CertificateStatus, good_until
from domain.validations import ValidationRecord, used_up
from domain.vetting import Application, Evidence
from policies.queues import shares
from tests.support.blocks import block_of
from tests.support.memory_detection import Detection
from tests.support.memory_handles import Handles, HandleTables, Tracers, note
from tests.support.memory_provisions import Provisions

_Certificate = tuple[IssuerId, SerialNumber]


@dataclass
class Tables(HandleTables):
    residents: dict[int, Resident] = field(default_factory=dict)
    codes: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    notices: dict[tuple[str, str], NoticeRecord] = field(default_factory=dict)
    senders: dict[str, int] = field(default_factory=dict)
    applications: dict[int, ApplicationRecord] = field(default_factory=dict)
    receipts: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict)
    batches: dict[int, Batch] = field(default_factory=dict)
    items: dict[tuple[int, int], BatchItem] = field(default_factory=dict)
    slots: dict[tuple[int, int], int] = field(default_factory=dict)
    served: dict[MunicipalityCode, int] = field(default_factory=dict)
    matches: dict[int, bytes] = field(default_factory=dict)
    reported: dict[_Certificate, datetime] = field(default_factory=dict)
    misses: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    scopes: dict[Scope, int] = field(default_factory=dict)
    lists: dict[tuple[Scope, int], ListRecord] = field(default_factory=dict)
    leases: dict[str, tuple[str, datetime, int]] = field(default_factory=dict)
    mass: dict[str, MassEvent] = field(default_factory=dict)
    mass_rows: dict[tuple[str, int], MassRow] = field(default_factory=dict)
    parties: dict[int, Party] = field(default_factory=dict)
    credentials: dict[bytes, Credential] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    vettings: dict[int, Application] = field(default_factory=dict)
    validations: dict[tuple[int, str], ValidationRecord] = field(default_factory=dict)
    audit: dict[int, AuditRow] = field(default_factory=dict)
    changes: dict[tuple[Scope, int], ListChange] = field(default_factory=dict)
    lags: dict[tuple[Leg, int | None], tuple[int, int]] = field(default_factory=dict)
    numbers: dict[str, tuple[str, str]] = field(default_factory=dict)
    in_use: dict[None, tuple[int, ...]] = field(default_factory=dict)
    code_keys: dict[int, CodeKeyRecord] = field(default_factory=dict)
    code_moves: dict[tuple[int, CodePart], CodeMove] = field(default_factory=dict)
    asking: dict[tuple[date, int, int], AskingDay] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    segments: dict[bytes, Segment] = field(default_factory=dict)
    epochs: dict[str, bytes] = field(default_factory=dict)
    lines: dict[int, LedgerLine] = field(default_factory=dict)
    challenges: dict[bytes, datetime] = field(default_factory=dict)

    def copy(self) -> Tables:
        return Tables(**{table.name: dict(getattr(self, table.name)) for table in fields(self)})


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

    def good_at(self, issuer: IssuerId, now: datetime) -> Callable[[bytes], bool]:
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


class Residents:
    def __init__(self, tables: Tables, not_found: Callable[[], None]) -> None:
        self._tables = tables
        self._not_found = not_found

    def find(self, *indexes: bytes) -> Resident | None:
        for index in indexes:
            if known := self._tables.codes.get(index):
                return self._tables.residents[known[0]]
        self._not_found()
        return None

    def find_many(self, indexes: Sequence[bytes]) -> Mapping[bytes, Resident]:
        return {index: resident for index in indexes if (resident := self.find(index))}

    def get(self, resident_id: int) -> Resident:
        return self._tables.residents[resident_id]

    def put(
        self,
        index: bytes,
        sealed: bytes,
        municipality: MunicipalityCode,
        attributes: BasicAttributes,
        state: ResidentState,
        at: datetime,
    ) -> tuple[int, bool]:
        known = self._tables.codes.get(index)
        resident_id = known[0] if known else len(self._tables.residents) + 1
        self._tables.codes[index] = (resident_id, sealed)
        self._tables.residents[resident_id] = Resident(resident_id, municipality, attributes, state)
        self._tables.matches.pop(resident_id, None)
        return resident_id, known is None

    def put_many(
        self, rows: Sequence[tuple[bytes, bytes, MunicipalityCode, BasicAttributes]], at: datetime
    ) -> tuple[int, int]:
        new = [self.put(*row, ResidentState.PRESENT, at)[1] for row in rows]
        return sum(new), len(new) - sum(new)

    def update(
        self,
        resident_id: int,
        municipality: MunicipalityCode,
        attributes: BasicAttributes | None,
        state: ResidentState,
        at: datetime,
    ) -> None:
        old = self._tables.residents[resident_id]
        self._tables.residents[resident_id] = Resident(resident_id, municipality, attributes or old.attributes, state)
        if attributes is not None:
            self._tables.matches.pop(resident_id, None)

    def by_items(self, digests: Sequence[bytes]) -> Sequence[Resident]:
        rows = [row for row, digest in sorted(self._tables.matches.items()) if digest in digests]
        return [self.get(row) for row in rows[:2]]

    def unmatched(self, limit: int) -> Sequence[Resident]:
        rows = [row for row in sorted(self._tables.residents) if row not in self._tables.matches]
        return [self.get(row) for row in rows[:limit]]

    def keep_matches(self, digests: Sequence[tuple[int, bytes]]) -> None:
        self._tables.matches.update(digests)

    def get_many(self, resident_ids: Sequence[int]) -> Mapping[int, Resident]:
        return {row: self._tables.residents[row] for row in resident_ids if row in self._tables.residents}

    def update_many(self, residents: Sequence[Resident], at: datetime) -> None:
        for resident in residents:
            self.update(resident.id, resident.municipality, resident.attributes, resident.state, at)

    def of_municipality(self, municipality: MunicipalityCode, after: int, through: int) -> Sequence[Resident]:
        rows = (row for _, row in sorted(self._tables.residents.items()))
        return [row for row in rows if after < row.id <= through and row.municipality == municipality]

    def newest(self) -> int:
        return max(self._tables.residents, default=0)

    def rekey(self, resident_id: int, index: bytes, sealed: bytes, at: datetime) -> None:
        self.get(resident_id)
        (old,) = [known for known, (row, _) in self._tables.codes.items() if row == resident_id]
        del self._tables.codes[old]
        self._tables.codes[index] = (resident_id, sealed)

    def sealed(self) -> Iterator[tuple[bytes, bytes]]:
        yield from ((index, sealed) for index, (_, sealed) in self._tables.codes.items())

    def count(self) -> int:
        return len(self._tables.residents)


class Notices:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find(self, sender: str, notice_id: str) -> NoticeRecord | None:
        return self._tables.notices.get((sender, notice_id))

    def at(self, sender: str, sequence: int) -> NoticeRecord | None:
        rows = self._tables.notices.values()
        return next((row for row in rows if (row.sender, row.sequence) == (sender, sequence)), None)

    def put(self, record: NoticeRecord) -> None:
        self._tables.notices[record.sender, record.notice_id] = record

    def put_many(self, records: Sequence[NoticeRecord]) -> None:
        for record in records:
            assert (record.sender, record.notice_id) not in self._tables.notices, "a notice came twice"
            self.put(record)

    def find_many(self, sender: str, notice_ids: Sequence[str]) -> Sequence[NoticeRecord]:
        return [found for notice in notice_ids if (found := self.find(sender, notice))]

    def between(self, sender: str, first: int, last: int) -> Sequence[NoticeRecord]:
        rows = self._tables.notices.values()
        found = [row for row in rows if row.sender == sender and row.sequence and first <= row.sequence <= last]
        return sorted(found, key=lambda row: row.sequence or 0)

    def latest_effective_many(self, resident_ids: Sequence[int]) -> Mapping[int, date]:
        return {row: day for row in resident_ids if (day := self.latest_effective(row))}

    def expected(self, sender: str) -> int:
        return self._tables.senders.get(sender, 1)

    def expect(self, sender: str, sequence: int) -> None:
        self._tables.senders[sender] = sequence

    def senders(self) -> Sequence[str]:
        return sorted(self._tables.senders)

    def page(self, sender: str, state: NoticeState, after: int, limit: int) -> Sequence[NoticeRecord]:
        rows = [row for row in self._tables.notices.values() if (row.sender, row.state) == (sender, state)]
        wanted = [row for row in rows if (row.sequence or 0) > after or (row.sequence is None and not after)]
        return sorted(wanted, key=lambda row: (row.sequence or 0, row.received_at, row.notice_id))[:limit]

    def all(self) -> Iterator[NoticeRecord]:
        yield from sorted(self._tables.notices.values(), key=lambda row: (row.sender, row.notice_id))

    def latest_effective(self, resident_id: int) -> date | None:
        rows = self._tables.notices.values()
        days = [row.effective_on for row in rows if row.resident_id == resident_id and row.effective_on]
        return max(days, default=None)


class Applications:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find(self, caller: str, key: str) -> ApplicationRecord | None:
        rows = self._tables.applications.values()
        return next((row for row in rows if (row.caller, row.key) == (caller, key)), None)

    def get(self, application_id: int) -> ApplicationRecord:
        return self._tables.applications[application_id]

    def open(
        self,
        caller: str,
        key: str,
        content: bytes,
        resident_id: int,
        municipality: MunicipalityCode,
        received_at: datetime,
    ) -> int:
        if self.find(caller, key):
            raise Refusal(Code.IN_PROGRESS, "an application with this key is being worked on; repeat it later")
        number = max(self._tables.applications, default=0) + 1
        self._tables.applications[number] = ApplicationRecord(
            number, caller, key, content, resident_id, municipality, received_at, None
        )
        return number

    def close(self, application_id: int, issued_at: datetime) -> bool:
        row = self._tables.applications.get(application_id)
        if row is None or row.issued_at is not None:
            return False
        self._tables.applications[application_id] = replace(row, issued_at=issued_at)
        return True

    def newest(self) -> int:
        return max(self._tables.applications, default=0)

    def unfinished(self, before: datetime) -> Sequence[ApplicationRecord]:
        rows = self._tables.applications.values()
        return [row for row in rows if row.issued_at is None and row.received_at < before]

    def erase(self, application_id: int) -> bool:
        in_use = {row.application_id for row in self._tables.certificates.values()}
        over = application_id in self._tables.applications and application_id not in in_use
        if over and application_id < max(self._tables.applications):
            del self._tables.applications[application_id]
            return True
        return False


class Certificates:
    def __init__(self, tables: Tables, lists: Lists) -> None:
        self._tables = tables
        self._lists = lists

    def reserve(self, records: Sequence[CertificateRecord]) -> None:
        for record in records:
            self._reserve(record)

    def _reserve(self, record: CertificateRecord) -> None:
        assert (record.issuer, record.serial) not in self._tables.certificates, "a serial was drawn twice"
        assert all(row.kind is not record.kind for row in self.of_application(record.application_id))
        live = self.live_of(record.resident_id)
        if any((row.kind, row.carrier, row.pending) == (record.kind, record.carrier, record.pending) for row in live):
            raise Refusal(Code.LIVE_PAIR, "the resident has a live certificate of this kind; revoke it first")
        if self.key_known(record.spki_digest):
            raise Refusal(Code.KEY_USED_BEFORE, "this key was certified before; make a new one")
        self._tables.certificates[record.issuer, record.serial] = record
        self._lists.register(Scope(record.issuer, record.municipality))

    def complete(self, certificates: Sequence[tuple[IssuerId, SerialNumber, bytes]]) -> None:
        for issuer, serial, der in certificates:
            row = self._tables.certificates[issuer, serial]
            if row.state is not CertificateState.RESERVED:
                raise LookupError("no reserved certificate has this issuer and serial")
            self._tables.certificates[issuer, serial] = replace(row, state=CertificateState.ISSUED, der=der)
        note(self._tables, [(issuer, serial) for issuer, serial, _ in certificates])

    def find(self, issuer: IssuerId, serial: SerialNumber) -> CertificateRecord | None:
        return self._tables.certificates.get((issuer, serial))

    def of_application(self, application_id: int) -> Sequence[CertificateRecord]:
        return [row for row in self._tables.certificates.values() if row.application_id == application_id]

    def live_of(self, resident_id: int) -> Sequence[CertificateRecord]:
        return [row for row in self.of_resident(resident_id) if row.ended_at is None]

    def of_resident(self, resident_id: int) -> Sequence[CertificateRecord]:
        return [row for row in self._tables.certificates.values() if row.resident_id == resident_id]

    def end(self, issuer: IssuerId, serial: SerialNumber, at: datetime) -> None:
        row = self._tables.certificates[issuer, serial]
        self._tables.certificates[issuer, serial] = replace(row, ended_at=row.ended_at or at)

    def live_of_many(self, resident_ids: Sequence[int]) -> Sequence[CertificateRecord]:
        return [row for id_ in resident_ids for row in self.live_of(id_)]

    def end_many(self, certificates: Sequence[_Certificate], at: datetime) -> None:
        for issuer, serial in certificates:
            self.end(issuer, serial, at)

    def count_by_issuer(self) -> Mapping[IssuerId, int]:
        return Counter(row.issuer for row in self._tables.certificates.values())

    def targets(
        self, issuer: IssuerId, low: bytes, high: bytes, municipality: MunicipalityCode | None
    ) -> Sequence[Target]:
        rows = sorted(self._tables.certificates.values(), key=lambda row: row.serial)
        return [
            self._target(row)
            for row in rows
            if row.issuer == issuer and low <= row.serial.octets < high and municipality in (None, row.municipality)
        ]

    def targets_of(self, resident_ids: Sequence[int]) -> Sequence[Target]:
        return [self._target(row) for id_ in resident_ids for row in self.of_resident(id_)]

    def _target(self, row: CertificateRecord) -> Target:
        standing = self._tables.revocations.get((row.issuer, row.serial))
        return Target(
            row.issuer,
            row.serial,
            row.kind,
            row.carrier,
            row.resident_id,
            row.application_id,
            row.municipality,
            row.validity.not_after,
            row.profile_digest,
            row.reserved_at,
            row.ended_at is not None,
            row.pending,
            standing,
        )

    def deliver(self, issuer: IssuerId, serial: SerialNumber) -> None:
        row = self._tables.certificates[issuer, serial]
        if not row.pending:
            raise LookupError("no pending certificate has this issuer and serial")
        if any(
            (other.kind, other.carrier, other.pending) == (row.kind, row.carrier, False)
            for other in self.live_of(row.resident_id)
        ):
            raise Refusal(Code.LIVE_PAIR, "the resident has a live certificate of this kind; revoke it first")
        self._tables.certificates[issuer, serial] = replace(row, pending=False)

    def overdue(self, before: datetime, limit: int) -> Sequence[int]:
        rows = [
            (row.reserved_at, row.application_id)
            for row in self._tables.certificates.values()
            if row.pending
            and row.ended_at is None
            and row.reserved_at < before
            and row.state is CertificateState.ISSUED
        ]
        return list(dict.fromkeys(number for _, number in sorted(rows)))[:limit]

    def expired(self, before: datetime) -> Iterator[tuple[IssuerId, SerialNumber]]:
        rows = sorted(self._tables.certificates.values(), key=lambda row: row.validity.not_after)
        yield from ((row.issuer, row.serial) for row in rows if row.validity.not_after < before)

    def erase(self, issuer: IssuerId, serial: SerialNumber) -> None:
        assert (issuer, serial) not in self._tables.revocations, "a revocation still names this certificate"
        del self._tables.certificates[issuer, serial]

    def key_known(self, spki_digest: bytes) -> bool:
        return any(row.spki_digest == spki_digest for row in self._tables.certificates.values())

    def census(self, issuer: IssuerId, unexpired_at: datetime) -> Iterator[tuple[bytes, Sequence[int]]]:
        rows = sorted(
            (row for row in self._tables.certificates.values() if row.issuer == issuer), key=lambda row: row.serial
        )
        for row in (row for row in rows if row.validity.not_after >= unexpired_at):
            yield row.serial.octets, [int(row.validity.not_before.timestamp())]

    def all(self) -> Iterator[CertificateRecord]:
        yield from self._tables.certificates.values()


class Revocations:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find(self, issuer: IssuerId, serial: SerialNumber) -> Revocation | None:
        return self._tables.revocations.get((issuer, serial))

    def put(
        self, revocation: Revocation, receipt: str, received_at: datetime, committed_at: datetime | None = None
    ) -> None:
        key = (revocation.issuer, revocation.serial)
        old = self._tables.revocations.get(key)
        if old is not None and not old.on_hold:
            raise Refusal(Code.ALREADY_APPLIED, "the certificate is revoked already; nothing was changed")
        assert key in self._tables.certificates, "a revocation needs its certificate's row"
        self._tables.revocations[key] = revocation
        note(self._tables, [key])
        scope = Scope(revocation.issuer, revocation.municipality)
        number = self._tables.scopes.get(scope, 0)
        self._tables.scopes[scope] = number + 1
        at = committed_at or revocation.revoked_at
        told = ListChange(scope, number + 1, 1, receipt, revocation.cause, received_at, at)
        before = self._tables.changes.pop((scope, number), None)
        if before and before == replace(told, number=number, count=before.count):
            told = replace(told, count=before.count + 1)
        elif before:
            self._tables.changes[scope, number] = before
        self._tables.changes[scope, number + 1] = told

    def keep_receipts(self, rows: Sequence[tuple[str, str, bytes, str, str | None]]) -> None:
        for row in rows:
            self.keep_receipt(*row)

    def put_many(
        self,
        rows: Sequence[tuple[Revocation, str, datetime]],
        committed_at: datetime | None = None,
        *,
        over_holds: bool,
    ) -> None:
        for revocation, receipt, received_at in rows:
            standing = self.find(revocation.issuer, revocation.serial)
            if (standing is not None and standing.on_hold) != over_holds or (standing and not standing.on_hold):
                raise Refusal(Code.ALREADY_APPLIED, "the certificate is revoked already; nothing was changed")
            self.put(revocation, receipt, received_at, committed_at)

    def for_scope(self, scope: Scope, listed_since: datetime | None) -> Iterable[Revocation]:
        rows = [
            row
            for row in self._tables.revocations.values()
            if (row.issuer, row.municipality) == (scope.issuer, scope.municipality)
            and (listed_since is None or row.not_after >= listed_since)
        ]
        return sorted(rows, key=lambda row: row.serial)

    def blocks_of(self, scope: Scope, listed_since: datetime | None) -> Iterator[RevocationBlock]:
        if rows := list(self.for_scope(scope, listed_since)):
            yield block_of(rows)

    def census(self, issuer: IssuerId, unexpired_at: datetime) -> Iterator[bytes]:
        for row in self._tables.revocations.values():
            if row.issuer == issuer and row.not_after >= unexpired_at:
                yield row.serial.octets

    def all(self) -> Iterator[Revocation]:
        yield from self._tables.revocations.values()

    def orphans(self) -> Iterator[Revocation]:
        for named, row in self._tables.revocations.items():
            if named not in self._tables.certificates:
                yield row

    def expired(self, before: datetime) -> Iterator[tuple[IssuerId, SerialNumber]]:
        for row in sorted(self._tables.revocations.values(), key=lambda row: row.not_after):
            known = Lists(self._tables).scope(Scope(row.issuer, row.municipality))
            listed = known.published.this_update if known and known.published else row.not_after
            if row.not_after < min(before, listed):
                yield row.issuer, row.serial

    def erase(self, issuer: IssuerId, serial: SerialNumber) -> None:
        del self._tables.revocations[issuer, serial]

    def receipt(self, caller: str, key: str) -> tuple[bytes, str] | None:
        return self._tables.receipts.get((caller, key))

    def receipt_of(self, number: str) -> tuple[str, str] | None:
        return self._tables.numbers.get(number)

    def keep_receipt(self, caller: str, key: str, content: bytes, receipt: str, number: str | None = None) -> None:
        if (caller, key) in self._tables.receipts:
            raise Refusal(Code.IN_PROGRESS, "a request with this key is being worked on; repeat it later")
        self._tables.receipts[caller, key] = (content, receipt)
        if number is not None:
            self._tables.numbers[number] = (caller, receipt)


class Holds:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def standing(self, now: datetime, before: datetime, after: Hold | None, limit: int) -> Sequence[Hold]:
        rows = [
            self._hold(revocation)
            for revocation in self._tables.revocations.values()
            if revocation.on_hold and revocation.revoked_at < before and revocation.not_after >= now
        ]
        return [hold for hold in sorted(rows, key=_place) if after is None or _place(hold) > _place(after)][:limit]

    def unreported(self, now: datetime, before: datetime, carrier: Carrier, limit: int) -> Sequence[Hold]:
        rows = self.standing(now, before, None, len(self._tables.revocations))
        return [hold for hold in rows if hold.carrier is carrier and hold.reported_at is None][:limit]

    def _hold(self, revocation: Revocation) -> Hold:
        name = (revocation.issuer, revocation.serial)
        row = self._tables.certificates[name]
        return Hold(
            *name,
            row.application_id,
            row.kind,
            row.carrier,
            row.municipality,
            row.resident_id,
            revocation.revoked_at,
            self._tables.reported.get(name),
        )

    def release(self, release: Release, receipt: str, received_at: datetime | None = None) -> None:
        name = (release.issuer, release.serial)
        revocation = self._tables.revocations.get(name)
        if revocation is None or not revocation.on_hold or revocation.revoked_at != release.held_at:
            raise LookupError("no hold of that time stands")
        del self._tables.revocations[name]
        self._tables.reported.pop(name, None)
        self._tables.releases[len(self._tables.releases) + 1] = release
        note(self._tables, [name])
        scope = Scope(release.issuer, revocation.municipality)
        self._tables.scopes[scope] = number = self._tables.scopes.get(scope, 0) + 1
        at = release.released_at
        self._tables.changes[scope, number] = ListChange(scope, number, 1, receipt, None, received_at or at, at)

    def releases_of(self, issuer: IssuerId, serial: SerialNumber) -> Sequence[Release]:
        return [row for row in self._tables.releases.values() if (row.issuer, row.serial) == (issuer, serial)]

    def forget(self, issuer: IssuerId, serial: SerialNumber) -> None:
        for number, row in list(self._tables.releases.items()):
            if (row.issuer, row.serial) == (issuer, serial):
                del self._tables.releases[number]

    def report(self, hold: Hold, at: datetime) -> None:
        revocation = self._tables.revocations.get((hold.issuer, hold.serial))
        if revocation is None or not revocation.on_hold or revocation.revoked_at != hold.held_at:
            raise LookupError("no hold of that time stands")
        self._tables.reported[hold.issuer, hold.serial] = at

    def miss(self, caller: str, at: datetime, since: datetime) -> None:
        kept = [row for row in self._tables.misses.values() if row[0] != caller or row[1] >= since]
        self._tables.misses = dict(enumerate([*kept, (caller, at)]))

    def misses(self, caller: str, since: datetime) -> int:
        return sum(who == caller and at >= since for who, at in self._tables.misses.values())


def _place(hold: Hold) -> tuple[datetime, str, SerialNumber]:
    return hold.held_at, hold.issuer, hold.serial


class Validations:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find(self, party_id: int, key: str) -> ValidationRecord | None:
        return self._tables.validations.get((party_id, key))

    def used(self, consent: bytes) -> bool:
        return any(row.consent == consent for row in self._tables.validations.values())

    def keep(self, record: ValidationRecord) -> None:
        if (record.party_id, record.key) in self._tables.validations:
            raise Refusal(Code.IN_PROGRESS, "a request with this key is being worked on; repeat it later")
        if self.used(record.consent):
            raise used_up()
        self._tables.validations[record.party_id, record.key] = record

    def over(self, now: datetime, limit: int) -> Sequence[tuple[int, str]]:
        rows = sorted(self._tables.validations.values(), key=lambda row: row.keep_until)
        return [(row.party_id, row.key) for row in rows if row.keep_until < now][:limit]

    def erase(self, keys: Sequence[tuple[int, str]]) -> None:
        for key in keys:
            del self._tables.validations[key]


class Lists:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def register(self, scope: Scope) -> bool:
        new = scope not in self._tables.scopes
        self._tables.scopes.setdefault(scope, 0)
        return new

    def scopes(self) -> Sequence[ScopeRecord]:
        ordered = sorted(self._tables.scopes, key=lambda scope: scope.path)
        return [record for scope in ordered if (record := self.scope(scope))]

    def scope(self, scope: Scope) -> ScopeRecord | None:
        if scope not in self._tables.scopes:
            return None
        published = [row for row in self.records(scope) if row.state is ListState.PUBLISHED]
        return ScopeRecord(scope, self._tables.scopes[scope], published[-1] if published else None)

    def reserve(self, scope: Scope, this_update: datetime, next_update: datetime, covers: int) -> int:
        self.register(scope)
        rows = self.records(scope)
        if rows and this_update < rows[-1].this_update:
            raise Refusal(Code.CLOCK_BEHIND, "the clock is behind the newest list of this scope")
        number = rows[-1].number + 1 if rows else 1
        self._tables.lists[scope, number] = ListRecord(
            scope, number, this_update, next_update, ListState.RESERVED, covers
        )
        return number

    def signed(self, scope: Scope, number: int, digest: bytes, entries: int) -> None:
        row = self._tables.lists[scope, number]
        self._tables.lists[scope, number] = replace(row, state=ListState.SIGNED, digest=digest, entries=entries)

    def published(self, scope: Scope, number: int, at: datetime | None = None) -> None:
        row = self._tables.lists[scope, number]
        self._tables.lists[scope, number] = replace(row, state=ListState.PUBLISHED, published_at=at)

    def latest(self, scope: Scope) -> ListRecord | None:
        signed = [row for row in self.records(scope) if row.state is not ListState.RESERVED]
        return signed[-1] if signed else None

    def records(self, scope: Scope) -> Sequence[ListRecord]:
        return sorted((row for row in self._tables.lists.values() if row.scope == scope), key=lambda row: row.number)

    def lease(self, name: str, holder: str, now: datetime, until: datetime) -> int:
        had, ends, token = self._tables.leases.get(name, ("", now, 0))
        if had != holder:
            if ends > now:
                return 0
            token = max(token + 1, int(now.timestamp()))
        self._tables.leases[name] = (holder, until, token)
        return token

    def release(self, name: str, holder: str) -> None:
        had, _, token = self._tables.leases.get(name, ("", None, 0))
        if had == holder:
            self._tables.leases[name] = ("", datetime.fromtimestamp(0, UTC), token)


class Changes:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def _rows(self) -> list[ListChange]:
        return sorted(self._tables.changes.values(), key=lambda row: (row.scope, row.number))

    def of_receipt(self, receipt: str) -> Sequence[ListChange]:
        return [row for row in self._rows() if row.receipt == receipt]

    def between(self, begin: datetime, end: datetime) -> Iterator[ListChange]:
        return (row for row in self._rows() if begin <= row.committed_at < end)

    def newly(self, scope: Scope, above: int, through: int) -> Sequence[ListChange]:
        return [row for row in self._rows() if row.scope == scope and above < row.number <= through]

    def _published(self, scope: Scope) -> list[ListRecord]:
        rows = [row for row in self._tables.lists.values() if row.scope == scope]
        return sorted((row for row in rows if row.state is ListState.PUBLISHED), key=lambda row: row.number)

    def shown_by(self, change: ListChange) -> ListRecord | None:
        return next((row for row in self._published(change.scope) if row.covers >= change.number), None)

    def lists_since(self, scope: Scope, since: datetime) -> Sequence[ListRecord]:
        return [row for row in self._published(scope) if row.published_at and row.published_at >= since]

    def count(self, counts: Mapping[tuple[Leg, int | None], tuple[int, int]]) -> None:
        for place, (count, seconds) in counts.items():
            before = self._tables.lags.get(place, (0, 0))
            self._tables.lags[place] = (before[0] + count, before[1] + seconds)

    def counts(self) -> Sequence[LagCount]:
        rows = [LagCount(*place, *counted) for place, counted in self._tables.lags.items()]
        return sorted(rows, key=lambda row: (row.leg.value, row.bound or 0))


class CodeKeys:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def in_use(self) -> tuple[int, ...]:
        return self._tables.in_use.get(None, (1,))

    def use(self, generations: Sequence[int]) -> None:
        self._tables.in_use[None] = tuple(generations)

    def all(self) -> Sequence[CodeKeyRecord]:
        return [record for _, record in sorted(self._tables.code_keys.items())]

    def put(self, record: CodeKeyRecord) -> None:
        self._tables.code_keys[record.generation] = record

    def move(self, generation: int, part: CodePart) -> CodeMove:
        return self._tables.code_moves.get((generation, part), CodeMove(generation, part))

    def keep_move(self, move: CodeMove) -> None:
        self._tables.code_moves[move.generation, move.part] = move

    def _rows(self, part: CodePart) -> list[CodedRow]:
        tables = self._tables
        match part:
            case CodePart.RESIDENTS:
                rows = [CodedRow((row,), index, sealed) for index, (row, sealed) in tables.codes.items()]
            case CodePart.NOTICES:
                rows = [CodedRow(k, digest=row.content, concealed=row.sealed) for k, row in tables.notices.items()]
            case CodePart.APPLICATIONS:
                rows = [CodedRow((row.id,), digest=row.content) for row in tables.applications.values()]
            case CodePart.MASS_ROWS:
                rows = [CodedRow(k, concealed=mass.sealed) for k, mass in tables.mass_rows.items()]
            case CodePart.BATCHES:
                rows = [CodedRow((row.id,), digest=row.content) for row in tables.batches.values()]
            case CodePart.BATCH_ITEMS:
                rows = [CodedRow(k, concealed=row.sealed) for k, row in tables.items.items()]
            case _:
                rows = [CodedRow(k, digest=content) for k, (content, _) in tables.receipts.items()]
        return sorted(rows, key=lambda row: row.key)

    def page(self, part: CodePart, after: tuple[int | str, ...], limit: int) -> Sequence[CodedRow]:
        return [row for row in self._rows(part) if not after or row.key > after][:limit]

    def rewrite(self, part: CodePart, rows: Sequence[CodedRow]) -> None:
        for row in rows:
            self._rewrite(part, row)

    def _rewrite(self, part: CodePart, row: CodedRow) -> None:
        tables, key = self._tables, row.key
        if key not in [known.key for known in self._rows(part)]:
            raise LookupError("a row that was to be rewritten is gone")
        match part, row:
            case CodePart.RESIDENTS, CodedRow((int(number),), bytes(index), bytes(sealed)):
                (old,) = [known for known, (resident, _) in tables.codes.items() if resident == number]
                del tables.codes[old]
                tables.codes[index] = (number, sealed)
                tables.matches.pop(number, None)
            case CodePart.NOTICES, CodedRow((str(sender), str(notice)), digest=bytes(digest)):
                old_notice = tables.notices[sender, notice]
                tables.notices[sender, notice] = replace(old_notice, content=digest, sealed=row.concealed)
            case CodePart.APPLICATIONS, CodedRow((int(number),), digest=bytes(digest)):
                tables.applications[number] = replace(tables.applications[number], content=digest)
            case CodePart.MASS_ROWS, CodedRow((str(event), int(position))):
                old_row = tables.mass_rows[event, position]
                tables.mass_rows[event, position] = replace(old_row, sealed=row.concealed)
            case CodePart.RECEIPTS, CodedRow((str(caller), str(name)), digest=bytes(digest)):
                tables.receipts[caller, name] = (digest, tables.receipts[caller, name][1])
            case CodePart.BATCHES, CodedRow((int(number),), digest=bytes(digest)):
                tables.batches[number] = replace(tables.batches[number], content=digest)
            case CodePart.BATCH_ITEMS, CodedRow((int(number), int(line))):
                tables.items[number, line] = replace(tables.items[number, line], sealed=row.concealed)

    def size(self, part: CodePart) -> int:
        return len(self._rows(part))


class Mass:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def put(self, event: MassEvent) -> None:
        self._tables.mass[event.id] = event

    def find(self, event: str) -> MassEvent | None:
        return self._tables.mass.get(event)

    def all(self) -> Sequence[MassEvent]:
        return sorted(self._tables.mass.values(), key=lambda event: event.previewed_at, reverse=True)

    def keep(self, event: str, rows: Sequence[MassRow]) -> None:
        self._tables.mass_rows |= {(event, row.position): row for row in rows}

    def rows(self, event: str, after: int, through: int) -> Sequence[MassRow]:
        rows = sorted(self._tables.mass_rows.items())
        return [row for (of, position), row in rows if of == event and after < position <= through]

    def forget(self, event: str) -> None:
        for key in [key for key in self._tables.mass_rows if key[0] == event]:
            del self._tables.mass_rows[key]


class Batches:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def open(self, caller: str, key: str, content: bytes, items: int, received_at: datetime) -> int:
        if self.find(caller, key):
            raise Refusal(Code.IN_PROGRESS, "a batch with this key is being taken; repeat it later")
        number = max(self._tables.batches, default=0) + 1
        self._tables.batches[number] = Batch(number, caller, key, content, items, 0, received_at)
        return number

    def put(self, items: Sequence[BatchItem], at: datetime) -> None:
        for item in items:
            self._tables.items[item.batch_id, item.line] = item
            batch = self._tables.batches[item.batch_id]
            waits = item.state is ItemState.WAITING
            self._tables.batches[item.batch_id] = replace(batch, open=batch.open + waits)
            if waits and item.municipality:
                last = max(self._tables.served.values(), default=0)
                self._tables.served.setdefault(item.municipality, last)
        for batch_id in {item.batch_id for item in items}:
            self._fewer(batch_id, 0, at)

    def find(self, caller: str, key: str) -> Batch | None:
        batches = self._tables.batches.values()
        return next((batch for batch in batches if (batch.caller, batch.key) == (caller, key)), None)

    def get(self, batch_id: int) -> Batch | None:
        return self._tables.batches.get(batch_id)

    def all(self, caller: str | None, before: int | None, limit: int) -> Sequence[Batch]:
        newest = sorted(self._tables.batches.values(), key=lambda batch: -batch.id)
        fitting = [b for b in newest if caller in (None, b.caller) and (before is None or b.id < before)]
        return fitting[:limit]

    def counts(self, batch_id: int) -> Mapping[ItemState, int]:
        return Counter(item.state for item in self._tables.items.values() if item.batch_id == batch_id)

    def items(self, batch_id: int, after: int, limit: int) -> Sequence[BatchItem]:
        of_batch = [item for key, item in sorted(self._tables.items.items()) if key[0] == batch_id and key[1] > after]
        return of_batch[:limit]

    def waiting(self) -> Mapping[MunicipalityCode, int]:
        found = Counter(item.municipality for item in self._tables.items.values() if item.state is ItemState.WAITING)
        turns = sorted((self._tables.served[place], place) for place in found if place)
        return {place: found[place] for _, place in turns}

    def begin(self, count: int, slot: int) -> Sequence[BatchItem]:
        turn = max(self._tables.served.values(), default=0) + 1
        begun: list[BatchItem] = []
        for municipality, share in shares(self.waiting(), count).items():
            waiting = [
                item
                for _, item in sorted(self._tables.items.items())
                if (item.state, item.municipality) == (ItemState.WAITING, municipality)
            ]
            self._tables.served[municipality] = turn
            begun += waiting[:share]
        for item in begun:
            key = item.batch_id, item.line
            self._tables.items[key] = replace(item, state=ItemState.BEGUN)
            self._tables.slots[key] = slot
        return begun

    def begun(self, slot: int, limit: int) -> Sequence[BatchItem]:
        rows = sorted(self._tables.items.items())
        here = [item for key, item in rows if item.state is ItemState.BEGUN and self._tables.slots[key] == slot]
        return here[:limit]

    def slots(self) -> Sequence[int]:
        begun = [key for key, item in self._tables.items.items() if item.state is ItemState.BEGUN]
        return sorted({self._tables.slots[key] for key in begun})

    def end(self, items: Sequence[BatchItem], at: datetime) -> None:
        for item in items:
            key = item.batch_id, item.line
            if self._tables.items[key].state is ItemState.BEGUN:
                self._tables.items[key] = replace(item, sealed=None)
                self._fewer(item.batch_id, 1, at)

    def _fewer(self, batch_id: int, count: int, at: datetime) -> None:
        batch = self._tables.batches[batch_id]
        left = batch.open - count
        self._tables.batches[batch_id] = replace(batch, open=left, ended_at=batch.ended_at or (None if left else at))

    def cancel(self, batch_id: int, at: datetime) -> int:
        waiting = [i for i in self.items(batch_id, 0, 1 << 30) if i.state is ItemState.WAITING]
        for item in waiting:
            ended = replace(item, state=ItemState.CANCELLED, sealed=None)
            self._tables.items[item.batch_id, item.line] = ended
        batch = self._tables.batches[batch_id]
        self._tables.batches[batch_id] = replace(batch, cancelled_at=batch.cancelled_at or at)
        self._fewer(batch_id, len(waiting), at)
        return len(waiting)

    def erase(self, ended_before: datetime, limit: int) -> int:
        old = [b.id for b in self._tables.batches.values() if b.ended_at and b.ended_at < ended_before][:limit]
        for batch_id in old:
            del self._tables.batches[batch_id]
            for key in [key for key in self._tables.items if key[0] == batch_id]:
                del self._tables.items[key]
        return len(old)


class Parties:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def add(self, party: Party, at: datetime) -> Party:
        if self.find(party.role.value, party.name):
            raise Refusal(Code.ALREADY_APPLIED, "there is a party of this role and name")
        stored = replace(party, id=len(self._tables.parties) + 1)
        self._tables.parties[stored.id] = stored
        return stored

    def find(self, role: str, name: str) -> Party | None:
        rows = self._tables.parties.values()
        return next((row for row in rows if (row.role.value, row.name) == (role, name)), None)

    def all(self) -> Sequence[Party]:
        return list(self._tables.parties.values())

    def suspend(self, party_id: int, at: datetime) -> None:
        party = self._tables.parties[party_id]
        self._tables.parties[party_id] = replace(party, suspended_at=party.suspended_at or at)

    def classify(self, party_id: int, standing: Standing, behind: int | None) -> None:
        party = self._tables.parties[party_id]
        self._tables.parties[party_id] = replace(party, standing=standing, behind=behind)

    def approve(self, party_id: int, approval: Approval) -> None:
        party = self._tables.parties[party_id]
        kept = [row for row in party.approvals if row.kind is not approval.kind]
        rows = sorted((*kept, approval), key=lambda row: row.kind.value, reverse=True)
        self._tables.parties[party_id] = replace(party, approvals=tuple(rows))

    def of(self, party_id: int) -> Party | None:
        return self._tables.parties.get(party_id)

    def add_credential(self, credential: Credential, at: datetime) -> None:
        if credential.fingerprint in self._tables.credentials:
            raise Refusal(Code.ALREADY_APPLIED, "this credential is registered")
        self._tables.credentials[credential.fingerprint] = credential

    def credential(self, fingerprint: bytes) -> Credential | None:
        found = self._tables.credentials.get(fingerprint)
        return replace(found, party=self._tables.parties[found.party.id]) if found else None

    def credentials(self, party_id: int) -> Sequence[Credential]:
        rows = self._tables.credentials.values()
        return [replace(row, party=self._tables.parties[party_id]) for row in rows if row.party.id == party_id]

    def withdraw(self, fingerprint: bytes, at: datetime) -> None:
        credential = self._tables.credentials[fingerprint]
        self._tables.credentials[fingerprint] = replace(credential, withdrawn_at=credential.withdrawn_at or at)


class Vettings:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def open(self, application: Application) -> Application:
        stored = replace(application, id=len(self._tables.vettings) + 1)
        self._tables.vettings[stored.id] = stored
        return stored

    def find(self, application_id: int) -> Application | None:
        return self._tables.vettings.get(application_id)

    def of_party(self, party_id: int) -> Sequence[Application]:
        return [row for row in self._tables.vettings.values() if row.party_id == party_id]

    def add_evidence(self, application_id: int, evidence: Evidence) -> None:
        found = self._tables.vettings.get(application_id)
        if found is None:
            raise LookupError("there is no such application")
        self._tables.vettings[application_id] = replace(found, evidence=(*found.evidence, evidence))

    def close(self, application_id: int, at: datetime, proposal: str) -> None:
        found = self._tables.vettings.get(application_id)
        if found is None or found.decided_at is not None:
            raise LookupError("no open application has this id")
        self._tables.vettings[application_id] = replace(found, decided_at=at, proposal=proposal)


class Proposals:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def put(self, proposal: Proposal) -> None:
        if proposal.id in self._tables.proposals:
            raise Refusal(Code.ALREADY_APPLIED, "this proposal was made already")
        self._tables.proposals[proposal.id] = proposal

    def find(self, id_: str) -> Proposal | None:
        return self._tables.proposals.get(id_)

    def decide(self, id_: str, state: ProposalState, decision: Decision) -> None:
        proposal = self._tables.proposals.get(id_)
        if proposal is None or proposal.state is not ProposalState.OPEN:
            raise LookupError("no open proposal has this id")
        self._tables.proposals[id_] = replace(proposal, state=state, decision=decision)

    def page(self, state: ProposalState | None, limit: int) -> Sequence[Proposal]:
        rows = [row for row in self._tables.proposals.values() if state in (None, row.state)]
        return sorted(rows, key=lambda row: (row.proposed_at, row.id), reverse=True)[:limit]


class Audit:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._pending: list[AuditEvent] = []

    def append(self, event: AuditEvent) -> None:
        self._pending.append(event)

    def chain(self) -> None:
        """Give pending events their place behind the newest row."""
        newest = max(self._tables.audit, default=0)
        head = (newest, self._tables.audit[newest].digest if newest else GENESIS)
        for row in chain(head, map(body_of, self._pending)):
            self._tables.audit[row.sequence] = row
        self._pending.clear()

    def rows(self, after: int = 0) -> Iterator[AuditRow]:
        yield from (row for sequence, row in sorted(self._tables.audit.items()) if sequence > after)

    def head(self) -> AuditHead | None:
        rows = self._tables.audit
        return AuditHead(len(rows), rows[len(rows)].digest, b"", "memory") if rows else None
