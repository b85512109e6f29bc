"""`jpki upgrade`: the state of an older version of the program, made fit for this one."""

from __future__ import annotations

from pathlib import Path

import click

from cli.state import open_state
from config.handles import add_handle_key
from config.provisions import found_provisions
from config.receipts import found_receipts, tell_certified


@click.command("upgrade")
@click.pass_obj
def command(state: Path) -> None:
    """Bring the database up to this version of the program, in one transaction, and make keys that it needs and
    older versions had not; nothing when all is there.

    Stop the services and back the database up first: an older program does not run over it afterwards.
    """
    services = open_state(state)
    upgraded = services.upgrade_schema()
    if found_receipts(services.settings, services.clock(), services.random):
        tell_certified(services)
        click.echo("made the key that signs receipts of validations")
    click.echo("the database is up to date now" if upgraded else "the database was up to date already")
    if shares := found_provisions(services.settings, services.random):
        click.echo(f"keys of provision records were made; hand the shares in {shares} to three officers")
    with services.begin(write=False) as work:
        without = not work.handles.generations()
    if without:
        add_handle_key(services)
        click.echo("the key of handles is on record; secrets/handles.key belongs on every machine")
