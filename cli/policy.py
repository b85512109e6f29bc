"""`jpki policy`: the rules in force, as the authority reads them."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import table
from config.rules import load_causes, load_events, load_profiles
from config.settings import load
from domain.certificates import Carrier, Kind
from domain.revocation import CauseRule, CrlReason


@click.group("policy")
def command() -> None:
    """Print the rules in force: causes, register events, profiles."""


@command.command("revocation")
def revocation() -> None:
    """Print the table of causes: what each does to each kind of certificate, who may ask, and the source."""
    table(
        ("cause", "日本語", "certificate", "carrier", "effect", "CRL reason", "by", "source", "state"),
        (
            (
                rule.cause.value,
                rule.title_ja,
                kind.value,
                " ".join(carrier.value for carrier in Carrier),
                _effect(rule, kind),
                rule.reason.name.lower() if kind in rule.kinds else "",
                " ".join(sorted(rule.by)),
                rule.source,
                _seen(rule.verified),
            )
            for rule in load_causes().values()
            for kind in Kind
        ),
    )


def _effect(rule: CauseRule, kind: Kind) -> str:
    if kind not in rule.kinds:
        return "stays"
    effect = "held" if rule.reason is CrlReason.CERTIFICATE_HOLD else "revoked"
    return f"{effect}, or as chosen" if rule.choosable else effect


@command.command("events")
def events() -> None:
    """Print what each event of the resident register does to each kind of certificate, on every carrier."""
    causes = load_causes()
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
                " ".join(carrier.value for carrier in Carrier),
                "revoked" if hit else "stays",
                causes[rule.cause].reason.name.lower() if hit and rule.cause else "",
                rule.state.value,
                rule.carries.value,
                rule.source,
                _seen(rule.verified and (rule.cause is None or not hit or causes[rule.cause].verified)),
            )
            for rule in load_events().values()
            for kind in Kind
            for hit in (rule.cause is not None and kind in causes[rule.cause].kinds,)
        ),
    )


def _seen(verified: bool) -> str:
    """Whether the row was seen in a source, or something in it is open (`unverified` in the source says what)."""
    return "seen" if verified else "OPEN"


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
