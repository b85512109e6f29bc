"""What happened: changes in the resident register, and effects the authority must be able to account for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Protocol

from domain.errors import Code
from domain.people import BasicAttributes, MunicipalityCode, ResidentCode


class EventType(Enum):
    """異動: why the register tells us about a resident."""

    MOVE_IN = "move-in"
    MOVE_WITHIN = "move-within"
    MOVE_OUT = "move-out"
    MOVE_ABROAD = "move-abroad"
    MOVE_ABROAD_CONTINUED = "move-abroad-continued"
    NAME_CHANGE = "name-change"
    BIRTH_DATE_OR_SEX_CORRECTION = "birth-date-or-sex-correction"
    MINOR_CORRECTION = "minor-correction"
    ADDRESS_RENAMING = "address-renaming"
    MUNICIPALITY_MERGER = "municipality-merger"
    CODE_CHANGE = "code-change"
    DEATH = "death"
    REMOVAL = "removal"


@dataclass(frozen=True, slots=True, repr=False)
class ResidentEvent:
    """One notice of the register: the record after the change, as of `effective_on` (JST).

    `sequence` counts the sender's notices from 1, without gaps. `attributes` is None where the items stay as they are
    or the record ends. `municipality` is the one that holds the record afterwards. `new_code` replaces `resident_code`.
    """

    sender: str
    notice_id: str
    sequence: int
    resident_code: ResidentCode
    type: EventType
    effective_on: date
    municipality: MunicipalityCode
    attributes: BasicAttributes | None
    new_code: ResidentCode | None = None


class NoticeState(Enum):
    """What has become of a notice. Held ones wait for an earlier number; quarantined ones had no effect, for good."""

    APPLIED = "applied"
    HELD = "held"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """A stored notice. `content` is a keyed digest of all it says; what it says is kept while it is held, as `sealed`.

    `sequence` is None where none could be read. `type`, `effective_on`, `municipality` and `resident_id` are set once
    it is applied, `reason` and `detail` (of the refusal) once it is quarantined.
    """

    sender: str
    notice_id: str
    sequence: int | None
    content: bytes
    state: NoticeState
    received_at: datetime
    sealed: bytes | None = field(default=None, repr=False)
    resident_id: int | None = None
    type: EventType | None = None
    effective_on: date | None = None
    municipality: MunicipalityCode | None = None
    reason: Code | None = None
    detail: str | None = None


class NoticeRepository(Protocol):
    """The register's notices, each once, and the number whose turn it is for each sender."""

    def find(self, sender: str, notice_id: str) -> NoticeRecord | None: ...

    def at(self, sender: str, sequence: int) -> NoticeRecord | None:
        """The sender's notice of that number."""

    def put(self, record: NoticeRecord) -> None:
        """Insert, or replace the record of this sender and notice id."""

    def expected(self, sender: str) -> int:
        """The number whose turn it is: 1 for a sender that is not known yet."""

    def expect(self, sender: str, sequence: int) -> None:
        """Have it be the turn of that number."""

    def senders(self) -> Sequence[str]:
        """Everybody whose turn was set once, by name."""

    def page(self, sender: str, state: NoticeState, after: int | str, limit: int) -> Sequence[NoticeRecord]:
        """At most `limit` notices: those without a number by their ids, then the others by number. `after` is the
        number of the last one seen, or its id when it has none; 0 is the beginning."""

    def all(self) -> Iterator[NoticeRecord]:
        """Every notice, those of one sender together."""

    def find_many(self, sender: str, notice_ids: Sequence[str]) -> Sequence[NoticeRecord]:
        """The sender's notices with these ids, in no order."""

    def between(self, sender: str, first: int, last: int) -> Sequence[NoticeRecord]:
        """The sender's notices with numbers from `first` to `last`, by number."""

    def put_many(self, records: Sequence[NoticeRecord]) -> None:
        """Insert notices whose sender and id are new."""

    def latest_effective(self, resident_id: int) -> date | None:
        """The newest `effective_on` among the notices applied to the resident."""

    def latest_effective_many(self, resident_ids: Sequence[int]) -> Mapping[int, date]:
        """The same for those of the residents that have such notices."""


