"""Applications, certificates and validations in memory, beside `tests.support.memory`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from domain.applications import ApplicationRecord
from domain.certificates import CertificateRecord, CertificateState, IssuerId
from domain.errors import Code, Refusal
from domain.lists import Scope
from domain.mass import Target
from domain.people import MunicipalityCode
from domain.serial import SerialNumber
from domain.validations import ValidationRecord, used_up
from tests.support.memory_handles import note
from tests.support.memory_lists import Lists
from tests.support.memory_tables import Tables

_Certificate = tuple[IssuerId, SerialNumber]


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
        if any(row.spki_digest == record.spki_digest for row in self._tables.certificates.values()):
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

    def census(self, issuer: IssuerId, unexpired_at: datetime) -> Iterator[tuple[bytes, Sequence[int]]]:
        rows = sorted(
            (row for row in self._tables.certificates.values() if row.issuer == issuer), key=lambda row: row.serial
        )
        for row in (row for row in rows if row.validity.not_after >= unexpired_at):
            yield row.serial.octets, [int(row.validity.not_before.timestamp())]

    def all(self) -> Iterator[CertificateRecord]:
        yield from self._tables.certificates.values()


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
