"""`jpki validation`: consents, validations for operators at the terminal, and receipts checked offline."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import IO

import click

from cli.output import table
from cli.parties import DAYS, FILE, FOLDER, hand_over
from cli.state import open_state
from config.assemble import system_clock, system_random
from config.files import read_file, read_pem_certificate
from config.software_card import SoftwareCard
from config.validating import make_sandbox, make_validation
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import Party, Role
from domain.validations import Format, Item
from validation.answer import ValidationRequest, validate
from validation.consent import Consent, write_consent
from validation.receipt import verify_receipt
from verifiers.registry import find_party
from web.bodies import read_json
from web.validations import VALIDATION, answer_to_json


@click.group("validation")
def command() -> None:
    """Validate for operators that are not approved, with consent; check receipts.

    Operators ask over the API: POST /v1/validations (docs/api.md).
    """


@command.command("enrol")
@click.argument("name")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice([kind.value for kind in Kind]),
    multiple=True,
    required=True,
    help="A kind of certificate; may be repeated.",
)
@click.option("--out", type=FOLDER, help="Folder for the credential.")
@click.option("--days", type=DAYS, default=365, show_default=True, help="Life of the client certificate.")
@click.option("--request", type=FILE, help="PKCS#10 of a key the operator made itself; without it a key is made here.")
@click.pass_obj
def enrol(state: Path, name: str, kinds: tuple[str, ...], out: Path | None, days: int, request: Path | None) -> None:
    """Register an operator that is not approved, and give it a credential.

    It may have signatures by certificates of these kinds validated, when the person consents, and is told nothing else:
    status is for verifiers whom two officers approved (jpki verifiers).
    """
    party = Party(0, Role.VERIFIER, name, None, frozenset(map(Kind, kinds)))
    folder = hand_over(state, party, out, days, request)
    click.echo(f"{name} may now ask for validations with consent; its credential: {folder}")


@command.command("consent")
@click.argument("document", type=FILE)
@click.option("--operator", required=True, help="Name of the operator that will ask, as it is registered.")
@click.option("--purpose", required=True, help="What the operator wants it for.")
@click.option(
    "--item", "items", type=click.Choice([item.value for item in Item]), multiple=True, help="May be told; repeat."
)
@click.option("--minutes", type=click.IntRange(1, 15), default=10, show_default=True, help="How long it is good.")
@click.option(
    "--format",
    "format_",
    type=click.Choice([one.value for one in Format]),
    default="raw",
    help="How DOCUMENT is signed.",
)
@click.option("--signature", type=FILE, help="A CMS signature beside DOCUMENT.")
@click.option("--key", type=FILE, help="Private key (PEM, not encrypted) that stands for the card.")
@click.option("--certificate", type=FILE, help="Its certificate (PEM or DER).")
def consent(
    document: Path,
    operator: str,
    purpose: str,
    items: tuple[str, ...],
    minutes: int,
    format_: str,
    signature: Path | None,
    key: Path | None,
    certificate: Path | None,
) -> None:
    """Print what a person signs who consents to the validation of DOCUMENT.

    With --key and --certificate, a card in software, print the request for POST /v1/validations instead: with the
    consent, and a raw signature over DOCUMENT unless it was signed in another format before. For tests and
    demonstrations: cards of people sign in their own readers.
    """
    now = system_clock()
    octets = document.read_bytes()
    asked = Consent(
        operator,
        purpose,
        hashlib.sha256(octets).digest(),
        frozenset(map(Item, items)),
        now,
        now + timedelta(minutes=minutes),
        system_random(16),
    )
    text = write_consent(asked)
    if key is None or certificate is None:
        click.echo(text.decode(), nl=False)
        return
    card = SoftwareCard.read(key.read_bytes(), certificate.read_bytes())
    beside = card.sign(octets) if format_ == Format.RAW.value else signature.read_bytes() if signature else None
    request = {
        "format": format_,
        "purpose": purpose,
        "document": _base64(octets),
        **({"signature": _base64(beside)} if beside is not None else {}),
        "consent": {
            "text": text.decode(),
            "signature": _base64(card.sign(text)),
            "certificate": _base64(card.certificate),
        },
    }
    click.echo(json.dumps(request, ensure_ascii=False, indent=2))


@command.command("ask")
@click.argument("request", type=FILE)
@click.option("--operator", required=True, help="Name of the registered operator in whose name it is asked.")
@click.option("--key", required=True, help="Idempotency key: the same key repeats the same answer.")
@click.pass_obj
def ask(state: Path, request: Path, operator: str, key: str) -> None:
    """Answer REQUEST (JSON, as the API takes it) as if its operator had sent it; print the answer.

    The exit code is 1 when the signature is not valid.
    """
    services = open_state(state)
    with services.begin(write=False) as work:
        caller = find_party(work, Role.VERIFIER, operator)
    asked = ValidationRequest(caller=caller, key=key, **VALIDATION.read(read_json(request.read_bytes()), ""))
    with closing(make_sandbox(services.settings.validation)) as sandbox:
        answer = validate(make_validation(services, sandbox), asked)
    click.echo(json.dumps(answer_to_json(answer), ensure_ascii=False, indent=2))
    if not answer.content.valid:
        raise click.exceptions.Exit(1)


@command.command("verify")
@click.argument("receipt", type=click.File("r", encoding="ascii", errors="replace"))
@click.option("--authority", type=FILE, required=True, help="authority.pem of the operator's credential.")
@click.option("--document", type=FILE, help="The document that the receipt must be about.")
def verify(receipt: IO[str], authority: Path, document: Path | None) -> None:
    """Check a RECEIPT (a file, or - ; what `receipt` holds in an answer) offline, and print what it says."""
    said = verify_receipt(receipt.read().strip(), read_pem_certificate(authority))
    if document is not None and hashlib.sha256(read_file(document)).digest() != said.document:
        raise Refusal(Code.BAD_RECEIPT, "the receipt is genuine, and about another document")
    rows = {
        "receipt": said.id,
        "operator": said.operator,
        "purpose": said.purpose,
        "format": said.format.value,
        "document (SHA-256)": said.document.hex(),
        "certificate kind": said.kind.value,
        "valid": "yes" if said.valid else "no",
        "reasons": ", ".join(reason.value for reason in said.reasons),
        "checked at": said.checked_at,
        "handle": said.handle or "",
        "items told": ", ".join(item.value for item in Item if item in said.items),
    }
    table(("what", "is"), rows.items())


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
