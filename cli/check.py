"""`jpki check`: everything compared with everything."""

from __future__ import annotations

from pathlib import Path

import click

from cli.state import open_state
from oversight.reconcile import reconcile


@click.command("check")
@click.option("--notes/--no-notes", default=True, show_default=True, help="Also print what is merely worth knowing.")
@click.pass_obj
def command(state: Path, notes: bool) -> None:
    """Compare database, OCSP, lists and audit trail with each other; every fault is printed, none repaired.

    Exit code 1 when there is a fault.
    """
    faults = 0
    for finding in reconcile(open_state(state).inspection()):
        if finding.level == "fault":
            faults += 1
        if notes or finding.level == "fault":
            click.echo(f"{finding.level} ({finding.area}): {finding.text}", err=finding.level == "fault")
    if faults:
        click.echo(f"{faults} faults", err=True)
        raise click.exceptions.Exit(1)
    click.echo("database, OCSP, lists and audit trail agree")
