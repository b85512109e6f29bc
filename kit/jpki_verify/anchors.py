"""Trust anchors: the authorities' own certificates, pinned by their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from jpki_verify.extensions import extension
from jpki_verify.rejection import Code, Rejected
from jpki_verify.settings import AnchorFile, Kind, Trust
from jpki_verify.signatures import PublicKey, issued_by, key_of

LARGEST_FILE = 1 << 16


@dataclass(frozen=True, slots=True)
class Anchor:
    """One key generation of an authority. Generations share a name, so only the key tells them apart."""

    kind: Kind
    certificate: x509.Certificate
    key: PublicKey
    key_identifier: bytes
    digest: bytes

    @property
    def name(self) -> str:
        """What it is called where people read: its kind and the beginning of its digest."""
        return f"{self.kind.value} {self.digest.hex()[:12]}"


def read_certificate(octets: bytes) -> x509.Certificate:
    """A certificate in DER or PEM. Raises Rejected(NO_CERTIFICATE)."""
    if len(octets) > LARGEST_FILE:
        raise Rejected(Code.NO_CERTIFICATE, f"a certificate has at most {LARGEST_FILE} octets")
    pem = octets.lstrip().startswith(b"-----BEGIN")
    try:
        found = x509.load_pem_x509_certificate(octets) if pem else x509.load_der_x509_certificate(octets)
        found.extensions  # noqa: B018 - read when first asked for; one that stands twice is found out now
    except (ValueError, x509.InvalidVersion, x509.DuplicateExtension, Warning):  # an error where warnings are errors
        raise Rejected(Code.NO_CERTIFICATE, "this is no X.509 certificate in DER or PEM") from None
    return found


def load_anchors(trust: Trust, now: datetime) -> tuple[Anchor, ...]:
    """The anchors in the files. Raises Rejected(BAD_CONFIGURATION) with everything that is wrong with any."""
    faults: list[str] = []
    anchors = []
    for file in trust.anchors:
        try:
            certificate = read_certificate(read_file(file.path))
        except Rejected as rejected:
            faults.append(f"{file.path.name}: {rejected.detail}")
            continue
        found = _faults(certificate, file, trust.distrusted, now)
        faults += [f"{file.path.name}: {fault}" for fault in found]
        key = key_of(certificate)
        if not found and key is not None:
            anchors.append(Anchor(file.kind, certificate, key, key_identifier(certificate), file.digest))
    if faults:
        raise Rejected(Code.BAD_CONFIGURATION, "; ".join(faults))
    return tuple(anchors)


def read_file(path: Path) -> bytes:
    """What is in a file of ours. Raises Rejected(BAD_CONFIGURATION)."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Rejected(Code.BAD_CONFIGURATION, f"{path} cannot be read: {error.strerror}") from None


def find_anchor(anchors: Iterable[Anchor], certificate: x509.Certificate) -> Anchor | None:
    """Whose key signed the certificate: the signature decides, not the name."""
    return next((anchor for anchor in anchors if issued_by(certificate, anchor.certificate)), None)


def key_identifier(certificate: x509.Certificate) -> bytes:
    """SHA-1 of the public key bits: what key identifiers and OCSP call the key by (RFC 5280 §4.2.1.2, method 1)."""
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def fingerprint(certificate: x509.Certificate) -> bytes:
    """SHA-256 of its DER."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()


def within(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether the moment lies in its validity; both ends belong to it (RFC 5280 §4.1.2.5)."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _faults(certificate: x509.Certificate, file: AnchorFile, distrusted: frozenset[bytes], now: datetime) -> list[str]:
    digest = fingerprint(certificate)
    if digest != file.digest:
        return [f"its SHA-256 is {digest.hex()}, not the one that is pinned: get the right one by a way you trust"]
    checks = (
        (digest not in distrusted, "it is among the distrusted"),
        (key_of(certificate) is not None, "its key is none of RSA 2048 to 4096, P-256, P-384, P-521"),
        (issued_by(certificate, certificate), "it is not signed by itself"),
        (_may_sign(certificate), "it may not sign certificates and lists"),
        (within(certificate, now), "it is not valid now: remove it, or put the clock right"),
    )
    return [fault for good, fault in checks if not good]


def _may_sign(certificate: x509.Certificate) -> bool:
    usage, basic = extension(certificate, x509.KeyUsage), extension(certificate, x509.BasicConstraints)
    return usage is not None and basic is not None and basic.ca and usage.key_cert_sign and usage.crl_sign
