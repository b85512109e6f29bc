"""Provisions: every hand-over of certificate status, told to a record before the answer leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple, Protocol

from domain.certificates import IssuerId
from domain.parties import Party

ASKED_OCTETS = 16
EVIDENCE_OCTETS = 12
NAME_OCTETS = 44
"""What a record keeps of a purpose, an issuer's id or an answer, in UTF-8."""


FILTER_SUBJECT = b"filter"
"""What a filter that is handed over is about: every certificate of its issuer. No area of a list reads so."""


class Channel(IntEnum):
    """By which way status was handed over. The numbers stand in records and never change their meaning."""

    OCSP = 1
    CRL = 2
    FILTER = 3
    HANDLE = 4
    NOTICE = 5
    VALIDATION = 6


class Provision(NamedTuple):
    """One hand-over: who got what about whom, when, for what.

    `party` is None for anybody, `provider` for whoever does not stand behind a platform. `asked` are the 16 octets of
    a serial, the area of a list, `FILTER_SUBJECT`, or nothing where it cannot be one of ours. `answered` is a word.
    `evidence` is a digest: of the transaction that gave reason to ask, or of the file that was handed over; 12 octets
    of it are kept. A tuple, because one is made for every answer.
    """

    when: datetime
    party: Party | None
    provider: Party | None
    purpose: str
    issuer: IssuerId
    channel: Channel
    asked: bytes
    answered: str
    evidence: bytes = b""

    def __repr__(self) -> str:
        """Nothing of what was asked."""
        return "Provision(…)"


Record = Callable[[Provision], None]
"""Puts a provision on record: when it returns, the end of the process takes nothing back. Called before the answer
leaves. Raises Refusal(STORE_UNAVAILABLE) when there is no room, and then no answer may leave."""


def asked_serial(serial: int) -> bytes:
    """`asked` for a serial as somebody's request has it: nothing if it is longer than any of ours, or negative."""
    return serial.to_bytes(ASKED_OCTETS) if 0 <= serial < 1 << 8 * ASKED_OCTETS else b""


@dataclass(frozen=True, slots=True)
class Segment:
    """A file of records as the database knows it, from the moment that it is filed.

    `node` has the file. `records` are those it holds, `filed` those that are in the ledger by now. `damaged` counts
    slots that do not open although their writer did not die over them. `digest` is set when all is filed; from then on
    only two officers together can open it. `last_at` is the time of its newest record.
    """

    id: bytes
    node: str
    begun_at: datetime
    last_at: datetime
    records: int
    damaged: int
    filed: int = 0
    digest: bytes | None = None
    erased_at: datetime | None = None

    @property
    def name(self) -> str:
        """The name of its file, and of itself in audit rows."""
        return f"{self.begun_at:%Y%m%dT%H%M%SZ}-{self.id.hex()}.provisions"


class LedgerLine(NamedTuple):
    """Records about one certificate or list, sealed. `tag` finds them for whoever knows whom they are about; it is of
    its month (`epoch`, such as 2027-04) alone."""

    epoch: str
    tag: bytes
    sealed: bytes


class ProvisionRepository(Protocol):
    """Segments that are filed, and the ledger: lines that only their subject's name finds and opens."""

    def segment(self, id_: bytes) -> Segment | None: ...

    def put_segment(self, segment: Segment) -> None:
        """Insert, or replace the row with this id."""

    def segments(self) -> Iterator[Segment]:
        """All rows, in the order in which they were begun."""

    def ended(self, node: str, before: datetime, limit: int) -> Sequence[Segment]:
        """At most `limit` segments of a node that are filed and not erased, and whose last record is older."""

    def epochs(self) -> Mapping[str, bytes]:
        """The sealed key of each month that has one."""

    def put_epoch(self, epoch: str, sealed: bytes) -> None:
        """Keep the key of a new month."""

    def erase_epoch(self, epoch: str) -> None:
        """Erase the key of a month: nobody reads its lines any more."""

    def add_lines(self, lines: Sequence[LedgerLine]) -> None: ...

    def lines(self, epoch: str, tags: Sequence[bytes]) -> Sequence[LedgerLine]:
        """The lines of a month with one of these tags, oldest first."""

    def erase_lines(self, limit: int) -> int:
        """Erase at most so many lines of the first month that there are any of, if it has no key any more; how many."""

    def spend(self, challenge: bytes, at: datetime) -> None:
        """Keep the digest of a challenge that was answered. Raises Refusal(ALREADY_APPLIED) for one kept before."""
