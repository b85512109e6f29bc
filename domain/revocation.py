"""Revocations: the cause in law, the reason on the wire, the order, and the record."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum

from domain.certificates import Carrier, IssuerId, Kind
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

    @property
    def word(self) -> str:
        """As tables and answers write it: `key-compromise`."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def of(cls, word: str) -> CrlReason:
        """The reason that is written so. Raises KeyError."""
        return cls[word.upper().replace("-", "_")]


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
class CauseEffect:
    """What a cause does to the certificates of one kind on one carrier. `reason` None: they stay as they are;
    UNSPECIFIED is written by leaving the extension out (RFC 5280 §5.3.1)."""

    reason: CrlReason | None
    source: str
    verified: bool

    @property
    def word(self) -> str:
        if self.reason is None:
            return "stays"
        return "held" if self.reason is CrlReason.CERTIFICATE_HOLD else "revoked"


@dataclass(frozen=True, slots=True)
class CauseRule:
    """A cause in the table: what it does to each kind on each carrier, who may name it, and where that is written.

    `effects` has every kind and carrier. `choosable` and `carrier_choosable` say whether the caller may name a part of
    the kinds and of the carriers that are hit.
    """

    cause: RevocationCause
    title_ja: str
    title_en: str
    effects: Mapping[tuple[Kind, Carrier], CauseEffect]
    choosable: bool
    carrier_choosable: bool
    by: frozenset[str]
    source: str
    verified: bool

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds that are hit on any carrier."""
        return frozenset(kind for (kind, _), effect in self.effects.items() if effect.reason is not None)

    @property
    def carriers(self) -> frozenset[Carrier]:
        """The carriers that are hit."""
        return frozenset(carrier for (_, carrier), effect in self.effects.items() if effect.reason is not None)


@dataclass(frozen=True, slots=True)
class PairRule:
    """Revoked together: both kinds, or none, on each carrier. `exception` is the one cause that leaves the
    authentication certificate alone."""

    exception: RevocationCause
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


class EffectWord(Enum):
    """What happens to one certificate, or what stands already."""

    REVOKED = "revoked"
    HELD = "held"
    RELEASED = "released"
    STAYS_GOOD = "stays-good"
    STAYS_HELD = "stays-held"
    STAYS_REVOKED = "stays-revoked"


@dataclass(frozen=True, slots=True)
class CertificateEffect:
    """What an act does to one live certificate of a holder. `reason` and `since` are what lists and OCSP say of it
    afterwards; None when that is nothing."""

    kind: Kind
    carrier: Carrier
    effect: EffectWord
    reason: CrlReason | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, repr=False)
class RevocationBlock:
    """Some standing revocations of one scope as columns, in the order of their serials: a list of millions is made of
    these. `serials` has 16 octets for each, `seconds` their `revoked_at` since 1970, `reasons` an octet for each."""

    serials: bytes
    seconds: array[int]
    reasons: bytes

    def __len__(self) -> int:
        return len(self.reasons)


@dataclass(frozen=True, slots=True)
class RevocationCount:
    """How many revocations, and the sum of their weights: the same for the same ones, in whatever order."""

    entries: int
    weight: int


def weight(serial: bytes, seconds: int, reason: int) -> int:
    """What a revocation weighs in a `RevocationCount`: a revocation with another time (in seconds since 1970) or reason
    weighs another amount, and so does one with another end of its serial."""
    return (1 + int.from_bytes(serial[-2:])) * ((seconds & 0xFFFF) * 8 + reason + 1)


@dataclass(frozen=True, slots=True)
class RevocationReceipt:
    """What the applicant is handed: which kinds changed, and what became of each certificate; when received, when
    committed. No serial is in it."""

    id: str
    cause: RevocationCause
    revoked: tuple[Kind, ...]
    already: tuple[Kind, ...]
    received_at: datetime
    committed_at: datetime
    effects: tuple[CertificateEffect, ...] = ()
