"""Consents signed with a card that is software, and requests for validation with them."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from domain.certificates import Kind
from domain.parties import Party, Role
from domain.validations import Format, Item
from tests.support.authority import NOW
from tests.support.signers import PrivateKey
from validation.answer import SignedConsent, ValidationRequest
from validation.consent import Consent, write_consent

SHOP = Party(1, Role.VERIFIER, "霞野書店", kinds=frozenset(Kind))
PURPOSE = "会員登録の本人確認"
CHALLENGE = b"challenge of 2027-04-01 at the counter of a bookshop"
MINUTE = timedelta(minutes=1)


def make_consent(**changes: Any) -> Consent:
    """Consent of this minute to tell the bookshop whether its challenge was signed, and nothing else."""
    values: dict[str, Any] = {
        "operator": SHOP.name,
        "purpose": PURPOSE,
        "document": hashlib.sha256(CHALLENGE).digest(),
        "items": frozenset[Item](),
        "made_at": NOW,
        "good_until": NOW + 10 * MINUTE,
        "number": bytes(range(16)),
    }
    return Consent(**values | changes)


def card_signature(key: PrivateKey, octets: bytes, *, deterministic: bool = True) -> bytes:
    """As a card makes it. On curves cards sign with chance; a test that repeats itself wants the same octets."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(octets, ec.ECDSA(hashes.SHA384(), deterministic_signing=deterministic))


def number_of(label: object) -> bytes:
    """The number of that label: another for each."""
    return hashlib.sha256(repr(label).encode()).digest()[:16]


class SoftwareCard:
    """A certificate and its key, as they are on a card."""

    def __init__(self, certificate: bytes, key: PrivateKey) -> None:
        self.certificate, self.key = certificate, key

    def consent(self, consent: Consent) -> SignedConsent:
        text = write_consent(consent)
        return SignedConsent(text, card_signature(self.key, text), self.certificate)

    def request(self, **changes: Any) -> ValidationRequest:
        """The bookshop asks about its challenge, signed with this card. Changes of `Consent` make another consent."""
        about = {name: changes.pop(name) for name in [*changes] if name in ("items", "made_at", "good_until", "number")}
        document = changes.get("document", CHALLENGE)
        consent = make_consent(
            document=hashlib.sha256(document).digest(), purpose=changes.get("purpose", PURPOSE), **about
        )
        values: dict[str, Any] = {
            "caller": SHOP,
            "key": "validation 1",
            "purpose": PURPOSE,
            "format": Format.RAW,
            "document": document,
            "signature": card_signature(self.key, document),
            "consent": self.consent(consent),
        }
        return ValidationRequest(**values | changes)


def at(minutes: int) -> datetime:
    """So many minutes after now."""
    return NOW + minutes * MINUTE
