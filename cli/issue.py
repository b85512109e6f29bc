"""`jpki issue`: what the API does for a municipality, from a terminal."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

import click

from ca.issue import issue
from ca.proof import proof_content
from cli.batches import batch
from cli.preview import preview
from cli.state import open_state
from domain.applications import IssuanceApplication
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR
from web.bodies import read_json
from web.issuance import read_application

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class _Issue(click.Command):
    """`jpki issue preview FILE` and `jpki issue batch FILE` are commands of their own; anything else behind `issue` is
    an application."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == ["preview"]:
            return preview.make_context(f"{info_name} preview", args[1:], parent, **extra)
        if args[:1] == ["batch"]:
            return batch.make_context(f"{info_name} batch", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command("issue", cls=_Issue)
@click.argument("application", type=_FILE)
@click.option("--signature-request", type=_FILE, help="PKCS#10 for the signing certificate (PEM or DER).")
@click.option("--authentication-request", type=_FILE, help="PKCS#10 for the authentication certificate (PEM or DER).")
@click.option("--key", required=True, help="Idempotency key: the same key repeats the same answer, never the issue.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder for the result.")
@click.option("--to-sign", is_flag=True, help="Print what the holder signs for a mobile device, and issue nothing.")
@click.pass_obj
def command(
    state: Path,
    application: Path,
    signature_request: Path | None,
    authentication_request: Path | None,
    key: str,
    out: Path,
    to_sign: bool,
) -> None:
    """Issue the pair that APPLICATION (JSON, as the API takes it: docs/api.md) asks for, and write it as DER.

    The requests may stand in the file as the API wants them, or be given by the options. With the signing request
    alone, the signing certificate is re-issued after a change of the register. In the last months of certificates it
    renews them: the new ones wait for `jpki deliver`. If it is interrupted, run it again with
    the same key.

    `jpki issue preview FILE` shows beforehand which substitute characters (代替文字) it would write. `jpki issue batch
    FILE` issues for many residents.
    """
    document = read_json(application.read_bytes())
    given = {Kind.SIGNATURE: signature_request, Kind.AUTHENTICATION: authentication_request}
    requests = {kind.value: base64.b64encode(_der(path)).decode() for kind, path in given.items() if path}
    if isinstance(document, dict) and requests:
        document["requests"] = requests
    members = read_application(document)
    asked = IssuanceApplication(caller=LOCAL_OPERATOR, key=key, **members)
    if to_sign:
        click.echo(proof_content(asked).decode(), nl=False)
        return
    out.mkdir(parents=True, exist_ok=True)
    pair = issue(open_state(state).authority, asked)
    for kind, der in pair.certificates.items():
        path = out / f"{kind.value}.cer"
        _keep(path, der)
        click.echo(f"{kind.value}: {path}")
    for item, positions in pair.substituted.items():
        if positions:
            click.echo(
                f"substitute characters in {item} at {', '.join(str(p + 1) for p in positions)}: show the holder"
            )
    if pair.pending:
        click.echo(f"waits for its hand-over; then: jpki deliver --key {key}")
    if pair.repeated:
        click.echo("this application was answered before; these are the same certificates")


def _keep(path: Path, der: bytes) -> None:
    """Write a certificate for its owner's eyes only (the signing one carries the four items), and over no other."""
    if path.exists() and path.read_bytes() != der:
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"{path} is another certificate and will not be overwritten; run this again with the same key and another "
            "--out",
        )
    path.touch(mode=0o600)
    path.write_bytes(der)


def _der(path: Path) -> bytes:
    """The octets of a PEM or DER file."""
    octets = path.read_bytes()
    if not octets.lstrip().startswith(b"-----BEGIN"):
        return octets
    lines = [line.strip() for line in octets.splitlines() if line.strip() and not line.startswith(b"-----")]
    try:
        return base64.b64decode(b"".join(lines), validate=True)
    except binascii.Error:
        raise Refusal(Code.MALFORMED, f"{path.name} is not a PEM file") from None
