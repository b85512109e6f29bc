"""`jpki retention`: how long records are kept, and the erasure of those that were kept long enough."""

from __future__ import annotations

from pathlib import Path

import click

from ca.erasure import count_due, erase_due
from cli.output import table
from cli.state import open_state
from config.inspection import filing_of
from domain.parties import LOCAL_OPERATOR
from policies.retention import Records, RetentionRule
from provisions.erasure import count_due as provisions_due
from provisions.erasure import erase_provisions


@click.command("retention")
@click.option("--dry-run", is_flag=True, help="Count what would be erased, and erase nothing.")
@click.pass_obj
def command(state: Path, dry_run: bool) -> None:
    """Erase records that were kept as long as the law wants; print the rules and how many rows that was.

    The publisher does the same, a little in each round. Each erasure stands in the audit trail.
    """
    services = open_state(state)
    rules = services.law.retention
    if dry_run:
        erased = count_due(services.begin, services.clock, rules)
        erased[Records.PROVISIONS.value] = provisions_due(filing_of(services), rules[Records.PROVISIONS])
    else:
        erased = erase_due(services.begin, services.clock, rules, LOCAL_OPERATOR.label)
        provisions = erase_provisions(filing_of(services), rules[Records.PROVISIONS], LOCAL_OPERATOR.label)
        erased[Records.PROVISIONS.value] = provisions["segments"]
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
    if rule.days is not None:
        return f"{rule.days} days"
    if rule.years is None:
        return "not erased by itself"
    if rule.records is Records.PROVISIONS:
        return f"{rule.years} years from the day after the hand-over"
    return f"{rule.years} years from the day after" if rule.years else "until expiry, and one list after it"
