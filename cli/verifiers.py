"""`jpki verifiers`: who may ask for status, from application to withdrawal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from cli.parties import DAYS, FILE, FOLDER, withdraw_credential
from cli.proposals import OFFICER, REASON, as_pem, read_officer, tell_made
from cli.state import open_state
from cli.verifier_listing import criteria, list_, show
from config.files import write_public
from config.officers import OfficerCredential, certify
from config.vetting import KINDS, Handed, add_verifier, content_of, encoded
from domain.certificates import Kind
from domain.parties import LOCAL_OPERATOR, Role, Usage
from domain.standings import Standing
from policies.standings import VerifierRules
from verifiers import registry, vetting

_STANDINGS = click.Choice([standing.value for standing in Standing])
_DATE = click.DateTime(["%Y-%m-%d"])
_KINDS = click.option(
    "--kind", "kinds", type=click.Choice([*KINDS]), multiple=True, help="Kind of certificates; all when left out."
)
_STANDING = click.option(
    "--standing",
    type=_STANDINGS,
    default=Standing.ACCREDITED_PRIVATE.value,
    show_default=True,
    help="What it is in law.",
)
_THROUGH = click.option("--through", help="The platform operator or group verifier that asks for it.")
_UNTIL = click.option("--until", type=_DATE, help="Last day (UTC); as long as may be when left out.")


@click.group("verifiers")
def command() -> None:
    """Register, approve and suspend verifiers, and their credentials.

    Who wants to verify applies; evidence is brought for each criterion; one officer proposes to approve, another one
    confirms; its notification is received; then it may ask, for what was approved. Or all at once, with both officers
    here: add.
    """


for view in (criteria, list_, show):
    command.add_command(view)


@command.command("add")
@click.argument("name")
@click.option("--kind", "kinds", type=click.Choice([*KINDS]), multiple=True, required=True, help="Repeat for both.")
@click.option("--purpose", "purposes", multiple=True, help="KIND:PURPOSE; the first of each kind when left out.")
@_STANDING
@_THROUGH
@_UNTIL
@click.option("--evidence", default="shown to both officers", show_default=True, help="For every criterion.")
@click.option("--reason", default="approved by both officers at one terminal", show_default=True, help="Why.")
@click.option(
    "--officer",
    "officers",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    envvar="JPKI_OFFICERS",
    show_envvar=True,
    help="Folder of an officer's credential; twice.",
)
@click.option("--out", type=FOLDER, help="Folder for the credential.")
@click.option("--days", type=DAYS, default=365, show_default=True, help="Life of the client certificate.")
@click.option("--request", type=FILE, help="PKCS#10 of a key the verifier made itself; without it a key is made here.")
@click.pass_obj
def add(
    state: Path,
    name: str,
    kinds: tuple[str, ...],
    purposes: tuple[str, ...],
    standing: str,
    through: str | None,
    until: datetime | None,
    evidence: str,
    reason: str,
    officers: tuple[Path, ...],
    out: Path | None,
    days: int,
    request: Path | None,
) -> None:
    """Register a verifier, have two officers approve it, and give it a credential: all steps at once.

    The credential opens both doors: mutual TLS, and signed OCSP requests over plain HTTP. For a verifier that is
    approved already, for the same, another credential is added.
    """
    if len(officers) != 2:
        raise click.UsageError(
            "no single person approves a verifier: give --officer twice, once for each of two officers"
        )
    services = open_state(state)
    said = _purposes(services.law.verifiers, Standing(standing), kinds, purposes)
    wanted = vetting.Request(name, Standing(standing), said, through)
    folder = out or state / "credentials" / f"verifier-{name.replace('/', '_')}"
    handed = Handed(folder, timedelta(days=days), request.read_bytes() if request else None)
    two = (read_officer(officers[0]), read_officer(officers[1]))
    add_verifier(services, wanted, two, _last(until), evidence, handed, reason)
    notified = " and ".join(kind.value for kind in Kind if kind in said)
    click.echo(f"{name} may now ask about {notified} certificates; its credential: {folder}")


@command.command("apply")
@click.argument("name")
@_STANDING
@click.option("--purpose", "purposes", multiple=True, required=True, help="KIND:PURPOSE; repeat.")
@_THROUGH
@click.pass_obj
def apply(state: Path, name: str, standing: str, purposes: tuple[str, ...], through: str | None) -> None:
    """Take an application, also to renew an approval. Nothing is admitted by that."""
    services = open_state(state)
    rules = services.law.verifiers
    said = _purposes(rules, Standing(standing), (), purposes)
    wanted = vetting.Request(name, Standing(standing), said, through)
    with services.begin() as work:
        application = vetting.apply(work, rules, wanted, services.clock(), LOCAL_OPERATOR)
        work.commit()
    click.echo(f"application {application.id}; evidence is wanted for:")
    for criterion in rules.wanted(Standing(standing)):
        click.echo(f"  {criterion}")


@command.command("evidence")
@click.argument("name")
@click.argument("criterion")
@click.option("--reference", required=True, help="Where the paper lies that shows it.")
@click.pass_obj
def evidence(state: Path, name: str, criterion: str, reference: str) -> None:
    """Keep what shows that a criterion is met, for the open application."""
    services = open_state(state)
    rules = services.law.verifiers
    with services.begin() as work:
        party = registry.find_party(work, Role.VERIFIER, name)
        now = services.clock()
        application = vetting.add_evidence(work, rules, party, criterion, reference, now, LOCAL_OPERATOR)
        work.commit()
    click.echo(f"still missing: {' '.join(vetting.missing(rules, party, application)) or 'nothing'}")


@command.command("approve")
@click.argument("name")
@click.option("--from", "since", type=_DATE, help="First day (UTC); now when left out.")
@_UNTIL
@REASON
@OFFICER
@click.pass_obj
def approve(
    state: Path, name: str, since: datetime | None, until: datetime | None, reason: str, officer: OfficerCredential
) -> None:
    """Propose to approve the open application, or to renew by it. Another officer confirms."""
    services = open_state(state)
    begins = since.replace(tzinfo=UTC) if since else services.clock()
    content = content_of(services, name, begins, _last(until))
    tell_made(officer.propose(services.board, "verifier-approval", content, reason))


@command.command("notify")
@click.argument("name")
@_KINDS
@click.pass_obj
def notify(state: Path, name: str, kinds: tuple[str, ...]) -> None:
    """Note that an approved verifier's notification (届出) was received: it may ask from now on."""
    services = open_state(state)
    with services.begin() as work:
        party = registry.find_party(work, Role.VERIFIER, name)
        told = vetting.notify(work, party, _kinds(kinds, party.kinds), services.clock(), LOCAL_OPERATOR)
        work.commit()
    click.echo(f"{name} may now ask about {' and '.join(kind.value for kind in told)} certificates")


