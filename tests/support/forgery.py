"""Faults planted behind everybody's back: rows changed in the store in memory, forged lists, false statuses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ca.octets import tbs_fields, tbs_of
from domain.certificates import CertificateRecord, IssuerId, Kind
from domain.lists import ListRecord, Scope
from domain.revocation import Revocation
from domain.serial import SerialNumber
from domain.signing import assemble
from domain.status import CertificateStatus
from oversight.findings import Area, Level
from oversight.reconcile import reconcile
from tests.support.house import House
from tests.support.lists import make_list
from tests.support.memory import MemoryStore
from tests.support.responder import Unhurried
from tests.support.signers import authority_signer

Certificate = tuple[int, Kind]
"""A certificate by application and kind."""


def texts(house: House, area: Area, level: Level = "fault", **changes: Any) -> list[str]:
    """What reconciliation says in one area."""
    found = reconcile(house.inspection(**changes))
    return [finding.text for finding in found if (finding.level, finding.area) == (level, area)]


def record_of(memory: MemoryStore, certificate: Certificate) -> CertificateRecord:
    rows = memory.tables.certificates.values()
    return next(row for row in rows if (row.application_id, row.kind) == certificate)


def change_certificate(memory: MemoryStore, certificate: Certificate, **changes: Any) -> None:
    row = record_of(memory, certificate)
    memory.tables.certificates[row.issuer, row.serial] = replace(row, **changes)


def change_revocation(memory: MemoryStore, certificate: Certificate, **changes: Any) -> None:
    row = record_of(memory, certificate)
    key = (row.issuer, row.serial)
    memory.tables.revocations[key] = replace(memory.tables.revocations[key], **changes)


def change_list(memory: MemoryStore, scope: Scope, number: int, **changes: Any) -> ListRecord:
    changed = memory.tables.lists[scope, number] = replace(memory.tables.lists[scope, number], **changes)
    return changed


def revocations_in(memory: MemoryStore, scope: Scope) -> list[Revocation]:
    rows = memory.tables.revocations.values()
    return [row for row in rows if (row.issuer, row.municipality) == (scope.issuer, scope.municipality)]


def forge_list(
    house: House, memory: MemoryStore, scope: Scope, number: int, *revocations: Revocation, **changes: Any
) -> None:
    """Put a list of these revocations in the place of a scope's list: signed by its issuer, and with a record to fit.
    Only the audit trail knows better."""
    record = memory.tables.lists[scope, number]
    plan = {"number": number, "this_update": record.this_update, "next_update": record.next_update, **changes}
    octets = make_list(revocations, scope, **plan)
    (house.directory / scope.path).write_bytes(octets)
    change_list(memory, scope, number, digest=hashlib.sha256(octets).digest(), entries=len(revocations))


def signed_anew(record: CertificateRecord, old: bytes, new: bytes) -> bytes:
    """The certificate with other octets of equal length inside, properly signed."""
    tbs = tbs_of(record.der)
    assert tbs.count(old) == 1
    tbs = tbs.replace(old, new)
    signer = authority_signer(*record.issuer.split("-"))
    return assemble(tbs, signer.algorithm, signer.sign(tbs))


def renamed(record: CertificateRecord) -> bytes:
    """The certificate with another last character in its subject, properly signed."""
    subject = tbs_fields(tbs_of(record.der)).subject
    return signed_anew(record, subject, subject[:-1] + (b"1" if subject.endswith(b"0") else b"0"))


def damaged(octets: bytes) -> bytes:
    """One bit of the end, where signatures are, is turned."""
    return octets[:-1] + bytes((octets[-1] ^ 1,))


class Liar(Unhurried):
    """A status source that tells `lies`, as often as `times`, and the truth otherwise."""

    def __init__(self, memory: MemoryStore, lies: Mapping[Certificate, CertificateStatus], times: int = 1000) -> None:
        self.memory, self.times = memory, times
        rows = {certificate: record_of(memory, certificate) for certificate in lies}
        self.lies = {(rows[certificate].issuer, rows[certificate].serial): lie for certificate, lie in lies.items()}

    def status_of(self, issuer: IssuerId, serial: SerialNumber) -> CertificateStatus:
        if (issuer, serial) not in self.lies or self.times == 0:
            return self.memory.status_of(issuer, serial)
        self.times -= 1
        return self.lies[issuer, serial]
