"""Reconciliation: database, OCSP, published lists, notices, provisions and the audit trail must tell one story."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from audit.chain import verify
from domain.applications import ApplicationRecord
from domain.certificates import CertificateRecord, CertificateState
from domain.der import DerError
from domain.lists import Scope
from domain.mass import Target
from domain.ports import UnitOfWork
from oversight import certificates, lists
from oversight.findings import Area, Finding, certificate_name, fault, list_name, note
from oversight.inspection import Inspection
from oversight.notices import notice_findings
from oversight.provisions import provision_findings
from oversight.trail import Trail
from policies.retention import Records

Progress = Callable[[Area, int], None]
"""Hears what is being looked at, and how many of it were taken up so far."""

Points = dict[Scope, set[bytes]]
"""The scopes in use, and the distribution points (as `certificates.directory_of` gives them) that certificates name."""

T = TypeVar("T")

_TOGETHER = 250
"""Certificates whose holders' others are looked up in one go."""


def reconcile(inspection: Inspection, on_progress: Progress | None = None) -> Iterator[Finding]:
    """Everything in which the authority's parts disagree, found while the iterator is read. Where all is well there
    are notes at most.

    Works while the authority does: the database is read as of one moment, and what cannot be (OCSP, files) is looked
    at twice before it is called a fault. Memory holds one list at a time; the audit trail waits in a temporary file.
    Raises Refusal(STORE_UNAVAILABLE), Refusal(BUSY).
    """
    step = on_progress or _nobody_listens
    with closing(Trail()) as trail, inspection.begin(write=False) as work:
        yield from _audit(inspection, work, trail, step)
        points: Points = {record.scope: set() for record in work.lists.scopes()}
        yield from _applications(inspection, work)
        yield from _certificates(inspection, work, trail, points, step)
        yield from _revocations(work)
        yield from notice_findings(work, trail)
        yield from _records(work, trail, points)
        yield from provision_findings(inspection, work, trail)
        for subject, last in trail.left():
            if not certificates.tells_erasure(last, Records.CERTIFICATES):
                yield fault("audit", f"the audit trail tells of the {subject}, the database does not know it")
            elif str(last.facts.get("expired_at")) >= last.at.isoformat():
                yield fault("audit", f"the {subject} was erased before it expired, by the audit trail")
    for scope in _counted("lists", points, step):
        yield from lists.scope_findings(inspection, scope, points[scope])


def _audit(inspection: Inspection, work: UnitOfWork, trail: Trail, step: Progress) -> Iterator[Finding]:
    """Chain and head. What stands behind a break is gathered too."""
    rows = trail.gather(_counted("audit", work.audit.rows(), step))
    broken = verify(rows, work.audit.head(), inspection.check_head, inspection.anchor)
    for _ in rows:
        pass
    if broken is not None:
        yield fault("audit", f"the audit trail breaks at row {broken.sequence}: {broken.why}")
    for sequence in trail.unreadable:
        yield fault("audit", f"row {sequence} of the audit trail is no event of this authority")


def _applications(inspection: Inspection, work: UnitOfWork) -> Iterator[Finding]:
    """Applications that are open: their certificates are reserved, and will be signed before long."""
    for row in _open(inspection, work):
        rows = work.certificates.of_application(row.id)
        if not rows or any(record.state is CertificateState.ISSUED for record in rows):
            yield fault("certificates", f"application {row.id} is open and not all of its certificates are reserved")
        elif inspection.now - row.received_at > inspection.patience:
            yield fault(
                "certificates", f"application {row.id} has been unfinished since {row.received_at:%Y-%m-%dT%H:%M:%SZ}"
            )
        else:
            yield note("certificates", f"application {row.id} is unfinished; it will be completed as reserved")


def _certificates(
    inspection: Inspection, work: UnitOfWork, trail: Trail, points: Points, step: Progress
) -> Iterator[Finding]:
    unfinished = {row.id for row in _open(inspection, work)}
    waiting = 0
    for record, own in _with_holders(work, _counted("certificates", work.certificates.all(), step)):
        name = certificate_name(record.application_id, record.kind.value)
        scope = Scope(record.issuer, record.municipality)
        if scope not in points:
            points[scope] = set()
            yield fault("lists", f"the {name} belongs on {scope.path}, which is not in use")
        if record.state is CertificateState.RESERVED and record.application_id not in unfinished:
            yield fault("certificates", f"the {name} has no signature although its application is closed")
        yield from _certificate(inspection, work, trail, record, own, name, points[scope])
        waiting += certificates.is_waiting(record)
    if waiting:
        yield note("certificates", f"certificates that wait for their hand-over: {waiting}")


def _with_holders(
    work: UnitOfWork, records: Iterator[CertificateRecord]
) -> Iterator[tuple[CertificateRecord, Sequence[Target]]]:
    """Each certificate with all those of its holder, looked up many at a time."""
    while together := list(islice(records, _TOGETHER)):
        of_holder: dict[int, list[Target]] = defaultdict(list)
        for target in work.certificates.targets_of(sorted({record.resident_id for record in together})):
            of_holder[target.resident_id].append(target)
        yield from ((record, of_holder[record.resident_id]) for record in together)


def _certificate(
    inspection: Inspection,
    work: UnitOfWork,
    trail: Trail,
    record: CertificateRecord,
    own: Sequence[Target],
    name: str,
    points: set[bytes],
) -> Iterator[Finding]:
    named = (record.issuer, record.serial)
    revocation = next((target.standing for target in own if (target.issuer, target.serial) == named), None)
    told = trail.take(name)
    issuer = inspection.issuers.get(record.issuer)
    erased = certificates.erased_revocation(told)
    texts = [
        *certificates.end_faults(record, revocation, erased),
        *certificates.pair_faults(inspection, record, own),
        *certificates.link_faults(work, record, trail),
        *certificates.delivery_faults(inspection, record),
    ]
    try:
        tbs, fields = certificates.read_fields(record)
        directory = certificates.directory_of(fields)
    except DerError as error:
        texts.append(f"cannot be read: {error}")
    else:
        releases = work.holds.releases_of(record.issuer, record.serial)
        texts += certificates.release_faults(inspection, record, releases, told)
        texts += certificates.told_faults(record, revocation, told, tbs)
        texts += certificates.octet_faults(inspection, record, issuer, fields)
        if directory is not None:
            points.add(directory)
    yield from (fault("certificates", f"the {name} {text}") for text in texts)
    yield from (
        fault("status", f"the {name} {text}") for text in certificates.status_faults(inspection, record, revocation)
    )


def _revocations(work: UnitOfWork) -> Iterator[Finding]:
    for revocation in work.revocations.orphans():
        path = Scope(revocation.issuer, revocation.municipality).path
        yield fault("revocations", f"a revocation of {path} has no certificate")


def _records(work: UnitOfWork, trail: Trail, points: Points) -> Iterator[Finding]:
    """Lists on record, in order and as the audit trail tells of them."""
    for scope in points:
        records = work.lists.records(scope)
        yield from lists.order_faults(records)
        for record in records:
            yield from lists.told_faults(record, trail.take(list_name(scope.path, record.number)))


def _open(inspection: Inspection, work: UnitOfWork) -> list[ApplicationRecord]:
    """One application takes seconds, so those open at any moment are few."""
    return list(work.applications.unfinished(inspection.now + timedelta(days=1)))


def _counted(area: Area, items: Iterable[T], step: Progress) -> Iterator[T]:
    for done, item in enumerate(items, start=1):
        step(area, done)
        yield item


def _nobody_listens(area: Area, done: int) -> None:
    """Without anybody to tell, progress goes nowhere."""
