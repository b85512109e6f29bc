"""`jpki handles`: the key of handles, by which verifiers know holders."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep

import click

from cli.output import table
from cli.state import open_state
from config.handles import add_handle_key, drop_handle_keys, handle_rotation
from verifiers.handle_rotation import BATCH, move_subscriptions, newest, retire_keys, switch_key


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


@command.command("rotate")
@click.option("--everywhere", is_flag=True, help="Needed when a key waits: every machine has secrets/handles.key.")
@click.option("--batch", type=click.IntRange(1, 10_000), default=BATCH, show_default=True, help="Rows a transaction.")
@click.pass_obj
def rotate(state: Path, everywhere: bool, batch: int) -> None:
    """Make handles with the newest key from now on, and find subscriptions by it; goes on where it stopped.

    Handles made before are understood until `jpki handles finish`; verifiers translate their own by
    POST /v1/handles/translations. Others work meanwhile: between two batches there is a pause as long as a batch took.
    """
    rotation = handle_rotation(open_state(state))
    with rotation.begin(write=False) as work:
        waiting = newest(work)[1]
    if waiting and not everywhere:
        raise click.UsageError("see that every machine has secrets/handles.key, then say --everywhere")
    if generation := switch_key(rotation):
        click.echo(f"handles are made with generation {generation} from now on")
    moved, begun = 0, monotonic()
    for count in move_subscriptions(rotation, batch):
        moved += count
        sleep(min(monotonic() - begun, 1.0))
        begun = monotonic()
    click.echo(f"{moved} subscriptions moved; when verifiers have changed over: jpki handles finish")


@command.command("finish")
@click.option(
    "--cut-off", is_flag=True, help="At once: the old key may be in wrong hands. Untranslated handles are lost."
)
@click.pass_obj
def finish(state: Path, cut_off: bool) -> None:
    """Have handles of older keys mean nothing any more, and take these keys out of the secrets."""
    services = open_state(state)
    retired = retire_keys(handle_rotation(services), cut_off=cut_off)
    drop_handle_keys(services, retired)
    click.echo(f"retired: {', '.join(map(str, retired))}" if retired else "there was nothing to retire")


@command.command("status")
@click.pass_obj
def status(state: Path) -> None:
    """Print the generations of the key of handles."""
    services = open_state(state)
    with services.begin(write=False) as work:
        records = work.handles.generations()
    newest_used = max((row.generation for row in records if row.current_since), default=0)
    words = {row.generation: "retired" if row.retired_at else "understood" for row in records if row.current_since}
    words |= {newest_used: "made with"} if newest_used else {}
    table(
        ("generation", "is", "since", "made with since", "retired"),
        [
            (
                row.generation,
                words.get(row.generation, "at hand, not used yet"),
                row.added_at,
                row.current_since,
                row.retired_at,
            )
            for row in records
        ],
    )