@command.command("suspend")
@click.argument("name")
@_KINDS
@REASON
@OFFICER
@click.pass_obj
def suspend(state: Path, name: str, kinds: tuple[str, ...], reason: str, officer: OfficerCredential) -> None:
    """Propose to stop a verifier for a while: refused in every worker from the request after the confirmation on."""
    _propose_about(state, "verifier-suspension", name, kinds, reason, officer)


@command.command("resume")
@click.argument("name")
@_KINDS
@REASON
@OFFICER
@click.pass_obj
def resume(state: Path, name: str, kinds: tuple[str, ...], reason: str, officer: OfficerCredential) -> None:
    """Propose to end a suspension."""
    _propose_about(state, "verifier-resumption", name, kinds, reason, officer)


@command.command("end")
@click.argument("name")
@_KINDS
@REASON
@OFFICER
@click.pass_obj
def end(state: Path, name: str, kinds: tuple[str, ...], reason: str, officer: OfficerCredential) -> None:
    """Propose to withdraw an approval for good."""
    _propose_about(state, "verifier-withdrawal", name, kinds, reason, officer)


@command.command("credential")
@click.argument("name")
@click.option("--request", type=FILE, help="PKCS#10 of a key the verifier made: it gets a certificate.")
@click.option("--certificate", type=FILE, help="A certificate that it has (PEM, DER).")
@click.option(
    "--usage",
    type=click.Choice([usage.value for usage in Usage]),
    default=Usage.TLS.value,
    show_default=True,
    help="What the certificate is for.",
)
@click.option("--purpose", default="", help="Bind it to one purpose.")
@click.option("--out", type=FOLDER, help="Folder for the new certificate.")
@click.option("--days", type=DAYS, default=365, show_default=True, help="Life of the new certificate.")
@REASON
@OFFICER
@click.pass_obj
def credential(
    state: Path,
    name: str,
    request: Path | None,
    certificate: Path | None,
    usage: str,
    purpose: str,
    out: Path | None,
    days: int,
    reason: str,
    officer: OfficerCredential,
) -> None:
    """Propose one more credential. The former ones go on until they end or are withdrawn."""
    services = open_state(state)
    if (request is None) == (certificate is None) or (request is None) != (out is None):
        raise click.UsageError("give --request and --out, or --certificate")
    if request is not None and out is not None:
        made = certify(services, Role.VERIFIER, name, request.read_bytes(), timedelta(days=days))
        write_public(out / "client.pem", as_pem(made))
    else:
        made = encoded(certificate.read_bytes() if certificate else b"")
    content: dict[str, object] = {"verifier": name, "usage": usage, "certificate": made, "purpose": purpose}
    tell_made(officer.propose(services.board, "verifier-credential", content, reason))


