"""`jpki handles`: the key of handles, and the handle that a verifier knows a certificate by."""

from __future__ import annotations

from pathlib import Path

import click

from cli.state import open_state
from config.handles import add_handle_key

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("handles")
def command() -> None:
    """Handles: what verifiers remember certificates by, instead of serials. Each verifier has handles of its own."""


@command.command("add-key")
@click.pass_obj
def add_key(state: Path) -> None:
    """Make the key of the next generation. The first is in use at once, another after: jpki handles rotate."""
    generation, first = add_handle_key(open_state(state))
    if first:
        click.echo("handles are made with generation 1 from now on; bring secrets/handles.key to every machine")
    else:
        click.echo(f"generation {generation} is at hand and on record; nothing is made with it yet")
        click.echo("bring secrets/handles.key to every machine; then: jpki handles rotate --everywhere")
