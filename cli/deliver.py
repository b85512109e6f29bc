"""`jpki deliver`: what became of new certificates at the counter, from a terminal."""

from __future__ import annotations

from pathlib import Path

import click

from ca.deliver import report_delivery
from cli.state import open_state
from domain.applications import DeliveryReport, HandOver
from domain.parties import LOCAL_OPERATOR


@click.command("deliver")
@click.option("--key", required=True, help="Idempotency key of the application.")
@click.option("--applicant", default=LOCAL_OPERATOR.label, show_default=True, help="Who applied, as in audit rows.")
@click.option("--refused", is_flag=True, help="They are not on the card: revoke them as never delivered.")
@click.pass_obj
def command(state: Path, key: str, applicant: str, refused: bool) -> None:
    """Report that the certificates of an application are on their carrier.

    Certificates that replace live ones wait for this: with it they become the live ones, and those they replace are
    revoked as superseded. A repeat changes nothing.
    """
    outcome = HandOver.REFUSED if refused else HandOver.DELIVERED
    report = DeliveryReport(LOCAL_OPERATOR, applicant, key, outcome)
    receipt = report_delivery(open_state(state).authority, report)
    click.echo(f"application: {receipt.application_id}")
    click.echo(f"live: {', '.join(kind.value for kind in receipt.live) or 'nothing of this application'}")
    click.echo(f"revoked: {', '.join(kind.value for kind in receipt.revoked) or 'nothing'}")
    if receipt.repeated:
        click.echo("this was reported before; nothing was changed")
