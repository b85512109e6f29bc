"""Causes of revocation: the table in law, and the orders that a cause gives for a holder's certificates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from types import MappingProxyType
from typing import cast

from domain.certificates import Carrier, CertificateRecord, Kind
from domain.errors import Code, Refusal
from domain.parties import Role
from domain.revocation import CauseEffect, CauseRule, CrlReason, PairRule, Revocation, RevocationCause, RevocationOrder
from policies.tables import Row, Table

_COLUMNS = (
    "cause",
    "title_ja",
    "title_en",
    "choosable",
    "carrier_choosable",
    "by",
    "source",
    "verified",
    "effect",
)
_EFFECT_COLUMNS = ("kinds", "carriers", "effect")
_EFFECT_OPTIONAL = ("reason", "source", "verified")
_CAUSES = {cause.value: cause for cause in RevocationCause}
_KINDS = {kind.value: kind for kind in Kind}
_CARRIERS = {carrier.value: carrier for carrier in Carrier}
_REASONS = {reason.word: reason for reason in CrlReason}
_WORDS = {word: word for word in ("revoked", "held", "stays")}
# Verifiers are told of revocations and never ask for them.
_ROLES = {role.value: role.value for role in Role if role is not Role.VERIFIER}

_OF_HAND_OVER = frozenset({RevocationCause.RENEWAL, RevocationCause.NEVER_DELIVERED})
"""What is replaced or given up at a hand-over must end, or there would be two live ones, or one that waits for ever."""

_ON_CARD = (Kind.SIGNATURE, Carrier.CARD)

Effects = dict[tuple[Kind, Carrier], CauseEffect]


def load_causes(content: Mapping[str, object]) -> Mapping[RevocationCause, CauseRule]:
    """The cause table from a parsed document with rows `cause` and the rule `pair`. Raises TableFaults with every
    fault found: a cause without a row, a kind and carrier without an effect and a broken pair among them."""
    table = Table("cause")
    rules: dict[RevocationCause, CauseRule] = {}
    pair = _pair(table, content)
    rows = {name: value for name, value in content.items() if name != "pair"}
    for row in table.rows(rows, _COLUMNS):
        cause = row.choice("cause", _CAUSES)
        title_ja, title_en, source = row.text("title_ja"), row.text("title_en"), row.text("source")
        choosable, carrier_choosable = row.flag("choosable"), row.flag("carrier_choosable")
        by, verified = row.choices("by", _ROLES), row.flag("verified")
        effects = _effects(row, source, verified)
        if cause in rules:
            row.fault("this cause stands twice")
        if cause in _OF_HAND_OVER and any(effect.word != "revoked" for effect in effects.values()):
            row.fault(f"effect: {cause.value} must revoke everything: a hand-over ends by it")
        if cause is not None:
            rules[cause] = CauseRule(
                cause, title_ja, title_en, effects, choosable, carrier_choosable, by, source, verified
            )
            if pair is not None:
                _check_pair(row, rules[cause], pair)
    table.require_all(_CAUSES, rules)
    return MappingProxyType(rules)


def load_pair_rule(content: Mapping[str, object]) -> PairRule:
    """The pair rule and its one exception, from the same document. Raises TableFaults."""
    table = Table("pair")
    rule = _pair(table, content)
    table.done()
    return cast(PairRule, rule)


def standing_after(existing: Revocation | None, wanted: Revocation) -> Revocation | None:
    """The revocation that shall stand when `wanted` is ordered of a certificate, or None when it needs no change.

    What is revoked stays as it is. A hold may become a revocation and keeps its time, since the key was in doubt from
    then on; a hold on a hold changes nothing.
    """
    if existing is None:
        return wanted
    if wanted.on_hold or not existing.on_hold:
        return None
    return replace(wanted, revoked_at=existing.revoked_at)


def orders_for(
    rule: CauseRule,
    live: Sequence[CertificateRecord],
    chosen: frozenset[Kind] | None = None,
    carriers: frozenset[Carrier] | None = None,
) -> list[RevocationOrder]:
    """The orders that the rule gives for a holder's live certificates, in their order.

    `chosen` names the kinds, `carriers` the carriers the caller wants hit; None leaves it to the rule. The
    authentication certificate takes the signing certificate on its carrier with it, which must not outlive it; the live
    signing certificate on the card takes both on a phone, which rest on it, as far as the rule revokes them. What there
    is no live certificate of gives no order. Raises Refusal(CAUSE_NOT_ALLOWED) for a choice that the row does not
    permit.
    """
    kinds = rule.kinds if chosen is None else chosen
    if not kinds or not kinds <= rule.kinds or (kinds != rule.kinds and not rule.choosable):
        raise Refusal(
            Code.CAUSE_NOT_ALLOWED,
            f"{rule.cause.value} revokes {_listed(kind.value for kind in Kind if kind in rule.kinds)}"
            + (", or one of them" if rule.choosable else "; name both or nothing" if len(rule.kinds) > 1 else " only"),
            pointer="kinds",
        )
    named = rule.carriers if carriers is None else carriers
    if not named or not named <= rule.carriers or (named != rule.carriers and not rule.carrier_choosable):
        raise Refusal(
            Code.CAUSE_NOT_ALLOWED,
            f"{rule.cause.value} hits {_listed(carrier.value for carrier in Carrier if carrier in rule.carriers)}"
            + (", or one of them" if rule.carrier_choosable else "; name every carrier or none"),
            pointer="carriers",
        )
    if Kind.AUTHENTICATION in kinds:
        kinds |= {Kind.SIGNATURE}
    hit = set(product(kinds, named))
    if _ON_CARD in hit and rule.effects[_ON_CARD].word == "revoked" and _has_card(live):
        hit |= set(product(Kind, (Carrier.MOBILE_DEVICE,)))
    return [
        RevocationOrder(record.issuer, record.serial, record.kind, rule.cause, reason)
        for record in live
        if (record.kind, record.carrier) in hit
        and (reason := rule.effects[record.kind, record.carrier].reason) is not None
    ]


def _has_card(records: Iterable[CertificateRecord]) -> bool:
    """Whether a signing certificate on a card, which applications for phones are signed with, is among them."""
    return any((record.kind, record.carrier) == _ON_CARD and record.ended_at is None for record in records)


def _effects(row: Row, source: str, verified: bool) -> Effects:
    """What a cause does to each kind and carrier, exactly once each."""
    effects: Effects = {}
    for part in row.parts("effect", _EFFECT_COLUMNS, _EFFECT_OPTIONAL):
        kinds, carriers = part.choices("kinds", _KINDS), part.choices("carriers", _CARRIERS)
        word = part.choice("effect", _WORDS)
        reason = part.choice("reason", _REASONS) if word != "stays" or "reason" in part.content else None
        effect = CauseEffect(
            reason,
            part.text("source") if "source" in part.content else source,
            part.flag("verified") if "verified" in part.content else verified,
        )
        if word is not None and effect.word != word:
            part.fault("reason: certificate-hold belongs to what is held, none to what stays")
        for place in _places(kinds, carriers):
            if place in effects:
                part.fault(f"{place[0].value} on {place[1].value} stands twice")
            effects[place] = effect
    for kind, carrier in _places(Kind, Carrier):
        if (kind, carrier) not in effects:
            row.fault(f"effect: {kind.value} on {carrier.value} has no row")
            effects[kind, carrier] = CauseEffect(None, source, verified)
    return {place: effects[place] for place in _places(Kind, Carrier)}


def _places(kinds: Iterable[Kind], carriers: Iterable[Carrier]) -> Iterator[tuple[Kind, Carrier]]:
    return product(kinds, carriers)


def _pair(table: Table, content: Mapping[str, object]) -> PairRule | None:
    row = table.one("pair", content, ("exception", "source", "verified"))
    if row is None:
        return None
    exception, source, verified = row.choice("exception", _CAUSES), row.text("source"), row.flag("verified")
    return PairRule(exception, source, verified) if exception is not None else None


def _check_pair(row: Row, rule: CauseRule, pair: PairRule) -> None:
    for carrier in Carrier:
        signature, authentication = (rule.effects[kind, carrier].reason for kind in Kind)
        if signature is None and authentication is not None:
            row.fault(f"effect: on {carrier.value} the signing certificate would outlive the authentication one")
        if signature is not None and authentication is None and rule.cause is not pair.exception:
            row.fault(f"effect: only {pair.exception.value} leaves the authentication certificate alone")


def _listed(words: Iterable[str]) -> str:
    return " and ".join(words)
