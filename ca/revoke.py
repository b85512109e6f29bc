"""Revocation: the one way a certificate becomes revoked or held, for register notices and for callers alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.authority import Authority
from ca.completion import audit_facts
from ca.entitlement import find_resident
from ca.receipts import earlier_receipt, receipt_from_json, receipt_to_json
from domain.certificates import Carrier, CertificateRecord, Kind
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Party, Role
from domain.people import ResidentCode
from domain.ports import UnitOfWork
from domain.revocation import (
    CertificateEffect,
    EffectWord,
    Revocation,
    RevocationCause,
    RevocationOrder,
    RevocationReceipt,
)
from policies.causes import orders_for, standing_after

RECEIPT_OCTETS = 16


@dataclass(frozen=True, slots=True)
class RevocationRequest:
    """失効の申請, 届出 or 一時停止, as handed on. `kinds` or `carriers` None leave to the cause what is hit."""

    caller: Party
    key: str
    resident_code: ResidentCode
    cause: RevocationCause
    kinds: frozenset[Kind] | None = None
    carriers: frozenset[Carrier] | None = None


@dataclass(frozen=True, slots=True)
class RevocationOutcome:
    """Kinds of which something changes, kinds of which all stands already as it was ordered, and what becomes of each
    certificate that was live."""

    revoked: tuple[Kind, ...]
    already: tuple[Kind, ...]
    effects: tuple[CertificateEffect, ...]


def revoke(
    orders: Sequence[RevocationOrder],
    records: Sequence[CertificateRecord],
    work: UnitOfWork,
    *,
    at: datetime,
    actor: str,
    receipt: str,
    received_at: datetime,
) -> RevocationOutcome:
    """Carry out `orders` on their certificates, which are among `records`, inside the caller's transaction.

    What is revoked stays as it is, time and reason too. A hold may become a revocation and keeps its time, since the
    key was in doubt from then on; a hold on a hold changes nothing. A revocation ends the certificate as the holder's
    live one, a hold does not. A certificate that is reserved and not yet signed is revoked like any other.
    """
    changes, effects = changes_of(work, orders, records, at)
    for order, row, change in changes:
        work.revocations.put(change, receipt, received_at, at)
        if not change.on_hold:
            work.certificates.end(row.issuer, row.serial, at)
        facts = {
            **audit_facts(row),
            "resident": row.resident_id,
            "cause": order.cause.value,
            "reason": int(order.reason),
            "receipt": receipt,
        }
        work.audit.append(AuditEvent(Act.HELD if change.on_hold else Act.REVOKED, actor, at, facts))
    return outcome_of(orders, changes, effects)


def expire(work: UnitOfWork, row: CertificateRecord, actor: str, at: datetime) -> None:
    """Have a certificate whose validity has ended no longer count as the holder's live one; that is no revocation."""
    work.certificates.end(row.issuer, row.serial, row.validity.not_after)
    work.audit.append(AuditEvent(Act.EXPIRED, actor, at, audit_facts(row)))


Change = tuple[RevocationOrder, CertificateRecord, Revocation]
"""An order, the certificate, and the revocation that shall stand for it."""


def changes_of(
    work: UnitOfWork, orders: Sequence[RevocationOrder], records: Sequence[CertificateRecord], at: datetime
) -> tuple[list[Change], list[CertificateEffect]]:
    """What the orders change, and what becomes of every live certificate among `records`. Changes nothing."""
    ordered = {(order.issuer, order.serial): order for order in orders}
    changes: list[Change] = []
    effects: list[CertificateEffect] = []
    for row in records:
        order, existing = ordered.get((row.issuer, row.serial)), work.revocations.find(row.issuer, row.serial)
        change = _standing(order, row, existing, at) if order else None
        if order and change:
            changes.append((order, row, change))
        if change or row.ended_at is None:
            effects.append(_effect(row, existing, change))
    return changes, effects


def _standing(
    order: RevocationOrder, row: CertificateRecord, existing: Revocation | None, at: datetime
) -> Revocation | None:
    """The revocation that shall stand for the certificate, or None when it needs no change."""
    wanted = Revocation(row.issuer, row.serial, row.municipality, order.cause, order.reason, at, row.validity.not_after)
    return standing_after(existing, wanted)


def _effect(row: CertificateRecord, existing: Revocation | None, change: Revocation | None) -> CertificateEffect:
    after = change or existing
    if after is None:
        return CertificateEffect(row.kind, row.carrier, EffectWord.STAYS_GOOD)
    if change is not None:
        word = EffectWord.HELD if change.on_hold else EffectWord.REVOKED
    else:
        word = EffectWord.STAYS_HELD if after.on_hold else EffectWord.STAYS_REVOKED
    return CertificateEffect(row.kind, row.carrier, word, after.reason, after.revoked_at)


def outcome_of(
    orders: Sequence[RevocationOrder], changes: Sequence[Change], effects: Sequence[CertificateEffect]
) -> RevocationOutcome:
    """What `changes_of` found, by kinds."""
    asked, done = {order.kind for order in orders}, {order.kind for order, _, _ in changes}
    return RevocationOutcome(
        revoked=tuple(kind for kind in Kind if kind in done),
        already=tuple(kind for kind in Kind if kind in asked and kind not in done),
        effects=tuple(effects),
    )


