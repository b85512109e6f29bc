"""`jpki audit`: the trail of effects, verified."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import click

from audit.chain import verify as verify_chain
from audit.checkpoint import read, write
from cli import scan
from cli.output import Advance, progress
from cli.state import open_state
from domain.events import AuditRow


@click.group("audit")
def command() -> None:
    """Verify the audit trail; write down its signed head; look for serials at operators."""


command.add_command(scan.make, "scan-filter")
command.add_command(scan.command, "scan")


@command.command("verify")
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A head written down earlier: the trail must still pass through it.",
)
@click.pass_obj
def verify(state: Path, against: Path | None) -> None:
    """Follow the chain from its first row to the signed head; name the first broken row."""
    anchor = read(against.read_text("utf-8", "replace")) if against else None
    services = open_state(state)
    with progress("audit rows") as advance, services.begin(write=False) as work:
        head = work.audit.head()
        total = head.sequence if head else 0
        with closing(_counted(work.audit.rows(), total, advance)) as rows:
            broken = verify_chain(rows, head, services.check_head, anchor)
    if broken is not None:
        click.echo(f"BROKEN at row {broken.sequence}: {broken.why}", err=True)
        raise click.exceptions.Exit(1)
    click.echo(f"{total} rows, unbroken, vouched for by the signed head")


def _counted(rows: Iterator[AuditRow], total: int, advance: Advance) -> Generator[AuditRow, None, None]:
    for row in rows:
        yield row
        if row.sequence % 1000 == 0 or row.sequence == total:
            advance(row.sequence, total)


@command.command("head")
@click.pass_obj
def head(state: Path) -> None:
    """Print the signed head. Keep it outside this machine: it shows later if rows were cut off."""
    with open_state(state).begin(write=False) as work:
        current = work.audit.head()
    if current is None:
        click.echo("there are no rows yet", err=True)
        raise click.exceptions.Exit(1)
    click.echo(write(current), nl=False)
