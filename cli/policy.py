"""`jpki policy`: the rules in force, as the authority reads them."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import table
from config.rules import load_causes, load_events, load_profiles
from config.settings import load


@click.group("policy")
def command() -> None:
    """Print the rules in force: causes, register events, profiles."""


@command.command("revocation")
def revocation() -> None:
    """Print the table of causes: what each revokes, the reason on the list, who may ask, and the source."""
    table(
        ("cause", "日本語", "revokes", "part may be chosen", "CRL reason", "by", "source", "verified"),
        (
            (
                rule.cause.value,
                rule.title_ja,
                " ".join(sorted(kind.value for kind in rule.kinds)),
                "yes" if rule.choosable else "no",
                rule.reason.name.lower(),
                " ".join(sorted(rule.by)),
                rule.source,
                "yes" if rule.verified else "NO",
            )
            for rule in load_causes().values()
        ),
    )


@command.command("events")
def events() -> None:
    """Print what each event of the resident register does."""
    table(
        ("event", "日本語", "cause", "state afterwards", "source", "verified"),
        (
            (
                row.event.value,
                row.title_ja,
                row.cause.value if row.cause else "revokes nothing",
                row.state.value,
                row.source,
                "yes" if row.verified else "NO",
            )
            for row in load_events().values()
        ),
    )


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
