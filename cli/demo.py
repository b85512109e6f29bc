"""`jpki demo`: the main job as a story, judged by OpenSSL, and then a running authority to try by hand."""

from __future__ import annotations

import base64
import csv
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import click
from rich.console import Console

from cli import judges, town
from cli.office import Office
from cli.stage import in_use, make_room
from cli.supervisor import end_with_parent
from config.assemble import Services, assemble, system_clock, system_random
from config.enrolment import enrol
from config.initialise import initialise
from config.officers import OfficerCredential
from config.vetting import Handed, add_verifier
from domain.certificates import Kind
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.people import MunicipalityCode, ResidentCode
from domain.standings import Standing
from oversight.explain import explain
from oversight.reconcile import reconcile
from oversight.wording import render
from policies.validity import day_in_japan
from residents.load import load_residents
from residents.rows import Format
from verifiers.vetting import Request

KIYOSE = MunicipalityCode("132217")
_SAY = Console(highlight=False, soft_wrap=True)


@click.group("demo", invoke_without_command=True)
@click.option("--once", is_flag=True, help="End after the story instead of serving on.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("jpki-demo"),
    show_default=True,
    help="Where the demonstration lives; made anew each time.",
)
@click.pass_context
def command(context: click.Context, once: bool, directory: Path) -> None:
    """Show the whole main job on this machine, from new keys to revocation, with OpenSSL as the judge.

    Then it keeps serving and says how to try each step by hand. It can be run again and again.
    """
    if context.invoked_subcommand is not None:
        return
    if shutil.which("openssl") is None:
        raise click.ClickException("the demonstration needs the openssl program; install it and run this again")
    make_room(directory)
    api, status = _free_address(8443), _free_address(8080)
    _title("1. An authority is founded")
    initialise(
        directory, api=api, status=status, template=None, clock=system_clock, random=system_random, on_step=_detail
    )
    with in_use(directory):
        _show(directory, api, status, once=once)


command.add_command(town.command)


def _show(directory: Path, api: str, status: str, *, once: bool) -> None:
    services = assemble(directory)
    _title("2. Its services start: API (mutual TLS), status (OCSP, lists), publisher")
    with (directory / "serve.log").open("wb") as log:
        serve = [sys.executable, "-m", "cli", "--state", str(directory), "serve"]
        server = subprocess.Popen(serve, stderr=log, preexec_fn=end_with_parent)  # noqa: PLW1509
    try:
        _await_ready(server, status)
        _detail(f"API https://{api}   status http://{status}   log {directory}/serve.log")
        _tell(directory, services, api, status)
        if not once:
            _by_hand(directory, api, status)
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            server.wait()
    except KeyboardInterrupt:
        _detail("stopping")
    finally:
        server.terminate()
        server.wait()


def _tell(directory: Path, services: Services, api: str, status: str) -> None:
    resident = _meet(directory, services)
    papers = directory / "papers"
    papers.mkdir(mode=0o700)
    office = Office(api, directory / "credentials" / f"municipality-{KIYOSE}", papers)

    _title("4. 清瀬市 makes two keys with OpenSSL and applies for a pair of certificates")
    certificates = _issue(office, resident)
    issuers = {kind: _issuer_certificate(services, papers, kind) for kind in Kind}
    verifier = directory / "credentials" / "verifier-bank"
    _judge(issuers, certificates, status, verifier, "good", "good")

    _title("5. The resident moves: the register's notice revokes the signing certificate alone")
    notice: dict[str, object] = {
        "version": "1",
        "notice_id": "demo-1",
        "sequence": "1",
        "resident_code": resident["resident_code"],
        "event": "move-within",
        "effective_on": day_in_japan(system_clock()).isoformat(),
        "municipality_code": KIYOSE.value,
        **{item: resident[item] for item in ("name", "birth_date", "sex")},
        "address": "東京都清瀬市松山１－１－１",
    }
    _detail(f"receipt: revoked {office.post('/v1/resident-notices', notice)['revoked']}")
    _judge(issuers, certificates, status, verifier, "revoked", "good")

    _title("6. The card is lost: both are revoked, by resident code; no serial is asked for")
    loss: dict[str, object] = {"resident_code": resident["resident_code"], "cause": "card-lost"}
    receipt = office.post("/v1/revocations", loss, key="demo-loss-1")
    _detail(f"receipt: revoked {receipt['revoked']}, stood already {receipt['already']}")
    _judge(issuers, certificates, status, verifier, "revoked", "revoked")

    _title("7. Why is it so? (jpki explain)   Does everything agree? (jpki check)")
    indexes = list(services.sealer.indexes(ResidentCode(resident["resident_code"])))
    for line in render(explain(services.inspection(), indexes), "en").splitlines():
        _detail(line)
    findings = list(reconcile(services.inspection()))
    for finding in findings:
        _detail(f"{finding.level} ({finding.area}): {finding.text}")
    if any(finding.level == "fault" for finding in findings):
        raise click.ClickException("database, OCSP, lists and audit trail do not agree")
    _detail("database, OCSP, lists and audit trail agree")