class Act(Enum):
    """Effects that leave an audit row."""

    INITIALISED = "initialised"
    RESIDENTS_LOADED = "residents-loaded"
    RESIDENT_CHANGED = "resident-changed"
    NOTICE_HELD = "notice-held"
    NOTICE_QUARANTINED = "notice-quarantined"
    RESERVED = "certificate-reserved"
    ISSUED = "certificate-issued"
    DELIVERED = "certificate-delivered"
    EXPIRED = "certificate-expired"
    BATCH_TAKEN = "batch-taken"
    BATCH_CANCELLED = "batch-cancelled"
    BATCHES_ERASED = "batches-erased"
    REVOKED = "certificate-revoked"
    HELD = "certificate-held"
    CERTIFICATES_HELD = "certificates-held"
    CERTIFICATES_REVOKED = "certificates-revoked"
    RESIDENTS_CHANGED = "residents-changed"
    MASS_PREVIEWED = "mass-previewed"
    MASS_CONFIRMED = "mass-confirmed"
    MASS_CANCELLED = "mass-cancelled"
    MASS_DONE = "mass-done"
    ERASED = "record-erased"
    RELEASED = "certificate-released"
    HOLD_AGED = "hold-aged"
    HOLD_MISSED = "hold-missed"
    ISSUER_FOUNDED = "issuer-founded"
    RESPONDER_RENEWED = "responder-renewed"
    CRL_RESERVED = "crl-reserved"
    CRL_SIGNED = "crl-signed"
    CRL_PUBLISHED = "crl-published"
    CRL_DELTA_SIGNED = "crl-delta-signed"
    FILTER_MADE = "filter-made"
    SCAN_FILTER_MADE = "scan-filter-made"
    PARTY_ADDED = "party-added"
    PARTY_SUSPENDED = "party-suspended"
    CREDENTIAL_ADDED = "credential-added"
    CREDENTIAL_WITHDRAWN = "credential-withdrawn"
    VERIFIER_APPLIED = "verifier-applied"
    EVIDENCE_ADDED = "evidence-added"
    VERIFIER_APPROVED = "verifier-approved"
    VERIFIER_NOTIFIED = "verifier-notified"
    VERIFIER_SUSPENDED = "verifier-suspended"
    VERIFIER_RESUMED = "verifier-resumed"
    VERIFIER_WITHDRAWN = "verifier-withdrawn"
    PROPOSED = "proposed"
    PROPOSAL_CONFIRMED = "proposal-confirmed"
    PROPOSAL_DISMISSED = "proposal-dismissed"
    PROPOSAL_REFUSED = "proposal-refused"
    VALIDATED = "signature-validated"
    VALIDATIONS_ERASED = "validations-erased"
    RECEIPTS_CERTIFIED = "receipts-certified"
    CODE_KEYS_ADDED = "code-keys-added"
    CODE_KEYS_CHANGED = "code-keys-changed"
    CODE_KEYS_MOVED = "code-keys-moved"
    CODE_KEYS_RETIRED = "code-keys-retired"
    HANDLE_KEY_ADDED = "handle-key-added"
    HANDLE_KEY_CURRENT = "handle-key-current"
    HANDLE_KEY_RETIRED = "handle-key-retired"
    TRACER_SEEN = "tracer-seen"
    TRACER_MATCHED = "tracer-matched"
    ALARM_RAISED = "alarm-raised"
    ALARM_DECIDED = "alarm-decided"
    PROVISIONS_FILED = "provisions-filed"
    PROVISIONS_ERASED = "provisions-erased"
    PROVISIONS_UNLOCKED = "provisions-unlocked"
    LEDGER_ERASED = "ledger-erased"
    LEDGER_DISCLOSED = "ledger-disclosed"


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
