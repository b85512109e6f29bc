"""`jpki tracers`: certificates of people who do not exist, planted at one verifier each, to tell a leak by."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import click

from cli.output import table
from cli.proposals import OFFICER, REASON, tell_made
from cli.state import open_state
from config.files import write_public
from config.officers import OfficerCredential
from config.tracers import keys_beside, match_file, read_personas, register_of
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR
from tracers.planting import KIND, content_of, plant
from tracers.watch import tell
from verifiers.proposals import find_proposal

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group("tracers")
def command() -> None:
    """Tracers: certificates of people who do not exist, each shown to one verifier only. Seen elsewhere, they tell that
    a database was passed on, and whose.

    Two officers agree on them. What law and agreement they need: docs/tracers.md
    """


@command.command("propose")
@click.argument("verifier")
@click.argument("personas", type=_FILE)
@click.option("--provider", help="The service provider behind a platform operator, where they will be customers.")
@REASON
@OFFICER
@click.pass_obj
def propose(
    state: Path, verifier: str, personas: Path, provider: str | None, reason: str, officer: OfficerCredential
) -> None:
    """Propose tracers at a verifier. PERSONAS is a file of JSON Lines: name, address, birth_date, sex,
    municipality_code and card_expires_on of people who do not exist."""
    services = open_state(state)
    octets = personas.read_bytes()
    content = content_of(verifier, provider, octets, len(read_personas(services, octets)))
    tell_made(officer.propose(services.board, KIND, content, reason))


@command.command("issue")
@click.argument("id_", metavar="PROPOSAL")
@click.argument("personas", type=_FILE)
@click.option("--out", type=_FOLDER, required=True, help="For keys (encrypted) and certificates. Keep them apart.")
@click.pass_obj
def issue(state: Path, id_: str, personas: Path, out: Path) -> None:
    """Issue the certificates that two officers agreed on, by the steps of everybody's. Repeat it if it was interrupted:
    it goes on."""
    services = open_state(state)
    octets = personas.read_bytes()
    people = read_personas(services, octets)
    register = register_of(services, found=True)
    if register is None:
        raise Refusal(Code.BAD_CONFIGURATION, "the register of tracers could not be founded")
    proposal = find_proposal(services.board, id_)
    requests = partial(keys_beside, services, out)
    pairs = plant(services.authority, register, proposal, people, octets, requests, LOCAL_OPERATOR)
    for place, pair in enumerate(pairs):
        for kind, der in pair.certificates.items():
            path = out / f"{place}-{kind.value}.cer"
            if not path.exists():
                write_public(path, der)
    click.echo(f"{len(pairs)} tracers have their certificates in {out}; nobody but the verifier may be shown them")


@command.command("list")
@click.pass_obj
def list_(state: Path) -> None:
    """Print every tracer, where it was planted, and who was told of it elsewhere. Exit code 1 if any was seen."""
    services = open_state(state)
    register = register_of(services)
    if register is None:
        click.echo("there are no tracers")
        return
    with services.begin(write=False) as work:
        sightings = work.tracers.sightings()
        times = Counter(one.name for one in sightings)
        rows = [
            (row.name, tell(work, register.open(row).planted), row.at, times[row.name]) for row in work.tracers.all()
        ]
        seen = [(one.name, tell(work, one.seen_by), one.channel, one.at) for one in sightings]
    table(("tracer", "planted at", "since", "seen elsewhere"), rows)
    if seen:
        click.echo()
        table(("tracer", "seen by", "channel", "first"), seen)
        raise click.exceptions.Exit(1)


@command.command("match")
@click.argument("file", type=_FILE)
@click.pass_obj
def match(state: Path, file: Path) -> None:
    """Look for tracers in a file that leaked: serials as octets, hex, decimal or base64, hashed, or cut in half; whole
    certificates, too. Exit code 1 if any is there."""
    rows = match_file(open_state(state), file)
    if not rows:
        click.echo("no tracer is in this file")
        return
    table(("tracer", "planted at", "written", "times"), rows)
    raise click.exceptions.Exit(1)
