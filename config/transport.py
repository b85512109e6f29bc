"""The transport authority: founded with the state directory, it certifies the API's server and every caller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from config.files import read_file, read_secret, replace_public, write_private, write_public
from config.settings import Settings
from domain import oids
from domain.errors import Code, Refusal
from domain.ports import RandomSource
from domain.serial import OCTETS, SerialNumber
from keys.generation import to_encrypted_pem
from keys.transport import TransportKey, certify_client, certify_receipts, certify_server, make_transport_authority

AUTHORITY_LIFE = timedelta(days=7300)
SERVER_LIFE = timedelta(days=397)

_NAME_LIMIT = 64
"""Octets of a common name. It is for people to read; a caller is known by its certificate's digest."""


@dataclass(frozen=True, slots=True, repr=False)
class TransportAuthority:
    """The authority's certificate, and its key in memory."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def certify_caller(
        self, public: TransportKey, label: str, now: datetime, life: timedelta, random: RandomSource
    ) -> x509.Certificate:
        """A client certificate for the party of that label.

        Raises Refusal(BAD_CONFIGURATION) when the authority itself has ended.
        """
        self._require_valid(now)
        name = label.encode()[:_NAME_LIMIT].decode(errors="ignore")
        return certify_client(self.certificate, self.key, public, name, _serial(random), now, life)

    def certify_receipts(
        self, public: ec.EllipticCurvePublicKey, now: datetime, life: timedelta, random: RandomSource
    ) -> x509.Certificate:
        """A certificate for the key that signs receipts. Raises as `certify_caller` does."""
        self._require_valid(now)
        return certify_receipts(self.certificate, self.key, public, _serial(random), now, life)

    def _require_valid(self, now: datetime) -> None:
        if now >= self.certificate.not_valid_after_utc:
            raise Refusal(Code.BAD_CONFIGURATION, "the transport authority's certificate has ended")


def found_transport(settings: Settings, now: datetime, random: RandomSource) -> None:
    """Make the keys and certificates of the transport authority and of the API's server."""
    passphrase = read_secret(settings.secrets.key_passphrase)
    transport = settings.transport
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    organization = dict(settings.names[settings.issuers[0].kind].subject)[oids.ORGANIZATION]
    certificate = make_transport_authority(authority_key, organization, _serial(random), now, AUTHORITY_LIFE)
    write_private(transport.authority_key, to_encrypted_pem(authority_key, passphrase))
    write_public(transport.authority_certificate, certificate.public_bytes(Encoding.PEM))
    write_private(transport.server_key, to_encrypted_pem(server_key, passphrase))
    server = _certify_server(
        settings, TransportAuthority(certificate, authority_key), server_key.public_key(), now, random
    )
    write_public(transport.server_certificate, server.public_bytes(Encoding.PEM))


def open_transport(settings: Settings) -> TransportAuthority:
    """The transport authority of a state directory. Raises Refusal(BAD_CONFIGURATION)."""
    path = settings.transport.authority_key
    certificate = read_certificate(settings.transport.authority_certificate)
    try:
        key = load_pem_private_key(read_file(path), read_secret(settings.secrets.key_passphrase))
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"{path.name} must hold the key of the transport authority's certificate, on an elliptic curve and "
            "encrypted with the passphrase of all keys",
        )
    return TransportAuthority(certificate, key)


def requested_key(request: bytes) -> TransportKey:
    """The key in a PKCS#10 request whose signature proves that its sender holds it."""
    try:
        pem = request.lstrip().startswith(b"-----")
        parsed = x509.load_pem_x509_csr(request) if pem else x509.load_der_x509_csr(request)
        proven, key = parsed.is_signature_valid, parsed.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Refusal(Code.MALFORMED, "the request is not PKCS#10 in PEM or DER") from None
    if not proven:
        raise Refusal(Code.BAD_REQUEST_SIGNATURE, "the request is not signed by the key it carries")
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise Refusal(Code.BAD_KEY, "want a key of type RSA or on an elliptic curve")
    return key


def is_issued_by(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether the certificate comes from the transport authority; the operator may choose another for the API."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def renew_server(settings: Settings, server: x509.Certificate, now: datetime, random: RandomSource) -> None:
    """Give the API's server a new certificate for its key; the API takes it up when it is told to reload."""
    public = server.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise Refusal(Code.BAD_CONFIGURATION, "the API's server key is neither RSA nor on an elliptic curve")
    renewed = _certify_server(settings, open_transport(settings), public, now, random)
    replace_public(settings.transport.server_certificate, renewed.public_bytes(Encoding.PEM))


def read_certificate(path: Path) -> x509.Certificate:
    """The certificate in a PEM file. Raises Refusal(BAD_CONFIGURATION)."""
    try:
        return x509.load_pem_x509_certificate(read_file(path))
    except ValueError:
        raise Refusal(Code.BAD_CONFIGURATION, f"{path.name} is not a certificate in PEM") from None


def _certify_server(
    settings: Settings, authority: TransportAuthority, public: TransportKey, now: datetime, random: RandomSource
) -> x509.Certificate:
    """For the host where the API listens, and for this machine's own names."""
    host = settings.api.bind.rpartition(":")[0].strip("[]")
    hosts = tuple(dict.fromkeys((host, "localhost", "127.0.0.1")))
    return certify_server(authority.certificate, authority.key, public, hosts, _serial(random), now, SERVER_LIFE)


def _serial(random: RandomSource) -> SerialNumber:
    return SerialNumber.drawn_from(random(OCTETS))
