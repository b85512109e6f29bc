"""`jpki responders`: the certificates OCSP answers are signed under, and the one the API speaks TLS under."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import table
from cli.state import open_state
from config.renewal import renew_due


@click.group("responders")
def command() -> None:
    """Show and renew the certificates of OCSP responders and of the API."""


@command.command("list")
@click.pass_obj
def list_(state: Path) -> None:
    """Print each issuer's responder certificate: valid from, valid until."""
    keys = open_state(state).responder.keys
    table(
        ("issuer", "from", "until"),
        [(key.issuer.id, key.validity.not_before, key.validity.not_after) for key in keys.values()],
    )


@command.command("renew")
@click.option("--all", "everyone", is_flag=True, help="Also those that are not due (less than a third of life left).")
@click.pass_obj
def renew(state: Path, everyone: bool) -> None:
    """Renew the certificates that are due: of the OCSP responders, and of the API where it is our own.

    The publisher of `jpki serve` does this by itself.
    """
    renewed = renew_due(open_state(state), everyone=everyone)
    click.echo(f"{len(renewed)} renewed{': ' + ', '.join(renewed) if renewed else ''}")
    if renewed:
        click.echo("running services take them up on SIGHUP (jpki serve sends it by itself)", err=True)
