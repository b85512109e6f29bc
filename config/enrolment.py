"""Enrolment: a party registered, its client certificate made, and the folder it is handed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from config.assemble import Services
from config.files import read_secret, write_private, write_public
from domain.errors import Code, Refusal
from domain.lists import Scope
from domain.parties import Party, Usage
from domain.ports import UnitOfWork
from domain.serial import OCTETS, SerialNumber
from keys.transport import TransportKey, certify_client
from verifiers import registry


def enrol(
    services: Services, party: Party, actor: Party, *, folder: Path, life: timedelta, request: bytes | None = None
) -> None:
    """Register `party` unless it is, give it a TLS credential, and write what it needs into a new `folder`.

    The folder gets `client.pem` (certificate), `authority.pem` (whom to trust) and, unless the party sent a PKCS#10
    `request` (PEM or DER) for a key of its own, `client.key`. A verifier's credential signs OCSP requests, too.
    Raises Refusal(MALFORMED), Refusal(BAD_REQUEST_SIGNATURE), Refusal(BAD_KEY), and Refusal(BAD_CONFIGURATION) for a
    folder that exists.
    """
    now = services.clock()
    if folder.exists():
        raise Refusal(Code.BAD_CONFIGURATION, f"{folder} exists and will not be overwritten; choose another with --out")
    key = ec.generate_private_key(ec.SECP256R1()) if request is None else None
    public = key.public_key() if key else _requested_key(request or b"")
    authority, authority_key = _transport_authority(services)
    serial = SerialNumber.drawn_from(services.random(OCTETS))
    certificate = certify_client(authority, authority_key, public, party.label, serial, now, life)
    with services.begin() as work:
        stored = work.parties.find(party.role.value, party.name) or registry.add_party(work, party, now, actor)
        registry.add_credential(work, stored, certificate.public_bytes(Encoding.DER), Usage.TLS, now, actor)
        _put_lists_in_use(services, work, stored)
        work.commit()
    if key is not None:
        write_private(folder / "client.key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write_public(folder / "client.pem", certificate.public_bytes(Encoding.PEM))
    write_public(folder / "authority.pem", authority.public_bytes(Encoding.PEM))


def _put_lists_in_use(services: Services, work: UnitOfWork, party: Party) -> None:
    """A municipality's lists exist, empty, before its first certificate points at them."""
    if party.municipality is not None:
        for row in services.settings.issuers:
            work.lists.register(Scope(row.id, party.municipality))


def _transport_authority(services: Services) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    transport = services.settings.transport
    certificate = x509.load_pem_x509_certificate(transport.authority_certificate.read_bytes())
    key = load_pem_private_key(
        transport.authority_key.read_bytes(), read_secret(services.settings.secrets.key_passphrase)
    )
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Refusal(Code.BAD_CONFIGURATION, "the transport authority's key is not on an elliptic curve")
    return certificate, key


def _requested_key(request: bytes) -> TransportKey:
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
