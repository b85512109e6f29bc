"""Reading ahead: what the notices of a batch will look up is read at once, and what they write is written at once.

The rules are those of one notice at a time (`residents.queue`); this stands between them and the store.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, cast

from domain.certificates import CertificateRecord, IssuerId
from domain.code_keys import CodeSealer
from domain.events import NoticeRecord, NoticeRepository, ResidentEvent
from domain.people import BasicAttributes, MunicipalityCode, Resident, ResidentState
from domain.ports import (
    AuditTrail,
    CertificateRepository,
    ResidentRepository,
    RevocationRepository,
    UnitOfWork,
)
from domain.revocation import Revocation
from domain.serial import SerialNumber
from residents.feed import Notice

_Certificate = tuple[IssuerId, SerialNumber]
_FAR = 1000
"""Numbers further apart than this are not read together."""


class Ahead:
    """A unit of work, as far as notices use it, over another one. `settle` writes what waits."""

    def __init__(self, work: UnitOfWork) -> None:
        self._parts = (
            _Residents(work.residents, self.settle),
            _Notices(work.notices, self.settle),
            _Certificates(work.certificates, self.settle),
            _Revocations(work.revocations, self.settle),
        )
        self._work = work

    def read(self, sealer: CodeSealer, notices: Iterable[Notice]) -> None:
        """Look up what these notices are likely to need."""
        residents, numbers, certificates, revocations = self._parts
        events = [notice for notice in notices if isinstance(notice, ResidentEvent)]
        residents.read([sealer.indexes(event.resident_code) for event in events])
        numbers.read(events, list(residents.by_id))
        certificates.read(list(residents.by_id))
        for target in self._work.certificates.targets_of(list(residents.by_id)):
            revocations.standing[target.issuer, target.serial] = target.standing

    def settle(self) -> None:
        """Write everything that waits, and know nothing any more: what comes next asks the store."""
        for part in self._parts:
            part.settle()

    @property
    def residents(self) -> ResidentRepository:
        return cast(ResidentRepository, self._parts[0])

    @property
    def notices(self) -> NoticeRepository:
        return cast(NoticeRepository, self._parts[1])

    @property
    def certificates(self) -> CertificateRepository:
        return cast(CertificateRepository, self._parts[2])

    @property
    def revocations(self) -> RevocationRepository:
        return cast(RevocationRepository, self._parts[3])

    @property
    def audit(self) -> AuditTrail:
        return self._work.audit


class _Part:
    """A repository: what is not foreseen here is done by the store, after all that waits."""

    def __init__(self, base: Any, settle_all: Callable[[], None]) -> None:
        self._base = base
        self._settle_all = settle_all

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._base, name)

        def settled(*arguments: Any, **named: Any) -> Any:
            self._settle_all()
            return method(*arguments, **named)

        return settled


class _Residents(_Part):
    def __init__(self, base: ResidentRepository, settle_all: Callable[[], None]) -> None:
        super().__init__(base, settle_all)
        self.by_id: dict[int, Resident] = {}
        self._ids: dict[bytes, int] = {}
        self._changed: dict[int, datetime] = {}

    def read(self, indexes: Sequence[tuple[bytes, ...]]) -> None:
        first = list(dict.fromkeys(of_one[0] for of_one in indexes))
        if first:
            found = self._base.find_many(first)
            self._ids = {index: resident.id for index, resident in found.items()}
            self.by_id = {resident.id: resident for resident in found.values()}

    def find(self, *indexes: bytes) -> Resident | None:
        known = next((self._ids[index] for index in indexes if index in self._ids), None)
        if known is not None:
            return self.by_id[known]
        found: Resident | None = self._base.find(*indexes)
        return self.by_id.get(found.id, found) if found else None

    def update(
        self,
        resident_id: int,
        municipality: MunicipalityCode,
        attributes: BasicAttributes | None,
        state: ResidentState,
        at: datetime,
    ) -> None:
        known = self.by_id.get(resident_id)
        if known is None:
            self._base.update(resident_id, municipality, attributes, state, at)
        else:
            self.by_id[resident_id] = Resident(resident_id, municipality, attributes or known.attributes, state)
            self._changed[resident_id] = at

    def settle(self) -> None:
        for at, ids in _by_time(self._changed).items():
            self._base.update_many([self.by_id[id_] for id_ in ids], at)
        for known in (self.by_id, self._ids, self._changed):
            known.clear()


class _Notices(_Part):
    def __init__(self, base: NoticeRepository, settle_all: Callable[[], None]) -> None:
        super().__init__(base, settle_all)
        self._by_id: dict[tuple[str, str], NoticeRecord | None] = {}
        self._by_number: dict[tuple[str, int], NoticeRecord | None] = {}
        self._latest: dict[int, date | None] = {}
        self._turns: dict[str, int] = {}
        self._new: dict[tuple[str, str], NoticeRecord] = {}
        self._moved: set[str] = set()

    def read(self, events: Sequence[ResidentEvent], residents: Sequence[int]) -> None:
        for sender in dict.fromkeys(event.sender for event in events):
            own = [event for event in events if event.sender == sender]
            found = self._base.find_many(sender, list(dict.fromkeys(event.notice_id for event in own)))
            self._by_id |= {(sender, event.notice_id): None for event in own}
            self._by_id |= {(sender, record.notice_id): record for record in found}
            first, last = min(event.sequence for event in own), max(event.sequence for event in own) + 1
            if last - first <= _FAR:
                self._by_number |= {(sender, number): None for number in range(first, last + 1)}
                for record in self._base.between(sender, first, last):
                    self._by_number[sender, record.sequence] = record
        latest = self._base.latest_effective_many(residents)
        self._latest = {resident: latest.get(resident) for resident in residents}

    def find(self, sender: str, notice_id: str) -> NoticeRecord | None:
        key = (sender, notice_id)
        if key not in self._by_id:
            self._by_id[key] = self._base.find(sender, notice_id)
        return self._by_id[key]

    def at(self, sender: str, sequence: int) -> NoticeRecord | None:
        key = (sender, sequence)
        if key not in self._by_number:
            self._by_number[key] = self._base.at(sender, sequence)
        return self._by_number[key]

    def put(self, record: NoticeRecord) -> None:
        key = (record.sender, record.notice_id)
        if key in self._new or self.find(*key) is None:
            self._new[key] = record
        else:
            self._base.put(record)
        self._by_id[key] = record
        if record.sequence is not None:
            self._by_number[record.sender, record.sequence] = record
        if record.resident_id is not None and record.effective_on is not None:
            known = self.latest_effective(record.resident_id)
            self._latest[record.resident_id] = max(known or record.effective_on, record.effective_on)

    def expected(self, sender: str) -> int:
        if sender not in self._turns:
            self._turns[sender] = self._base.expected(sender)
        return self._turns[sender]

    def expect(self, sender: str, sequence: int) -> None:
        self._turns[sender] = sequence
        self._moved.add(sender)

    def latest_effective(self, resident_id: int) -> date | None:
        if resident_id not in self._latest:
            self._latest[resident_id] = self._base.latest_effective(resident_id)
        return self._latest[resident_id]

    def settle(self) -> None:
        self._base.put_many(list(self._new.values()))
        for sender in sorted(self._moved):
            self._base.expect(sender, self._turns[sender])
        for known in (self._by_id, self._by_number, self._latest, self._turns, self._new, self._moved):
            known.clear()


class _Certificates(_Part):
    def __init__(self, base: CertificateRepository, settle_all: Callable[[], None]) -> None:
        super().__init__(base, settle_all)
        self._live: dict[int, list[CertificateRecord]] = {}
        self._ended: dict[_Certificate, datetime] = {}

    def read(self, residents: Sequence[int]) -> None:
        self._live = {resident: [] for resident in residents}
        for record in self._base.live_of_many(residents):
            self._live[record.resident_id].append(record)

    def live_of(self, resident_id: int) -> Sequence[CertificateRecord]:
        live = self._live.get(resident_id)
        rows = self._base.live_of(resident_id) if live is None else live
        return [row for row in rows if (row.issuer, row.serial) not in self._ended]

    def end(self, issuer: IssuerId, serial: SerialNumber, at: datetime) -> None:
        self._ended.setdefault((issuer, serial), at)

    def settle(self) -> None:
        for at, ended in _by_time(self._ended).items():
            self._base.end_many(ended, at)
        self._live.clear()
        self._ended.clear()


class _Revocations(_Part):
    def __init__(self, base: RevocationRepository, settle_all: Callable[[], None]) -> None:
        super().__init__(base, settle_all)
        self.standing: dict[_Certificate, Revocation | None] = {}
        self._new: dict[_Certificate, tuple[Revocation, str, datetime]] = {}
        self._receipts: dict[tuple[str, str], tuple[bytes, str, str | None]] = {}

    def find(self, issuer: IssuerId, serial: SerialNumber) -> Revocation | None:
        key = (issuer, serial)
        if key not in self.standing:
            self.standing[key] = self._base.find(issuer, serial)
        return self.standing[key]

    def put(
        self, revocation: Revocation, receipt: str, received_at: datetime, committed_at: datetime | None = None
    ) -> None:
        key = (revocation.issuer, revocation.serial)
        if self.find(*key) is not None:
            self._settle_all()
            self._base.put(revocation, receipt, received_at, committed_at)
        else:
            self._new[key] = (revocation, receipt, received_at)  # committed at `revoked_at`, as no hold was there
        self.standing[key] = revocation

    def receipt(self, caller: str, key: str) -> tuple[bytes, str] | None:
        if waiting := self._receipts.get((caller, key)):
            return waiting[:2]
        kept: tuple[bytes, str] | None = self._base.receipt(caller, key)
        return kept

    def keep_receipt(self, caller: str, key: str, content: bytes, receipt: str, number: str | None = None) -> None:
        self._receipts[caller, key] = (content, receipt, number)

    def settle(self) -> None:
        self._base.put_many(list(self._new.values()), over_holds=False)
        self._base.keep_receipts([(*named, *kept) for named, kept in self._receipts.items()])
        for known in (self.standing, self._new, self._receipts):
            known.clear()


def _by_time(times: dict[Any, datetime]) -> dict[datetime, list[Any]]:
    found: dict[datetime, list[Any]] = defaultdict(list)
    for key, at in times.items():
        found[at].append(key)
    return found
