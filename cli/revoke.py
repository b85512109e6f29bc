"""`jpki revoke`: by resident code, never by serial."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from ca.revoke import RevocationRequest, preview, revoke_resident
from cli.state import open_state
from domain.certificates import Carrier, Kind
from domain.parties import LOCAL_OPERATOR
from domain.people import ResidentCode
from domain.revocation import CertificateEffect, RevocationCause


class ResidentCodeType(click.ParamType[ResidentCode]):
    """A resident code; `-` reads it from standard input, which leaves no trace in the shell's history."""

    name = "code"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> ResidentCode:
        if isinstance(value, ResidentCode):
            return value
        text = _typed_in() if value == "-" else str(value)
        try:
            return ResidentCode(text)
        except ValueError as error:
            self.fail(f"{error}; correct it, or give - and type it in", param, ctx)


def _typed_in() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Resident code", hide_input=True, err=True))
    return sys.stdin.readline().strip()


@click.command("revoke")
@click.option("--resident", type=ResidentCodeType(), required=True, help="Resident code, or - to read it from input.")
@click.option(
    "--cause",
    type=click.Choice([cause.value for cause in RevocationCause]),
    required=True,
    help="Why, in the law's terms; the table: jpki policy revocation",
)
@click.option(
    "--kind",
    "kinds",
    type=click.Choice([kind.value for kind in Kind]),
    multiple=True,
    help="Only this kind, if allowed.",
)
@click.option(
    "--carrier",
    "carriers",
    type=click.Choice([carrier.value for carrier in Carrier]),
    multiple=True,
    help="Only on this carrier, if allowed.",
)
@click.option("--key", help="Idempotency key; the same key never revokes twice.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and do nothing.")
@click.pass_obj
def command(
    state: Path,
    resident: ResidentCode,
    cause: str,
    kinds: tuple[str, ...],
    carriers: tuple[str, ...],
    key: str | None,
    dry_run: bool,
) -> None:
    """Revoke (or, with --cause temporary-stop, hold) a resident's certificates, effective at once in OCSP.

    The lists follow when the publisher has passed, or with: jpki crl publish
    """
    services = open_state(state)
    request = RevocationRequest(
        caller=LOCAL_OPERATOR,
        key=key or services.random(16).hex(),
        resident_code=resident,
        cause=RevocationCause(cause),
        kinds=frozenset(map(Kind, kinds)) or None,
        carriers=frozenset(map(Carrier, carriers)) or None,
    )
    if dry_run:
        outcome = preview(services.authority, request)
        click.echo(f"would revoke: {_named(outcome.revoked)}; stands already: {_named(outcome.already)}")
        echo_effects(outcome.effects)
        return
    receipt = revoke_resident(services.authority, request)
    click.echo(f"receipt {receipt.id}: revoked {_named(receipt.revoked)}; stood already: {_named(receipt.already)}")
    click.echo(
        f"received {receipt.received_at:%Y-%m-%dT%H:%M:%SZ}, committed {receipt.committed_at:%Y-%m-%dT%H:%M:%SZ}"
    )
    echo_effects(receipt.effects)


def echo_effects(effects: Iterable[CertificateEffect]) -> None:
    """One line for each certificate: what becomes of it, and what lists and OCSP say afterwards."""
    for effect in effects:
        said = f" ({effect.reason.word} since {effect.since:%Y-%m-%dT%H:%M:%SZ})" if effect.reason is not None else ""
        click.echo(f"  {effect.kind.value} on {effect.carrier.value}: {effect.effect.value}{said}")


def _named(kinds: tuple[Kind, ...]) -> str:
    return " and ".join(kind.value for kind in kinds) or "nothing"
