"""`jpki handles`: the key of handles, by which verifiers know holders."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep

import click

from cli.output import table
from cli.proposals import OFFICER, REASON, tell_made
from cli.state import open_state
from config.handles import add_handle_key, drop_handle_keys, handle_rotation
from config.officers import OfficerCredential
from verifiers.handle_rotation import (
    BATCH,
    RETIREMENT,
    SWITCH,
    move_subscriptions,
    retirement_content,
    switch_content,
)


@click.group("handles")
def command() -> None:
    """Handles: what verifiers remember certificates by, instead of serials. Each verifier has handles of its own."""


@command.command("add-key")
@click.pass_obj
def add_key(state: Path) -> None:
    """Make the key of the next generation. The first is in use at once, another when two officers say so:
    jpki handles switch."""
    generation, first = add_handle_key(open_state(state))
    if first:
        click.echo("handles are made with generation 1 from now on; bring secrets/handles.key to every machine")
    else:
        click.echo(f"generation {generation} is at hand and on record; nothing is made with it yet")
        click.echo("bring secrets/handles.key to every machine; then: jpki handles switch --everywhere")


@command.command("switch")
@click.option(
    "--everywhere", is_flag=True, required=True, expose_value=False, help="Every machine has secrets/handles.key."
)
@REASON
@OFFICER
@click.pass_obj
def switch(state: Path, reason: str, officer: OfficerCredential) -> None:
    """Propose that handles be made with the key that waits; another officer confirms. Then: jpki handles rotate."""
    services = open_state(state)
    with services.begin(write=False) as work:
        content = switch_content(work)
    tell_made(officer.propose(services.board, SWITCH, content, reason))


@command.command("rotate")
@click.option("--batch", type=click.IntRange(1, 10_000), default=BATCH, show_default=True, help="Rows a transaction.")
@click.pass_obj
def rotate(state: Path, batch: int) -> None:
    """Have subscriptions be found by the key that handles are made with; goes on where it stopped.

    Handles made before are understood until two officers retire their key; verifiers translate their own by
    POST /v1/handles/translations. Others work meanwhile: between two batches there is a pause as long as a batch took.
    """
    moved, begun = 0, monotonic()
    for count in move_subscriptions(handle_rotation(open_state(state)), batch):
        moved += count
        sleep(min(monotonic() - begun, 1.0))
        begun = monotonic()
    click.echo(f"{moved} subscriptions moved; when verifiers have changed over: jpki handles retire")


@command.command("retire")
@click.option(
    "--cut-off", is_flag=True, help="At once: the old key may be in wrong hands. Untranslated handles are lost."
)
@REASON
@OFFICER
@click.pass_obj
def retire(state: Path, cut_off: bool, reason: str, officer: OfficerCredential) -> None:
    """Propose that handles of older keys mean nothing any more; another officer confirms. Then: jpki handles finish."""
    services = open_state(state)
    with services.begin(write=False) as work:
        content = retirement_content(work, services.handles.ring, services.clock(), cut_off=cut_off)
    tell_made(officer.propose(services.board, RETIREMENT, content, reason))


@command.command("finish")
@click.pass_obj
def finish(state: Path) -> None:
    """Take the keys that are retired out of the secrets of this machine."""
    gone = drop_handle_keys(open_state(state))
    click.echo(f"taken out: {', '.join(map(str, gone))}" if gone else "there was nothing to take out")


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