def _meet(directory: Path, services: Services) -> dict[str, str]:
    """Enrol who takes part; the record of the resident of the story."""
    _title("3. A municipality is registered, two officers approve a verifier, the resident register is copied")
    life = timedelta(days=30)
    credentials = directory / "credentials"
    municipality = Party(0, Role.MUNICIPALITY, KIYOSE.value, KIYOSE)
    enrol(services, municipality, LOCAL_OPERATOR, folder=credentials / f"municipality-{KIYOSE}", life=life)
    officers = [Party(0, Role.OPERATOR, name) for name in ("aoi", "ken")]
    for officer in officers:
        enrol(services, officer, LOCAL_OPERATOR, folder=credentials / f"operator-{officer.name}", life=life)
    aoi, ken = (OfficerCredential.read(credentials / f"operator-{officer.name}") for officer in officers)
    purposes = {Kind.SIGNATURE: frozenset({"contract"}), Kind.AUTHENTICATION: frozenset({"log-in"})}
    bank = Request("bank", Standing.ACCREDITED_PRIVATE, purposes)
    handed = Handed(credentials / "verifier-bank", life)
    add_verifier(services, bank, (aoi, ken), None, "the demonstration", handed, "it is part of the demonstration")
    sample = files("config").joinpath("data/sample_residents.csv")
    with sample.open("rb") as file:
        report = load_residents(services.intake, LOCAL_OPERATOR, file, Format.CSV)  # type: ignore[arg-type]
    _detail(f"清瀬市 (132217) and {report.new} fictional residents")
    _detail("the verifier “bank”: proposed by officer aoi, confirmed by officer ken")
    return next(csv.DictReader(sample.read_text("utf-8").splitlines()))


def _issue(office: Office, resident: dict[str, str]) -> dict[Kind, Path]:
    requests = {kind.value: base64.b64encode(office.make_request(kind)).decode() for kind in Kind}
    application: dict[str, object] = {
        "resident_code": resident["resident_code"],
        "municipality_code": KIYOSE.value,
        "attributes": {item: resident[item] for item in ("name", "address", "birth_date", "sex")},
        "card": {"id": "DEMO-CARD-1", "expires_on": f"{system_clock().year + 9}-03-31"},
        "requests": requests,
    }
    answer = office.post("/v1/issuance-applications", application, key="demo-application-1")
    again = office.post("/v1/issuance-applications", application, key="demo-application-1")
    certificates = answer["certificates"]
    if again["certificates"] != certificates or not isinstance(certificates, dict):
        raise click.ClickException("a repeated application got another answer")
    _detail(f"application {answer['application']}: both certificates came back; the same key again, the same answer")
    return {kind: office.keep(kind, certificates[kind.value]) for kind in Kind}


def _judge(
    issuers: dict[Kind, Path],
    certificates: dict[Kind, Path],
    status: str,
    verifier: Path,
    signature: judges.Verdict,
    authentication: judges.Verdict,
) -> None:
    for kind, expected in ((Kind.SIGNATURE, signature), (Kind.AUTHENTICATION, authentication)):
        issuer, certificate = issuers[kind], certificates[kind]
        # OCSP first: it is right at once, while the list is right when the publisher has passed.
        asks: tuple[Callable[[], judges.Judgement], ...] = (
            lambda: judges.by_ocsp(issuer, certificate, f"http://{status}/ocsp", verifier),  # noqa: B023
            lambda: judges.by_list_in_time(issuer, certificate, expected),  # noqa: B023
        )
        for ask in asks:
            judgement = ask()
            _SAY.print(f"   [dim]$ {judgement.command}[/dim]")
            right = judgement.verdict == expected
            colour = "green" if right else "red"
            _SAY.print(f"     {kind.value}: [{colour}]{judgement.verdict or judgement.said}[/{colour}]")
            if not right:
                raise click.ClickException(f"OpenSSL was expected to say {expected}; it said: {judgement.said}")


def _issuer_certificate(services: Services, papers: Path, kind: Kind) -> Path:
    issuer = next(issuer for issuer in services.issuers.values() if issuer.id == f"{kind.value}-g1")
    path = papers / f"{issuer.id}.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(issuer.certificate), "ascii")
    return path


def _by_hand(directory: Path, api: str, status: str) -> None:
    credential = directory / "credentials" / f"municipality-{KIYOSE}"
    _title("It keeps serving. In another terminal, try:")
    call = f"--cacert {credential}/authority.pem --cert {credential}/client.pem --key {credential}/client.key"
    for line in (
        f"export JPKI_STATE={directory.absolute()}",
        f"curl -s http://{status}/readyz",
        f"curl -s {call} https://{api}/v1/openapi.json",
        f"curl -s http://{status}/crl/signature-g1/{KIYOSE.area}.crl | openssl crl -inform DER -noout -text",
        "jpki crl list",
        "jpki policy revocation",
        "jpki revoke --resident 78895864187 --cause temporary-stop --dry-run",
        "jpki explain --resident 92939297270 --language ja",
        "jpki audit verify",
        "jpki check",
    ):
        _SAY.print(f"   {line}")
    _detail("Ctrl-C stops it.")


def _free_address(preferred: int) -> str:
    """The preferred port on loopback if nobody has it, or any free one."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return f"127.0.0.1:{probe.getsockname()[1]}"
    raise click.ClickException("no port is free on 127.0.0.1")


def _await_ready(server: subprocess.Popen[bytes], status: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urlopen(f"http://{status}/readyz", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise click.ClickException("the services did not start; see serve.log in the demonstration's directory")


def _title(text: str) -> None:
    _SAY.print(f"\n[bold]{text}[/bold]")


def _detail(text: str) -> None:
    _SAY.print(f"   {text}", markup=False)
