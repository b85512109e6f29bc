"""Holds (一時停止): placed at any hour, by resident code or by the four items, on every carrier or the lost one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.authority import Authority
from ca.desk import OUTAGES, Name, count_miss, find_named, nobody, require_attempts
from ca.receipts import earlier_receipt, receipt_from_json, receipt_to_json
from ca.revoke import RECEIPT_OCTETS, RevocationOutcome, changes_of, outcome_of, outcome_told, revoke
from domain.certificates import Carrier, CertificateRecord
from domain.errors import Code, Refusal
from domain.parties import Party
from domain.people import ResidentCode
from domain.ports import UnitOfWork
from domain.revocation import RevocationCause, RevocationOrder, RevocationReceipt
from policies.causes import orders_for

CAUSE = RevocationCause.TEMPORARY_STOP


@dataclass(frozen=True, slots=True, repr=False)
class HoldRequest:
    """一時停止 as somebody at a telephone asks for it. `carriers` None: whatever the resident has."""

    caller: Party
    key: str
    who: Name
    carriers: frozenset[Carrier] | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """Orders, the resident's certificates within their validity, and what carrying the orders out would do."""

    orders: Sequence[RevocationOrder]
    records: Sequence[CertificateRecord]
    outcome: RevocationOutcome


def place_hold(authority: Authority, request: HoldRequest) -> RevocationReceipt:
    """Hold a resident's certificates; repeated with its key, it gives the same receipt again.

    Raises Refusal(NOT_ADMITTED), Refusal(CAUSE_NOT_ALLOWED) when the caller may place no holds, Refusal(MALFORMED) for
    no carrier at all, Refusal(UNKNOWN_RESIDENT), Refusal(NO_LIVE_CERTIFICATE), Refusal(ALREADY_APPLIED) when all that
    is meant is held already, Refusal(TOO_MANY_ATTEMPTS), Refusal(IDEMPOTENCY_MISMATCH). Attempts that lead to nobody
    are counted and on the audit trail; with the items, so is every one that stops nothing.
    """
    received_at = authority.clock()
    _require_caller(authority, request.caller, received_at)
    caller, content = request.caller.label, _canonical(request)
    with authority.begin() as work:
        if earlier := earlier_receipt(authority, work, caller, request.key, content):
            return receipt_from_json(earlier)
        at = max(received_at, authority.clock())
        plan = _attempt(authority, work, request, at)
        number = authority.random(RECEIPT_OCTETS).hex()
        outcome = revoke(plan.orders, plan.records, work, at=at, actor=caller, receipt=number, received_at=received_at)
        receipt = RevocationReceipt(number, CAUSE, outcome.revoked, outcome.already, received_at, at, outcome.effects)
        digest = authority.sealer.digest(content)
        work.revocations.keep_receipt(caller, request.key, digest, receipt_to_json(receipt), number)
        work.commit()
    return receipt


def preview_hold(authority: Authority, request: HoldRequest) -> RevocationOutcome:
    """What `place_hold` would do now, without doing it: for a key that has a receipt, what that says. Raises
    the same refusals.

    Because it would tell quietly who is here, every rehearsal with the items counts as an attempt that led to nobody.
    """
    now = authority.clock()
    _require_caller(authority, request.caller, now)
    with authority.begin() as work:
        if earlier := earlier_receipt(authority, work, request.caller.label, request.key, _canonical(request)):
            return outcome_told(earlier)
        plan = _attempt(authority, work, request, now)
        if not isinstance(request.who, ResidentCode):
            count_miss(authority, work, request.caller, request.who, "rehearsal", now)
            work.commit()
    return plan.outcome


def _require_caller(authority: Authority, caller: Party, now: datetime) -> None:
    rule = authority.causes[CAUSE]
    if not caller.in_force(now):
        raise Refusal(Code.NOT_ADMITTED, "the caller is suspended or its period has ended")
    if caller.role.value not in rule.by:
        raise Refusal(
            Code.CAUSE_NOT_ALLOWED, f"holds are placed by {' or '.join(sorted(rule.by))}, not by {caller.role.value}"
        )


def _attempt(authority: Authority, work: UnitOfWork, request: HoldRequest, at: datetime) -> _Plan:
    """What is to be done; an attempt in vain is counted, and that is committed."""
    require_attempts(authority, work, request.caller, at)
    try:
        return _plan(authority, work, request, at)
    except Refusal as refusal:
        by_items = not isinstance(request.who, ResidentCode)
        if refusal.code in OUTAGES or not (by_items or refusal.code is Code.UNKNOWN_RESIDENT):
            raise
        count_miss(authority, work, request.caller, request.who, refusal.code.value, at)
        work.commit()
        raise


def _plan(authority: Authority, work: UnitOfWork, request: HoldRequest, at: datetime) -> _Plan:
    resident = find_named(authority, work, request.caller, request.who)
    records = [row for row in work.certificates.live_of(resident.id) if not row.validity.ended(at)]
    orders = orders_for(authority.causes[CAUSE], records, None, request.carriers)
    if not orders:
        if not isinstance(request.who, ResidentCode):
            raise nobody()
        raise Refusal(Code.NO_LIVE_CERTIFICATE, "the resident has no live certificate there that could be stopped")
    changes, effects = changes_of(work, orders, records, at)
    if not changes:
        since = min(effect.since for effect in effects if effect.since is not None)
        raise Refusal(
            Code.ALREADY_APPLIED, f"these certificates are held since {since:%Y-%m-%dT%H:%M:%SZ}; nothing was changed"
        )
    return _Plan(orders, records, outcome_of(orders, changes, effects))


def _canonical(request: HoldRequest) -> bytes:
    """Everything asked for, in one order."""
    who = request.who
    if isinstance(who, ResidentCode):
        named: object = who.digits
    else:
        named = [who.name, who.address, who.birth_date.text, who.sex.value]
    carriers = None if request.carriers is None else [c.value for c in Carrier if c in request.carriers]
    return json.dumps(["hold", named, carriers]).encode()
