"""`jpki holds`: what is held, the oldest first, without a word about the holders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click

from cli.output import table
from cli.state import open_state
from config.assemble import Services
from domain.holds import Hold

_PAGE = 500


@click.command("holds")
@click.option("--older-than", "days", type=click.IntRange(0, 36500), default=0, help="Only holds of so many days.")
@click.pass_obj
def command(state: Path, days: int) -> None:
    """List standing holds by age: the certificate by its application and kind, the carrier, and since when."""
    services = open_state(state)
    now = services.clock()
    table(
        ("held since", "days", "application", "certificate", "carrier", "municipality", "reported"),
        (
            (
                f"{hold.held_at:%Y-%m-%dT%H:%M:%SZ}",
                (now - hold.held_at).days,
                hold.application_id,
                hold.kind.value,
                hold.carrier.value,
                hold.municipality,
                f"{hold.reported_at:%Y-%m-%dT%H:%M:%SZ}" if hold.reported_at else "",
            )
            for hold in _standing(services, days)
        ),
    )


def _standing(services: Services, days: int) -> Iterator[Hold]:
    now = services.clock()
    before = now - timedelta(days=days) if days else now + timedelta(days=1)
    after: Hold | None = None
    with services.begin(write=False) as work:
        while page := work.holds.standing(now, before, after, _PAGE):
            yield from page
            after = page[-1]
