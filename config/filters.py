"""Filters as files: how they are made with a class's key, and what a verifier opens to check certificates offline."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from config.assemble import Services
from config.files import read_file, replace_public, write_private
from domain.der import DerError
from domain.errors import Code, Refusal
from domain.serial import SerialNumber
from filters.checker import FilterChecker, Verdict
from filters.container import FilterFile, read_filter
from filters.publish import FilterOffice
from keys.algorithms import verify

_CLASS = re.compile("[a-z0-9][a-z0-9-]{0,62}")
_KEY_OCTETS = 32


def filter_office(services: Services) -> FilterOffice:
    """What makes the filters of a state directory."""
    folder = services.settings.state / "filters"
    return FilterOffice(
        issuers=services.issuers,
        signers=services.issuer_signers,
        key_of=partial(_class_key, services.settings.state),
        begin=services.begin,
        clock=services.clock,
        random=services.random,
        read=lambda name: (folder / name).read_bytes() if (folder / name).exists() else None,
        write=lambda name, octets: replace_public(folder / name, octets),
        lifetime=services.settings.crl.lifetime,
    )


def make_class_key(services: Services, verifiers: str) -> Path:
    """A new key for a class of verifiers, in a file for the authority and to be handed to these verifiers.

    Raises Refusal(MALFORMED) for a name that is none, Refusal(ALREADY_APPLIED) for a class that has a key.
    """
    path = _key_path(services.settings.state, verifiers)
    if path.exists():
        raise Refusal(Code.ALREADY_APPLIED, f"the class {verifiers} has its key already: {path.name}")
    write_private(path, services.random(_KEY_OCTETS).hex().encode() + b"\n")
    return path


def _class_key(state: Path, verifiers: str) -> bytes:
    """Raises Refusal(NOT_FOUND) for a class that has no key yet."""
    path = _key_path(state, verifiers)
    if not path.exists():
        raise Refusal(
            Code.NOT_FOUND, f"there is no class of verifiers {verifiers}; make its key with: jpki filters key"
        )
    return _key(path)


def _key_path(state: Path, verifiers: str) -> Path:
    if not _CLASS.fullmatch(verifiers):
        raise Refusal(Code.MALFORMED, "a class of verifiers is named by small letters, digits and hyphens")
    return state / "secrets" / f"filter-{verifiers}.key"


def check_certificate(
    certificate: Path, *, key: Path, issuer: Path, base: Path, delta: Path | None, now: datetime
) -> tuple[Verdict, datetime]:
    """What the filters in these files say of a certificate, and as of when. Certificates are PEM or DER.

    Raises Refusal(MALFORMED) with the name of a file that is not what it should be, Refusal(FOREIGN_ISSUER) for a
    certificate of another issuer, and what `FilterChecker` raises.
    """
    holder, authority = _certificate(certificate), _certificate(issuer)
    spki = authority.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    checker = FilterChecker(
        _key(key), _filter(base), _filter(delta) if delta else None, lambda *parts: verify(spki, *parts)
    )
    serial = SerialNumber.known(holder.serial_number)
    if serial is None or not _issued_by(holder, authority):
        raise Refusal(Code.FOREIGN_ISSUER, f"{certificate.name} is not a certificate of this issuer")
    return checker.check(serial, holder.not_valid_before_utc, now), checker.newest.this_update


def _issued_by(holder: x509.Certificate, authority: x509.Certificate) -> bool:
    """By the key: generations of an authority share a name."""
    try:
        holder.verify_directly_issued_by(authority)
    except Exception:
        return False
    return True


def _key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(read_file(path).decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_OCTETS:
        raise Refusal(Code.MALFORMED, f"{path.name} is not a key of a class of verifiers: want 64 hex digits")
    return key


def _filter(path: Path) -> FilterFile:
    try:
        return read_filter(read_file(path))
    except DerError as error:
        raise Refusal(Code.MALFORMED, f"{path.name} is no filter: {error}") from None


def _certificate(path: Path) -> x509.Certificate:
    octets = read_file(path)
    load = x509.load_pem_x509_certificate if octets.startswith(b"-----") else x509.load_der_x509_certificate
    try:
        return load(octets)
    except ValueError:
        raise Refusal(Code.MALFORMED, f"{path.name} is no certificate in PEM or DER") from None
