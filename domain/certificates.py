"""Certificates as the authority keeps them: kinds, carriers, validity, and the records of their issuance."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NewType

from domain.people import MunicipalityCode
from domain.serial import SerialNumber

IssuerId = NewType("IssuerId", str)
"""Names one key generation of one authority, for example `signature-g1`: configuration, URLs and rows use it."""


class Kind(Enum):
    """署名用 (carries the four items) or 利用者証明用 (carries none)."""

    SIGNATURE = "signature"
    AUTHENTICATION = "authentication"

    __hash__ = object.__hash__  # by identity, and without a call: kinds are the keys of many tables


class Carrier(Enum):
    """Where the private key lives: 個人番号カード用 or 移動端末設備用."""

    CARD = "card"
    MOBILE_DEVICE = "mobile-device"


@dataclass(frozen=True, slots=True)
class Validity:
    """Both instants are aware UTC in whole seconds, and both belong to the validity (RFC 5280 §4.1.2.5)."""

    not_before: datetime
    not_after: datetime

    def __post_init__(self) -> None:
        for moment in (self.not_before, self.not_after):
            if moment.tzinfo is None or moment.microsecond:
                raise ValueError("validity wants aware times in whole seconds")
        if self.not_after < self.not_before:
            raise ValueError("validity ends before it begins")

    def covers(self, moment: datetime) -> bool:
        return self.not_before <= moment <= self.not_after

    def ended(self, moment: datetime) -> bool:
        return moment > self.not_after


@dataclass(frozen=True, slots=True)
class Issuer:
    """The public face of one key generation of an authority. Generations share `subject`; the key tells them apart.

    `subject` and `spki` are DER; `public_key` is the content of the subjectPublicKey BIT STRING (what key
    hashes are made over); `key_identifier` is its SHA-1 (RFC 5280 §4.2.1.2 method 1).
    """

    id: IssuerId
    kind: Kind
    certificate: bytes
    subject: bytes
    spki: bytes
    public_key: bytes
    key_identifier: bytes
    validity: Validity


class CertificateState(Enum):
    """Life of an issuance row: first its TBS is committed, then its signature."""

    RESERVED = "reserved"
    ISSUED = "issued"


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """One row of the 発行記録. (`application_id`, `kind`) names it wherever the serial must not appear.

    `der` is the TBS while reserved and the whole certificate once issued. `ended_at` is set when it stops being
    the holder's live certificate of its kind (revoked, replaced, expired); a hold does not end it. While it is
    `pending`, it is not yet known to be on its carrier, and the one it follows stays the live one. `predecessor` is the
    application whose certificate, of the same kind and carrier, it follows. `line` is the application of the first of
    those that followed each other by renewal, up to this one; None where it is the first itself.
    """

    issuer: IssuerId
    serial: SerialNumber
    kind: Kind
    carrier: Carrier
    resident_id: int
    application_id: int
    municipality: MunicipalityCode
    validity: Validity
    state: CertificateState
    der: bytes = field(repr=False)
    spki_digest: bytes
    profile_digest: str
    reserved_at: datetime
    ended_at: datetime | None = None
    pending: bool = False
    predecessor: int | None = None
    line: int | None = None
