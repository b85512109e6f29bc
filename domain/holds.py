"""Holds (一時停止・一時保留): the rules of their release and age, what is on record of them, and how they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from domain.certificates import Carrier, IssuerId, Kind
from domain.people import MunicipalityCode
from domain.revocation import CertificateEffect, CrlReason, RevocationCause
from domain.serial import SerialNumber


class ReleaseWord(Enum):
    """What becomes of a held certificate when its carrier was found."""

    NEVER = "never"
    RELEASED = "released"
    REISSUED = "re-issued"


@dataclass(frozen=True, slots=True)
class ReleaseRule:
    """One row of the table of release. `by` are the roles that may ask; `cause` is set exactly when the certificate is
    revoked instead, to be followed by a new one."""

    kind: Kind
    carrier: Carrier
    effect: ReleaseWord
    cause: RevocationCause | None
    by: frozenset[str]
    source: str
    verified: bool


class AgeWord(Enum):
    """What becomes of a hold that nobody ended in time."""

    REPORTED = "reported"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class AgeRule:
    """One row of the table of age: after `days` a hold on this carrier is reported, or revoked for `cause`."""

    carrier: Carrier
    days: int
    effect: AgeWord
    cause: RevocationCause | None
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class DeskRule:
    """How often a caller may fail to name a resident: `attempts` in `window`, and no more until that has passed."""

    attempts: int
    window: timedelta
    source: str


@dataclass(frozen=True, slots=True)
class HoldRules:
    """The tables of holds. `releases` has every kind and carrier, `ages` every carrier."""

    releases: Mapping[tuple[Kind, Carrier], ReleaseRule]
    ages: Mapping[Carrier, AgeRule]
    desk: DeskRule


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold that stands. `reported_at` is set once it was reported for its age."""

    issuer: IssuerId
    serial: SerialNumber
    application_id: int
    kind: Kind
    carrier: Carrier
    municipality: MunicipalityCode
    resident_id: int
    held_at: datetime
    reported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A hold that was lifted: what lists said of it, and until when."""

    issuer: IssuerId
    serial: SerialNumber
    held_at: datetime
    released_at: datetime

    @property
    def said(self) -> tuple[int, CrlReason]:
        """What a list says that was made meanwhile: seconds since 1970, and the reason."""
        return int(self.held_at.timestamp()), CrlReason.CERTIFICATE_HOLD


@dataclass(frozen=True, slots=True)
class ReleaseReceipt:
    """What became of each certificate on the carrier. No serial is in it."""

    id: str
    carrier: Carrier
    received_at: datetime
    committed_at: datetime
    effects: tuple[CertificateEffect, ...]


class HoldRepository(Protocol):
    """Standing holds by their age, those that were lifted, and attempts at a hold that named nobody."""

    def standing(self, now: datetime, before: datetime, after: Hold | None, limit: int) -> Sequence[Hold]:
        """Holds placed before that moment, on certificates whose validity has not ended `now`, the oldest first:
        at most `limit` of those that come after the hold `after`."""

    def unreported(self, now: datetime, before: datetime, carrier: Carrier, limit: int) -> Sequence[Hold]:
        """At most `limit` of those on this carrier that were not reported."""

    def release(self, release: Release, receipt: str, received_at: datetime | None = None) -> None:
        """Take the hold off and keep the record of it; marks the scope changed. Raises LookupError when no hold of
        that time stands."""

    def releases_of(self, issuer: IssuerId, serial: SerialNumber) -> Sequence[Release]:
        """Oldest first."""

    def forget(self, issuer: IssuerId, serial: SerialNumber) -> None:
        """Erase the releases of a certificate that is about to be erased."""

    def report(self, hold: Hold, at: datetime) -> None:
        """Set `reported_at`. Raises LookupError when this hold does not stand."""

    def miss(self, caller: str, at: datetime, since: datetime) -> None:
        """Count one more attempt of the caller that named nobody; those before `since` may be forgotten."""

    def misses(self, caller: str, since: datetime) -> int:
        """How many there were from that moment on."""
