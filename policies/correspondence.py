"""Which certificates of one person a verifier may know to belong together: a row for each correspondence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.handles import Correspondence
from domain.parties import Party


@dataclass(frozen=True, slots=True)
class CorrespondenceRule:
    """One row: a verifier for which it `holds` may know the correspondence of certificates of that kind.

    `needs` says what is missing otherwise. `verified` is False where the article was not seen.
    """

    id: str
    correspondence: Correspondence
    holds: Callable[[Party, Kind, datetime], bool]
    needs: str
    source: str
    verified: bool


def _approved(party: Party, kind: Kind, now: datetime) -> bool:
    approval = party.approval(kind)
    return approval is not None and approval.in_force(now)


CORRESPONDENCE_RULES = (
    CorrespondenceRule(
        "renewed-certificate",
        Correspondence.SUCCESSION,
        lambda party, kind, _: kind in party.kinds,
        "only a verifier that has notified this kind knows which certificate a renewed one follows",
        "新旧シリアル番号 are told to verifiers in practice; the article was not found",
        verified=False,
    ),
    CorrespondenceRule(
        "both-kinds-of-verifier",
        Correspondence.PAIR,
        lambda party, _, now: all(_approved(party, kind, now) for kind in Kind),
        "only a verifier that is approved for both kinds knows which certificates make a pair",
        "公的個人認証法 §18(5): 対応証明書の発行の番号; use limited by §52(3)",
        verified=True,
    ),
    CorrespondenceRule(
        "card-and-phone",
        Correspondence.CARRIERS,
        lambda party, kind, now: kind is Kind.SIGNATURE and _approved(party, kind, now),
        "only signing certificates on card and phone are told to belong together, and to verifiers of signatures",
        "公的個人認証法 §18(4): 対応署名用電子証明書の発行の番号; use limited by §52(2)",
        verified=True,
    ),
)


def correspondence_rule(correspondence: Correspondence) -> CorrespondenceRule:
    """The row of a correspondence."""
    return next(rule for rule in CORRESPONDENCE_RULES if rule.correspondence is correspondence)


def may_know(party: Party, provider: Party | None, correspondence: Correspondence, kind: Kind, now: datetime) -> bool:
    """Whether the verifier, and the service provider for which it asks, may know the correspondence at `now`. Of
    successions that does not change with time: what a handle stands for must not."""
    rule = correspondence_rule(correspondence)
    return all(rule.holds(asking, kind, now) for asking in (party, provider) if asking is not None)


def require_correspondence(
    party: Party, provider: Party | None, correspondence: Correspondence, kind: Kind, now: datetime
) -> None:
    """Return if `may_know`. Raises Refusal(NOT_ADMITTED); `facts` name the row."""
    if not may_know(party, provider, correspondence, kind, now):
        rule = correspondence_rule(correspondence)
        raise Refusal(
            Code.NOT_ADMITTED, rule.needs, facts={"rule": rule.id, "source": rule.source, "verified": rule.verified}
        )
