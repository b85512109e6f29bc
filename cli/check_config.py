"""`jpki check-config`: every fault of the configuration at once."""

from __future__ import annotations

from pathlib import Path

import click

from config.assemble import system_clock
from config.document import ConfigurationFaults
from config.examine import examine
from config.settings import parse


@click.command("check-config")
@click.pass_obj
def command(state: Path) -> None:
    """Check settings, keys, certificates, profiles, tables of law and the database together; list every fault."""
    settings, faults = parse(state)
    faults += examine(settings, system_clock())
    if faults:
        raise ConfigurationFaults(faults)
    click.echo(f"{state}: no faults. {len(settings.issuers)} issuers, OCSP access {settings.ocsp.access}.")
