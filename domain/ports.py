"""What pure code may ask for: the clock, randomness, signatures, sealed codes, and storage.

Repositories take and return domain dataclasses. Nothing commits by itself; leaving a unit of work without
`commit()` rolls it back. A storage outage is Refusal(STORE_UNAVAILABLE), a lock that is not had in time Refusal(BUSY).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from domain.applications import ApplicationRepository
from domain.batches import BatchRepository
from domain.certificates import CertificateRecord, IssuerId
from domain.changes import ChangeRepository
from domain.code_keys import CodeKeyRepository
from domain.detection import DetectionRepository
from domain.events import AuditEvent, AuditHead, AuditRow, NoticeRepository
from domain.handles import HandleRepository
from domain.holds import HoldRepository
from domain.lists import ListRepository, Scope
from domain.mass import MassRepository, Target
from domain.parties import PartyRepository
from domain.people import BasicAttributes, MunicipalityCode, Resident, ResidentState
from domain.proposals import ProposalRepository
from domain.provisions import ProvisionRepository
from domain.retention import ErasableRecords
from domain.revocation import Revocation, RevocationBlock, RevocationCount
from domain.serial import SerialNumber
from domain.status import CertificateStatus
from domain.tracers import TracerRepository
from domain.validations import ValidationRepository
from domain.vetting import VettingRepository

Clock = Callable[[], datetime]
"""Now, aware UTC in whole seconds. A use case reads it once."""

Steady = Callable[[], int]
"""Nanoseconds since the machine's start, the same in all its processes. Nobody sets it right, so it tells ages."""

RandomSource = Callable[[int], bytes]
"""That many random octets."""


class Signer(Protocol):
    """One private key, wherever it lives."""

    @property
    def algorithm(self) -> bytes:
        """DER AlgorithmIdentifier that goes inside and beside what is signed."""

    @property
    def key_id(self) -> str:
        """Names the key in audit rows: hex of the SHA-1 of its public key bits."""

    def sign(self, message: bytes | memoryview) -> bytes:
        """Signature octets over `message`. Raises Refusal(SIGNER_UNAVAILABLE)."""

    def sign_digest(self, digest: bytes) -> bytes:
        """The same over what has this digest, by the hash of `algorithm`: long lists are hashed once. Raises as `sign`
        does."""


class StatusLookup(Protocol):
    """Certificate status for OCSP: *good* only with an issued row, *unknown* without one."""

    def status_of(self, issuer: IssuerId, serial: SerialNumber) -> CertificateStatus:
        """By the records; what may be said of it at a moment is `CertificateStatus.at`."""

    def good_at(self, issuer: IssuerId, now: datetime, until: int, /) -> Callable[[bytes], bool]:
        """A quick question about the 16 octets of a serial: True only where `status_of` would say, at `now` and when
        asked, that the certificate is good. False says nothing. Nobody asks it after `until` (`Steady`)."""


class ResidentRepository(Protocol):
    """The stored copy of the resident register, by the keyed index of the resident code."""

    def find(self, *indexes: bytes) -> Resident | None:
        """The resident whose code has one of these indexes (`CodeSealer.indexes`); the first that is found counts.

        When none is found and generations of keys are in use that this process did not know, Refusal(BUSY) or
        Refusal(BAD_CONFIGURATION): nobody may be taken for unknown because a key is missing.
        """

    def find_many(self, indexes: Sequence[bytes]) -> Mapping[bytes, Resident]:
        """Those of the indexes that have a resident. At most 1,000 indexes a call. Refuses as `find` does."""

    def get(self, resident_id: int) -> Resident:
        """Raises LookupError when there is no such row."""

    def put(
        self,
        index: bytes,
        sealed: bytes,
        municipality: MunicipalityCode,
        attributes: BasicAttributes,
        state: ResidentState,
        at: datetime,
    ) -> tuple[int, bool]:
        """Insert, or replace the record with this index. (row id, whether it is new)."""

    def put_many(
        self, rows: Sequence[tuple[bytes, bytes, MunicipalityCode, BasicAttributes]], at: datetime
    ) -> tuple[int, int]:
        """Insert or replace records of present residents. (new, replaced)."""

    def update(
        self,
        resident_id: int,
        municipality: MunicipalityCode,
        attributes: BasicAttributes | None,
        state: ResidentState,
        at: datetime,
    ) -> None:
        """Write the record after a change; None keeps the four items."""

    def get_many(self, resident_ids: Sequence[int]) -> Mapping[int, Resident]:
        """Those of the row ids that there are."""

    def update_many(self, residents: Sequence[Resident], at: datetime) -> None:
        """Write records after their change. Raises LookupError when there is no row of one of them."""

    def of_municipality(self, municipality: MunicipalityCode, after: int, through: int) -> Sequence[Resident]:
        """Residents whose record the municipality holds, with row ids above `after` and up to `through`, by id."""

    def newest(self) -> int:
        """The highest row id; 0 without residents."""

    def by_items(self, digests: Sequence[bytes]) -> Sequence[Resident]:
        """Residents whose four items have one of these digests (`CodeSealer.digests` of `policies.matching`): two at
        most, since more than one is nobody in particular."""

    def unmatched(self, limit: int) -> Sequence[Resident]:
        """At most `limit` residents whose items are new and have no digest yet."""

    def keep_matches(self, digests: Sequence[tuple[int, bytes]]) -> None:
        """Digests of the items of residents, by row id. They are forgotten when the items change, or the keys."""

    def rekey(self, resident_id: int, index: bytes, sealed: bytes, at: datetime) -> None:
        """Have the record found by another code, which no other record has."""

    def sealed(self) -> Iterator[tuple[bytes, bytes]]:
        """(index, sealed value) of every resident."""

    def count(self) -> int: ...


