"""`jpki residents ledger`: residents see who was told what about their certificates; nobody sees another's."""

from __future__ import annotations

from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cli.output import table
from cli.parties import FILE
from cli.state import open_state
from config.files import write_public
from config.ledger import disclosure_office
from domain.errors import Code, Refusal
from provisions.disclosure import content_of, disclose_to_owner, make_challenge
from provisions.wording import ANSWERS, ANYBODY, CHANNELS, about


@click.group("ledger")
def command() -> None:
    """Show a resident who was told what about them (開示). The person's own key opens it, and nothing else does."""


@command.command("challenge")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="New file, to be signed.")
@click.pass_obj
def challenge(state: Path, out: Path) -> None:
    """Write what the person signs with the key of the authentication certificate, within five minutes."""
    made = make_challenge(disclosure_office(open_state(state)))
    write_public(out, content_of(made.text))
    click.echo(f"sign {out} with the card by {made.expires_at:%H:%M:%S} UTC (RSA with SHA-256, ECDSA with SHA-384)")


@command.command("show")
@click.option("--certificate", type=FILE, required=True, help="Authentication certificate, PEM or DER.")
@click.option("--challenge", "signed", type=FILE, required=True, help="The file that was signed.")
@click.option("--signature", type=FILE, required=True, help="The signature, as octets.")
@click.pass_obj
def show(state: Path, certificate: Path, signed: Path, signature: Path) -> None:
    """Show the ledger of the person who signed the challenge, oldest first, in Japanese and English."""
    office = disclosure_office(open_state(state))
    text = signed.read_text("utf-8", "replace").partition("\n")[2].rstrip("\n")
    shown = disclose_to_owner(office, _der(certificate), text, signature.read_bytes())
    names = ("日時・first at", "last at", "回数・count", "提供先・verifier", "事業者・provider", "利用目的・purpose")
    more = ("方法・channel", "対象・about", "回答・answer")
    table(
        (*names, *more),
        (
            (
                told.first.isoformat(),
                told.last.isoformat(),
                told.count,
                told.party or "・".join(ANYBODY),
                told.provider or "",
                told.purpose,
                "・".join(CHANNELS[told.channel]),
                "・".join(about(told)),
                "・".join(ANSWERS.get(told.answered, (told.answered,))),
            )
            for told in shown.told
        ),
    )


def _der(path: Path) -> bytes:
    octets = path.read_bytes()
    load = x509.load_pem_x509_certificate if octets.startswith(b"-----") else x509.load_der_x509_certificate
    try:
        return load(octets).public_bytes(Encoding.DER)
    except ValueError:
        raise Refusal(Code.MALFORMED, f"{path.name} is no certificate in PEM or DER") from None
