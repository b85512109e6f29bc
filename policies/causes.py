"""Causes of revocation: the table in law, and the orders that a cause gives for a holder's certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from domain.certificates import CertificateRecord, Kind
from domain.errors import Code, Refusal
from domain.parties import Role
from domain.revocation import CauseRule, CrlReason, RevocationCause, RevocationOrder
from policies.tables import Table

_COLUMNS = ("cause", "title_ja", "title_en", "kinds", "choosable", "reason", "by", "source", "verified")
_CAUSES = {cause.value: cause for cause in RevocationCause}
_KINDS = {kind.value: kind for kind in Kind}
_REASONS = {reason.name.lower().replace("_", "-"): reason for reason in CrlReason}
# Verifiers are told of revocations and never ask for them.
_ROLES = {role.value: role.value for role in Role if role is not Role.VERIFIER}


def load_causes(content: Mapping[str, object]) -> Mapping[RevocationCause, CauseRule]:
    """The cause table from a parsed document with rows `cause`. Raises TableFaults with every fault found,
    a cause without a row among them."""
    table = Table("cause")
    rules: dict[RevocationCause, CauseRule] = {}
    for row in table.rows(content, _COLUMNS):
        cause = row.choice("cause", _CAUSES)
        title_ja, title_en, source = row.text("title_ja"), row.text("title_en"), row.text("source")
        kinds, by = row.choices("kinds", _KINDS), row.choices("by", _ROLES)
        choosable, verified = row.flag("choosable"), row.flag("verified")
        reason = row.choice("reason", _REASONS)
        if cause in rules:
            row.fault("this cause stands twice")
        if cause is not None and reason is not None:
            rules[cause] = CauseRule(cause, title_ja, title_en, kinds, choosable, reason, by, source, verified)
    table.require_all(_CAUSES, rules)
    return MappingProxyType(rules)


def orders_for(
    rule: CauseRule, live: Sequence[CertificateRecord], chosen: frozenset[Kind] | None = None
) -> list[RevocationOrder]:
    """The orders that the rule gives for a holder's live certificates, in their order.

    `chosen` names the kinds the caller wants revoked; None leaves it to the rule. The authentication certificate takes
    the signing certificate with it, which must not outlive it. A kind without a live certificate gives no order.
    Raises Refusal(CAUSE_NOT_ALLOWED) for a choice that the row does not permit.
    """
    kinds = rule.kinds if chosen is None else chosen
    if not kinds or not kinds <= rule.kinds or (kinds != rule.kinds and not rule.choosable):
        raise Refusal(
            Code.CAUSE_NOT_ALLOWED,
            f"{rule.cause.value} revokes {_listed(rule.kinds)}"
            + (", or one of them" if rule.choosable else "; name both or nothing" if len(rule.kinds) > 1 else " only"),
            pointer="kinds",
        )
    if Kind.AUTHENTICATION in kinds:
        kinds |= {Kind.SIGNATURE}
    return [
        RevocationOrder(record.issuer, record.serial, record.kind, rule.cause, rule.reason)
        for record in live
        if record.kind in kinds
    ]


def _listed(kinds: frozenset[Kind]) -> str:
    return " and ".join(kind.value for kind in Kind if kind in kinds)
