"""Receipts: what was found, signed so that anybody can check it offline for as long as it is kept (docs/formats.md)."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from domain import oids
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.ports import Signer
from domain.validations import Format, Item, Reason
from validation.finding import SigningTime

TYPE = "jpki-validation+jws"
LONGEST = 16_384
"""Octets of the longest receipt."""
_HALF = 32


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was found. `document` and `consent` are SHA-256; `items` are those that were told, not what they are.

    Nothing in it says who the person is to anybody but this operator: no serial, no certificate, a handle of its own.
    """

    id: str
    operator: str
    purpose: str
    format: Format
    document: bytes
    consent: bytes
    kind: Kind
    reasons: tuple[Reason, ...]
    checked_at: datetime
    handle: str | None
    items: frozenset[Item]
    signing_time: SigningTime | None = None

    @property
    def valid(self) -> bool:
        return not self.reasons


def sign_receipt(receipt: Receipt, signer: Signer, certificate: bytes) -> str:
    """The receipt as a JSON Web Signature in compact form (RFC 7515 §7.1) with ES256 (RFC 7518 §3.4), beside it the
    certificate (DER) of the P-256 key of `signer`."""
    header = {"alg": "ES256", "typ": TYPE, "x5c": [base64.b64encode(certificate).decode()]}
    signed = f"{_encoded(_json(header))}.{_encoded(_json(_payload(receipt)))}"
    halves = decode_dss_signature(signer.sign(signed.encode()))
    return f"{signed}.{_encoded(b''.join(half.to_bytes(_HALF) for half in halves))}"


def verify_receipt(text: str, authority: bytes) -> Receipt:
    """The receipt that the authority with this transport certificate (DER) signed. Needs nothing but the two.

    What it says is true of `checked_at`; whether it is about one's own document and purpose is for the reader to
    compare. Raises Refusal(BAD_RECEIPT) with what is wrong.
    """
    header, payload, last = _parts(text)
    signature = _decoded(last)
    certificate = _certificate(_object(_decoded(header)))
    issuer = x509.load_der_x509_certificate(authority)
    key = _require_certificate(certificate, issuer)
    try:
        halves = (int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:]))
        if len(signature) != 2 * _HALF:
            raise _bad("its signature has another length")
        key.verify(encode_dss_signature(*halves), f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise _bad("its signature is wrong: it was changed, or never signed by this authority") from None
    receipt = read_receipt(text)
    for one in (certificate, issuer):
        if not one.not_valid_before_utc <= receipt.checked_at <= one.not_valid_after_utc:
            raise _bad("it was signed when its certificate, or that of the authority, was not valid")
    return receipt


def read_receipt(text: str) -> Receipt:
    """What a receipt says, whoever wrote it. Raises Refusal(BAD_RECEIPT) for a text that is none."""
    try:
        return _receipt(_object(_decoded(_parts(text)[1])))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _bad("it does not say what a receipt says") from None


def _parts(text: str) -> list[str]:
    parts = text.split(".")
    if len(text) > LONGEST or len(parts) != 3:
        raise _bad("it is not three parts joined by dots")
    return parts


def _require_certificate(certificate: x509.Certificate, authority: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """The key of a certificate that is for receipts: parties' certificates are of the same authority, and are not."""
    try:
        certificate.verify_directly_issued_by(authority)
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        key = certificate.public_key()
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound, UnsupportedAlgorithm):
        raise _bad("its certificate is not of this authority") from None
    if [usage.dotted_string for usage in usages] != [oids.RECEIPT_SIGNING]:
        raise _bad("its certificate is not one for receipts")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _bad("its key is not of the type P-256")
    return key


def _certificate(header: dict[str, Any]) -> x509.Certificate:
    match header:
        case {"alg": "ES256", "typ": typ, "x5c": [str(octets)], **rest} if typ == TYPE and not rest:
            try:
                return x509.load_der_x509_certificate(base64.b64decode(octets, validate=True))
            except (ValueError, x509.InvalidVersion):
                raise _bad("its certificate cannot be read") from None
    raise _bad("its header is not that of a receipt")


def _payload(receipt: Receipt) -> dict[str, Any]:
    time = receipt.signing_time
    return {
        "receipt": receipt.id,
        "operator": receipt.operator,
        "purpose": receipt.purpose,
        "format": receipt.format.value,
        "document": receipt.document.hex(),
        "consent": receipt.consent.hex(),
        "kind": receipt.kind.value,
        "valid": receipt.valid,
        "reasons": [reason.value for reason in receipt.reasons],
        "checked_at": receipt.checked_at.isoformat(),
        "handle": receipt.handle,
        "items": [item.value for item in Item if item in receipt.items],
        "signing_time": time and {"at": time.at.isoformat(), "proven": time.proven, "good_then": time.good_then},
    }


def _receipt(said: dict[str, Any]) -> Receipt:
    """Raises KeyError, TypeError, ValueError, AttributeError for anything but what `sign_receipt` writes."""
    time = said["signing_time"]
    receipt = Receipt(
        said["receipt"],
        said["operator"],
        said["purpose"],
        Format(said["format"]),
        bytes.fromhex(said["document"]),
        bytes.fromhex(said["consent"]),
        Kind(said["kind"]),
        tuple(map(Reason, said["reasons"])),
        _moment(said["checked_at"]),
        said["handle"],
        frozenset(map(Item, said["items"])),
        time and SigningTime(_moment(time["at"]), time["proven"], time["good_then"]),
    )
    if _payload(receipt) != said:
        raise ValueError("it says more, less or something else")
    return receipt


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _object(octets: bytes) -> dict[str, Any]:
    try:
        value = json.loads(octets)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or _json(value) != octets:
        raise _bad("a part of it is not the JSON that receipts are written in")
    return value


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """Octets of base64url without padding (RFC 7515 §2), of which there is one form."""
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        octets = b""
    if not octets or _encoded(octets) != text:
        raise _bad("a part of it is not base64url")
    return octets


def _bad(what: str) -> Refusal:
    return Refusal(Code.BAD_RECEIPT, f"this is no receipt of a validation by this authority: {what}")
