"""`jpki proposals`: what takes two officers, each speaking with a credential of their own."""

from __future__ import annotations

import base64
import json
import os
import ssl
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import click

from cli.output import table
from cli.parties import DAYS, FILE
from cli.state import open_state
from config.files import write_public
from config.officers import OfficerCredential, certify
from domain.parties import Role
from domain.proposals import JointAct, Proposal, ProposalState
from verifiers.proposals import find_proposal, list_proposals

OFFICER = click.option(
    "--officer",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=lambda: os.environ.get("JPKI_OFFICER"),
    show_default="$JPKI_OFFICER",
    required=True,
    callback=lambda _ctx, _param, folder: read_officer(folder),
    help="Folder with the officer's own client.pem and client.key.",
)
REASON = click.option("--reason", required=True, help="Why; kept with it.")


def read_officer(folder: Path) -> OfficerCredential:
    """The credential in a folder; asks for the passphrase of a key that has one."""
    encrypted = b"ENCRYPTED" in (folder / "client.key").read_bytes()
    # Hidden from who looks at the screen; a script's standard input has no screen.
    hidden = sys.stdin.isatty()
    passphrase = click.prompt(f"passphrase of {folder}", hide_input=hidden, err=True) if encrypted else ""
    return OfficerCredential.read(folder, passphrase.encode() or None)


@click.group("proposals")
def command() -> None:
    """Propose, confirm or dismiss what no single person may do.

    One officer proposes, another one looks at it and confirms; only then it takes effect. Officers are parties of the
    role operator, and sign with their own keys: jpki parties add operator NAME registers the first two of them.
    """


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Those that were decided, too.")
@click.pass_obj
def list_(state: Path, every: bool) -> None:
    """List the proposals that wait for a second officer, newest first."""
    board = open_state(state).board
    now = board.clock()
    rows = list_proposals(board, None if every else ProposalState.OPEN)
    names = ("id", "kind", "state", "proposed by", "until", "decided by", "reason")
    table(
        names,
        (
            (
                row.id,
                row.kind,
                "expired" if row.expired(now) else row.state.value,
                row.officer,
                row.expires_at,
                row.decision and row.decision.officer,
                row.reason,
            )
            for row in rows
        ),
    )


@command.command("show")
@click.argument("id_", metavar="ID")
@click.pass_obj
def show(state: Path, id_: str) -> None:
    """Show all of a proposal, with the digest that is confirmed."""
    board = open_state(state).board
    tell_proposal(find_proposal(board, id_), board.acts)


@command.command("kinds")
@click.pass_obj
def kinds(state: Path) -> None:
    """List what can be proposed."""
    acts = open_state(state).board.acts.values()
    table(("kind", "what", "内容", "days"), ((act.kind, act.title_en, act.title_ja, act.lasts.days) for act in acts))


@command.command("make")
@click.argument("kind")
@click.option("--content", type=FILE, required=True, help="A JSON object: what exactly.")
@REASON
@OFFICER
@click.pass_obj
def make(state: Path, kind: str, content: Path, reason: str, officer: OfficerCredential) -> None:
    """Propose an act. Nothing takes effect until another officer confirms."""
    try:
        said = json.loads(content.read_text("utf-8"))
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise click.BadParameter("want a JSON object in UTF-8", param_hint="--content")
    tell_made(officer.propose(open_state(state).board, kind, said, reason))


@command.command("officer")
@click.argument("name")
@click.option("--request", type=FILE, required=True, help="PKCS#10 of a key that the person made and keeps.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="For the certificate.")
@click.option("--days", type=DAYS, default=365, show_default=True, help="Life of the certificate.")
@REASON
@OFFICER
@click.pass_obj
def officer_(
    state: Path, name: str, request: Path, out: Path, days: int, reason: str, officer: OfficerCredential
) -> None:
    """Propose one more officer, or one more credential of one. The certificate is dead until it is confirmed."""
    services = open_state(state)
    certificate = certify(services, Role.OPERATOR, name, request.read_bytes(), timedelta(days=days))
    made = officer.propose(services.board, "officer", {"name": name, "certificate": certificate}, reason)
    write_public(out / "client.pem", as_pem(certificate))
    tell_made(made)


@command.command("confirm")
@click.argument("id_", metavar="ID")
@OFFICER
@click.pass_obj
def confirm(state: Path, id_: str, officer: OfficerCredential) -> None:
    """Confirm what another officer proposed: it takes effect at once."""
    board = open_state(state).board
    proposal = find_proposal(board, id_)
    tell_proposal(proposal, board.acts)
    confirmed = officer.confirm(board, proposal)
    click.echo(f"{id_} is confirmed and done ({confirmed.kind})")


@command.command("dismiss")
@click.argument("id_", metavar="ID")
@REASON
@OFFICER
@click.pass_obj
def dismiss(state: Path, id_: str, reason: str, officer: OfficerCredential) -> None:
    """Close a proposal without effect."""
    board = open_state(state).board
    officer.dismiss(board, find_proposal(board, id_), reason)
    click.echo(f"{id_} is dismissed")


def tell_made(proposal: Proposal) -> None:
    """Say what to do next."""
    click.echo(f"proposal\t{proposal.id}")
    click.echo(f"digest\t{proposal.digest.hex()}")
    click.echo(
        f"nothing was done; another officer confirms by: jpki proposals confirm {proposal.id} --officer FOLDER",
        err=True,
    )


def tell_proposal(proposal: Proposal, acts: Mapping[str, JointAct]) -> None:
    """All of it, a line each."""
    decision = proposal.decision
    act = acts.get(proposal.kind)
    rows = [
        ("id", proposal.id),
        ("kind", proposal.kind),
        ("what", f"{act.title_en}・{act.title_ja}" if act else ""),
        ("state", proposal.state.value),
        *(
            (f"content: {key}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for key, value in proposal.said.items()
        ),
        ("reason", proposal.reason),
        ("proposed by", proposal.officer),
        ("proposed at", proposal.proposed_at),
        ("until", proposal.expires_at),
        ("digest", proposal.digest.hex()),
        *(
            (("decided by", decision.officer), ("decided at", decision.at), ("why", decision.reason))
            if decision
            else ()
        ),
    ]
    table(("what", "value"), rows)


def as_pem(certificate: str) -> bytes:
    """PEM of a certificate that is base64 of its DER."""
    return ssl.DER_cert_to_PEM_cert(base64.b64decode(certificate)).encode("ascii")
