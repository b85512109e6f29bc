"""`jpki verifiers`: who may ask for status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from cli.output import table
from config.assemble import assemble
from config.enrolment import enrol
from domain.certificates import Kind
from domain.parties import LOCAL_OPERATOR, Party, Role
from verifiers import registry


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
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for the credential.")
@click.option("--days", default=365, show_default=True, help="Life of the client certificate.")
@click.option(
    "--request",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="PKCS#10 of a key the verifier made itself; without it a key is made here.",
)
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
    registered already, another credential is added.
    """
    last = until.replace(tzinfo=UTC) + timedelta(days=1, seconds=-1) if until else None
    folder = out or state / "credentials" / f"verifier-{name}"
    enrol(
        assemble(state),
        Party(0, Role.VERIFIER, name, None, frozenset(Kind(kind) for kind in kinds), last),
        LOCAL_OPERATOR,
        folder=folder,
        life=timedelta(days=days),
        request=request.read_bytes() if request else None,
    )
    click.echo(f"{name} may now ask about {' and '.join(sorted(kinds))} certificates; its credential: {folder}")


@command.command("list")
@click.pass_obj
def list_(state: Path) -> None:
    """Print every verifier, what it has notified, whether it is in force, and its credentials' fingerprints."""
    services = assemble(state)
    now = services.clock()
    with services.begin(write=False) as work:
        rows = [
            (
                party.name,
                " ".join(sorted(kind.value for kind in party.kinds)),
                party.in_force_until,
                "yes" if party.in_force(now) else "no",
                credential.fingerprint.hex(),
                credential.not_after,
                "yes" if credential.usable(now) else "no",
            )
            for party in work.parties.all()
            if party.role is Role.VERIFIER
            for credential in work.parties.credentials(party.id)
        ]
    table(("name", "kinds", "until", "in force", "credential (SHA-256)", "credential until", "usable"), rows)


@command.command("suspend")
@click.argument("name")
@click.pass_obj
def suspend(state: Path, name: str) -> None:
    """Stop a verifier: its next request, in every worker, is refused."""
    services = assemble(state)
    with services.begin() as work:
        party = registry.find_party(work, Role.VERIFIER, name)
        registry.suspend(work, party, services.clock(), LOCAL_OPERATOR)
        work.commit()
    click.echo(f"{name} is suspended")


@command.command("withdraw")
@click.argument("fingerprint")
@click.pass_obj
def withdraw(state: Path, fingerprint: str) -> None:
    """End one credential for good, by the SHA-256 of its certificate: dead on its next request."""
    try:
        octets = bytes.fromhex(fingerprint)
    except ValueError:
        raise click.BadParameter("want the fingerprint in hex; see: jpki verifiers list") from None
    services = assemble(state)
    with services.begin() as work:
        registry.withdraw(work, octets, services.clock(), LOCAL_OPERATOR)
        work.commit()
    click.echo("the credential is withdrawn")
