"""`jpki upgrade`: the database of an older version of the program, made fit for this one."""

from __future__ import annotations

from pathlib import Path

import click

from cli.state import open_state


@click.command("upgrade")
@click.pass_obj
def command(state: Path) -> None:
    """Bring the database up to this version of the program, in one transaction; nothing when it is.

    Stop the services and back the database up first: an older program does not run over it afterwards.
    """
    upgraded = open_state(state).upgrade_schema()
    click.echo("the database is up to date now" if upgraded else "the database was up to date already")
