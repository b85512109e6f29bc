"""Ageing of holds: what stands too long is reported or revoked, as the table of age has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ca.authority import Authority
from ca.completion import audit_facts
from ca.revoke import RECEIPT_OCTETS, revoke
from domain.events import Act, AuditEvent
from domain.holds import AgeRule, AgeWord, Hold
from domain.ports import UnitOfWork
from domain.revocation import RevocationOrder

BATCH = 100
"""Holds that are aged in one transaction: others write between two of them."""


@dataclass(frozen=True, slots=True)
class Aged:
    """How many holds were reported, and how many became revocations."""

    reported: int = 0
    revoked: int = 0


def age_holds(authority: Authority, actor: str) -> Aged:
    """Report or revoke every hold that has reached its age. A hold that is revoked keeps its time.

    Killed in between, the next call goes on: each batch is one transaction. Raises Refusal(STORE_UNAVAILABLE),
    Refusal(BUSY).
    """
    counts = dict.fromkeys(AgeWord, 0)
    for rule in authority.holds.ages.values():
        counts[rule.effect] += _age(authority, rule, actor)
    return Aged(counts[AgeWord.REPORTED], counts[AgeWord.REVOKED])


def _age(authority: Authority, rule: AgeRule, actor: str) -> int:
    done = 0
    while True:
        now = authority.clock()
        with authority.begin(write=False) as work:
            if not _due(work, rule, now):
                return done
        with authority.begin() as work:
            at = max(now, authority.clock())
            due = _due(work, rule, at)
            for hold in due:
                _end(authority, work, hold, rule, actor, at)
            work.commit()
        done += len(due)


def _due(work: UnitOfWork, rule: AgeRule, now: datetime) -> list[Hold]:
    before = now - timedelta(days=rule.days)
    if rule.effect is AgeWord.REPORTED:
        return list(work.holds.unreported(now, before, rule.carrier, BATCH))
    due: list[Hold] = []
    after: Hold | None = None
    # Those that were only reported, under an earlier rule, are revoked as well; few are of another carrier.
    while len(due) < BATCH and (page := work.holds.standing(now, before, after, BATCH)):
        due += [hold for hold in page if hold.carrier is rule.carrier]
        after = page[-1]
    return due[:BATCH]


def _end(authority: Authority, work: UnitOfWork, hold: Hold, rule: AgeRule, actor: str, at: datetime) -> None:
    row = work.certificates.find(hold.issuer, hold.serial)
    if row is None:
        raise LookupError("a hold has no certificate")
    facts = {
        **audit_facts(row),
        "carrier": row.carrier.value,
        "resident": hold.resident_id,
        "days": rule.days,
        "effect": rule.effect.value,
    }
    work.audit.append(AuditEvent(Act.HOLD_AGED, actor, at, facts))
    work.holds.report(hold, at)
    reason = authority.causes[rule.cause].effects[row.kind, row.carrier].reason if rule.cause else None
    if rule.cause is not None and reason is not None:
        order = RevocationOrder(row.issuer, row.serial, row.kind, rule.cause, reason)
        number = authority.random(RECEIPT_OCTETS).hex()
        revoke([order], [row], work, at=at, actor=actor, receipt=number, received_at=at)
