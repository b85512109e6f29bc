"""`jpki provisions`: records of whom status was handed to: filed, listed, and opened by two officers."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import table
from cli.parties import FILE
from cli.state import open_state
from config.inspection import filing_of
from domain.parties import LOCAL_OPERATOR
from provisions.filing import file_due
from provisions.shares import read_share
from provisions.unlocking import open_records
from verifiers.proposals import find_proposal


@click.group("provisions")
def command() -> None:
    """Records of every hand-over of status: sealed when written, and opened by two officers for a reason."""


@command.command("list")
@click.pass_obj
def list_(state: Path) -> None:
    """List the segments that are filed. What they say stays sealed."""
    with open_state(state).begin(write=False) as work:
        table(
            ("segment", "node", "last record", "records", "damaged", "erased"),
            (
                (
                    row.name,
                    row.node,
                    row.last_at.isoformat(),
                    row.records,
                    row.damaged,
                    row.erased_at.isoformat() if row.erased_at else "",
                )
                for row in work.provisions.segments()
            ),
        )


@command.command("file")
@click.pass_obj
def file_(state: Path) -> None:
    """File what waits into the ledger now. The publisher does it in each round."""
    segments, records = file_due(filing_of(open_state(state)))
    click.echo(f"{segments} segments with {records} records filed")


@command.command("open")
@click.argument("proposal")
@click.option("--share", "shares", type=FILE, multiple=True, required=True, help="One officer's share; given twice.")
@click.pass_obj
def open_(state: Path, proposal: str, shares: tuple[Path, ...]) -> None:
    """Print the records that two officers agreed to open, within three days after they did.

    The officers agree first: jpki proposals make provisions-unlock, with the days, and a verifier or an application
    where not all is meant; jpki proposals confirm. Each opening stands in the audit trail.
    """
    if len(shares) != 2:
        raise click.UsageError("give --share twice: no officer's share opens anything alone")
    one, other = (read_share(path.read_text("ascii", "replace")) for path in shares)
    services = open_state(state)
    agreed = find_proposal(services.board, proposal)
    opened = open_records(filing_of(services), agreed, one, other, services.clock(), LOCAL_OPERATOR.label)
    table(
        ("at", "verifier", "provider", "purpose", "channel", "about", "answer"),
        (
            (
                row.at.isoformat(),
                row.party,
                row.provider,
                row.purpose,
                row.channel.name.lower(),
                row.about,
                row.answered,
            )
            for row in opened
        ),
    )
