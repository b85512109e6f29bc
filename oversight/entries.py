"""The entries of a published list against the revocations that stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from crl.diff import Comparison
from crl.earlier import Earlier
from crl.read import RevocationList
from crl.releases import releases_among
from crl.rows import Rows, weigh
from domain.lists import ListRecord, ListState, ScopeRecord
from domain.ports import UnitOfWork
from domain.revocation import RevocationCount
from domain.serial import SerialNumber
from oversight.findings import Finding, fault, note
from oversight.inspection import Inspection


def entry_findings(
    inspection: Inspection,
    work: UnitOfWork,
    known: ScopeRecord,
    records: Sequence[ListRecord],
    record: ListRecord | None,
    read: RevocationList | None,
) -> Iterator[Finding]:
    """Whether the list `read`, on record as `record`, holds exactly the scope's revocations, as they are.

    Revocations that came after the list was begun may be missing from it, and holds that were lifted since may stand on
    it: as many as the scope counted changes since, and no longer than patience lasts. An entry may outlive its
    certificate; it must stay on one list after the expiry (RFC 5280 §3.3).
    """
    path = known.scope.path
    pending = known.wanted - (record.covers if record else 0)
    waited = int((inspection.now - inspection.patience).timestamp())
    comparison, since = Comparison(Earlier(read.entries if read else b""), waited), _listed_since(records, record)
    entries = weight = 0
    for block in work.revocations.blocks_of(known.scope, since):
        rows = Rows.of(block)
        comparison.feed(rows)
        entries, weight = entries + len(rows), weight + weigh(rows)
    found = comparison.result()
    yield from _count_faults(path, RevocationCount(entries, weight), work.revocations.count(known.scope, since))
    lifted = dict(releases_among(work, known.scope.issuer, found.removed))
    missing, different, late = found.added, found.changed, found.added_old
    waiting = missing + different + len(lifted)
    if waiting > pending:
        still = f"lifted holds on it: {len(lifted)}; " if lifted else ""
        yield fault(
            "lists",
            f"{path}: revocations the list lacks: {missing}; entries with another time or reason: {different}; {still}"
            f"changes since it was begun: {pending}",
        )
    elif waiting:
        yield note("lists", f"{path}: changes that wait for the next list: {waiting}")
        if late:
            yield fault("lists", f"{path}: revocations that wait for a list longer than {inspection.patience}: {late}")
        kept = sum(inspection.now - release.released_at > inspection.patience for release in lifted.values())
        if kept:
            yield fault("lists", f"{path}: lifted holds that stay listed longer than {inspection.patience}: {kept}")
        turned = len(found.turned) - sum(1 for _ in releases_among(work, known.scope.issuer, found.turned))
        if turned:
            yield fault("lists", f"{path}: entries that changed otherwise than from a hold into a revocation: {turned}")
    ghosts = sum(
        not _may_linger(inspection, work, known, serial, record) for serial in found.removed if serial not in lifted
    )
    if ghosts:
        yield fault("lists", f"{path}: entries of certificates that are not revoked: {ghosts}")


def _count_faults(path: str, standing: RevocationCount, counted: RevocationCount) -> Iterator[Finding]:
    """Where the database's own count, which every new list must come to, is not that of its rows."""
    if standing.entries != counted.entries:
        yield fault(
            "revocations", f"{path}: the database counts {counted.entries} revocations, {standing.entries} stand"
        )
    elif standing != counted:
        yield fault("revocations", f"{path}: revocations that stand are others than those that the database counted")


def _listed_since(records: Sequence[ListRecord], record: ListRecord | None) -> datetime | None:
    """Certificates that expired before this moment had their one list after it."""
    before = [row for row in records if record and row.number < record.number and row.state is ListState.PUBLISHED]
    return before[-1].this_update if before else None


def _may_linger(
    inspection: Inspection, work: UnitOfWork, known: ScopeRecord, serial: bytes, record: ListRecord | None
) -> bool:
    """Whether an entry without a standing revocation is that of a certificate which was revoked and has expired. The
    last list of an issuer that has ended outlives the records."""
    certificate = work.certificates.find(known.scope.issuer, SerialNumber.of(serial))
    if certificate is None:
        return record is not None and record.next_update < inspection.now
    return record is not None and certificate.validity.ended(record.this_update)
