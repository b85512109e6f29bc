"""`jpki policy`: the rules in force, as the authority reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from cli import rules
from cli.output import table
from cli.rules import law_of
from config.rules import load_profiles, load_variants
from config.settings import load
from domain.certificates import Carrier, Kind
from domain.holds import ReleaseWord
from domain.revocation import CauseEffect, CauseRule, RevocationCause
from policies.code_rules import CODE_RULES
from policies.comparison import RULES_OF_NAMES
from policies.events import EventRule
from policies.notation import NotationRule
from policies.rulebook import LawTables

Row = dict[str, object]

_RELEASES = {
    ReleaseWord.NEVER: "stays held",
    ReleaseWord.RELEASED: "released",
    ReleaseWord.REISSUED: "revoked, to be issued anew",
}


@click.group("policy")
def command() -> None:
    """Print the rules in force and why something was decided; change a table of them, which takes two officers."""


rules.add_to(command)


@command.command("revocation")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.pass_obj
def revocation(state: Path, as_json: bool) -> None:
    """Print the whole table of revocation: what each cause, each event of the resident register and each release of a
    hold does to each kind of certificate on each carrier, who may name it, and the source. OPEN: something in the row
    is not settled."""
    law = law_of(state)
    rows = [*_cause_rows(law), *_event_rows(law), *_release_rows(law), _pair_row(law), _phone_row()]
    if as_json:
        click.echo(json.dumps({"revocation": rows}, ensure_ascii=False, indent=2))
        return
    table(list(rows[0]), (list(row.values()) for row in rows))


def _cause_rows(law: LawTables) -> Iterator[Row]:
    for rule in law.causes.values():
        for (kind, carrier), effect in rule.effects.items():
            yield _row("", rule.cause.value, rule.title_ja, kind, carrier, effect, _chosen(rule, effect), rule.by)


def _event_rows(law: LawTables) -> Iterator[Row]:
    for rule in law.events.values():
        cause = law.causes[rule.cause] if rule.cause else None
        for kind in Kind:
            for carrier in Carrier:
                yield _row(
                    rule.event.value,
                    cause.cause.value if cause else "",
                    rule.title_ja,
                    kind,
                    carrier,
                    _event_effect(rule, cause, kind, carrier),
                    "",
                    cause.by if cause else frozenset({"register"}),
                )


def _event_effect(rule: EventRule, cause: CauseRule | None, kind: Kind, carrier: Carrier) -> CauseEffect:
    """The effect of the event's cause; what is open about the event is open about the effect."""
    if cause is None:
        return CauseEffect(None, rule.source, rule.verified)
    found = cause.effects[kind, carrier]
    source = rule.source if found.verified else f"{rule.source}. {cause.cause.value}: {found.source}"
    return CauseEffect(found.reason, source, rule.verified and found.verified)


def _release_rows(law: LawTables) -> Iterator[Row]:
    for rule in law.holds.releases.values():
        reason = law.causes[rule.cause].effects[rule.kind, rule.carrier].reason if rule.cause else None
        effect = CauseEffect(reason, rule.source, rule.verified)
        row = _row("carrier-found", _value(rule.cause), "一時停止の解除", rule.kind, rule.carrier, effect, "", rule.by)
        yield row | {"effect": _RELEASES[rule.effect]}


def _value(cause: RevocationCause | None) -> str:
    return cause.value if cause else ""


def _pair_row(law: LawTables) -> Row:
    pair = law.pair
    return {
        "event": "",
        "cause": "pair rule",
        "日本語": "一対の失効",
        "certificate": "both",
        "carrier": "each",
        "effect": f"both or none; the one exception is {pair.exception.value}",
        "CRL reason": "",
        "by": "",
        "source": pair.source,
        "state": _seen(pair.verified),
    }


def _phone_row() -> Row:
    (rule,) = (rule for rule in CODE_RULES if rule.word == "phones-rest")
    return {
        "event": "",
        "cause": "phone rule",
        "日本語": "移動端末設備用の失効",
        "certificate": "both",
        "carrier": Carrier.MOBILE_DEVICE.value,
        "effect": rule.then,
        "CRL reason": "",
        "by": "",
        "source": rule.source,
        "state": _seen(rule.verified),
    }


