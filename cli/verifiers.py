"""`jpki verifiers`: who may ask for status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from cli.parties import DAYS, FILE, FOLDER, hand_over, print_parties, suspend_party, withdraw_credential
from domain.certificates import Kind
from domain.parties import Party, Role


@click.group("verifiers")
def command() -> None:
    """Register verifiers and their credentials; suspend, withdraw."""


@command.command("add")
@click.argument("name")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice([kind.value for kind in Kind]),
    multiple=True,
    required=True,
    help="Certificate kind notified; repeat for both.",
)
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day (UTC) of the period in force.")
@click.option("--out", type=FOLDER, help="Folder for the credential.")
@click.option("--days", type=DAYS, default=365, show_default=True, help="Life of the client certificate.")
@click.option("--request", type=FILE, help="PKCS#10 of a key the verifier made itself; without it a key is made here.")
@click.pass_obj
def add(
    state: Path,
    name: str,
    kinds: tuple[str, ...],
    until: datetime | None,
    out: Path | None,
    days: int,
    request: Path | None,
) -> None:
    """Register a verifier for the kinds it has notified, and give it a credential.

    The credential opens both doors: mutual TLS, and signed OCSP requests over plain HTTP. For a verifier that is
    registered already, with the same kinds, another credential is added.
    """
    last = until.replace(tzinfo=UTC) + timedelta(days=1, seconds=-1) if until else None
    party = Party(0, Role.VERIFIER, name, None, frozenset(Kind(kind) for kind in kinds), last)
    folder = hand_over(state, party, out, days, request)
    notified = " and ".join(kind.value for kind in Kind if kind in party.kinds)
    click.echo(f"{name} may now ask about {notified} certificates; its credential: {folder}")


@command.command("list")
@click.pass_obj
def list_(state: Path) -> None:
    """Print every verifier, what it has notified, whether it is in force, and its credentials' fingerprints."""
    print_parties(state, Role.VERIFIER)


@command.command("suspend")
@click.argument("name")
@click.pass_obj
def suspend(state: Path, name: str) -> None:
    """Stop a verifier for good: its next request, in every worker, is refused."""
    suspend_party(state, Role.VERIFIER, name)


@command.command("withdraw")
@click.argument("fingerprint")
@click.pass_obj
def withdraw(state: Path, fingerprint: str) -> None:
    """End one credential for good, by the SHA-256 of its certificate: dead on its next request."""
    withdraw_credential(state, fingerprint)
