"""Filters as files: what a verifier needs to check certificates offline, opened and verified."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from config.files import read_file
from domain.der import DerError
from domain.errors import Code, Refusal
from domain.serial import SerialNumber
from filters.checker import FilterChecker, Verdict
from filters.container import FilterFile, read_filter
from keys.algorithms import verify


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
    if len(key) != 32:
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
