"""Responder certificates: whether one really speaks for its issuer, checked once before the first answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from domain import der
from domain.certificates import Issuer, Validity
from domain.errors import Code, Refusal
from domain.ports import Signer
from ocsp.responder import ResponderKey

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


def delegate(issuer: Issuer, certificate: bytes, signer: Signer) -> ResponderKey:
    """The responder key made of a certificate (DER) and the signer of its key.

    RFC 6960 §4.2.2.2: issued directly by the issuer's key, with id-kp-OCSPSigning; §4.2.2.2.1: with ocsp-nocheck,
    since no list covers it. Raises Refusal(BAD_CONFIGURATION) with everything that is wrong.
    """
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        faults = "; ".join(_faults(issuer, parsed, signer))
        key = ResponderKey(issuer, certificate, signer, _validity(parsed))
    except (ValueError, x509.InvalidVersion, x509.DuplicateExtension, UnsupportedAlgorithm):
        raise _fault(issuer, "it is not a certificate that can be read") from None
    if faults:
        raise _fault(issuer, faults)
    return key


def _fault(issuer: Issuer, what: str) -> Refusal:
    return Refusal(Code.BAD_CONFIGURATION, f"the OCSP responder certificate of {issuer.id}: {what}")


def _faults(issuer: Issuer, certificate: x509.Certificate, signer: Signer) -> Iterator[str]:
    try:
        certificate.verify_directly_issued_by(x509.load_der_x509_certificate(issuer.certificate))
    except (InvalidSignature, TypeError, ValueError):
        yield "it was not issued by this issuer's key"
    usages = _extension(certificate, x509.ExtendedKeyUsage)
    if usages is None or ExtendedKeyUsageOID.OCSP_SIGNING not in usages:
        yield "it lacks the extended key usage OCSPSigning"
    if _extension(certificate, x509.OCSPNoCheck) is None:
        yield "it lacks ocsp-nocheck"
    if _key_identifier(certificate) != signer.key_id:
        yield "its key is not the signer's"
    validity = _validity(certificate)
    if validity.not_before < issuer.validity.not_before or validity.not_after > issuer.validity.not_after:
        yield "its validity is not within the issuer's"


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _key_identifier(certificate: x509.Certificate) -> str:
    """Hex SHA-1 of the public key bits, as `Signer.key_id` has it (RFC 5280 §4.2.1.2, method 1)."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    start, end = der.only(spki, der.SEQUENCE)
    _, _, algorithm_end = der.read(spki, start, end)
    start, end = der.expect(spki, der.BIT_STRING, algorithm_end, end)
    return hashlib.sha1(spki[start + 1 : end], usedforsecurity=False).hexdigest()


def _validity(certificate: x509.Certificate) -> Validity:
    return Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
