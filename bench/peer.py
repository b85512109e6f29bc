"""The peer: the `openssl` program doing the same work, with a copy of the same key and as many rows in its index."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import sleep

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from bench.house import free_port
from bench.machine import SERVER_CORE, start
from config.assemble import Services
from config.document import KeyPlace
from config.files import read_secret
from config.issuer_settings import IssuerSettings
from domain.revocation import CrlReason, Revocation

_CONFIGURATION = """
[ca]
default_ca = peer
[peer]
database = {folder}/index.txt
new_certs_dir = {folder}/certs
serial = {folder}/serial
rand_serial = yes
crlnumber = {folder}/crlnumber
certificate = {folder}/ca.pem
private_key = {folder}/ca-key.pem
default_md = sha256
default_days = 1800
default_crl_days = 2
policy = any
unique_subject = no
x509_extensions = leaf
[any]
commonName = optional
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, nonRepudiation
certificatePolicies = 2.999.1
crlDistributionPoints = URI:http://127.0.0.1/crl/signature-g1/13221.crl
authorityInfoAccess = OCSP;URI:http://127.0.0.1/ocsp
authorityKeyIdentifier = keyid
subjectKeyIdentifier = hash
"""
_EXPIRY = "311103145959Z"


class Peer:
    """A folder in which `openssl ca` and `openssl ocsp` find what they need."""

    def __init__(self, folder: Path, services: Services, issuer: IssuerSettings) -> None:
        self.folder = folder
        (folder / "certs").mkdir(parents=True)
        passphrase = read_secret(services.settings.secrets.key_passphrase)
        _write_pem(folder / "ca", issuer.certificate, _file(issuer.key), passphrase)
        self.take_responder(services, issuer)
        (folder / "openssl.cnf").write_text(_CONFIGURATION.format(folder=folder))
        (folder / "crlnumber").write_text("1000\n")
        (folder / "index.txt.attr").write_text("unique_subject = no\n")
        self.keep([])

    def take_responder(self, services: Services, issuer: IssuerSettings) -> None:
        """Answer with a copy of the key that answers for the issuer now."""
        passphrase = read_secret(services.settings.secrets.key_passphrase)
        _write_pem(self.folder / "ocsp", issuer.responder_certificate, _file(issuer.responder_key), passphrase)

    def keep(self, rows: Iterable[str]) -> None:
        """Make these the rows of the index."""
        (self.folder / "index.txt").write_text("".join(f"{row}\n" for row in rows))

    def ca(self, *arguments: str) -> None:
        """`openssl ca` until it has ended."""
        command = ["openssl", "ca", "-batch", "-config", str(self.folder / "openssl.cnf"), *arguments]
        subprocess.run(command, capture_output=True, check=True)

    def issue(self, requests: Sequence[Path]) -> None:
        """A certificate for each of the requests (PEM), in one process."""
        self.ca("-notext", "-subj", "/CN=holder", "-infiles", *map(str, requests))

    @contextmanager
    def responder(self) -> Iterator[int]:
        """The port of `openssl ocsp`. It takes one connection at a time and one request on each, and one that stays
        silent would hold it up: nothing but whole requests may be sent there. It cannot be told to keep to loopback."""
        port = free_port()
        paths = [str(self.folder / name) for name in ("index.txt", "ca.pem", "ocsp.pem", "ocsp-key.pem")]
        options = ["-index", paths[0], "-CA", paths[1], "-rsigner", paths[2], "-rkey", paths[3], "-timeout", "5"]
        command = ["openssl", "ocsp", "-port", str(port), "-nmin", "60", *options]
        log = self.folder / "ocsp.log"
        with log.open("wb") as output:  # it says something about every request: a pipe would be full soon
            process = start(command, SERVER_CORE, stdout=output, stderr=output)
            try:
                _await_line(log, process)
                yield port
            finally:
                process.kill()
                process.wait()


def good_row(serial: bytes) -> str:
    """The row of a certificate in force."""
    return f"V\t{_EXPIRY}\t\t{serial.hex().upper()}\tunknown\t/CN={serial.hex()}"


def revoked_row(revocation: Revocation) -> str:
    """The row of a revoked certificate."""
    reason = "" if revocation.reason is CrlReason.UNSPECIFIED else f",{_REASONS[revocation.reason]}"
    serial = revocation.serial.octets.hex()
    return f"R\t{_EXPIRY}\t{revocation.revoked_at:%y%m%d%H%M%SZ}{reason}\t{serial.upper()}\tunknown\t/CN={serial}"


_REASONS = {
    CrlReason.KEY_COMPROMISE: "keyCompromise",
    CrlReason.CA_COMPROMISE: "CACompromise",
    CrlReason.AFFILIATION_CHANGED: "affiliationChanged",
    CrlReason.SUPERSEDED: "superseded",
    CrlReason.CESSATION_OF_OPERATION: "cessationOfOperation",
    CrlReason.CERTIFICATE_HOLD: "certificateHold",
}


def _file(key: KeyPlace) -> Path:
    assert isinstance(key, Path)
    return key


def _write_pem(target: Path, certificate: Path, key: Path, passphrase: bytes) -> None:
    parsed = x509.load_der_x509_certificate(certificate.read_bytes())
    target.with_suffix(".pem").write_bytes(parsed.public_bytes(Encoding.PEM))
    private = load_pem_private_key(key.read_bytes(), passphrase)
    plain = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    target.with_name(f"{target.name}-key.pem").write_bytes(plain)


def _await_line(log: Path, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        if b"waiting for OCSP client connections" in log.read_bytes():
            return
        sleep(0.05)
    raise RuntimeError("openssl ocsp did not start: " + log.read_text())
