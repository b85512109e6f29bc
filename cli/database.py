"""`jpki database`: move all there is to another database."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import progress, table
from cli.state import open_state
from config.relocation import copy_database


@click.group("database")
def command() -> None:
    """Move all there is to another database."""


@command.command("copy")
@click.option(
    "--to",
    "target",
    metavar="ADDRESS",
    required=True,
    envvar="JPKI_COPY_TO",
    show_envvar=True,
    help="The new database, empty: postgresql://user@host/name or sqlite:////absolute/path.",
)
@click.pass_obj
def copy(state: Path, target: str) -> None:
    """Copy every row to an empty database, from SQLite to PostgreSQL or any other way round, in one transaction.

    Stop the services first: what they do afterwards would be in the old database only. An address with a password
    belongs into the environment. Settings stay as they are: put the new address into jpki.toml, and check.
    """
    services = open_state(state)
    with progress("rows") as advance:
        counts = copy_database(services, target, advance)
    table(("table", "rows"), [(name, count) for name, count in sorted(counts.items()) if count])
    click.echo(
        "Everything is in both databases. Next: put the new address under [database] in jpki.toml, then run "
        "jpki check-config, jpki audit verify and jpki check, and start the services.",
        err=True,
    )
