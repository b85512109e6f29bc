"""Handles: what a verifier knows a holder's certificates by instead of serials, and the generations of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NewType, Protocol

from domain.certificates import CertificateRecord, Kind
from domain.parties import Party
from domain.revocation import CrlReason, RevocationCause

Handle = NewType("Handle", str)
"""An opaque text: `2-` (the generation of its key) and 40 characters. It means something to one recipient alone."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whose handles they are: a verifier, or a service provider behind a platform operator, by the rows of both."""

    party: int
    provider: int = 0

    @classmethod
    def of(cls, party: Party, provider: Party | None) -> Recipient:
        return cls(party.id, provider.id if provider else 0)


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """What a handle stands for: the certificates of a kind that follow each other by renewal, named by the application
    of the first (`whole`), or one certificate alone, named by its own application. Never leaves the authority."""

    number: int
    kind: Kind
    whole: bool = True

    @classmethod
    def of(cls, record: CertificateRecord, *, whole: bool = True) -> Line:
        number = record.line if whole and record.line is not None else record.application_id
        return cls(number, record.kind, whole)


class Correspondence(Enum):
    """Which certificates of one person a verifier may know to belong together."""

    SUCCESSION = "succession"
    PAIR = "pair"
    CARRIERS = "carriers"


@dataclass(frozen=True, slots=True)
class HandleKeyRecord:
    """What the database knows of a generation of the key of handles. `check` tells the key from others."""

    generation: int
    check: bytes
    added_at: datetime
    current_since: datetime | None = None
    retired_at: datetime | None = None


class HandleWord(Enum):
    """What became of the certificates that a handle stands for."""

    REVOKED = "revoked"
    RENEWED = "renewed"
    HELD = "held"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A recipient wants news of what `handle` stands for. `topic` is what the news are found by; both are of the same
    `generation`."""

    topic: bytes
    recipient: Recipient
    handle: Handle
    generation: int
    since: datetime


@dataclass(frozen=True, slots=True)
class HandleNotice:
    """News for a recipient: told from `due_at` on, in the order of `place`, under a `number` that it gets then.

    `mark` is the same for the same news, so that they are kept once. `handle` is as it was when the news came.
    """

    mark: bytes
    recipient: Recipient
    handle: Handle
    word: HandleWord
    due_at: datetime
    place: int
    number: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class StatusChange:
    """A certificate whose status changed, as it is now: its application, kind and line, whether it waits for its
    hand-over, the revocation or hold that stands, and when the last hold was lifted. `kind` and what follows is None
    when the record was erased meanwhile."""

    sequence: int
    application_id: int | None
    kind: Kind | None
    line: int | None
    pending: bool | None
    cause: RevocationCause | None
    reason: CrlReason | None
    revoked_at: datetime | None
    released_at: datetime | None


class HandleRepository(Protocol):
    """Generations of the key of handles, who wants news of which, and the news."""

    def generations(self) -> Sequence[HandleKeyRecord]:
        """By generation."""

    def put_key(self, record: HandleKeyRecord) -> None:
        """Insert, or replace the record of this generation."""

    def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Insert those whose topic and recipient are new."""

    def unsubscribe(self, topics: Sequence[bytes], recipient: Recipient) -> None:
        """Delete the recipient's subscriptions to these topics."""

    def subscribers(self, topics: Sequence[bytes]) -> Sequence[Subscription]:
        """Who wants news of any of these topics. At most 1,000 topics a call."""

    def older(self, generation: int, limit: int) -> Sequence[Subscription]:
        """At most `limit` subscriptions of generations below that one."""

    def move(self, moves: Sequence[tuple[Subscription, Subscription]]) -> None:
        """Put the second in place of the first of each pair; it vanishes where the recipient has it already."""

    def position(self) -> int | None:
        """The number of the last change of status that was looked at; None before the first look."""

    def keep_position(self, sequence: int) -> None: ...

    def last_change(self) -> int:
        """The number of the newest change of status, 0 before the first."""

    def of_line(self, line: Line) -> Sequence[CertificateRecord]:
        """The certificates that a handle stands for and that are on record, the oldest first."""

    def changes(self, after: int, limit: int) -> Sequence[StatusChange]:
        """At most `limit` changes of status with higher numbers, by number."""

    def keep(self, notices: Sequence[HandleNotice]) -> None:
        """Insert news whose mark is new."""

    def due(self, now: datetime, limit: int) -> Sequence[HandleNotice]:
        """At most `limit` of the news without a number that are due, by recipient, then by place."""

    def number(self, notices: Sequence[HandleNotice], at: datetime) -> None:
        """Give each the next number of its recipient, in this order."""

    def told(self, recipient: Recipient, after: int, limit: int) -> Sequence[HandleNotice]:
        """At most `limit` of the recipient's news with higher numbers, by number."""

    def has_told(self, before: datetime) -> bool:
        """Whether there are news that got their numbers before that moment."""

    def erase_told(self, before: datetime) -> int:
        """Delete news that got their numbers before that moment; how many. The last number of a recipient is kept in
        mind."""