class CertificateRepository(ErasableRecords, Protocol):
    """The 発行記録: every certificate, from the moment its serial is reserved."""

    def reserve(self, records: Sequence[CertificateRecord]) -> None:
        """Store reserved rows and their scopes. Raises Refusal(KEY_USED_BEFORE), and Refusal(LIVE_PAIR) when the
        resident has a live one of a kind and carrier, or for pending rows a pending one."""

    def complete(self, certificates: Sequence[tuple[IssuerId, SerialNumber, bytes]]) -> None:
        """Turn reserved rows into issued ones with these certificates (DER). Raises LookupError when one of them has no
        reserved row; what became of the others must then not be committed."""

    def find(self, issuer: IssuerId, serial: SerialNumber) -> CertificateRecord | None: ...

    def of_application(self, application_id: int) -> Sequence[CertificateRecord]: ...

    def live_of(self, resident_id: int) -> Sequence[CertificateRecord]:
        """The resident's rows without `ended_at`, reserved and pending ones too, in order of reservation."""

    def live_of_many(self, resident_ids: Sequence[int]) -> Sequence[CertificateRecord]:
        """The same for many, those of each resident in their order."""

    def of_resident(self, resident_id: int) -> Sequence[CertificateRecord]:
        """All the resident's rows in order of reservation."""

    def end(self, issuer: IssuerId, serial: SerialNumber, at: datetime) -> None:
        """Set `ended_at`; one that is set already stays."""

    def end_many(self, certificates: Sequence[tuple[IssuerId, SerialNumber]], at: datetime) -> None:
        """The same for many."""

    def count_by_issuer(self) -> Mapping[IssuerId, int]:
        """How many certificates each issuer has on record."""

    def targets(
        self, issuer: IssuerId, low: bytes, high: bytes, municipality: MunicipalityCode | None
    ) -> Sequence[Target]:
        """The issuer's certificates with serial octets from `low` up to and without `high`, by serial; those of one
        municipality, or all."""

    def targets_of(self, resident_ids: Sequence[int]) -> Sequence[Target]:
        """All certificates of these residents, in no order."""

    def deliver(self, issuer: IssuerId, serial: SerialNumber) -> None:
        """Have a pending row be the live one: Refusal(LIVE_PAIR) while another is, LookupError for one not pending."""

    def overdue(self, before: datetime, limit: int) -> Sequence[int]:
        """The oldest applications, at most `limit`, with rows pending still that were reserved before that moment."""

    def all(self) -> Iterator[CertificateRecord]: ...

    def census(self, issuer: IssuerId, unexpired_at: datetime) -> Iterator[tuple[bytes, Sequence[int]]]:
        """Serials (16 octets each, side by side) in rising order and the seconds since 1970 at which the validity of
        each begins: all rows of the issuer, reserved ones too, that have not expired, some thousands at a time."""


