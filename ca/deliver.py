"""Hand-over (交付): new certificates become the live ones once they are on their carrier, or end before they were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from ca.authority import Authority
from ca.completion import audit_facts
from ca.revoke import RECEIPT_OCTETS, RevocationOutcome, expire, revoke
from domain.applications import ApplicationRecord, DeliveryReceipt, DeliveryReport, HandOver
from domain.certificates import Carrier, CertificateRecord, Kind
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Role
from domain.ports import UnitOfWork
from domain.revocation import RevocationCause
from policies.causes import orders_for

_AT_ONCE = 50
"""Applications withdrawn in one transaction: others wait for it."""


def report_delivery(authority: Authority, report: DeliveryReport) -> DeliveryReceipt:
    """Carry out what was reported of an application's certificates; a repeat gets the same receipt.

    DELIVERED: those that are pending become the live ones, and in the same transaction those they replace are revoked
    as superseded. Those that were live from the start stay so. REFUSED: they are revoked as never delivered, and
    whatever they were to replace stays.

    Raises Refusal(NOT_ADMITTED), Refusal(NOT_FOUND) for an application that is not the applicant's,
    Refusal(IN_PROGRESS) while it has no certificates, Refusal(IDEMPOTENCY_MISMATCH) when the opposite was reported, and
    Refusal(NOT_PENDING) when its certificates have ended or are on hold.
    """
    received_at = authority.clock()
    _require_caller(report, received_at)
    # No caller can have chosen a key with a space in it.
    key = f"delivery {report.key}"
    content = report.outcome.value.encode()
    with authority.begin() as work:
        application = _application(work, report)
        if earlier := work.revocations.receipt(report.applicant, key):
            if not authority.sealer.says(content, earlier[0]):
                raise Refusal(
                    Code.IDEMPOTENCY_MISMATCH,
                    "the opposite was reported of this delivery before; if that was wrong, have the certificates "
                    "revoked and apply again",
                )
            return _receipt(earlier[1], repeated=True)
        at = max(received_at, authority.clock())
        rows = _deliverable(work, application, at)
        number = authority.random(RECEIPT_OCTETS).hex()
        actor = report.caller.label
        if report.outcome is HandOver.DELIVERED:
            revoked = _deliver(authority, work, rows, actor, number, received_at, at)
            live = _kinds(rows)
        else:
            revoked, live = _withdraw(authority, work, rows, actor, number, received_at, at).revoked, ()
        receipt = DeliveryReceipt(
            number, application.id, report.outcome, live, revoked, received_at, at, repeated=False
        )
        digest = authority.sealer.digest(content)
        work.revocations.keep_receipt(report.applicant, key, digest, _to_json(receipt), number)
        work.commit()
    return receipt


def withdraw_overdue(authority: Authority, before: datetime, actor: str) -> int:
    """Revoke as never delivered what was reserved before that moment and is pending still; of how many applications.

    What it was to replace stays. `actor` stands in the audit trail.
    Raises Refusal(STORE_UNAVAILABLE) and Refusal(BUSY); what was done by then is done.
    """
    done = 0
    while True:
        with authority.begin(write=False) as work:
            if not work.certificates.overdue(before, 1):
                return done
        at = authority.clock()
        with authority.begin() as work:
            overdue = work.certificates.overdue(before, _AT_ONCE)
            for application_id in overdue:
                rows = [row for row in work.certificates.of_application(application_id) if row.ended_at is None]
                number = authority.random(RECEIPT_OCTETS).hex()
                _withdraw(authority, work, rows, actor, number, at, at)
            work.commit()
        done += len(overdue)


def _require_caller(report: DeliveryReport, now: datetime) -> None:
    caller = report.caller
    if caller.role not in (Role.MUNICIPALITY, Role.OPERATOR) or not caller.in_force(now):
        raise Refusal(Code.NOT_ADMITTED, "deliveries are reported by municipalities that are registered and in force")
    if caller.role is Role.MUNICIPALITY and report.applicant != caller.label:
        raise Refusal(Code.NOT_ADMITTED, "a municipality reports what became of its own applications")


def _application(work: UnitOfWork, report: DeliveryReport) -> ApplicationRecord:
    application = work.applications.find(report.applicant, report.key)
    if application is None:
        raise Refusal(Code.NOT_FOUND, "there is no application under this idempotency key; check the key")
    if application.issued_at is None:
        raise Refusal(
            Code.IN_PROGRESS, "the application is unfinished; repeat it with its own idempotency key, then report"
        )
    return application


def _deliverable(work: UnitOfWork, application: ApplicationRecord, at: datetime) -> list[CertificateRecord]:
    """The application's certificates that have not ended since they were issued."""
    rows = [
        row
        for row in work.certificates.of_application(application.id)
        if row.ended_at is None and not row.validity.ended(at)
    ]
    if not rows:
        raise Refusal(
            Code.NOT_PENDING, "the certificates of this application have ended meanwhile; nothing waits for hand-over"
        )
    return rows


