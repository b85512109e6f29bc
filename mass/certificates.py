"""Steps over certificates: where each one looks, and what it changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from ca.targets import TargetChange, judge_targets
from domain.certificates import IssuerId, Kind
from domain.errors import Code, Refusal
from domain.mass import CertificateOrder, Stretch, Target
from domain.ports import UnitOfWork
from domain.revocation import CauseRule
from domain.serial import OCTETS
from mass.parts import MassParts

_LOW, _HIGH = 1 << 126, 1 << 127
"""The range of serials, which are drawn at random: equal shares hold about as many certificates each."""

SCANNED = 20_000
"""Certificates that one step looks at, at most, give or take chance."""


def share(number: int, steps: int) -> tuple[bytes, bytes]:
    """The serial octets at which share `number` (from 0) of `steps` begins and ends."""
    width = _HIGH - _LOW
    return tuple((_LOW + width * at // steps).to_bytes(OCTETS) for at in (number, number + 1))  # type: ignore[return-value]


def scan(parts: MassParts, work: UnitOfWork, order: CertificateOrder) -> tuple[Stretch, ...]:
    """The steps that look at everything the order could be about, SCANNED certificates in each.

    Signing certificates come first: none must stay in force when its authentication certificate has ended.
    Raises Refusal(BAD_CONFIGURATION) for certificates of an issuer that is not configured.
    """
    counts = work.certificates.count_by_issuer()
    wanted = {
        issuer: count
        for issuer, count in counts.items()
        if order.selection.issuers is None or issuer in order.selection.issuers
    }
    if unknown := wanted.keys() - parts.issuers.keys():
        raise Refusal(Code.BAD_CONFIGURATION, f"issuer {min(unknown)} has certificates on record and is not configured")
    ordered = sorted(wanted, key=lambda issuer: (parts.issuers[issuer] is not Kind.SIGNATURE, issuer))
    return tuple(
        Stretch(issuer, -(-wanted[issuer] // SCANNED))
        for issuer in ordered
        if parts.issuers[issuer] in order.selection.kinds
    )


def refine(stretches: Sequence[Stretch], changes: Mapping[IssuerId | None, int], most: int) -> tuple[Stretch, ...]:
    """The same stretches in so many steps that none changes more than `most`, give or take chance."""
    return tuple(
        Stretch(stretch.issuer, max(stretch.steps, -(-changes.get(stretch.issuer, 0) // most))) for stretch in stretches
    )


def gather_certificates(
    rule: CauseRule,
    order: CertificateOrder,
    work: UnitOfWork,
    stretch: Stretch,
    number: int,
    residents: Sequence[int],
    at: datetime,
) -> tuple[list[TargetChange], Counter[str]]:
    """What a step changes, and how many certificates of the selection stay as they are. Changes nothing.

    `residents` are those of the step where the order has a list. An authentication certificate takes with it the
    signing certificate beside it, selected or not, since that must not outlive it (`policies.causes.orders_for`).
    """
    if stretch.issuer is None:
        found = work.certificates.targets_of(residents)
    else:
        found = work.certificates.targets(stretch.issuer, *share(number, stretch.steps), order.selection.municipality)
    changes, left = judge_targets(rule, (target for target in found if order.selection.covers(target)), at)
    gone = [change.target for change in changes if change.target.kind is Kind.AUTHENTICATION]
    if gone:
        beside = (
            found if stretch.issuer is None else work.certificates.targets_of(sorted({one.resident_id for one in gone}))
        )
        changes = [*judge_targets(rule, _beside(order, beside, gone), at)[0], *changes]
    return changes, left


def _beside(order: CertificateOrder, found: Sequence[Target], gone: Sequence[Target]) -> list[Target]:
    """Signing certificates beside authentication certificates that go; those that the selection covers have their own
    turn. What waits for its hand-over goes with what came with it, or with the live one if it came alone."""
    live = {(one.resident_id, one.carrier) for one in gone if not one.pending}
    applied_for = {one.application_id for one in gone}
    pairs = {one.application_id for one in found if one.kind is Kind.AUTHENTICATION}

    def goes(one: Target) -> bool:
        if one.pending and one.application_id in pairs:
            return one.application_id in applied_for
        return (one.resident_id, one.carrier) in live

    return [one for one in found if one.kind is Kind.SIGNATURE and goes(one) and not order.selection.covers(one)]
