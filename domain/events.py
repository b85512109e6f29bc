"""What happened: changes in the resident register, and effects the authority must be able to account for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum

from domain.people import BasicAttributes, MunicipalityCode, ResidentCode


class EventType(Enum):
    """異動: why the register tells us about a resident."""

    MOVE_IN = "move-in"
    MOVE_WITHIN = "move-within"
    MOVE_OUT = "move-out"
    MOVE_ABROAD = "move-abroad"
    NAME_CHANGE = "name-change"
    BIRTH_DATE_OR_SEX_CORRECTION = "birth-date-or-sex-correction"
    MINOR_CORRECTION = "minor-correction"
    ADDRESS_RENAMING = "address-renaming"
    DEATH = "death"
    REMOVAL = "removal"


@dataclass(frozen=True, slots=True, repr=False)
class ResidentEvent:
    """One notice of the register: the record after the change, as of `effective_on` (JST).

    `attributes` is None where the record ends. `municipality` is the one that holds the record afterwards.
    """

    sender: str
    notice_id: str
    resident_code: ResidentCode
    type: EventType
    effective_on: date
    municipality: MunicipalityCode
    attributes: BasicAttributes | None


class Act(Enum):
    """Effects that leave an audit row."""

    INITIALISED = "initialised"
    RESIDENTS_LOADED = "residents-loaded"
    RESIDENT_CHANGED = "resident-changed"
    RESERVED = "certificate-reserved"
    ISSUED = "certificate-issued"
    EXPIRED = "certificate-expired"
    REVOKED = "certificate-revoked"
    HELD = "certificate-held"
    ISSUER_FOUNDED = "issuer-founded"
    RESPONDER_RENEWED = "responder-renewed"
    CRL_RESERVED = "crl-reserved"
    CRL_SIGNED = "crl-signed"
    CRL_PUBLISHED = "crl-published"
    PARTY_ADDED = "party-added"
    PARTY_SUSPENDED = "party-suspended"
    CREDENTIAL_ADDED = "credential-added"
    CREDENTIAL_WITHDRAWN = "credential-withdrawn"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One effect. `actor` is a party's label; `facts` hold plain JSON values and never a serial, a resident code
    or one of the four items: certificates are named by application and kind, residents by our own row id."""

    act: Act
    actor: str
    at: datetime
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A stored audit event and its place in the chain. `body` is the canonical JSON the digest covers."""

    sequence: int
    body: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The newest link, signed: everything up to `sequence` is vouched for by `signature` under key `key_id`."""

    sequence: int
    digest: bytes
    signature: bytes
    key_id: str
