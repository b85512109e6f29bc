"""`jpki crl`: publish revocation lists, and show where each one stands."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import click

from cli.output import progress, table
from cli.state import open_state
from cli.turn import in_turn
from crl.publish import publish_due
from domain.certificates import IssuerId
from domain.lists import Scope
from domain.people import MunicipalityCode


@click.group("crl")
def command() -> None:
    """Publish revocation lists; show where each one stands."""


@command.command("publish")
@click.option("--force", is_flag=True, help="Publish lists that are not due too.")
@click.option(
    "--only", metavar="LIST", help="One list as `jpki crl list` names it, for example signature-g1/13221.crl."
)
@click.pass_obj
def publish(state: Path, force: bool, only: str | None) -> None:
    """Publish every list that is due now. The publisher of `jpki serve` does this by itself.

    While another publisher is at work this one waits for its turn, for a minute and a half.
    """
    services = open_state(state)
    with progress("lists") as advance:
        report = in_turn(
            partial(
                publish_due,
                services.publisher,
                scopes=None if only is None else [_scope(only)],
                force=force or only is not None,
                on_progress=advance,
            )
        )
    for scope, refusal in report.refused:
        click.echo(f"{scope.path}: refused ({refusal.code.value}): {refusal.detail}", err=True)
    click.echo(f"{len(report.published)} published, {report.unchanged} not due, {len(report.refused)} refused")
    if report.refused:
        raise click.exceptions.Exit(1)


@command.command("list")
@click.pass_obj
def list_(state: Path) -> None:
    """Print each list's number, times and size, and whether changes wait for the next one."""
    services = open_state(state)
    now = services.clock()
    with services.begin(write=False) as work:
        scopes = work.lists.scopes()
    rows = []
    for record in scopes:
        last = record.published
        waiting = record.wanted - (last.covers if last else 0)
        stale = "never published" if last is None else "PAST nextUpdate" if last.next_update < now else ""
        rows.append(
            (
                record.scope.path,
                last.number if last else None,
                last.entries if last else None,
                last.this_update if last else None,
                last.next_update if last else None,
                waiting or None,
                stale,
            )
        )
    table(("list", "number", "entries", "thisUpdate", "nextUpdate", "changes waiting", "note"), rows)


def _scope(text: str) -> Scope:
    """The list of that name; instead of the area's five digits the municipality's code will do."""
    found = re.fullmatch(r"([^/]+)/(?:(ca)|([0-9]{5})|([0-9]{6}))(?:\.crl)?", text, re.ASCII)
    try:
        match found and found.groups():
            case (issuer, "ca", None, None):
                return Scope(IssuerId(issuer), None)
            case (issuer, None, str(area), None):
                return Scope(IssuerId(issuer), MunicipalityCode.of_area(area))
            case (issuer, None, None, str(code)):
                return Scope(IssuerId(issuer), MunicipalityCode(code))
    except ValueError as error:
        raise click.BadParameter(f"{error}; see: jpki crl list") from None
    raise click.BadParameter("want a name like signature-g1/13221.crl; see: jpki crl list")
