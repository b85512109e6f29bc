"""`jpki issuers`: the key generations of both authorities."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import table
from cli.state import open_state
from config.succession import found_missing


@click.group("issuers")
def command() -> None:
    """Show the key generations of both authorities; found the ones that jpki.toml names anew."""


@command.command("list")
@click.pass_obj
def list_(state: Path) -> None:
    """Print each issuer: its authority, generation, profile, whether it issues, key and period."""
    services = open_state(state)
    table(
        ("issuer", "authority", "generation", "profile", "issues", "key (SHA-1)", "from", "until"),
        [
            (
                row.id,
                row.kind.value,
                row.generation,
                row.profile,
                "yes" if row.issuing else "no",
                services.issuers[row.id].key_identifier.hex(),
                services.issuers[row.id].validity.not_before,
                services.issuers[row.id].validity.not_after,
            )
            for row in services.settings.issuers
        ],
    )


@command.command("found")
@click.pass_obj
def found(state: Path) -> None:
    """Make keys and certificates for each [[issuer]] in jpki.toml that has none yet: a new key generation.

    A generation under the same names shares the authority's DN and is told apart by its key. Restart the services
    afterwards; set `issuing = false` on the generation it replaces, which goes on revoking and publishing.
    """
    founded = found_missing(open_state(state))
    click.echo(f"{len(founded)} founded{': ' + ', '.join(founded) if founded else '; every issuer has its key'}")
    if founded:
        click.echo("restart the services, then hand the new certificates to verifiers")
