"""Proof for certificates on a phone: the application, signed with the card's signing certificate (法 §16-2)."""

from __future__ import annotations

import hashlib
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from domain.applications import IssuanceApplication
from domain.certificates import Carrier, Kind
from domain.errors import Code, Refusal

_FIRST_LINE = "JPKI application for certificates on a mobile device, version 1"


def proof_content(application: IssuanceApplication) -> bytes:
    """What the holder signs (docs/formats.md): lines in UTF-8 that say all that is applied for. No text in it can have
    a line break, so one content is one application."""
    attributes, card, requests = application.attributes, application.card, application.requests
    said = {
        "municipality_code": application.municipality.value,
        "resident_code": application.resident_code.digits,
        "name": attributes.name,
        "address": attributes.address,
        "birth_date": attributes.birth_date.text,
        "sex": attributes.sex.value,
        "card_id": card.id,
        "card_expires_on": card.expires_on.isoformat(),
    }
    said |= {kind.value: hashlib.sha256(requests[kind]).hexdigest() for kind in Kind if kind in requests}
    lines = [_FIRST_LINE, *(f"{name}={value}" for name, value in said.items())]
    return "".join(f"{line}\n" for line in lines).encode()


def require_proof_shape(application: IssuanceApplication) -> None:
    """Return if the application is signed exactly when it is for a phone, and asks for what phones can have: the
    authentication certificate alone is for people without a signing certificate, who cannot sign.

    Raises Refusal(MALFORMED).
    """
    if application.carrier is Carrier.CARD:
        if application.proof is not None:
            raise Refusal(Code.MALFORMED, "only applications for a mobile device are signed", pointer="/proof")
        return
    if application.proof is None:
        raise Refusal(
            Code.MALFORMED,
            "an application for a mobile device is signed with the card's signing certificate; see docs/formats.md",
            pointer="/proof",
        )
    if Kind.SIGNATURE not in application.requests:
        raise Refusal(
            Code.MALFORMED, "for a mobile device apply for both, or the signing certificate alone", pointer="/requests"
        )


def require_proof(application: IssuanceApplication, certificate: bytes) -> None:
    """Return if the application is signed with the key of this certificate (DER): RSA PKCS#1 v1.5 with SHA-256, or
    ECDSA with SHA-384. Raises Refusal(BAD_PROOF)."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    proof, content = application.proof or b"", proof_content(application)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(proof, content, padding.PKCS1v15(), hashes.SHA256())
        else:
            cast(ec.EllipticCurvePublicKey, key).verify(proof, content, ec.ECDSA(hashes.SHA384()))
    except InvalidSignature:
        raise Refusal(
            Code.BAD_PROOF,
            "the application is not signed with the signing certificate that is live on this resident's card, or says "
            "something else than was signed",
            pointer="/proof",
        ) from None
