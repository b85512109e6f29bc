"""Receipts of validations that the authority made for an operator without approval, checked offline."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from jpki_verify.rejection import Code, Rejected

_TYPE = "jpki-validation+jws"
_RECEIPTS = x509.ObjectIdentifier("2.999.8.5.9.1")
_LONGEST = 16_384


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the authority found, and when. `said` is all of it."""

    valid: bool
    operator: str
    purpose: str
    document: bytes
    handle: str | None
    checked_at: datetime
    said: Mapping[str, Any]


def check_receipt(text: str, authority: bytes, document: bytes | None = None) -> Receipt:
    """The receipt (a JSON Web Signature, RFC 7515) that the authority with this certificate (PEM, as in the operator's
    `authority.pem`) signed, about this document if one is given.

    Whether operator and purpose are one's own is for the reader to compare. Raises Rejected(BAD_RECEIPT).
    """
    if len(text) > _LONGEST:
        raise _bad("it is too long")
    try:
        head, payload, signature = text.strip().split(".")
        issuer = x509.load_pem_x509_certificate(authority)
        signer = _signer(json.loads(_octets(head)), issuer)
        halves = _octets(signature)
        key = signer.public_key()
        if len(halves) != 64 or not isinstance(key, ec.EllipticCurvePublicKey) or key.key_size != 256:
            raise _bad("it is not signed by a key for receipts")
        der = encode_dss_signature(int.from_bytes(halves[:32]), int.from_bytes(halves[32:]))
        key.verify(der, f"{head}.{payload}".encode("ascii"), ec.ECDSA(hashes.SHA256()))
        said = json.loads(_octets(payload))
        receipt = Receipt(
            said["valid"] is True and not said["reasons"],
            said["operator"],
            said["purpose"],
            bytes.fromhex(said["document"]),
            said["handle"],
            datetime.fromisoformat(said["checked_at"]).astimezone(UTC),
            said,
        )
    except InvalidSignature:
        raise _bad("it was changed, or was never signed by this authority") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UnsupportedAlgorithm):
        raise _bad("it is not what receipts are") from None
    for one in (signer, issuer):
        if not one.not_valid_before_utc <= receipt.checked_at <= one.not_valid_after_utc:
            raise _bad("it was made when its certificate was not valid")
    if document is not None and hashlib.sha256(document).digest() != receipt.document:
        raise _bad("it is about another document")
    return receipt


def _signer(head: Mapping[str, Any], issuer: x509.Certificate) -> x509.Certificate:
    """The certificate of the key that signed: every party has one of the same authority, and only one kind is for
    receipts."""
    if head.keys() != {"alg", "typ", "x5c"} or (head["alg"], head["typ"], len(head["x5c"])) != ("ES256", _TYPE, 1):
        raise _bad("its header is another")
    signer = x509.load_der_x509_certificate(base64.b64decode(head["x5c"][0], validate=True))
    signer.verify_directly_issued_by(issuer)
    try:
        usages = list(signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        usages = []
    if usages != [_RECEIPTS]:
        raise _bad("its certificate is not one for receipts")
    return signer


def _octets(text: str) -> bytes:
    octets = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(octets).rstrip(b"=").decode() != text:
        raise ValueError("not base64url")
    return octets


def _bad(why: str) -> Rejected:
    return Rejected(Code.BAD_RECEIPT, why)
