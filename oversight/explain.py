"""Why a status is so: a certificate's life as recorded, as the audit trail tells it, and as verifiers see it now."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from crl.files import map_current
from crl.read import RevocationList, read_list
from domain.certificates import Carrier, CertificateRecord, CertificateState, IssuerId, Kind, Validity
from domain.der import DerError
from domain.errors import Code, Refusal
from domain.events import Act, EventType
from domain.lists import ListRecord, Scope
from domain.people import MunicipalityCode, ResidentState
from domain.ports import UnitOfWork
from domain.revocation import CauseRule, CrlReason, Revocation, RevocationCause
from domain.serial import SerialNumber
from domain.status import CertificateStatus
from oversight.findings import certificate_name
from oversight.inspection import Inspection
from oversight.trail import Told, expanded, read_row
from policies.events import EventRule

Subject = list[bytes] | tuple[int, Kind]
"""The indexes of a resident code (`CodeSealer.indexes`), or application and kind of a certificate."""


@dataclass(frozen=True, slots=True)
class Step:
    """One audit event on the way. `rule` is the cause in law of a revocation or hold, with the source of what it does
    to this certificate, or what the register's notice was, with its source."""

    at: datetime
    act: Act
    actor: str
    rule: CauseRule | EventRule | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What the published list of the certificate's scope says. `record` is None while no list is in place that is on
    record. `entry` is its (time, reason), None when it is not listed; `due` is set when the list lacks what the
    database says: the moment by which another must be out."""

    scope: Scope
    record: ListRecord | None
    entry: tuple[datetime, CrlReason] | None
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Account:
    """One certificate. `status` is what OCSP answers now, `steps` led there, oldest first. `predecessor` is the
    application whose certificate it follows; while it is `pending`, that one is the live one."""

    application: int
    kind: Kind
    issuer: IssuerId
    carrier: Carrier
    municipality: MunicipalityCode
    validity: Validity
    state: CertificateState
    ended_at: datetime | None
    pending: bool
    predecessor: int | None
    status: CertificateStatus
    steps: tuple[Step, ...]
    listing: Listing


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything there is to say at `at`. `changes` are the register's notices about the resident that were applied.
    No serial, no resident code and none of the four items is in it."""

    at: datetime
    resident: ResidentState
    municipality: MunicipalityCode
    changes: tuple[Step, ...]
    accounts: tuple[Account, ...]


def explain(inspection: Inspection, subject: Subject) -> Explanation:
    """All certificates of a resident, or one certificate.

    Reads the whole audit trail once; rows that are no events are passed over, since `reconcile` names them.
    Raises Refusal(UNKNOWN_RESIDENT), Refusal(NOT_FOUND).
    """
    with inspection.begin(write=False) as work:
        resident_id, records = _records(work, subject)
        resident = work.residents.get(resident_id)
        told = _told(work, resident_id, {record.application_id for record in records})
        accounts = tuple(_account(inspection, work, record, told) for record in records)
    changes = tuple(_step(inspection, event) for event in told if event.act is Act.RESIDENT_CHANGED)
    return Explanation(inspection.now, resident.state, resident.municipality, changes, accounts)


def _records(work: UnitOfWork, subject: Subject) -> tuple[int, Sequence[CertificateRecord]]:
    if isinstance(subject, list):
        resident = work.residents.find(*subject)
        if resident is None:
            raise Refusal(Code.UNKNOWN_RESIDENT, "no resident with this code is known here; check the code")
        return resident.id, work.certificates.of_resident(resident.id)
    application, kind = subject
    records = [record for record in work.certificates.of_application(application) if record.kind is kind]
    if not records:
        raise Refusal(Code.NOT_FOUND, f"there is no {certificate_name(application, kind.value)}; check the number")
    return records[0].resident_id, records


def _told(work: UnitOfWork, resident_id: int, applications: Collection[int]) -> list[Told]:
    """The events about the resident's record and these applications."""
    # Most rows are about others: look for the words before reading the JSON.
    marks = (
        f'"resident":{resident_id}',
        *(f'"application":{application}' for application in applications),
        *(f'[{application},"' for application in applications),
    )
    among = '"residents":['
    found: list[Told] = []
    for row in work.audit.rows():
        if any(mark in row.body for mark in marks) or (among in row.body and f",{resident_id}]" in row.body):
            with suppress(ValueError):
                found.extend(expanded(read_row(row)))
    return [
        event
        for event in found
        if event.facts.get("application") in applications
        or (event.act is Act.RESIDENT_CHANGED and event.facts.get("resident") == resident_id)
    ]


def _account(inspection: Inspection, work: UnitOfWork, record: CertificateRecord, told: Sequence[Told]) -> Account:
    name = certificate_name(record.application_id, record.kind.value)
    own = tuple(event for event in told if event.subject == name)
    revocation = work.revocations.find(record.issuer, record.serial)
    return Account(
        application=record.application_id,
        kind=record.kind,
        issuer=record.issuer,
        carrier=record.carrier,
        municipality=record.municipality,
        validity=record.validity,
        state=record.state,
        ended_at=record.ended_at,
        pending=record.pending,
        predecessor=record.predecessor,
        status=inspection.status.status_of(record.issuer, record.serial).at(inspection.now),
        steps=tuple(_of_its_own(_step(inspection, event), record) for event in own),
        listing=_listing(inspection, work, record, revocation, own),
    )


def _step(inspection: Inspection, told: Told) -> Step:
    rule: CauseRule | EventRule | None = None
    match told.facts:
        case {"cause": str(cause)}:
            rule = inspection.causes[RevocationCause(cause)]
        case {"event": str(event)}:
            rule = inspection.events[EventType(event)]
    return Step(told.at, told.act, told.actor, rule)


def _of_its_own(step: Step, record: CertificateRecord) -> Step:
    """With the source of what the cause does to this kind on this carrier, which may be another than the cause's."""
    if not isinstance(step.rule, CauseRule):
        return step
    effect = step.rule.effects[record.kind, record.carrier]
    return replace(step, rule=replace(step.rule, source=effect.source, verified=effect.verified))


def _listing(
    inspection: Inspection,
    work: UnitOfWork,
    record: CertificateRecord,
    revocation: Revocation | None,
    told: Sequence[Told],
) -> Listing:
    scope = Scope(record.issuer, record.municipality)
    current, read = _list_in_place(inspection, work, scope)
    entry = _entry(read, record.serial)
    wanted = (revocation.revoked_at, revocation.reason) if revocation else None
    # A lifted hold that is still listed is due as well.
    lacking = entry != wanted and not record.validity.ended(inspection.now)
    changed_at = told[-1].at if told else inspection.now
    return Listing(scope, current, entry, changed_at + inspection.patience if lacking else None)


def _entry(read: RevocationList | None, serial: SerialNumber) -> tuple[datetime, CrlReason] | None:
    """What the list says of the certificate; a list that is damaged on the way says nothing."""
    try:
        return read.find(serial.octets) if read else None
    except DerError:
        return None


def _list_in_place(
    inspection: Inspection, work: UnitOfWork, scope: Scope
) -> tuple[ListRecord | None, RevocationList | None]:
    """The list that verifiers get, by its record and by its content."""
    file = map_current(inspection.directory, scope)
    if file is None:
        return None, None
    digest = hashlib.sha256(file).digest()
    record = next((row for row in work.lists.records(scope) if row.digest == digest), None)
    try:
        return record, read_list(file)
    except DerError:
        return record, None
