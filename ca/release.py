"""Release of holds: what was lost was found. By carrier and kind, as the table of release has it, and never else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.authority import Authority
from ca.completion import audit_facts
from ca.entitlement import find_resident
from ca.receipts import earlier_receipt, release_from_json, release_to_json
from ca.revoke import RECEIPT_OCTETS, revoke
from domain.certificates import Carrier, CertificateRecord
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.holds import Release, ReleaseReceipt, ReleaseRule, ReleaseWord
from domain.parties import Party, Role
from domain.people import ResidentCode
from domain.ports import UnitOfWork
from domain.revocation import CertificateEffect, EffectWord, Revocation, RevocationOrder


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """解除: the carrier was found."""

    caller: Party
    key: str
    resident_code: ResidentCode
    carrier: Carrier


Held = tuple[CertificateRecord, Revocation, ReleaseRule]
"""A held certificate, its hold, and the row of the table that says what becomes of it."""


def release_hold(authority: Authority, request: ReleaseRequest) -> ReleaseReceipt:
    """Lift the holds on a carrier, and revoke what is issued anew instead; repeated with its key, it gives the same
    receipt again.

    A lifted hold leaves nothing on lists and in OCSP: the certificate is good, as before. One that is revoked keeps the
    time of the hold. Raises Refusal(NOT_ADMITTED), Refusal(NOT_RELEASABLE) for a carrier whose holds are never lifted,
    Refusal(UNKNOWN_RESIDENT), Refusal(NOT_HELD), Refusal(IDEMPOTENCY_MISMATCH).
    """
    received_at = authority.clock()
    _require_caller(authority, request, received_at)
    caller, content = request.caller.label, _canonical(request)
    with authority.begin() as work:
        if earlier := earlier_receipt(authority, work, caller, request.key, content):
            return release_from_json(earlier)
        at = max(received_at, authority.clock())
        held = _held(authority, work, request, at)
        number = authority.random(RECEIPT_OCTETS).hex()
        for row, hold, rule in held:
            _end(authority, work, row, hold, rule, at=at, actor=caller, receipt=number, received_at=received_at)
        effects = tuple(_effect(authority, *one) for one in held)
        receipt = ReleaseReceipt(number, request.carrier, received_at, at, effects)
        digest = authority.sealer.digest(content)
        work.revocations.keep_receipt(caller, request.key, digest, release_to_json(receipt), number)
        work.commit()
    return receipt


def preview_release(authority: Authority, request: ReleaseRequest) -> tuple[CertificateEffect, ...]:
    """What `release_hold` would do now, without doing it: for a key that has a receipt, what that says. Raises
    the same refusals."""
    now = authority.clock()
    _require_caller(authority, request, now)
    with authority.begin(write=False) as work:
        if earlier := earlier_receipt(authority, work, request.caller.label, request.key, _canonical(request)):
            return release_from_json(earlier).effects
        return tuple(_effect(authority, *one) for one in _held(authority, work, request, now))


def _require_caller(authority: Authority, request: ReleaseRequest, now: datetime) -> None:
    caller, releases = request.caller, authority.holds.releases
    if not caller.in_force(now):
        raise Refusal(Code.NOT_ADMITTED, "the caller is suspended or its period has ended")
    rules = [rule for (_, carrier), rule in releases.items() if carrier is request.carrier and rule.by]
    if not rules:
        raise Refusal(
            Code.NOT_RELEASABLE,
            f"a hold on a {request.carrier.value} is never lifted: have the certificates revoked at the municipality, "
            "and apply for new ones",
            pointer="/carrier",
        )
    # All that is held there ends together, so whoever asks must be somebody who may for each kind.
    by = frozenset.intersection(*(rule.by for rule in rules))
    if caller.role.value not in by:
        raise Refusal(
            Code.NOT_ADMITTED, f"holds are lifted by {' or '.join(sorted(by)) or 'nobody'}, not by {caller.role.value}"
        )


def _held(authority: Authority, work: UnitOfWork, request: ReleaseRequest, at: datetime) -> Sequence[Held]:
    home = request.caller.municipality if request.caller.role is Role.MUNICIPALITY else None
    resident = find_resident(authority, work, request.resident_code, home)
    held = [
        (row, hold, authority.holds.releases[row.kind, row.carrier])
        for row in work.certificates.live_of(resident.id)
        if row.carrier is request.carrier
        and not row.validity.ended(at)
        and (hold := work.revocations.find(row.issuer, row.serial)) is not None
        and hold.on_hold
    ]
    if not held:
        raise Refusal(
            Code.NOT_HELD, f"no certificate of the resident is held on the {request.carrier.value}; nothing was changed"
        )
    return held


def _end(
    authority: Authority,
    work: UnitOfWork,
    row: CertificateRecord,
    hold: Revocation,
    rule: ReleaseRule,
    *,
    at: datetime,
    actor: str,
    receipt: str,
    received_at: datetime,
) -> None:
    if rule.effect is ReleaseWord.RELEASED:
        work.holds.release(Release(row.issuer, row.serial, hold.revoked_at, at), receipt, received_at)
        facts = {
            **audit_facts(row),
            "carrier": row.carrier.value,
            "resident": row.resident_id,
            "receipt": receipt,
        }
        work.audit.append(AuditEvent(Act.RELEASED, actor, at, facts))
    elif order := order_of(authority, row, rule):
        revoke([order], [row], work, at=at, actor=actor, receipt=receipt, received_at=received_at)


def order_of(authority: Authority, row: CertificateRecord, rule: ReleaseRule) -> RevocationOrder | None:
    """How a held certificate is revoked that is not to be good again; None when its hold stands."""
    if rule.cause is None:
        return None
    reason = authority.causes[rule.cause].effects[row.kind, row.carrier].reason
    return None if reason is None else RevocationOrder(row.issuer, row.serial, row.kind, rule.cause, reason)


def _effect(authority: Authority, row: CertificateRecord, hold: Revocation, rule: ReleaseRule) -> CertificateEffect:
    if rule.effect is ReleaseWord.RELEASED:
        return CertificateEffect(row.kind, row.carrier, EffectWord.RELEASED)
    if order := order_of(authority, row, rule):
        return CertificateEffect(row.kind, row.carrier, EffectWord.REVOKED, order.reason, hold.revoked_at)
    return CertificateEffect(row.kind, row.carrier, EffectWord.STAYS_HELD, hold.reason, hold.revoked_at)


def _canonical(request: ReleaseRequest) -> bytes:
    """Everything asked for, in one order."""
    return json.dumps(["release", request.resident_code.digits, request.carrier.value]).encode()
