"""`jpki residents`: the stored copy of the resident register."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import progress, table
from config.assemble import assemble
from domain.errors import Refusal
from domain.parties import LOCAL_OPERATOR
from residents.feed import read_notices
from residents.intake import apply_event, preview_event
from residents.load import load_residents
from residents.rows import Format


@click.group("residents")
def command() -> None:
    """Load the resident register's records; apply its notices."""


@command.command("load")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--format", "form", type=click.Choice([form.value for form in Format]), help="Default: by the ending.")
@click.pass_obj
def load(state: Path, file: Path, form: str | None) -> None:
    """Load records from FILE (CSV or JSON Lines): all of them, or none if one row is bad."""
    wanted = Format(form) if form else Format.CSV if file.suffix.lower() == ".csv" else Format.JSON_LINES
    services = assemble(state)
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
    """Apply the register's notices in FILE (JSON Lines), each once; a bad one stops no other."""
    intake = assemble(state).intake
    rows: list[tuple[object, ...]] = []
    refused = 0
    with file.open("rb") as octets:
        for line, event in read_notices(octets, sender, intake.municipalities):
            try:
                if isinstance(event, Refusal):
                    raise event
                if dry_run:
                    effect = preview_event(intake, event, LOCAL_OPERATOR)
                    kinds, nothing, note = effect.revokes, effect.nothing, "would happen"
                else:
                    receipt = apply_event(intake, event, LOCAL_OPERATOR)
                    kinds, nothing = receipt.revoked, receipt.nothing
                    note = "applied before" if receipt.repeated else "applied"
                revoked = " ".join(kind.value for kind in kinds) or (nothing.value if nothing else "")
                rows.append((line, event.notice_id, event.type.value, revoked, note))
            except Refusal as refusal:
                refused += 1
                rows.append((line, "", "", "", f"refused ({refusal.code.value}): {refusal.detail}"))
    table(("line", "notice", "event", "revoked", "outcome"), rows)
    if refused:
        click.echo(f"{refused} refused; the others stand", err=True)
        raise click.exceptions.Exit(1)
