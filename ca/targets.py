"""Targets of mass events: revoked or held many at a time, by the rules of one, told to the audit trail in one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.events import Act, AuditEvent
from domain.mass import Target
from domain.ports import UnitOfWork
from domain.revocation import CauseRule, CrlReason, Revocation
from policies.causes import standing_after

ALREADY, EXPIRED, SPARED = "already", "expired", "spared"
"""Why a target stays as it is: it ended, or is held or revoked as it should be; its validity is over; the cause leaves
its kind and carrier alone."""


@dataclass(frozen=True, slots=True)
class TargetChange:
    """A certificate, and the revocation that shall stand for it."""

    target: Target
    revocation: Revocation


def judge_targets(rule: CauseRule, targets: Iterable[Target], at: datetime) -> tuple[list[TargetChange], Counter[str]]:
    """What the cause changes, and how many targets stay as they are, by the reason. Changes nothing."""
    changes: list[TargetChange] = []
    left: Counter[str] = Counter()
    for target in targets:
        reason = rule.effects[target.kind, target.carrier].reason
        if reason is None:
            left[SPARED] += 1
        elif target.not_after < at:
            left[EXPIRED] += 1
        else:
            wanted = Revocation(
                target.issuer, target.serial, target.municipality, rule.cause, reason, at, target.not_after
            )
            shall = None if target.ended else standing_after(target.standing, wanted)
            if shall is None:
                left[ALREADY] += 1
            else:
                changes.append(TargetChange(target, shall))
    return changes, left


def change_targets(
    changes: Sequence[TargetChange], work: UnitOfWork, *, at: datetime, actor: str, event: str, received_at: datetime
) -> None:
    """Have the revocations stand, inside the caller's transaction. `event` is the mass event's id: each revocation
    bears it as its receipt, and one audit row for each reason names the certificates."""
    if not changes:
        return
    for over in (False, True):
        rows = [change.revocation for change in changes if (change.target.standing is not None) is over]
        work.revocations.put_many([(row, event, received_at) for row in rows], at, over_holds=over)
    ended = [change.target for change in changes if not change.revocation.on_hold]
    work.certificates.end_many([(target.issuer, target.serial) for target in ended], at)
    alike = {(change.revocation.cause, change.revocation.reason) for change in changes}
    for cause, reason in sorted(alike, key=lambda pair: pair[1]):
        named = [
            [change.target.application_id, change.target.kind.value]
            for change in changes
            if change.revocation.reason is reason
        ]
        facts = {"mass": event, "cause": cause.value, "reason": int(reason), "certificates": named}
        act = Act.CERTIFICATES_HELD if reason is CrlReason.CERTIFICATE_HOLD else Act.CERTIFICATES_REVOKED
        work.audit.append(AuditEvent(act, actor, at, facts))
