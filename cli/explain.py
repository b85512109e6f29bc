"""`jpki explain`: why a resident's certificates have the status they have."""

from __future__ import annotations

from pathlib import Path

import click

from cli.revoke import ResidentCodeType
from cli.state import open_state
from domain.certificates import Kind
from domain.people import ResidentCode
from oversight.explain import Subject, explain
from oversight.wording import render


@click.command("explain")
@click.option("--resident", type=ResidentCodeType(), help="Resident code, or - to read it from input.")
@click.option("--application", type=int, help="Or the number of an application, with --kind.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), default=Kind.SIGNATURE.value)
@click.option("--language", type=click.Choice(["en", "ja"]), default="en", show_default=True)
@click.pass_obj
def command(state: Path, resident: ResidentCode | None, application: int | None, kind: str, language: str) -> None:
    """Tell each certificate's life, what OCSP answers now, and which list says so; without a serial."""
    if (resident is None) == (application is None):
        raise click.UsageError("give either --resident or --application")
    services = open_state(state)
    subject: Subject = (application or 0, Kind(kind))
    if resident is not None:
        subject = list(services.sealer.indexes(resident))
    click.echo(render(explain(services.inspection(), subject), "ja" if language == "ja" else "en"), nl=False)
