"""`jpki parties`: everyone who may call the authority, with their credentials."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from cli.output import table
from cli.state import open_state
from config.enrolment import enrol
from domain.parties import LOCAL_OPERATOR, Party, Role
from verifiers import registry

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
DAYS = click.IntRange(1, 3650)


@click.group("parties")
def command() -> None:
    """Show everyone registered and their credentials; suspend one; enrol the register, an operator or a desk.

    Municipalities and verifiers are enrolled by: jpki municipalities enrol, jpki verifiers add
    """


@command.command("list")
@click.pass_obj
def list_(state: Path) -> None:
    """Print every party, whether it is in force, and its credentials by the SHA-256 of their certificates."""
    print_parties(state, None)


@command.command("add")
@click.argument("role", type=click.Choice([Role.REGISTER.value, Role.OPERATOR.value, Role.DESK.value]))
@click.argument("name")
@click.option("--out", type=FOLDER, help="Folder for the credential.")
@click.option("--days", type=DAYS, default=365, show_default=True, help="Life of the client certificate.")
@click.option("--request", type=FILE, help="PKCS#10 of a key the party made itself; without it a key is made here.")
@click.pass_obj
def add(state: Path, role: str, name: str, out: Path | None, days: int, request: Path | None) -> None:
    """Let the register network send notices, an operator revoke, or a call centre's desk place holds, over the API.

    The folder gets a TLS client credential: key, certificate, and whom to trust.
    """
    party = Party(0, Role(role), name)
    if party.label == LOCAL_OPERATOR.label:
        raise click.BadParameter("this is what the terminal itself is called; choose another name")
    folder = hand_over(state, party, out, days, request)
    click.echo(f"{name} may now call the API as {role}; its credential: {folder}")


@command.command("suspend")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@click.argument("name")
@click.pass_obj
def suspend(state: Path, role: str, name: str) -> None:
    """Stop a party for good: its next request, in every worker, is refused. A municipality's name is its code."""
    suspend_party(state, Role(role), name)


@command.command("withdraw")
@click.argument("fingerprint")
@click.pass_obj
def withdraw(state: Path, fingerprint: str) -> None:
    """End one credential for good, by the SHA-256 of its certificate: dead on its next request."""
    withdraw_credential(state, fingerprint)


def hand_over(state: Path, party: Party, out: Path | None, days: int, request: Path | None) -> Path:
    """Register the party and write its credential; the folder it lies in."""
    folder = out or state / "credentials" / f"{party.role.value}-{party.name.replace('/', '_')}"
    content = request.read_bytes() if request else None
    enrol(open_state(state), party, LOCAL_OPERATOR, folder=folder, life=timedelta(days=days), request=content)
    return folder


def print_parties(state: Path, role: Role | None) -> None:
    """The parties of a role, or all, one line for each credential."""
    services = open_state(state)
    now = services.clock()
    with services.begin(write=False) as work:
        rows = [
            (
                *(() if role else (party.role.value,)),
                party.name,
                " ".join(sorted(kind.value for kind in party.kinds)),
                party.in_force_until,
                "yes" if party.in_force(now) else "no",
                *((credential.fingerprint.hex(), credential.not_after) if credential else ("", "")),
                "yes" if credential and credential.usable(now) else "no",
            )
            for party in work.parties.all()
            if role in (None, party.role)
            for credential in work.parties.credentials(party.id) or (None,)
        ]
    names = ("name", "kinds", "until", "in force", "credential (SHA-256)", "credential until", "usable")
    table(names if role else ("role", *names), rows)


def suspend_party(state: Path, role: Role, name: str) -> None:
    """Suspend a party, by role and name."""
    services = open_state(state)
    with services.begin() as work:
        party = registry.find_party(work, role, name)
        registry.suspend(work, party, services.clock(), LOCAL_OPERATOR)
        work.commit()
    click.echo(f"{name} is suspended")


def withdraw_credential(state: Path, fingerprint: str) -> None:
    """End a credential, by the SHA-256 of its certificate in hex."""
    try:
        octets = bytes.fromhex(fingerprint)
    except ValueError:
        raise click.BadParameter("want the fingerprint in hex; see: jpki parties list") from None
    services = open_state(state)
    with services.begin() as work:
        registry.withdraw(work, octets, services.clock(), LOCAL_OPERATOR)
        work.commit()
    click.echo("the credential is withdrawn")
