"""`jpki residents rotate-keys`: new keys for resident codes, while everything runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

import click

from cli.output import progress, table
from cli.state import open_state
from config.code_keys import add_keys, drop_keys, rotation_of
from residents.rotation import BATCH, move_rows, retire, state_of, switch


@click.group("rotate-keys")
def command() -> None:
    """Change the keys of resident codes while everything runs: begin, run, finish.

    Each step may be killed and repeated. After `begin`, bring the secrets to every machine and reload its services;
    `jpki check-config` there says whether they are in place. How it works: docs/resident-codes.md
    """


@command.command("begin")
@click.pass_obj
def begin(state: Path) -> None:
    """Make keys of the next generation and put them beside those in use; nothing is made with them yet."""
    generation = add_keys(open_state(state))
    click.echo(f"generation {generation} is at hand and on record; nothing is made with it yet")
    click.echo("bring the secrets to every machine and reload its services; then: jpki residents rotate-keys run")


@command.command("run")
@click.option("--batch", type=click.IntRange(1, 10_000), default=BATCH, show_default=True, help="Rows a transaction.")
@click.option(
    "--everywhere", is_flag=True, help="Needed the first time: every machine has the new secrets, and was reloaded."
)
@click.pass_obj
def run(state: Path, batch: int, everywhere: bool) -> None:
    """Make everything with the newest generation from now on, and move what was made before; goes on where it stopped.

    Others work meanwhile: between two batches there is a pause as long as a batch took.
    """
    rotation = rotation_of(open_state(state))
    found = state_of(rotation)
    if not everywhere and any(record.generation > found.in_use[0] for record in found.records):
        raise click.UsageError("see that every machine has the new secrets and was reloaded, then say --everywhere")
    if switch(rotation):
        click.echo(f"everything is made with generation {state_of(rotation).in_use[0]} from now on")
    total = sum(size for _, size in state_of(rotation).moves)
    done, begun = sum(move.moved for move, _ in state_of(rotation).moves), monotonic()
    with progress("rows") as advance:
        for _ in move_rows(rotation, batch):
            done += batch
            advance(min(done, total), total)
            sleep(min(monotonic() - begun, 1.0))
            begun = monotonic()
    click.echo("every row is moved; next: jpki residents rotate-keys finish")


@command.command("status")
@click.pass_obj
def status(state: Path) -> None:
    """Print the generations, and how far rows were moved to the one that is written with."""
    found = state_of(rotation_of(open_state(state)))
    first, *others = found.in_use
    words = {first: "written with", **dict.fromkeys(others, "read with")}
    table(
        ("generation", "is", "since", "superseded", "retired"),
        (
            (
                record.generation,
                words.get(record.generation, "retired" if record.retired_at else "at hand, not used yet"),
                _said(record.added_at),
                _said(record.superseded_at),
                _said(record.retired_at),
            )
            for record in found.records
        ),
    )
    if others:
        click.echo()
        table(
            ("rows of", "moved", "of", "done"),
            ((move.part.value, move.moved, size, _said(move.done_at)) for move, size in found.moves),
        )


@command.command("finish")
@click.pass_obj
def finish(state: Path) -> None:
    """Retire the older generations and take them out of the secret files, when no row depends on them any more.

    Backups that were made before need the retired keys: keep a copy apart for as long as you keep those.
    """
    services = open_state(state)
    retired = retire(rotation_of(services))
    left = drop_keys(services)
    click.echo(f"retired: {', '.join(map(str, retired))}" if retired else "there was nothing to retire")
    for secret in left:
        click.echo(f"{secret} still holds a retired generation: take it out")
    click.echo("reload the services, so that they forget it")


def _said(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None
