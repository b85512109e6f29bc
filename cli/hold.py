"""`jpki hold`: what a call centre's desk does, and the release of what was found again."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ca.hold import HoldRequest, place_hold, preview_hold
from ca.release import ReleaseRequest, preview_release, release_hold
from cli.revoke import ResidentCodeType, echo_effects
from cli.state import open_state
from domain.certificates import Carrier
from domain.holds import ReleaseReceipt
from domain.parties import LOCAL_OPERATOR
from domain.people import BasicAttributes, ResidentCode
from domain.revocation import RevocationReceipt
from web.bodies import read_json
from web.people import TYPED_ATTRIBUTES

CARRIERS = click.Choice([carrier.value for carrier in Carrier])


@click.group("hold")
def command() -> None:
    """Hold a resident's certificates after a loss; lift holds where that may be.

    To see what is held: jpki holds
    """


@command.command("place")
@click.option("--resident", type=ResidentCodeType(), help="Resident code, or - to read it from input.")
@click.option(
    "--items",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="The four items as JSON (name, address, birth_date, sex), or - to read them from input.",
)
@click.option("--carrier", "carriers", type=CARRIERS, multiple=True, help="What is lost; everything when left out.")
@click.option("--key", help="Idempotency key; the same key never holds twice.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and do nothing.")
@click.pass_obj
def place(
    state: Path,
    resident: ResidentCode | None,
    items: Path | None,
    carriers: tuple[str, ...],
    key: str | None,
    dry_run: bool,
) -> None:
    """Stop a resident's certificates at once, by the resident code or, without it, by all four items.

    No match and several are refused alike. Attempts that lead to nobody are counted and stand on the audit trail.
    """
    who = resident or (_items(items) if items else None)
    if who is None or (resident and items):
        raise click.UsageError("name the resident by --resident or by --items")
    services = open_state(state)
    key = key or services.random(16).hex()
    request = HoldRequest(LOCAL_OPERATOR, key, who, frozenset(map(Carrier, carriers)) or None)
    if dry_run:
        echo_effects(preview_hold(services.authority, request).effects)
        return
    _echo(place_hold(services.authority, request))


@command.command("release")
@click.option("--resident", type=ResidentCodeType(), required=True, help="Resident code, or - to read it from input.")
@click.option("--carrier", type=CARRIERS, required=True, help="What was found.")
@click.option("--key", help="Idempotency key; the same key never releases twice.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and do nothing.")
@click.pass_obj
def release(state: Path, resident: ResidentCode, carrier: str, key: str | None, dry_run: bool) -> None:
    """End the holds on a carrier that was found, as `jpki policy holds` prints it."""
    services = open_state(state)
    request = ReleaseRequest(LOCAL_OPERATOR, key or services.random(16).hex(), resident, Carrier(carrier))
    if dry_run:
        echo_effects(preview_release(services.authority, request))
        return
    _echo(release_hold(services.authority, request))


def _items(path: Path) -> BasicAttributes:
    octets = sys.stdin.read().encode() if str(path) == "-" else path.read_bytes()
    return TYPED_ATTRIBUTES.read(read_json(octets), "")


def _echo(receipt: RevocationReceipt | ReleaseReceipt) -> None:
    click.echo(
        f"receipt {receipt.id}: received {receipt.received_at:%Y-%m-%dT%H:%M:%SZ}, "
        f"committed {receipt.committed_at:%Y-%m-%dT%H:%M:%SZ}"
    )
    echo_effects(receipt.effects)
