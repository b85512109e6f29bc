"""Delegated validation: what an operator may ask for, what it is told, and what is kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from domain.errors import Code, Refusal


class Format(Enum):
    """How the octets were signed: a bare signature over them, CMS (RFC 5652), an XML signature, or one inside a PDF."""

    RAW = "raw"
    CMS = "cms"
    XML = "xml"
    PDF = "pdf"


class Item(Enum):
    """One of the four items (基本4情報). Each is told only where the person said so of it."""

    NAME = "name"
    ADDRESS = "address"
    BIRTH_DATE = "birth_date"
    SEX = "sex"


class Reason(Enum):
    """Why a signature does not count. A valid one has no reason."""

    SIGNATURE_WRONG = "signature-wrong"
    OTHER_CERTIFICATE = "other-certificate"
    WEAK_ALGORITHM = "weak-algorithm"
    NOT_FOR_DOCUMENTS = "not-for-documents"
    CERTIFICATE_REVOKED = "certificate-revoked"
    CERTIFICATE_HELD = "certificate-held"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_UNKNOWN = "certificate-unknown"


@dataclass(frozen=True, slots=True)
class ValidationRecord:
    """What is kept of a validation until `keep_until`: enough to repeat the answer and to know its consent again, and
    nothing of the person. `content` and `consent` are digests."""

    party_id: int
    key: str
    content: bytes
    consent: bytes
    receipt: str
    at: datetime
    keep_until: datetime


class ValidationRepository(Protocol):
    """Answers that were given, each under the idempotency key and for the consent that it used up."""

    def find(self, party_id: int, key: str) -> ValidationRecord | None: ...

    def used(self, consent: bytes) -> bool:
        """Whether the consent with this digest was used up, by whomever."""

    def keep(self, record: ValidationRecord) -> None:
        """Raises Refusal(IN_PROGRESS) when the key was taken meanwhile, Refusal(CONSENT_USED) when the consent was."""

    def over(self, now: datetime, limit: int) -> Sequence[tuple[int, str]]:
        """(party id, key) of at most `limit` records that need not be kept any longer."""

    def erase(self, keys: Sequence[tuple[int, str]]) -> None: ...


def used_up() -> Refusal:
    """What is said of a consent that comes a second time."""
    return Refusal(
        Code.CONSENT_USED,
        "this consent was used for a validation; ask the person for a new one",
        pointer="/consent/text",
    )
