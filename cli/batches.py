"""`jpki batches` and `jpki issue batch`: many applications from a file, watched, fetched and cancelled."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import click

from ca.batch_work import leave, work_round
from ca.batches import (
    PAGE,
    Batching,
    Progress,
    Result,
    cancel_batch,
    list_batches,
    progress_of,
    results_of,
    take_batch,
)
from cli.output import progress, table
from cli.state import open_state
from config.assemble import Services
from config.batching import make_batching, make_worker
from domain.batches import ItemState
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR
from web.batches import read_line, result_json

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW_FILE = click.Path(path_type=Path, dir_okay=False)
_LOOK = 0.5
_HEADERS = ("batch", "key", "items", *(state.value for state in ItemState), "received", "ended")


@click.group("batches")
def command() -> None:
    """Watch batches of applications, fetch their results, cancel them. `jpki issue batch FILE` sends one."""


@command.command("list")
@click.pass_obj
def list_(state: Path) -> None:
    """List batches from the newest on."""
    batching = _open(state)[1]
    table(_HEADERS, map(_row, _all(batching)))


@command.command("show")
@click.argument("batch", type=int)
@click.pass_obj
def show(state: Path, batch: int) -> None:
    """Say how far a batch is."""
    table(_HEADERS, [_row(progress_of(_open(state)[1], LOCAL_OPERATOR, batch))])


@command.command("results")
@click.argument("batch", type=int)
@click.option("--out", type=_NEW_FILE, help="Write them with the certificates, as JSON Lines; to no file that exists.")
@click.pass_obj
def results(state: Path, batch: int, out: Path | None) -> None:
    """Say what became of each application of a batch."""
    _tell(_open(state)[1], batch, out)


@command.command("cancel")
@click.argument("batch", type=int)
@click.pass_obj
def cancel(state: Path, batch: int) -> None:
    """Cancel the applications of a batch that nobody has begun to work on; the others are finished."""
    table(_HEADERS, [_row(cancel_batch(_open(state)[1], LOCAL_OPERATOR, batch))])


@click.command("batch")
@click.argument("file", type=_FILE)
@click.option(
    "--key", help="Idempotency key of the file: the same key is the same batch. Default: made of its content."
)
@click.option("--out", type=_NEW_FILE, help="Write the results with the certificates there, as JSON Lines.")
@click.option("--no-wait", is_flag=True, help="Only send it; `jpki serve` works it off.")
@click.pass_obj
def batch(state: Path, file: Path, key: str | None, out: Path | None, no_wait: bool) -> None:
    """Issue what the applications in FILE ask for (JSON Lines: docs/formats.md), each once and for itself.

    The file is kept first. Then this command works it off, unless `jpki serve` does, and shows how far it is. If it is
    interrupted, run it again with the same file: it goes on where it was.
    """
    services, batching = _open(state)
    octets = file.read_bytes()
    taken = take_batch(batching, LOCAL_OPERATOR, key or f"file-{hashlib.sha256(octets).hexdigest()[:40]}", octets)
    number = taken.batch.id
    click.echo(f"batch {number}{' (taken before)' if taken.repeated else ''}", err=True)
    if no_wait:
        return
    _see_through(services, batching, number)
    refused = _tell(batching, number, out)
    if refused:
        click.echo(f"{refused} not issued; the others stand", err=True)
        raise click.exceptions.Exit(1)


def _see_through(services: Services, batching: Batching, number: int) -> None:
    """Show how far the batch is until it has ended; work on it while no worker runs."""
    worker = make_worker(services, batching, 0)
    with progress("applications") as advance:
        while True:
            batch = progress_of(batching, LOCAL_OPERATOR, number).batch
            advance(batch.items - batch.open, batch.items)
            if batch.ended_at is not None:
                break
            try:
                if work_round(worker):
                    continue
            except Refusal as refusal:
                if refusal.code is not Code.BUSY:
                    raise
            time.sleep(_LOOK)
    try:
        leave(worker)
    except Refusal:
        click.echo("the slot of the worker stays taken for a minute", err=True)


def _tell(batching: Batching, number: int, out: Path | None) -> int:
    """Print what became of each item, or write it out; how many were not issued."""
    refused = 0

    def rows() -> Iterator[Result]:
        nonlocal refused
        for result in _results(batching, number):
            refused += result.item.state in (ItemState.REFUSED, ItemState.CANCELLED)
            yield result

    if out is None:
        table(("line", "key", "state", "application", "why"), map(_result_row, rows()))
        return refused
    try:
        out.touch(mode=0o600, exist_ok=False)  # signing certificates carry the four items
    except FileExistsError:
        raise Refusal(Code.BAD_CONFIGURATION, f"{out} is there already; name another file") from None
    with out.open("w", encoding="utf-8") as lines:
        for result in rows():
            lines.write(json.dumps(result_json(result), ensure_ascii=False) + "\n")
    click.echo(str(out))
    return refused


def _results(batching: Batching, number: int) -> Iterator[Result]:
    after, more = 0, True
    while more:
        page = results_of(batching, LOCAL_OPERATOR, number, after)
        yield from page
        after, more = (page[-1].item.line, len(page) == PAGE) if page else (after, False)


def _all(batching: Batching) -> Iterator[Progress]:
    before, more = None, True
    while more:
        page = list_batches(batching, LOCAL_OPERATOR, before)
        yield from page
        before, more = (page[-1].batch.id, len(page) == PAGE) if page else (before, False)


def _open(state: Path) -> tuple[Services, Batching]:
    services = open_state(state)
    return services, make_batching(services, read_line)


def _row(progress: Progress) -> tuple[object, ...]:
    batch = progress.batch
    counts = (progress.counts.get(state, 0) for state in ItemState)
    ended = batch.ended_at.isoformat() if batch.ended_at else None
    return batch.id, batch.key, batch.items, *counts, batch.received_at.isoformat(), ended


def _result_row(result: Result) -> tuple[object, ...]:
    item = result.item
    why = f"{item.refusal.code.value}: {item.refusal.detail}" if item.refusal else ""
    return item.line, item.key, item.state.value, item.application_id, why
