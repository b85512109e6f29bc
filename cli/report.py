"""`jpki report`: figures on what was done, without personal data."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import click

from cli.output import table
from cli.state import open_state
from config.tracers import acts_left_out
from oversight.lag import Grouping, LagRow, Stage, lags_to_json, report_lags
from policies.validity import day_in_japan, end_of_day

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("report")
def command() -> None:
    """Print figures on what was done."""


@command.command("lag")
@click.option("--from", "first", type=_DAY, help="First day, in Japan. Default: thirty days ago.")
@click.option("--to", "last", type=_DAY, help="Last day, in Japan. Default: today.")
@click.option(
    "--by",
    type=click.Choice([by.value for by in Grouping]),
    default=Grouping.NOTHING.value,
    help="What figures are told apart by.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@click.pass_obj
def lag(state: Path, first: datetime | None, last: datetime | None, by: str, as_json: bool) -> None:
    """Say how long revocations, holds and releases took, from receipt to commit (which is OCSP) and into a list.

    In seconds: within which half, 99 of 100, and all were done. Those that no list shows yet are counted as waiting.
    Tracers are left out where that does not point at them.
    """
    services = open_state(state)
    today = day_in_japan(services.clock())
    begin, end = (first.date() if first else today - timedelta(days=30)), (last.date() if last else today)
    if end < begin:
        raise click.BadParameter("the last day lies before the first", param_hint="--to")
    since, until = (end_of_day(day) + timedelta(seconds=1) for day in (begin - timedelta(days=1), end))
    rows = report_lags(services.begin, since, until, Grouping(by), acts_left_out(services))
    if as_json:
        click.echo(json.dumps({"from": begin.isoformat(), "to": end.isoformat(), "by": by, "rows": lags_to_json(rows)}))
        return
    heads = [f"{stage.value} {part}" for stage in Stage for part in ("p50", "p99", "max")]
    table((by, "certificates", "waiting", *heads), map(_cells, rows))


def _cells(row: LagRow) -> tuple[object, ...]:
    cells: list[object] = [row.group, row.certificates, row.waiting or None]
    for stage in Stage:
        spread = row.spreads.get(stage)
        cells += [spread.p50, spread.p99, spread.longest] if spread else [None, None, None]
    return tuple(cells)