@command.command("withdraw")
@click.argument("fingerprint", required=False)
@click.option("--all-of", "name", help="All credentials of this verifier, also those that it registered itself.")
@click.pass_obj
def withdraw(state: Path, fingerprint: str | None, name: str | None) -> None:
    """End one credential at once and for good, by the SHA-256 of its certificate: dead on its next request.

    Who has stolen a credential may have got another one with it: then end all of them.
    """
    if (fingerprint is None) == (name is None):
        raise click.UsageError("give the fingerprint of one credential, or --all-of a verifier")
    if fingerprint is not None:
        withdraw_credential(state, fingerprint)
    if name is not None:
        services = open_state(state)
        with services.begin() as work:
            party = registry.find_party(work, Role.VERIFIER, name)
            usable = [row for row in work.parties.credentials(party.id) if row.withdrawn_at is None]
            for row in usable:
                registry.withdraw(work, row.fingerprint, services.clock(), LOCAL_OPERATOR)
            work.commit()
        click.echo(f"{len(usable)} credentials of {name} are withdrawn")


def _propose_about(
    state: Path, act: str, name: str, kinds: tuple[str, ...], reason: str, officer: OfficerCredential
) -> None:
    services = open_state(state)
    with services.begin(write=False) as work:
        party = registry.find_party(work, Role.VERIFIER, name)
    approved = frozenset(row.kind for row in party.approvals if row.withdrawn_at is None)
    said = sorted(kind.value for kind in _kinds(kinds, approved))
    tell_made(officer.propose(services.board, act, {"verifier": name, "kinds": said}, reason))


def _kinds(words: tuple[str, ...], every: frozenset[Kind]) -> frozenset[Kind]:
    return frozenset(KINDS[word] for word in words) or every


def _purposes(
    rules: VerifierRules, standing: Standing, kinds: tuple[str, ...], words: tuple[str, ...]
) -> dict[Kind, frozenset[str]]:
    """Purposes by kind, of the kinds that are named or those that purposes name."""
    found: dict[Kind, set[str]] = {KINDS[word]: set() for word in kinds}
    for word in words:
        kind, _, purpose = word.partition(":")
        if kind not in KINDS or not purpose or (kinds and kind not in kinds):
            raise click.BadParameter(
                f"want KIND:PURPOSE, such as signature:contract, not {word}", param_hint="--purpose"
            )
        found.setdefault(KINDS[kind], set()).add(purpose)
    return {kind: frozenset(said or rules.purposes_of(standing, kind)[:1]) for kind, said in found.items()}


def _last(until: datetime | None) -> datetime | None:
    return until.replace(tzinfo=UTC) + timedelta(days=1, seconds=-1) if until else None