def revoke_resident(authority: Authority, request: RevocationRequest) -> RevocationReceipt:
    """Revoke or hold a resident's certificates for a cause; repeated with its key, it gives the same receipt again.

    Revocations bear the time at which they are recorded, after any wait for the store, so that
    no list made meanwhile lacks an entry older than itself. Raises Refusal(NOT_ADMITTED), Refusal(CAUSE_NOT_ALLOWED)
    when the cause is not for this caller or not for these kinds, Refusal(UNKNOWN_RESIDENT), also for a municipality
    where the resident does not live, Refusal(NO_LIVE_CERTIFICATE), Refusal(IDEMPOTENCY_MISMATCH).
    """
    received_at = authority.clock()
    _require_caller(authority, request, received_at)
    caller, content = request.caller.label, _canonical(request)
    with authority.begin() as work:
        if earlier := earlier_receipt(authority, work, caller, request.key, content):
            return receipt_from_json(earlier)
        at = max(received_at, authority.clock())
        orders, records = _orders(authority, work, request, at)
        number = authority.random(RECEIPT_OCTETS).hex()
        outcome = revoke(orders, records, work, at=at, actor=caller, receipt=number, received_at=received_at)
        receipt = RevocationReceipt(
            number, request.cause, outcome.revoked, outcome.already, received_at, at, outcome.effects
        )
        digest = authority.sealer.digest(content)
        work.revocations.keep_receipt(caller, request.key, digest, receipt_to_json(receipt), number)
        work.commit()
    return receipt


def preview(authority: Authority, request: RevocationRequest) -> RevocationOutcome:
    """What `revoke_resident` would do now, without doing it: for a key that has a receipt, what that says. Raises
    the same refusals."""
    now = authority.clock()
    _require_caller(authority, request, now)
    with authority.begin(write=False) as work:
        if earlier := earlier_receipt(authority, work, request.caller.label, request.key, _canonical(request)):
            return outcome_told(earlier)
        orders, records = _orders(authority, work, request, now)
        return outcome_of(orders, *changes_of(work, orders, records, now))


def outcome_told(earlier: str) -> RevocationOutcome:
    """What a receipt says, in the form in which it is kept."""
    receipt = receipt_from_json(earlier)
    return RevocationOutcome(receipt.revoked, receipt.already, receipt.effects)


def _require_caller(authority: Authority, request: RevocationRequest, now: datetime) -> None:
    caller, rule = request.caller, authority.causes[request.cause]
    if not caller.in_force(now):
        raise Refusal(Code.NOT_ADMITTED, "the caller is suspended or its period has ended")
    if caller.role.value not in rule.by:
        raise Refusal(
            Code.CAUSE_NOT_ALLOWED,
            f"{request.cause.value} is named by {' or '.join(sorted(rule.by))}, not by {caller.role.value}",
            pointer="/cause",
        )


def _orders(
    authority: Authority, work: UnitOfWork, request: RevocationRequest, now: datetime
) -> tuple[list[RevocationOrder], Sequence[CertificateRecord]]:
    """Orders for every certificate of the resident that is within its validity, revoked already or not."""
    home = request.caller.municipality if request.caller.role is Role.MUNICIPALITY else None
    resident = find_resident(authority, work, request.resident_code, home)
    records = [row for row in work.certificates.of_resident(resident.id) if not row.validity.ended(now)]
    meant = _meant(request, records)
    orders = orders_for(authority.causes[request.cause], meant, request.kinds, request.carriers)
    ordered = {(order.issuer, order.serial) for order in orders}
    if not any(row.ended_at is None and (row.issuer, row.serial) in ordered for row in records):
        raise Refusal(
            Code.NO_LIVE_CERTIFICATE, "the resident has no live certificate of the kinds that this would revoke"
        )
    return orders, records


def _meant(request: RevocationRequest, records: Sequence[CertificateRecord]) -> list[CertificateRecord]:
    """Those that the cause can be about. Never delivered is what waits for its hand-over, as long as something does;
    replaced by renewal is what does not wait."""
    if request.cause is RevocationCause.RENEWAL:
        return [row for row in records if not row.pending]
    if request.cause is RevocationCause.NEVER_DELIVERED:
        named = frozenset(Carrier) if request.carriers is None else request.carriers
        waiting = [row for row in records if row.pending and row.ended_at is None and row.carrier in named]
        return waiting or list(records)
    return list(records)


def _canonical(request: RevocationRequest) -> bytes:
    """Everything asked for, in one order."""
    kinds = None if request.kinds is None else [kind.value for kind in Kind if kind in request.kinds]
    said: list[object] = ["revocation", request.resident_code.digits, request.cause.value, kinds]
    if request.carriers is not None:
        said.append([carrier.value for carrier in Carrier if carrier in request.carriers])
    return json.dumps(said).encode()
