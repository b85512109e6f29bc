"""Issuance records (発行記録)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, LargeBinary, bindparam, delete, func, insert, select, text, update

from domain.certificates import CertificateRecord, CertificateState, IssuerId, Validity
from domain.errors import Code, Refusal
from domain.lists import Scope
from domain.mass import Target
from domain.people import MunicipalityCode
from domain.revocation import Revocation
from domain.serial import SerialNumber
from store.lists import Lists
from store.prepared import PLANNED_ANEW, AnyRow
from store.sets import AnyOf
from store.statements import Statements
from store.status_changes import StatusChanges
from store.tables import certificates, revocations

_c = certificates.c
CERTIFICATES = select(
    *(_c[name] for name in (
        "issuer", "serial", "kind", "carrier", "resident_id", "application_id", "municipality", "not_before",
        "not_after", "state", "der", "spki_digest", "profile_digest", "reserved_at", "ended_at", "pending",
        "predecessor", "line",
    ))
)  # fmt: skip
_OLDEST_FIRST = (_c.application_id, _c.kind.desc())
_NAMED = (_c.issuer == bindparam("of_issuer"), _c.serial == bindparam("of_serial"))
_FIND = CERTIFICATES.where(*_NAMED)
_OF_APPLICATION = CERTIFICATES.where(_c.application_id == bindparam("application_id")).order_by(*_OLDEST_FIRST)
_OF_RESIDENT = CERTIFICATES.where(_c.resident_id == bindparam("resident_id")).order_by(*_OLDEST_FIRST)
_LIVE_OF = _OF_RESIDENT.where(_c.ended_at.is_(None))
_DELIVER = update(certificates).where(*_NAMED, _c.pending)
_OVERDUE = (
    select(_c.application_id)
    # As in the index, word for word, or it is not used.
    .where(text("ended_at IS NULL AND pending"), _c.reserved_at < bindparam("before"))
    .where(_c.state == CertificateState.ISSUED)
    .group_by(_c.application_id)
    .order_by(func.min(_c.reserved_at), _c.application_id)
    .limit(bindparam("limit", type_=Integer))
)
_PER_ISSUER = select(_c.issuer, func.count().label("number")).group_by(_c.issuer)
_r = revocations.c
# Looked up for each row: joined by PostgreSQL, all revocations there are would be read for some hundred certificates.
_STANDING = (
    select(column).where(_r.issuer == _c.issuer, _r.serial == _c.serial).scalar_subquery().label(column.name)
    for column in (_r.cause, _r.reason, _r.revoked_at)
)
_TARGETS = select(
    _c.issuer, _c.serial, _c.kind, _c.carrier, _c.resident_id, _c.application_id, _c.municipality, _c.not_after,
    _c.profile_digest, _c.reserved_at, _c.ended_at, _c.pending, *_STANDING,
).execution_options(**PLANNED_ANEW)  # fmt: skip
_BETWEEN = _TARGETS.where(
    _c.issuer == bindparam("of_issuer"),
    _c.serial >= bindparam("low", type_=LargeBinary(16)),
    _c.serial < bindparam("high", type_=LargeBinary(16)),
).order_by(_c.serial)
_BETWEEN_THERE = _BETWEEN.where(_c.municipality == bindparam("of_municipality"))
_TARGETS_OF = AnyOf(_TARGETS, _c.resident_id)
_LIVE_OF_MANY = AnyOf(CERTIFICATES.where(_c.ended_at.is_(None)).order_by(*_OLDEST_FIRST), _c.resident_id)
_CENSUS = (
    select(_c.serial, _c.not_before)
    .where(_c.issuer == bindparam("of_issuer"), _c.not_after >= bindparam("unexpired_at"))
    .order_by(_c.serial)
)
_BLOCK = 1 << 14
_EXPIRED = select(_c.issuer, _c.serial).where(_c.not_after < bindparam("before")).order_by(_c.not_after)
_ERASE = delete(certificates).where(*_NAMED)
_INSERT = insert(certificates)
_COMPLETE = update(certificates).where(*_NAMED, _c.state == CertificateState.RESERVED)
_END = update(certificates).where(*_NAMED, _c.ended_at.is_(None))
_REFUSALS = {
    "certificates_live_once": Refusal(
        Code.LIVE_PAIR, "the resident has a live certificate of this kind; have it revoked before applying for another"
    ),
    "certificates_pending_once": Refusal(
        Code.LIVE_PAIR, "certificates of the resident wait for their hand-over; report it before applying again"
    ),
    "certificates_spki_digest_once": Refusal(
        Code.KEY_USED_BEFORE, "a key in this application was certified before; make a new key pair"
    ),
}


class Certificates:
    """`domain.ports.CertificateRepository`."""

    def __init__(self, statements: Statements, lists: Lists, changes: StatusChanges) -> None:
        self._statements = statements
        self._lists = lists
        self._changes = changes

    def reserve(self, records: Sequence[CertificateRecord]) -> None:
        self._statements.run(_INSERT, [_columns(record) for record in records], _REFUSALS)
        self._lists.use({Scope(record.issuer, record.municipality) for record in records})

    def complete(self, certificates: Sequence[tuple[IssuerId, SerialNumber, bytes]]) -> None:
        """Raises LookupError when one of them has no reserved row."""
        rows = [
            {"of_issuer": issuer, "of_serial": serial, "state": CertificateState.ISSUED, "der": der}
            for issuer, serial, der in certificates
        ]
        if self._statements.run(_COMPLETE, rows) != len(rows):
            raise LookupError("no reserved certificate has this issuer and serial")
        self._changes.note([(issuer, serial) for issuer, serial, _ in certificates], urgent=False)

    def find(self, issuer: IssuerId, serial: SerialNumber) -> CertificateRecord | None:
        row = self._statements.find(_FIND, {"of_issuer": issuer, "of_serial": serial})
        return record_of(row) if row else None

    def of_application(self, application_id: int) -> Sequence[CertificateRecord]:
        rows = self._statements.many(_OF_APPLICATION, {"application_id": application_id})
        return [record_of(row) for row in rows]

    def live_of(self, resident_id: int) -> Sequence[CertificateRecord]:
        return [record_of(row) for row in self._statements.many(_LIVE_OF, {"resident_id": resident_id})]

    def live_of_many(self, resident_ids: Sequence[int]) -> Sequence[CertificateRecord]:
        return [record_of(row) for row in _LIVE_OF_MANY.rows(self._statements, resident_ids)]

    def of_resident(self, resident_id: int) -> Sequence[CertificateRecord]:
        return [record_of(row) for row in self._statements.many(_OF_RESIDENT, {"resident_id": resident_id})]

    def end(self, issuer: IssuerId, serial: SerialNumber, at: datetime) -> None:
        """The first end stays; a later one changes nothing."""
        self.end_many([(issuer, serial)], at)

    def end_many(self, certificates: Sequence[tuple[IssuerId, SerialNumber]], at: datetime) -> None:
        if certificates:
            rows = [{"of_issuer": issuer, "of_serial": serial, "ended_at": at} for issuer, serial in certificates]
            self._statements.run(_END, rows)

    def count_by_issuer(self) -> Mapping[IssuerId, int]:
        return {row.issuer: row.number for row in self._statements.many(_PER_ISSUER)}

    def targets(
        self, issuer: IssuerId, low: bytes, high: bytes, municipality: MunicipalityCode | None
    ) -> Sequence[Target]:
        named: dict[str, Any] = {"of_issuer": issuer, "low": low, "high": high}
        if municipality is None:
            return [_target(row) for row in self._statements.many(_BETWEEN, named)]
        return [
            _target(row) for row in self._statements.many(_BETWEEN_THERE, {**named, "of_municipality": municipality})
        ]

    def targets_of(self, resident_ids: Sequence[int]) -> Sequence[Target]:
        return [_target(row) for row in _TARGETS_OF.rows(self._statements, resident_ids)]

    def deliver(self, issuer: IssuerId, serial: SerialNumber) -> None:
        row = {"of_issuer": issuer, "of_serial": serial, "pending": False}
        if self._statements.run(_DELIVER, row, _REFUSALS) != 1:
            raise LookupError("no pending certificate has this issuer and serial")

    def overdue(self, before: datetime, limit: int) -> Sequence[int]:
        rows = self._statements.many(_OVERDUE, {"before": before, "limit": limit})
        return [row.application_id for row in rows]

    def expired(self, before: datetime) -> Iterator[tuple[IssuerId, SerialNumber]]:
        for row in self._statements.stream(_EXPIRED, {"before": before}):
            yield row[0], row[1]

    def erase(self, issuer: IssuerId, serial: SerialNumber) -> None:
        self._statements.run(_ERASE, {"of_issuer": issuer, "of_serial": serial})

    def census(self, issuer: IssuerId, unexpired_at: datetime) -> Iterator[tuple[bytes, Sequence[int]]]:
        named = {"of_issuer": issuer, "unexpired_at": unexpired_at}
        for rows in self._statements.blocks(_CENSUS, named, _BLOCK):
            serials, begins = zip(*rows, strict=True)
            yield b"".join(serials), begins

    def all(self) -> Iterator[CertificateRecord]:
        for row in self._statements.stream(CERTIFICATES):
            yield record_of(row)


def _columns(record: CertificateRecord) -> dict[str, Any]:
    return {
        "issuer": record.issuer,
        "serial": record.serial,
        "kind": record.kind,
        "carrier": record.carrier,
        "resident_id": record.resident_id,
        "application_id": record.application_id,
        "municipality": record.municipality,
        "not_before": record.validity.not_before,
        "not_after": record.validity.not_after,
        "state": record.state,
        "der": record.der,
        "spki_digest": record.spki_digest,
        "profile_digest": record.profile_digest,
        "reserved_at": record.reserved_at,
        "ended_at": record.ended_at,
        "pending": record.pending,
        "predecessor": record.predecessor,
        "line": record.line,
    }


def record_of(row: AnyRow) -> CertificateRecord:
    """The record in a row of `CERTIFICATES`."""
    return CertificateRecord(
        issuer=row.issuer,
        serial=row.serial,
        kind=row.kind,
        carrier=row.carrier,
        resident_id=row.resident_id,
        application_id=row.application_id,
        municipality=row.municipality,
        validity=Validity(row.not_before, row.not_after),
        state=row.state,
        der=row.der,
        spki_digest=row.spki_digest,
        profile_digest=row.profile_digest,
        reserved_at=row.reserved_at,
        ended_at=row.ended_at,
        pending=row.pending,
        predecessor=row.predecessor,
        line=row.line,
    )


def _target(row: AnyRow) -> Target:
    standing = None
    if row.revoked_at is not None:
        standing = Revocation(
            row.issuer, row.serial, row.municipality, row.cause, row.reason, row.revoked_at, row.not_after
        )
    columns: list[Any] = [*row[:10], row.ended_at is not None, row.pending, standing]
    return Target(*columns)
