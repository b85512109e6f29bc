"""`jpki residents`: the stored copy of the resident register."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import click

from cli.output import progress, table
from cli.state import open_state
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import ResidentEvent
from domain.parties import LOCAL_OPERATOR
from residents.feed import read_notices
from residents.intake import Intake, apply_event, preview_event
from residents.load import load_residents
from residents.receipts import NothingRevoked
from residents.rows import Format

Row = tuple[object, ...]

_OUTAGES = (Code.STORE_UNAVAILABLE, Code.BUSY)
"""After these the next notices would fare no better, or be taken in the wrong order."""


@click.group("residents")
def command() -> None:
    """Load the resident register's records; apply its notices."""


@command.command("load")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--format", "form", type=click.Choice([form.value for form in Format]), help="Default: by the ending.")
@click.pass_obj
def load(state: Path, file: Path, form: str | None) -> None:
    """Load records from FILE (CSV or JSON Lines: docs/formats.md): all of them, or none if one row is bad."""
    wanted = Format(form) if form else Format.CSV if file.suffix.lower() == ".csv" else Format.JSON_LINES
    services = open_state(state)
    with file.open("rb") as octets, progress("octets") as advance:
        report = load_residents(services.intake, LOCAL_OPERATOR, octets, wanted, advance)
    if report.faults:
        for fault in report.faults:
            click.echo(f"{file.name}: {fault}", err=True)
        if report.more_faults:
            click.echo(f"and {report.more_faults} more", err=True)
        click.echo("nothing was loaded; mend the file and load it again", err=True)
        raise click.exceptions.Exit(1)
    click.echo(f"{report.new} new, {report.replaced} replaced, {report.unchanged} unchanged")


@command.command("apply")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--sender", default=LOCAL_OPERATOR.label, show_default=True, help="In whose name the notices come.")
@click.option("--dry-run", is_flag=True, help="Say what each notice would do, and do nothing.")
@click.pass_obj
def apply(state: Path, file: Path, sender: str, dry_run: bool) -> None:
    """Apply the register's notices in FILE (JSON Lines: docs/formats.md), each once, in their order.

    A notice that is refused stops no other: mend the file and apply it again, nothing is done twice. Only when the
    database is away does the work stop.
    """
    intake = open_state(state).intake
    act = _rehearse if dry_run else _apply
    refused = 0

    def outcomes(octets: BinaryIO) -> Iterator[Row]:
        nonlocal refused
        for line, event in read_notices(octets, sender, intake.municipalities):
            try:
                if isinstance(event, Refusal):
                    raise event
                yield (line, event.notice_id, event.type.value, *act(intake, event))
            except Refusal as refusal:
                if refusal.code in _OUTAGES:
                    raise
                refused += 1
                yield (line, "", "", "", f"refused ({refusal.code.value}): {refusal.detail}")

    with file.open("rb") as octets:
        table(("line", "notice", "event", "revokes", "outcome"), outcomes(octets))
    if refused:
        click.echo(f"{refused} refused; the others stand", err=True)
        raise click.exceptions.Exit(1)


def _rehearse(intake: Intake, event: ResidentEvent) -> Row:
    effect = preview_event(intake, event, LOCAL_OPERATOR)
    return _revokes(effect.revokes, effect.nothing), "would happen"


def _apply(intake: Intake, event: ResidentEvent) -> Row:
    receipt = apply_event(intake, event, LOCAL_OPERATOR)
    return _revokes(receipt.revoked, receipt.nothing), "applied before" if receipt.repeated else "applied"


def _revokes(kinds: Sequence[Kind], nothing: NothingRevoked | None) -> str:
    """Which certificates, or why none."""
    return " ".join(kind.value for kind in kinds) or (nothing.value if nothing else "")
