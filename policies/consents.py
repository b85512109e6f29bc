"""What a consent to validation may be: how long it lasts, how far clocks may be apart, how long answers are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.validations import Format, Item

DOCUMENT_LIMIT = 4_194_303
"""Octets of the largest document, just under 4 MiB: a multiple of three, so that its base64 has no padding."""
SIGNATURE_LIMIT = 65_535
"""Octets of the largest signature beside a document: a CMS signature with certificates and a time stamp."""
TEXT_LIMIT = 120
"""Characters of an operator's name or of a purpose."""


@dataclass(frozen=True, slots=True)
class ConsentPolicy:
    """`longest`: from the making of a consent to its end. `drift`: how far ahead the clock of the person's device may
    be. `keep`: how long an answer can be asked for again under its idempotency key."""

    longest: timedelta = timedelta(minutes=15)
    drift: timedelta = timedelta(minutes=2)
    keep: timedelta = timedelta(days=7)

    def require_time(self, made_at: datetime, good_until: datetime, now: datetime) -> None:
        """Return if a consent with these times may be used now. Raises Refusal(BAD_CONSENT) for times that no consent
        may have, Refusal(CONSENT_EXPIRED)."""
        if not made_at < good_until <= made_at + self.longest:
            minutes = int(self.longest.total_seconds() // 60)
            raise Refusal(
                Code.BAD_CONSENT, f"a consent ends after it was made, and at most {minutes} minutes later", pointer=TEXT
            )
        if made_at > now + self.drift:
            raise Refusal(
                Code.BAD_CONSENT, "the consent was made in the future; set the clock of the device", pointer=TEXT
            )
        if now > good_until:
            raise Refusal(Code.CONSENT_EXPIRED, "the consent has expired; ask the person for a new one", pointer=TEXT)


TEXT = "/consent/text"
"""Where the consent stands in a request."""


def require_items(kind: Kind, items: frozenset[Item]) -> None:
    """Return if a consent signed with a certificate of this kind may let these items be told.

    Raises Refusal(BAD_CONSENT): the items stand in the signing certificate alone, and consent to telling them is a
    declaration that is signed with it (guideline of the latest-4-items service: consent by the signing certificate).
    """
    if items and kind is not Kind.SIGNATURE:
        raise Refusal(
            Code.BAD_CONSENT,
            "items are told only with consent that is signed with the signing certificate, in which they stand",
            pointer=TEXT,
        )


def signs(kind: Kind, format_: Format) -> bool:
    """Whether a certificate of this kind is for signatures of this format: that for authentication (利用者証明用)
    proves who answers a challenge, and signs no documents (its keyUsage lacks nonRepudiation)."""
    return kind is Kind.SIGNATURE or format_ is Format.RAW