def _deliver(
    authority: Authority,
    work: UnitOfWork,
    rows: Sequence[CertificateRecord],
    actor: str,
    receipt: str,
    received_at: datetime,
    at: datetime,
) -> tuple[Kind, ...]:
    """The kinds of which one was superseded."""
    if any(work.revocations.find(row.issuer, row.serial) for row in rows):
        raise Refusal(
            Code.NOT_PENDING, "the certificates were put on hold meanwhile; refuse the delivery, and apply again"
        )
    pending = [row for row in rows if row.pending]
    if not pending:
        return ()
    carrier = pending[0].carrier
    # With the card's certificates those on a phone end, if the table of causes says so: they rest on them.
    old = [
        row
        for row in work.certificates.live_of(pending[0].resident_id)
        if (row.carrier is carrier and not row.pending) or (carrier is Carrier.CARD and row.carrier is not carrier)
    ]
    standing = _unexpired(work, old, actor, at)
    orders = orders_for(authority.causes[RevocationCause.RENEWAL], standing, frozenset(row.kind for row in pending))
    outcome = revoke(orders, standing, work, at=at, actor=actor, receipt=receipt, received_at=received_at)
    for row in pending:
        work.certificates.deliver(row.issuer, row.serial)
        work.audit.append(AuditEvent(Act.DELIVERED, actor, at, audit_facts(row)))
    return outcome.revoked


def _withdraw(
    authority: Authority,
    work: UnitOfWork,
    rows: Sequence[CertificateRecord],
    actor: str,
    receipt: str,
    received_at: datetime,
    at: datetime,
) -> RevocationOutcome:
    rows = _unexpired(work, rows, actor, at)
    orders = orders_for(authority.causes[RevocationCause.NEVER_DELIVERED], rows)
    return revoke(orders, rows, work, at=at, actor=actor, receipt=receipt, received_at=received_at)


def _unexpired(
    work: UnitOfWork, rows: Sequence[CertificateRecord], actor: str, at: datetime
) -> list[CertificateRecord]:
    """Those within their validity; the others end here as expired, since lists say nothing of them."""
    for row in rows:
        if row.validity.ended(at):
            expire(work, row, actor, at)
    return [row for row in rows if not row.validity.ended(at)]


def _kinds(rows: Sequence[CertificateRecord]) -> tuple[Kind, ...]:
    return tuple(kind for kind in Kind if any(row.kind is kind for row in rows))


def _to_json(receipt: DeliveryReceipt) -> str:
    return json.dumps(
        {
            "id": receipt.id,
            "application": receipt.application_id,
            "outcome": receipt.outcome.value,
            "live": [kind.value for kind in receipt.live],
            "revoked": [kind.value for kind in receipt.revoked],
            "received_at": receipt.received_at.isoformat(),
            "committed_at": receipt.committed_at.isoformat(),
        }
    )


def _receipt(text: str, *, repeated: bool) -> DeliveryReceipt:
    kept = json.loads(text)
    return DeliveryReceipt(
        id=kept["id"],
        application_id=kept["application"],
        outcome=HandOver(kept["outcome"]),
        live=tuple(map(Kind, kept["live"])),
        revoked=tuple(map(Kind, kept["revoked"])),
        received_at=datetime.fromisoformat(kept["received_at"]).astimezone(UTC),
        committed_at=datetime.fromisoformat(kept["committed_at"]).astimezone(UTC),
        repeated=repeated,
    )
