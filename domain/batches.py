"""Batches: many applications of one caller, kept until each has ended, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from domain.errors import Code
from domain.people import MunicipalityCode


class ItemState(Enum):
    """WAITING in the queue of its municipality; BEGUN by a worker, which cannot be called back; and three ends."""

    WAITING = "waiting"
    BEGUN = "begun"
    ISSUED = "issued"
    REFUSED = "refused"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self not in (ItemState.WAITING, ItemState.BEGUN)


@dataclass(frozen=True, slots=True)
class Batch:
    """One file of applications. `key` is unique per caller; `content` a keyed digest of the file; `items` how many
    lines it had, `open` how many of them have not ended. `ended_at` is set when none is open any more."""

    id: int
    caller: str
    key: str
    content: bytes
    items: int
    open: int
    received_at: datetime
    cancelled_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatchRefusal:
    """Why an application of a batch was refused: a `Refusal` without its facts."""

    code: Code
    detail: str
    pointer: str | None = None


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One line of a batch. `key` is its idempotency key, None when the line had none that could be read.

    `sealed` is the application, only there while the item is open. `application_id` names what was issued.
    """

    batch_id: int
    line: int
    key: str | None
    state: ItemState
    municipality: MunicipalityCode | None = None
    sealed: bytes | None = field(default=None, repr=False)
    application_id: int | None = None
    refusal: BatchRefusal | None = None


def sealed_name(item: BatchItem) -> bytes:
    """The name under which an item's application is sealed: that of its row."""
    return row_name(item.batch_id, item.line)


def row_name(batch_id: int, line: int) -> bytes:
    """The same, by the key of the row."""
    return f"{batch_id}\x00{line}".encode()


class BatchRepository(Protocol):
    """Batches of applications, the queue of each municipality, and what became of every item.

    The queues are served in turn: whoever was served longest ago comes first, and gets as many places as the others.
    """

    def open(self, caller: str, key: str, content: bytes, items: int, received_at: datetime) -> int:
        """Record a batch that has no items yet; its id. Raises Refusal(IN_PROGRESS) when the key was taken
        meanwhile."""

    def put(self, items: Sequence[BatchItem], at: datetime) -> None:
        """Store new items of one batch: those that wait join the queue of their municipality. If none does, the batch
        has ended."""

    def find(self, caller: str, key: str) -> Batch | None: ...

    def get(self, batch_id: int) -> Batch | None: ...

    def all(self, caller: str | None, before: int | None, limit: int) -> Sequence[Batch]:
        """The newest batches, of one caller or of everybody, with ids below `before`."""

    def counts(self, batch_id: int) -> Mapping[ItemState, int]:
        """How many of its items are in each state that occurs."""

    def items(self, batch_id: int, after: int, limit: int) -> Sequence[BatchItem]:
        """Its items with lines above `after`, by line."""

    def waiting(self) -> Mapping[MunicipalityCode, int]:
        """How many items wait in each queue that is not empty."""

    def begin(self, count: int, slot: int) -> Sequence[BatchItem]:
        """Begin at most `count` waiting items for the worker in that slot, taken from the queues in turn."""

    def begun(self, slot: int, limit: int) -> Sequence[BatchItem]:
        """Items that were begun in that slot and have not ended, oldest first."""

    def slots(self) -> Sequence[int]:
        """The slots that have begun items, by number."""

    def end(self, items: Sequence[BatchItem], at: datetime) -> None:
        """Store how begun items ended, and erase what they asked for. Items that are not begun stay as they are."""

    def cancel(self, batch_id: int, at: datetime) -> int:
        """End the batch's waiting items as cancelled, and erase what they asked for; how many there were."""

    def erase(self, ended_before: datetime, limit: int) -> int:
        """Delete batches that ended before that moment, with their items; how many, at most `limit`."""
