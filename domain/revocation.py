"""Revocations: the cause in law, the reason on the wire, the order, and the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum

from domain.certificates import IssuerId, Kind
from domain.people import MunicipalityCode
from domain.serial import SerialNumber


class CrlReason(IntEnum):
    """CRLReason, RFC 5280 §5.3.1. 7 is unused; 8 belongs to delta lists only."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6


class RevocationCause(Enum):
    """Why a certificate is revoked, in the law's terms. The table in `config/law/` gives each its effect and source."""

    HOLDER_REQUEST = "holder-request"
    KEY_REPORT = "key-report"
    CARD_LOST = "card-lost"
    RESIDENT_EVENT = "resident-event"
    RESIDENT_GONE = "resident-gone"
    RECORD_ERROR = "record-error"
    ISSUER_KEY = "issuer-key"
    CARD_ENDED = "card-ended"
    RENEWAL = "renewal"
    NEVER_DELIVERED = "never-delivered"
    TEMPORARY_STOP = "temporary-stop"


@dataclass(frozen=True, slots=True)
class CauseRule:
    """One row of the cause table: whom it hits, what the list says, and where that is written.

    `kinds` is what the cause revokes when the caller names nothing; `choosable` says whether the caller may name
    a part of them. `reason` UNSPECIFIED is written by leaving the extension out (RFC 5280 §5.3.1).
    """

    cause: RevocationCause
    title_ja: str
    title_en: str
    kinds: frozenset[Kind]
    choosable: bool
    reason: CrlReason
    by: frozenset[str]
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class RevocationOrder:
    """What `ca.revoke` is told to do to one certificate."""

    issuer: IssuerId
    serial: SerialNumber
    kind: Kind
    cause: RevocationCause
    reason: CrlReason


@dataclass(frozen=True, slots=True)
class Revocation:
    """失効情報: one certificate's standing revocation or hold. `revoked_at` never changes once set, except that
    a hold that becomes a revocation keeps the hold's time (the key was in doubt from then on)."""

    issuer: IssuerId
    serial: SerialNumber
    municipality: MunicipalityCode
    cause: RevocationCause
    reason: CrlReason
    revoked_at: datetime
    not_after: datetime

    @property
    def on_hold(self) -> bool:
        return self.reason is CrlReason.CERTIFICATE_HOLD


@dataclass(frozen=True, slots=True)
class RevocationReceipt:
    """What the applicant is handed: which kinds changed, when received, when committed. No serial is in it."""

    id: str
    cause: RevocationCause
    revoked: tuple[Kind, ...]
    already: tuple[Kind, ...]
    received_at: datetime
    committed_at: datetime