def _row(
    event: str,
    cause: str,
    title: str,
    kind: Kind,
    carrier: Carrier,
    effect: CauseEffect,
    chosen: str,
    by: frozenset[str],
) -> Row:
    return {
        "event": event,
        "cause": cause,
        "日本語": title,
        "certificate": kind.value,
        "carrier": carrier.value,
        "effect": effect.word + chosen,
        "CRL reason": effect.reason.word if effect.reason is not None else "",
        "by": " ".join(sorted(by)),
        "source": effect.source,
        "state": _seen(effect.verified),
    }


def _chosen(rule: CauseRule, effect: CauseEffect) -> str:
    parts = [name for name, may in (("kind", rule.choosable), ("carrier", rule.carrier_choosable)) if may]
    return f", or as chosen by {' and '.join(parts)}" if parts and effect.reason is not None else ""


@command.command("holds")
@click.pass_obj
def holds(state: Path) -> None:
    """Print what becomes of holds when a carrier is found and when they grow old, and how often a desk may guess."""
    rules = law_of(state).holds
    desk = rules.desk
    table(
        ("when", "certificate", "carrier", "effect", "cause", "by", "source", "state"),
        [
            *(
                (
                    "found",
                    rule.kind.value,
                    rule.carrier.value,
                    rule.effect.value,
                    _value(rule.cause),
                    " ".join(sorted(rule.by)),
                    rule.source,
                    _seen(rule.verified),
                )
                for rule in rules.releases.values()
            ),
            *(
                (
                    f"after {rule.days} days",
                    "both",
                    rule.carrier.value,
                    rule.effect.value,
                    _value(rule.cause),
                    "publisher",
                    rule.source,
                    _seen(rule.verified),
                )
                for rule in rules.ages.values()
            ),
            (
                f"{desk.attempts} misses in {desk.window}",
                "",
                "",
                "refused",
                "",
                "",
                desk.source,
                _seen("unverified" not in desk.source),
            ),
        ],
    )


@command.command("events")
@click.pass_obj
def events(state: Path) -> None:
    """Print what each event of the resident register does to our copy of the record, and to each certificate."""
    law = law_of(state)
    table(
        (
            "event",
            "日本語",
            "certificate",
            "carrier",
            "effect",
            "CRL reason",
            "record afterwards",
            "tells",
            "source",
            "state",
        ),
        (
            (
                rule.event.value,
                rule.title_ja,
                kind.value,
                carrier.value,
                effect.word,
                effect.reason.word if effect.reason is not None else "",
                rule.state.value,
                rule.carries.value,
                effect.source,
                _seen(effect.verified),
            )
            for rule in law.events.values()
            for kind in Kind
            for carrier in Carrier
            for effect in (_event_effect(rule, law.causes[rule.cause] if rule.cause else None, kind, carrier),)
        ),
    )


def _seen(verified: bool) -> str:
    """Whether the row was seen in a source, or something in it is open (`unverified` in the source says what)."""
    return "seen" if verified else "OPEN"


@command.command("issuance")
@click.pass_obj
def issuance(state: Path) -> None:
    """Print the numbers of issuance: in how many steps certificates are handed over, each with its source."""
    table(
        ("rule", "日本語", "value", "meaning", "source", "state"),
        (
            (row.rule.value, row.title_ja, row.value, row.meaning, row.source, _seen(row.verified))
            for row in law_of(state).issuance.values()
        ),
    )


@command.command("characters")
def characters() -> None:
    """Print how characters are replaced that certificates cannot write: rules in order, and their tables."""
    table(
        ("rule", "title", "日本語", "table", "rows", "unconfirmed", "the same when compared"),
        (
            (row.rule.value, row.title_en, row.title_ja, row.table, len(rows), row.unconfirmed, row.same)
            for row in load_variants().rows
            for rows in (load_variants().tables.get(row.rule, {}),)
        ),
    )


@command.command("comparison")
def comparison() -> None:
    """Print the rules by which a verifier's name or address can equal a certificate's, in English and Japanese."""
    table(("rule", "in", "tolerates", "許容する違い"), (_notation(rule) for rule in NotationRule))


def _notation(rule: NotationRule) -> tuple[str, ...]:
    return rule.word, "names and addresses" if rule in RULES_OF_NAMES else "addresses", rule.title_en, rule.title_ja


@command.command("profiles")
@click.pass_obj
def profiles(state: Path) -> None:
    """Print every certificate profile of the state directory: extensions in order, with sources."""
    table(
        ("profile", "extension", "critical", "value", "source"),
        (
            (profile.name, row.name, "critical" if row.critical else "", row.value, row.source)
            for profile in load_profiles(load(state).profiles).values()
            for row in profile.extensions
        ),
    )
