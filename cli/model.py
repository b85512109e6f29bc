"""`jpki model`: the status model of a node, what is in it and how old it is."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cli.output import table
from config.assemble import assemble
from config.nodes import status_grants

_NICE = 10
_node = click.option("--node", help="The node of that name, as `jpki serve status --node` has it.")


@click.group("model")
def command() -> None:
    """Show the status model of this machine, or of one of its nodes; make it.

    The services keep it by themselves. It is made from the database and may be deleted while they do not run.
    """


@command.command("show")
@_node
@click.pass_obj
def show(state: Path, node: str | None) -> None:
    """Print what is in the model, and when it was last seen to say what the database says."""
    services = assemble(state, node)
    part = services.node
    made, age = part.model.state(), part.lookup.age()
    certificates, changes = part.model.sizes()
    table(
        ("certificates", "changes", "behind", "compared", "folder"),
        [
            (
                f"{certificates:,}",
                f"{changes:,}",
                f"{part.feed.newest().sequence - made.position.sequence:,}" if made else "not made",
                "never" if age is None else f"{age:.1f} s ago",
                str(part.folder),
            )
        ],
    )
    services.close()


@command.command("make")
@_node
@click.option("--anew", is_flag=True, help="From the database, whatever there is.")
@click.pass_obj
def make(state: Path, node: str | None, anew: bool) -> None:
    """Make the model if there is none, or a new base of it when many changes have gathered.

    The services go on with the model that there is until the new one is complete.
    """
    os.nice(_NICE)
    services = assemble(state, node)
    click.echo(f"{services.node.make(anew=anew):,} certificates")
    services.close()


@command.command("grants")
@click.argument("role")
def grants(role: str) -> None:
    """Print the SQL by which a role of PostgreSQL may read what a status node needs, and nothing else."""
    for statement in status_grants(role):
        click.echo(statement)
