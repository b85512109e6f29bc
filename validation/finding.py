"""What is looked at, and what is found of a signature by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.errors import Code, Refusal
from domain.validations import Format, Reason


@dataclass(frozen=True, slots=True)
class SigningTime:
    """When the document says it was signed. `proven` is false for a time that only the signer says; true for that of a
    time stamp from an authority that is trusted here, and then `good_then` says whether the certificate was good."""

    at: datetime
    proven: bool
    good_then: bool | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Examination:
    """What is looked at: octets as they were sent, `signature` beside them where it is not inside, and the certificate
    (DER) whose key must have signed."""

    format: Format
    document: bytes
    signature: bytes | None
    certificate: bytes
    at: datetime


def unread(why: str) -> Refusal:
    """What is said of a document that is not accepted: `why` quotes nothing of it."""
    return Refusal(Code.BAD_DOCUMENT, why, pointer="/document")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be said of a signature by itself, whatever the certificate's status."""

    reasons: tuple[Reason, ...] = ()
    signing_time: SigningTime | None = None