class RevocationRepository(ErasableRecords, Protocol):
    """Standing revocations and holds, and the receipts that callers got."""

    def find(self, issuer: IssuerId, serial: SerialNumber) -> Revocation | None: ...

    def put(
        self, revocation: Revocation, receipt: str, received_at: datetime, committed_at: datetime | None = None
    ) -> None:
        """Insert, or replace a hold; a change of the scope, committed at `revoked_at` unless it says otherwise. Raises
        Refusal(ALREADY_APPLIED) when a revocation that is no hold stands."""

    def put_many(
        self,
        rows: Sequence[tuple[Revocation, str, datetime]],
        committed_at: datetime | None = None,
        *,
        over_holds: bool,
    ) -> None:
        """Insert revocations (with receipt and its time) of certificates that have none, or replace holds; see `put`.
        Raises Refusal(ALREADY_APPLIED) when one finds another state than that."""

    def blocks_of(self, scope: Scope, listed_since: datetime | None) -> Iterator[RevocationBlock]:
        """The scope's revocations by serial, those that expired before `listed_since` left out, as columns: none of the
        blocks is empty."""

    def count(self, scope: Scope, listed_since: datetime | None) -> RevocationCount:
        """How many they are, and what they weigh, as the store counted them when they came and went: whatever is wrong
        with `blocks_of`, this is found another way."""

    def all(self) -> Iterator[Revocation]: ...

    def census(self, issuer: IssuerId, unexpired_at: datetime) -> Iterator[bytes]:
        """Serials (16 octets each, side by side) of the issuer's standing revocations and holds of certificates that
        have not expired, some thousands at a time."""

    def orphans(self) -> Iterator[Revocation]:
        """Revocations without a certificate; there should be none."""

    def receipt(self, caller: str, key: str) -> tuple[bytes, str] | None:
        """(content digest, receipt as JSON) of an earlier request under this idempotency key."""

    def receipt_of(self, number: str) -> tuple[str, str] | None:
        """(caller, receipt as JSON) by the receipt's number."""

    def keep_receipt(self, caller: str, key: str, content: bytes, receipt: str, number: str | None = None) -> None:
        """Raises Refusal(IN_PROGRESS) when the key was taken meanwhile."""

    def keep_receipts(self, rows: Sequence[tuple[str, str, bytes, str, str | None]]) -> None:
        """The same for many."""


class AuditTrail(Protocol):
    """The chained rows of what was done, and their signed head."""

    def append(self, event: AuditEvent) -> None:
        """Have the event chained and the head signed anew as part of this unit's commit."""

    def rows(self, after: int = 0) -> Iterator[AuditRow]:
        """Stored rows in order, from sequence `after` + 1."""

    def head(self) -> AuditHead | None: ...


class UnitOfWork(Protocol):
    """One transaction over all repositories."""

    @property
    def residents(self) -> ResidentRepository: ...
    @property
    def notices(self) -> NoticeRepository: ...
    @property
    def applications(self) -> ApplicationRepository: ...
    @property
    def certificates(self) -> CertificateRepository: ...
    @property
    def revocations(self) -> RevocationRepository: ...
    @property
    def batches(self) -> BatchRepository: ...
    @property
    def holds(self) -> HoldRepository: ...
    @property
    def handles(self) -> HandleRepository: ...
    @property
    def lists(self) -> ListRepository: ...
    @property
    def mass(self) -> MassRepository: ...
    @property
    def tracers(self) -> TracerRepository: ...
    @property
    def parties(self) -> PartyRepository: ...
    @property
    def proposals(self) -> ProposalRepository: ...
    @property
    def vettings(self) -> VettingRepository: ...
    @property
    def changes(self) -> ChangeRepository: ...
    @property
    def validations(self) -> ValidationRepository: ...
    @property
    def code_keys(self) -> CodeKeyRepository: ...
    @property
    def provisions(self) -> ProvisionRepository: ...
    @property
    def detection(self) -> DetectionRepository: ...
    @property
    def audit(self) -> AuditTrail: ...

    def commit(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Begin(Protocol):
    """Opens a unit of work. With `write=False` it is a consistent view that cannot be committed.

    A commit is on disk when it returns. With `lasting=False` everybody sees it from then on, and the end of a process
    takes nothing back, but a power cut may, until any lasting commit of whomever follows: that one takes it along.
    """

    def __call__(self, *, write: bool = True, lasting: bool = True) -> UnitOfWork: ...
