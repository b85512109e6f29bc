"""`jpki retention`: how long records are kept, and the erasure of those that were kept long enough."""

from __future__ import annotations

from pathlib import Path

import click

from ca.erasure import count_due, erase_due
from cli.output import table
from cli.state import open_state
from config.rules import load_retention
from domain.parties import LOCAL_OPERATOR
from policies.retention import RetentionRule


@click.command("retention")
@click.option("--dry-run", is_flag=True, help="Count what would be erased, and erase nothing.")
@click.pass_obj
def command(state: Path, dry_run: bool) -> None:
    """Erase records that were kept as long as the law wants; print the rules and how many rows that was.

    The publisher does the same, a little in each round. Each erasure stands in the audit trail.
    """
    services, rules = open_state(state), load_retention()
    if dry_run:
        erased = count_due(services.begin, services.clock, rules)
    else:
        erased = erase_due(services.begin, services.clock, rules, LOCAL_OPERATOR.label)
    heads = ("records", "日本語", "kept after expiry", "over" if dry_run else "erased", "source", "state")
    table(
        heads,
        (
            (
                rule.records.value,
                rule.title_ja,
                _kept(rule),
                "" if rule.years is None else f"{erased[rule.records.value]:,}",
                rule.source,
                "seen" if rule.verified else "OPEN",
            )
            for rule in rules.values()
        ),
    )
    if erased["applications"]:
        click.echo(f"with certificates, {erased['applications']:,} applications were erased")


def _kept(rule: RetentionRule) -> str:
    if rule.years is None:
        return "not erased by itself"
    return f"{rule.years} years from the day after" if rule.years else "until expiry, and one list after it"
