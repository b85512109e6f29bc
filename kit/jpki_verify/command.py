"""`jpki-verify`: what an operator runs at a terminal. Exit codes: 0 confirmed, 1 not valid, 2 setup, 3 undecided."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from jpki_verify.anchors import fingerprint, read_certificate
from jpki_verify.inspection import inspect
from jpki_verify.messages import language_of_terminal
from jpki_verify.output import Printer
from jpki_verify.receipt import check_receipt
from jpki_verify.rejection import Code, Rejected, Verdict
from jpki_verify.settings import Kind
from jpki_verify.verifier import Verifier

_EPILOG = """\
exit codes: 0 confirmed, 1 not valid, 2 the setup needs mending, 3 nobody can tell now (do not accept, try again)

begin with:
  jpki-verify init                  write jpki-verify.toml, with a comment on every setting
  jpki-verify check-config          say what is still to be done
"""

Act = Callable[[argparse.Namespace, Printer], Verdict]


def main(words: Sequence[str] | None = None) -> None:
    """Run the command and exit with its code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    options = _parser().parse_args(words)
    printer = Printer(options.language or language_of_terminal(), options.json)
    act: Act = options.act
    try:
        verdict = act(options, printer)
    except Rejected as rejected:
        verdict = printer.rejected(rejected)
    sys.exit(verdict)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jpki-verify",
        description="Check JPKI signatures and certificates, ask for their status, and keep handles only.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, default=Path("jpki-verify.toml"), metavar="FILE", help="settings file")
    parser.add_argument("--language", choices=("en", "ja"), help="of the text; else as LANG says")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    _command(commands, "init", _init, "write a settings file with a comment on every setting")
    anchor = _command(commands, "anchor", _anchor, "print the [[anchor]] of an authority's certificate")
    anchor.add_argument("file", type=Path, metavar="FILE", help="the authority's certificate, DER or PEM")
    _add_kind(anchor)
    check = _command(commands, "check-config", _check_config, "say what is in order and what to do next")
    check.add_argument("--online", action="store_true", help="ask the responder, too, about nobody")
    certificate = _command(commands, "certificate", _certificate, "check a certificate: path, profile, status")
    certificate.add_argument("file", type=Path, metavar="FILE", help="certificate, DER or PEM")
    _add_kind(certificate)
    certificate.add_argument("--offline", action="store_true", help="path and profile only; nobody is asked")
    signature = _command(commands, "signature", _signature, "check who signed a document (signing certificate)")
    signature.add_argument("document", type=Path, nargs="?", metavar="DOCUMENT", help="what was signed")
    signature.add_argument("--certificate", type=Path, metavar="FILE", help="of the signer, DER or PEM")
    signature.add_argument("--signature", type=Path, metavar="FILE", help="the signature's octets")
    signature.add_argument("--cms", type=Path, metavar="FILE", help="CMS SignedData instead of the two")
    _command(commands, "challenge", _challenge, "make a challenge for a log-in")
    login = _command(commands, "login-challenge", _login, "check a signed challenge (authentication certificate)")
    for name, about in (
        ("challenge", "as it was made, no line break behind it"),
        ("certificate", "of who logs in, DER or PEM"),
        ("signature", "the signature's octets"),
    ):
        login.add_argument(f"--{name}", type=Path, required=True, metavar="FILE", help=about)
    receipt = _command(commands, "receipt", _receipt, "check a receipt of a validation, offline")
    receipt.add_argument("file", type=Path, metavar="FILE", help="the receipt")
    receipt.add_argument(
        "--authority", type=Path, required=True, metavar="FILE", help="authority.pem of the credential"
    )
    receipt.add_argument("--document", type=Path, metavar="FILE", help="what it must be about")
    _command(commands, "filters", _filters, "fetch the newest filters of your class; run it some times a day")
    _command(commands, "erase", _erase, "erase what is over; run it once a day")
    evidence = _command(commands, "evidence", _evidence, "print what shows the authority why it was asked")
    evidence.add_argument("handle", nargs="?", help="of one person; else of all")
    forget = _command(commands, "forget", _forget, "erase one person: account and evidence")
    forget.add_argument("handle", help="the person's handle")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, act: Act, about: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=about[:1].upper() + about[1:] + ".")
    parser.set_defaults(act=act)
    return parser


