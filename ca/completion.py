"""Completion: reserved certificates are signed from their stored octets, and recorded and handed out together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from ca.authority import Authority
from ca.lint import lint_tbs
from ca.octets import tbs_fields
from ca.signature import sign_certificate
from ca.units import run_step
from domain import der
from domain.applications import ApplicationRecord
from domain.certificates import CertificateRecord, CertificateState, Kind
from domain.der import DerError
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.ports import UnitOfWork
from domain.signing import LintedTbs

Reserved = Sequence[tuple[CertificateRecord, LintedTbs]]
"""The rows of one application, each with the right to have its octets signed once."""


def complete(
    authority: Authority,
    application_id: int,
    actor: str,
    reserved: Reserved,
    now: datetime,
    facts: Mapping[str, object],
) -> dict[Kind, bytes]:
    """Sign all of an application's reserved certificates, then record all in one transaction; the certificates (DER).

    Signing happens outside any transaction: a slow key store must not hold the store's locks. Who is overtaken by
    another completion of the same application discards their own signatures and gives out those on record.
    Raises Refusal(SIGNER_UNAVAILABLE), after which the application is still unfinished and may be completed again.
    """
    signed = sign_reserved(authority, reserved)
    return run_step(authority.begin, lambda work: record(work, application_id, actor, reserved, signed, now, facts))


def sign_reserved(authority: Authority, reserved: Reserved) -> dict[Kind, bytes]:
    """The certificates (DER). Raises Refusal(SIGNER_UNAVAILABLE)."""
    signed = {}
    for row, linted in reserved:
        generation = authority.generation(row.issuer)
        signed[row.kind] = sign_certificate(linted, generation.signer, generation.issuer)
    return signed


def record(
    work: UnitOfWork,
    application_id: int,
    actor: str,
    reserved: Reserved,
    signed: dict[Kind, bytes],
    now: datetime,
    facts: Mapping[str, object],
) -> dict[Kind, bytes]:
    """Record what was signed, unless another completion was quicker; the certificates (DER) on record then."""
    if not work.applications.close(application_id, now):
        return issued_by(work, application_id)
    work.certificates.complete([(row.issuer, row.serial, signed[row.kind]) for row, _ in reserved])
    for row, _ in reserved:
        work.audit.append(AuditEvent(Act.ISSUED, actor, now, {**audit_facts(row), **facts}))
    return signed


def issued_by(work: UnitOfWork, application_id: int) -> dict[Kind, bytes]:
    """The certificates (DER) of an application that is closed."""
    rows = work.certificates.of_application(application_id)
    if not all(row.state is CertificateState.ISSUED for row in rows):
        raise RuntimeError("an application is recorded as issued, and its certificates are not")
    return {row.kind: row.der for row in rows}


def resume(authority: Authority, application: ApplicationRecord, now: datetime) -> dict[Kind, bytes]:
    """Complete an interrupted application from the octets that were committed for it: same serials, same content.

    The octets are judged again, since they come out of storage. Raises Refusal(LINT) when they are not what was
    recorded, Refusal(BAD_CONFIGURATION) when their profile was changed since, and what `complete` raises.
    """
    with authority.begin(write=False) as work:
        if work.applications.get(application.id).issued_at is not None:
            return issued_by(work, application.id)  # another completion ended since the application was looked up
        rows = work.certificates.of_application(application.id)
    reserved = [(row, _linted_again(authority, row)) for row in rows]
    return complete(authority, application.id, application.caller, reserved, now, {"resumed": True})


def _linted_again(authority: Authority, row: CertificateRecord) -> LintedTbs:
    generation = authority.generation(row.issuer).on(row.carrier)
    if row.profile_digest != generation.profile.digest:
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"profile {generation.profile.name} was changed while an application was unfinished; put the former one "
            "back, finish the application, then change it",
        )
    try:
        fields = tbs_fields(row.der)
    except DerError:
        fields = None
    if (
        fields is None
        or fields.serial != der.integer(row.serial.value)
        or (fields.not_before, fields.not_after)
        != (der.time(row.validity.not_before), der.time(row.validity.not_after))
        or hashlib.sha256(fields.spki).digest() != row.spki_digest
    ):
        raise Refusal(Code.LINT, "the stored octets of a reserved certificate are not those that were recorded")
    return lint_tbs(row.der, generation.profile, generation.issuer, generation.signer.algorithm)


def audit_facts(row: CertificateRecord) -> dict[str, object]:
    """What audit rows say of a certificate: never its serial; application and kind name it."""
    return {"application": row.application_id, "kind": row.kind.value, "issuer": row.issuer}
