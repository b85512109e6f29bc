"""Applications for issuance, as they arrive and as they are recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Protocol

from domain.certificates import Carrier, Kind
from domain.parties import Party
from domain.people import BasicAttributes, MunicipalityCode, ResidentCode
from domain.substitution import Substitution


@dataclass(frozen=True, slots=True)
class Card:
    """The 個人番号カード the certificates go to: its id as the municipality knows it and its last valid day (JST)."""

    id: str
    expires_on: date


@dataclass(frozen=True, slots=True, repr=False)
class CertificateText:
    """The name and address as the certificate shall write them, where the register's characters do not fit (代替文字).

    A text is one that the holder confirmed: sending it says so. None leaves the item to the tables of substitutes.
    """

    name: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class IssuanceApplication:
    """発行の申請 handed on by a municipality. `requests` holds one PKCS#10 (DER) per certificate asked for:
    both kinds for a pair, the signing kind alone for re-issue after a change of the register, the authentication kind
    alone for children and adults under guardianship (成年被後見人, as the municipality says). For a phone, `proof` is
    the holder's signature over it with the card's signing certificate (`ca/proof.py`)."""

    caller: Party
    key: str
    municipality: MunicipalityCode
    resident_code: ResidentCode
    attributes: BasicAttributes
    card: Card
    requests: Mapping[Kind, bytes]
    carrier: Carrier = Carrier.CARD
    under_guardianship: bool = False
    proof: bytes | None = None
    text: CertificateText = field(default_factory=CertificateText)


@dataclass(frozen=True, slots=True)
class ApplicationRecord:
    """The stored trace of an application. `key` is unique per caller; `content` is a keyed digest of everything
    asked for, so that the same key with other content is recognised; `issued_at` is None while signatures are due."""

    id: int
    caller: str
    key: str
    content: bytes
    resident_id: int
    municipality: MunicipalityCode
    received_at: datetime
    issued_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedPair:
    """The answer: certificates (DER) by kind, where substitute characters stand (0-based positions, as the signing
    certificate itself says), and each of them with the rule that chose it. `pending` ones become the holder's live ones
    when their hand-over is reported."""

    application_id: int
    certificates: Mapping[Kind, bytes] = field(repr=False)
    substituted: Mapping[str, tuple[int, ...]]
    repeated: bool
    substitutions: tuple[Substitution, ...] = ()
    pending: bool = False


class HandOver(Enum):
    """What came of new certificates at the counter: on the carrier, or not."""

    DELIVERED = "delivered"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """交付 reported: what became of the certificates of the application that `applicant` (a party's label) made
    under `key`."""

    caller: Party
    applicant: str
    key: str
    outcome: HandOver


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """What a report did: kinds that are live from now on, and kinds that were revoked, as superseded when the new ones
    were delivered, as never delivered when they were refused."""

    id: str
    application_id: int
    outcome: HandOver
    live: tuple[Kind, ...]
    revoked: tuple[Kind, ...]
    received_at: datetime
    committed_at: datetime
    repeated: bool


class ApplicationRepository(Protocol):
    """Applications for issuance, known by their caller's idempotency key."""

    def find(self, caller: str, key: str) -> ApplicationRecord | None: ...

    def get(self, application_id: int) -> ApplicationRecord:
        """Raises LookupError when there is no such row."""

    def open(
        self,
        caller: str,
        key: str,
        content: bytes,
        resident_id: int,
        municipality: MunicipalityCode,
        received_at: datetime,
    ) -> int:
        """Record the application; its id. Raises Refusal(IN_PROGRESS) when the key was taken meanwhile."""

    def close(self, application_id: int, issued_at: datetime) -> bool:
        """Record when it was issued; False, and nothing is changed, when that is on record already."""

    def newest(self) -> int:
        """The highest id; 0 without applications."""

    def unfinished(self, before: datetime) -> Sequence[ApplicationRecord]:
        """Applications reserved before that moment and not issued."""

    def erase(self, application_id: int) -> bool:
        """Erase one without certificates, and not the newest, so that no number is given twice; whether it was."""
