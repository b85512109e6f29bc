"""What `jpki verifiers` prints: the law's table, everybody in the register, and one verifier with its evidence."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from cli.output import table
from cli.rules import law_of
from cli.state import open_state
from domain.parties import Party, Role
from domain.standings import Approval, Standing
from policies.standings import Criterion, PurposeRule, Said
from verifiers import registry, vetting

_COLUMNS = (
    "name",
    "standing",
    "kinds",
    "approved",
    "until",
    "state",
    "credential (SHA-256)",
    "credential until",
    "usable",
)


@click.command("criteria")
@click.option("--standing", type=click.Choice([standing.value for standing in Standing]), help="Of one standing alone.")
@click.option("--language", type=click.Choice(["en", "ja"]), default="en", show_default=True)
@click.pass_obj
def criteria(state: Path, standing: str | None, language: str) -> None:
    """Print what must be shown by whom, what may be asked for, and where that is written."""
    rules = law_of(state).verifiers
    rows: list[tuple[str, ...]] = []
    for rule in rules.standings.values():
        if standing not in (None, rule.standing.value):
            continue
        rows.append((rule.standing.value, "standing", "", *_said(rule.said, language)))
        found: list[Criterion | PurposeRule] = [*rules.criteria.values(), *rules.purposes.values()]
        for row in found:
            if rule.standing in row.standings:
                word = "criterion" if isinstance(row, Criterion) else "purpose"
                rows.append((rule.standing.value, word, row.id, *_said(row.said, language)))
    table(("standing", "what", "id", "title", "source", "verified"), rows)


@click.command("list")
@click.pass_obj
def list_(state: Path) -> None:
    """Print every verifier: standing, what was approved by kind, until when, and its credentials' fingerprints."""
    services = open_state(state)
    now = services.clock()
    rows: list[tuple[object, ...]] = []
    with services.begin(write=False) as work:
        for party in work.parties.all():
            if party.role is not Role.VERIFIER:
                continue
            owned = work.parties.credentials(party.id)
            rows += [
                (*_columns(party, now), row.fingerprint.hex(), row.not_after, "yes" if row.usable(now) else "no")
                for row in owned
            ] or [(*_columns(party, now), "", "", "no")]
    table(_COLUMNS, rows)


@click.command("show")
@click.argument("name")
@click.pass_obj
def show(state: Path, name: str) -> None:
    """Print a verifier's approvals and applications, with the evidence, and the proposals where reasons stand."""
    services = open_state(state)
    rules = services.law.verifiers
    now = services.clock()
    rows: list[tuple[object, object]] = []
    with services.begin(write=False) as work:
        party = registry.find_party(work, Role.VERIFIER, name)
        through = work.parties.of(party.behind) if party.behind is not None else None
        rows += [("standing", _word(party)), ("through", through and through.name)]
        rows += [(f"{row.kind.value} certificates", _sentence(row, now)) for row in party.approvals]
        for application in work.vettings.of_party(party.id):
            word = f"approved by proposal {application.proposal}" if application.proposal else "open"
            rows.append((f"application {application.id}", f"{word}; {application.applied_at:%Y-%m-%d}"))
            rows += [(f"  {shown.criterion}", f"{shown.reference} ({shown.by})") for shown in application.evidence]
            if application.proposal is None:
                rows += [(f"  {lacking}", "missing") for lacking in vetting.missing(rules, party, application)]
    table(("what", "value"), rows)


def _said(said: Said, language: str) -> tuple[str, str, str]:
    title = said.title_ja if language == "ja" else said.title_en
    return title, said.source, "yes" if said.verified else "unverified"


def _columns(party: Party, now: datetime) -> tuple[str, ...]:
    return (
        party.name,
        _word(party),
        " ".join(sorted(kind.value for kind in party.kinds)),
        " ".join(f"{row.kind.value}:{','.join(sorted(row.purposes))}" for row in party.approvals),
        " ".join(f"{row.until:%Y-%m-%d}" for row in party.approvals),
        " ".join(row.state(now) for row in party.approvals) or "registered",
    )


def _sentence(approval: Approval, now: datetime) -> str:
    purposes = ", ".join(sorted(approval.purposes))
    period = f"{approval.since:%Y-%m-%d} to {approval.until:%Y-%m-%d}"
    return f"{approval.state(now)} for {purposes}, {period}; proposal {approval.proposal}"


def _word(party: Party) -> str:
    return party.standing.value if party.standing else ""
