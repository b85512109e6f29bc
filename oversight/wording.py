"""Explanations as text, in English or in Japanese."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum

from domain.revocation import CauseRule, CrlReason
from oversight.explain import Account, Explanation, Listing, Step
from oversight.words import SENTENCES, WORDS, Language
from policies.events import EventRule


def render(explanation: Explanation, language: Language) -> str:
    """The explanation as lines of text. Times are UTC."""
    return "\n".join(_lines(explanation, language == "ja")) + "\n"


def _lines(explanation: Explanation, ja: bool) -> Iterator[str]:
    yield _say(
        ja,
        "head",
        at=explanation.at,
        resident=explanation.resident,
        municipality=explanation.municipality,
        count=len(explanation.accounts),
    )
    for change in explanation.changes:
        yield from _step(change, ja)
    for account in explanation.accounts:
        yield ""
        yield from _account(account, ja)


def _account(account: Account, ja: bool) -> Iterator[str]:
    yield _say(
        ja,
        "certificate",
        kind=account.kind,
        application=account.application,
        issuer=account.issuer,
        carrier=account.carrier,
        municipality=account.municipality,
    )
    validity = account.validity
    yield "  " + _say(ja, "validity", begin=validity.not_before, end=validity.not_after, state=account.state)
    if account.predecessor is not None:
        yield "  " + _say(ja, "follows", application=account.predecessor)
    if account.pending:
        yield "  " + _say(ja, "undelivered" if account.ended_at else "pending")
    if account.ended_at:
        yield "  " + _say(ja, "ended", at=account.ended_at)
    for step in account.steps:
        yield from _step(step, ja)
    status = account.status
    if status.revoked_at is None:
        yield "  " + _say(ja, "status", word=status.word)
    else:
        reason = CrlReason.UNSPECIFIED if status.reason is None else status.reason
        yield "  " + _say(ja, "since", word=status.word, at=status.revoked_at, reason=reason)
    for line in _listing(account.listing, ja):
        yield "  " + line


def _step(step: Step, ja: bool) -> Iterator[str]:
    yield "  " + _say(ja, "step", at=step.at, act=step.act, actor=step.actor)
    if step.rule is not None:
        line = _say(ja, "because", title=_title(step.rule, ja), source=step.rule.source)
        yield "    " + (line if step.rule.verified else f"{line} {_say(ja, 'unverified')}")


def _title(rule: CauseRule | EventRule, ja: bool) -> str:
    if ja:
        return rule.title_ja
    return rule.title_en if isinstance(rule, CauseRule) else rule.event.value


def _listing(listing: Listing, ja: bool) -> Iterator[str]:
    path, record = listing.scope.path, listing.record
    if record is None:
        yield _say(ja, "no list", path=path)
    elif listing.entry is not None:
        at, reason = listing.entry
        yield _say(ja, "listed", path=path, number=record.number, begin=record.this_update, at=at, reason=reason)
    else:
        times = {"begin": record.this_update, "end": record.next_update}
        yield _say(ja, "not listed", path=path, number=record.number, **times)
    if listing.due is not None:
        yield _say(ja, "due", at=listing.due)


def _say(ja: bool, sentence: str, **values: object) -> str:
    return SENTENCES[sentence][ja].format_map({name: _word(value, ja) for name, value in values.items()})


def _word(value: object, ja: bool) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, Enum) or value in ("good", "revoked", "unknown"):
        return WORDS[value][ja]
    return str(value)
