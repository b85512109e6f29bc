"""Extensions of whatever has some: certificates, lists, their entries, OCSP answers."""

from __future__ import annotations

from typing import TypeVar

from cryptography import x509
from cryptography.x509 import ocsp

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

Extended = x509.Certificate | x509.CertificateRevocationList | x509.RevokedCertificate | ocsp.OCSPResponse


def extension(holder: Extended, kind: type[_Extension]) -> _Extension | None:
    """The extension of that kind, or None. Raises ValueError or DuplicateExtension for what cannot be read."""
    try:
        return holder.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
