"""`jpki filters`: make revocation filters, and check certificates with them as a verifier does."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import progress
from cli.state import open_state
from cli.turn import in_turn
from config.assemble import system_clock
from config.filters import check_certificate, filter_office, make_class_key
from filters.checker import Verdict
from filters.publish import publish_filters

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("filters")
def command() -> None:
    """Revocation filters: the status of every issued certificate, exact, in a few bits each.

    A filter belongs to an issuer and to a class of verifiers, whose key it takes to read it.
    """


@command.command("key")
@click.argument("verifiers", metavar="CLASS")
@click.option("--anew", is_flag=True, help="Replace the key there is: when somebody had it who may have none.")
@click.pass_obj
def key(state: Path, verifiers: str, anew: bool) -> None:
    """Make the key of a class of verifiers, for example `court`: all of that standing.

    From then on the publisher makes their filters, and the API hands key and filters to those who are admitted.
    """
    click.echo(f"made {make_class_key(open_state(state), verifiers, anew=anew)}")


@command.command("make")
@click.argument("verifiers", metavar="CLASS")
@click.option("--fresh", is_flag=True, help="A new base for every issuer, whatever there is.")
@click.pass_obj
def make(state: Path, verifiers: str, fresh: bool) -> None:
    """Make the filters of a class: a delta over each base, or a new base every week."""
    services = open_state(state)
    with progress("filters") as advance:
        made = in_turn(lambda: publish_filters(filter_office(services), verifiers, fresh=fresh, on_progress=advance))
    for name in made:
        click.echo(f"filters/{name}")


@command.command("check")
@click.argument("certificate", type=_FILE)
@click.option("--key", "key_file", type=_FILE, required=True, help="The key of your class of verifiers.")
@click.option("--issuer", type=_FILE, required=True, help="The issuer's certificate (PEM or DER).")
@click.option("--base", type=_FILE, required=True, help="The base filter of this issuer.")
@click.option("--delta", type=_FILE, help="The newest delta over it.")
def check(certificate: Path, key_file: Path, issuer: Path, base: Path, delta: Path | None) -> None:
    """Say whether a certificate (PEM or DER) is revoked, by filters alone. Exit code 1 unless it is good.

    Whether the certificate is genuine and within its validity is for the caller to verify.
    """
    verdict, moment = check_certificate(
        certificate, key=key_file, issuer=issuer, base=base, delta=delta, now=system_clock()
    )
    click.echo(f"{verdict.value}, as of {moment:%Y-%m-%dT%H:%M:%SZ}")
    if verdict is not Verdict.GOOD:
        raise click.exceptions.Exit(1)
