"""`jpki revoke`: by resident code, never by serial."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click

from ca.revoke import RevocationRequest, preview, revoke_resident
from ca.visibility import visibility_of, visibility_to_json
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


@click.group("revoke", invoke_without_command=True)
@click.option("--resident", type=ResidentCodeType(), help="Resident code, or - to read it from input.")
@click.option(
    "--cause",
    type=click.Choice([cause.value for cause in RevocationCause]),
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
@click.pass_context
def command(
    ctx: click.Context,
    resident: ResidentCode | None,
    cause: str | None,
    kinds: tuple[str, ...],
    carriers: tuple[str, ...],
    key: str | None,
    dry_run: bool,
) -> None:
    """Revoke (or, with --cause temporary-stop, hold) a resident's certificates, effective at once in OCSP.

    The lists follow when the publisher has passed, or with: jpki crl publish. When they did: jpki revoke receipt
    """
    if ctx.invoked_subcommand is not None:
        return
    if resident is None or cause is None:
        raise click.UsageError(f"--{'cause' if resident else 'resident'} is needed")
    services = open_state(ctx.obj)
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


@command.command("receipt")
@click.argument("number")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of words.")
@click.pass_obj
def receipt(state: Path, number: str, as_json: bool) -> None:
    """Say since when what receipt NUMBER is about can be seen: in OCSP, and in which list first."""
    found = visibility_of(open_state(state).begin, number, None)
    if as_json:
        click.echo(json.dumps(visibility_to_json(found)))
        return
    click.echo(f"received {_at(found.received_at)}, committed {_at(found.committed_at)}")
    click.echo(
        f"in OCSP since {_at(found.in_ocsp_at)}" if found.in_ocsp_at else "nothing was changed: all stood already"
    )
    for showing in found.showings:
        what = f"{showing.change.scope.path} ({showing.change.count} of its certificates)"
        if showing.record is None:
            click.echo(f"{what}: waits for the next list")
        else:
            since = _at(showing.record.published_at) if showing.record.published_at else "a time nobody noted"
            click.echo(f"{what}: in list {showing.record.number}, in place since {since}")


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