def _add_kind(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", choices=[kind.value for kind in Kind], required=True, help="the kind it must be of")


def _init(options: argparse.Namespace, printer: Printer) -> Verdict:
    template = (files("jpki_verify") / "template.toml").read_bytes()
    try:
        with options.config.open("xb") as file:
            file.write(template)
    except OSError as error:
        raise Rejected(Code.BAD_CONFIGURATION, f"{options.config} cannot be made: {error.strerror}") from None
    return printer.facts({"next": [f"edit {options.config}", f"jpki-verify --config {options.config} check-config"]})


def _anchor(options: argparse.Namespace, printer: Printer) -> Verdict:
    digest = fingerprint(read_certificate(_read(options.file))).hex()
    return printer.anchor(options.file, digest, options.kind)


def _check_config(options: argparse.Namespace, printer: Printer) -> Verdict:
    found = inspect(options.config, online=options.online)
    if found.next:
        return printer.outcome(
            Code.BAD_CONFIGURATION.value, Verdict.SETUP, {"checks": found.checks, "next": found.next}
        )
    return printer.facts({"checks": found.checks, "next": ["jpki-verify certificate FILE --kind authentication"]})


def _certificate(options: argparse.Namespace, printer: Printer) -> Verdict:
    verifier, octets, kind = Verifier.open(options.config), _read(options.file), Kind(options.kind)
    if options.offline:
        holder = verifier.accept(octets, kind)
        ends = holder.certificate.not_valid_after_utc
        return printer.facts(
            {"checks": [f"issued by {holder.anchor.name}", f"valid through {ends:%Y-%m-%d}", "status: not asked"]}
        )
    return printer.confirmed(verifier.check_certificate(octets, kind))


def _signature(options: argparse.Namespace, printer: Printer) -> Verdict:
    verifier = Verifier.open(options.config)
    document = _read(options.document) if options.document else None
    if options.cms:
        return printer.confirmed(verifier.check_cms(_read(options.cms), document))
    if document is None or not options.certificate or not options.signature:
        raise Rejected(Code.BAD_CONFIGURATION, "want DOCUMENT, --certificate and --signature; or --cms")
    found = verifier.check_signature(document, _read(options.certificate), _read(options.signature))
    return printer.confirmed(found)


def _challenge(options: argparse.Namespace, printer: Printer) -> Verdict:
    text = Verifier.open(options.config).new_challenge()
    if printer.as_json:
        return printer.facts({"challenge": text})
    sys.stdout.write(text)  # without a line break: these octets are what is signed
    return Verdict.CONFIRMED


def _login(options: argparse.Namespace, printer: Printer) -> Verdict:
    verifier, challenge = Verifier.open(options.config), _read(options.challenge).decode(errors="replace")
    return printer.confirmed(verifier.log_in(challenge, _read(options.certificate), _read(options.signature)))


def _receipt(options: argparse.Namespace, printer: Printer) -> Verdict:
    document = _read(options.document) if options.document else None
    found = check_receipt(_read(options.file).decode("ascii", "replace"), _read(options.authority), document)
    return printer.facts({"receipt": found.said})


def _filters(options: argparse.Namespace, printer: Printer) -> Verdict:
    kept = Verifier.open(options.config).update_filters()
    return printer.facts({"filters": [printer.kept(one) for one in kept]})


def _erase(options: argparse.Namespace, printer: Printer) -> Verdict:
    erased = Verifier.open(options.config).erase()
    counts = {"challenges": erased.challenges, "accounts": erased.accounts, "evidence": erased.evidence}
    return printer.facts({"erased": counts})


def _evidence(options: argparse.Namespace, printer: Printer) -> Verdict:
    for row in Verifier.open(options.config).store.evidence(options.handle):
        printer.evidence(row)
    return Verdict.CONFIRMED


def _forget(options: argparse.Namespace, printer: Printer) -> Verdict:
    found = Verifier.open(options.config).store.forget(options.handle)
    return printer.facts({"erased": {"accounts": int(found)}})


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Rejected(Code.BAD_CONFIGURATION, f"{path} cannot be read: {error.strerror}") from None
