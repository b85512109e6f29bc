"""Transport certificates for tests with real connections: these live by the real clock, because OpenSSL does."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from keys.transport import certify_client, certify_server, make_transport_authority
from tests.support.people import serial_of

PASSPHRASE = b"a passphrase for tests"
DAY = timedelta(days=1)


def _pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


@dataclass
class Transport:
    """A transport authority and a server certificate for 127.0.0.1, written into a folder with an encrypted key."""

    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "transport-ca.pem").write_bytes(self.authority.public_bytes(Encoding.PEM))
        (self.folder / "passphrase").write_bytes(PASSPHRASE)
        self.write_server()

    def write_server(self) -> None:
        """Give the server a new key and certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = certify_server(
            self.authority, self._key, key.public_key(), ("127.0.0.1",), serial_of("server"), self._now, DAY
        )
        (self.folder / "server.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        (self.folder / "server-key.pem").write_bytes(_pem(key, PASSPHRASE))
        self.plain_server_key = _pem(key)

    @cached_property
    def _now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def authority(self) -> x509.Certificate:
        return make_transport_authority(self._key, "JPKI-DEMO", serial_of("transport"), self._now, 30 * DAY)

    def make_client(self, name: str, begins: timedelta = timedelta(), life: timedelta = DAY) -> Path:
        """A PEM file with a client's key and certificate, whose validity begins `begins` after an hour ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = certify_client(
            self.authority, self._key, key.public_key(), name, serial_of(name), self._now + begins, life
        )
        path = self.folder / f"{name}.pem"
        path.write_bytes(_pem(key) + certificate.public_bytes(Encoding.PEM))
        return path

    def context(self, client: Path | None = None) -> ssl.SSLContext:
        """A client's side of TLS that trusts this authority and shows `client`."""
        context = ssl.create_default_context(cafile=self.folder / "transport-ca.pem")
        if client:
            context.load_cert_chain(client)
        return context
