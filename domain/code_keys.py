"""Generations of the keys that keep resident codes out of sight, and the change from one to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from domain.people import ResidentCode

FIRST = 1
"""The generation of values that say none: there was no other when they were written."""
LAST = 255
"""A generation is told by one octet."""


@dataclass(frozen=True, slots=True)
class CodeKeys:
    """One generation: 32 octets for the keyed index and digests, 32 for what is sealed."""

    index: bytes = field(repr=False)
    seal: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.index) != 32 or len(self.seal) != 32:
            raise ValueError("the index key and the seal key want 32 octets each")
        if self.index == self.seal:
            raise ValueError("the index key and the seal key must differ")


@dataclass(frozen=True, slots=True)
class CodeKeyRecord:
    """What the database knows of a generation. `check` tells its keys from others, and gives nothing of them away.

    `kept` is its index key, sealed under the generation for writing: digests made before can still be compared, and
    nothing else is done with it. It is None for the generation that is written with.
    """

    generation: int
    check: bytes
    added_at: datetime
    superseded_at: datetime | None = None
    retired_at: datetime | None = None
    kept: bytes | None = field(default=None, repr=False)


class CodePart(Enum):
    """What holds values made with the keys, in the order in which they are moved to a new generation."""

    RESIDENTS = "residents"
    NOTICES = "notices"
    APPLICATIONS = "applications"
    RECEIPTS = "receipts"
    MASS_ROWS = "mass-rows"
    BATCHES = "batches"
    BATCH_ITEMS = "batch-items"


@dataclass(frozen=True, slots=True)
class CodedRow:
    """The values of one row. `key` is the row's primary key. A resident has `index` and `sealed`; most others have a
    content `digest`; a held notice or the row of a mass event has what it says, an open item of a batch what it asks
    for, `concealed`."""

    key: tuple[int | str, ...]
    index: bytes | None = None
    sealed: bytes | None = field(default=None, repr=False)
    digest: bytes | None = None
    concealed: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CodeMove:
    """How far the rows of a part were moved to a generation: all up to and with the key `after`, `moved` in number."""

    generation: int
    part: CodePart
    after: tuple[int | str, ...] = ()
    moved: int = 0
    done_at: datetime | None = None


class CodeSealer(Protocol):
    """Keeps resident codes out of the database in clear: a keyed index to find them, a sealed value to read them.

    Keys come in generations: one is written with, and all that are in use are read with. Inside a unit of work that
    writes, every value is made with the generation that the database names.
    """

    def indexes(self, code: ResidentCode) -> tuple[bytes, ...]:
        """32 octets for every generation in use, that for writing first: equal for equal codes, useless without key."""

    def seal(self, code: ResidentCode) -> tuple[bytes, bytes]:
        """(index, authenticated encryption of the code that is bound to it), both of the generation for writing."""

    def unseal(self, index: bytes, sealed: bytes) -> ResidentCode:
        """The code. Raises ValueError when the value was not sealed under these keys for this index."""

    def digest(self, octets: bytes) -> bytes:
        """Keyed digest of content that names residents; to be compared by `says`."""

    def says(self, octets: bytes, digest: bytes) -> bool:
        """Whether that is the digest of this content, of whatever generation."""

    def digests(self, octets: bytes) -> Iterator[bytes]:
        """What `digest` gives and gave in each generation, from the newest to the first."""

    def conceal(self, octets: bytes, name: bytes) -> bytes:
        """Authenticated encryption of content that names residents, bound to `name`."""

    def reveal(self, name: bytes, concealed: bytes) -> bytes:
        """The content. Raises ValueError when it was not concealed under these keys and this name."""


class CodeKeyWatch(Protocol):
    """Told by storage which generations of keys rows are made with."""

    def attend(self, generations: tuple[int, ...]) -> bool:
        """Use these from now on, the first for writing; whether keys had to be read that were not at hand."""

    def require(self, generations: tuple[int, ...]) -> bool:
        """Have the keys of all of these; whether some had to be read. Raises Refusal(BAD_CONFIGURATION)."""


class CodeKeyRepository(Protocol):
    """Generations of the keys of resident codes, which of them are in use, and what was made with them."""

    def in_use(self) -> tuple[int, ...]:
        """The generations that rows may be made with, that for writing first."""

    def use(self, generations: Sequence[int]) -> None:
        """Have these be in use from this commit on, the first for writing."""

    def all(self) -> Sequence[CodeKeyRecord]:
        """By generation. The first may be missing: databases of older versions do not know of it."""

    def put(self, record: CodeKeyRecord) -> None:
        """Insert, or replace the record of this generation."""

    def move(self, generation: int, part: CodePart) -> CodeMove:
        """How far that move came; one that was not begun has done nothing."""

    def keep_move(self, move: CodeMove) -> None:
        """Insert, or replace the record of this move."""

    def page(self, part: CodePart, after: tuple[int | str, ...], limit: int) -> Sequence[CodedRow]:
        """At most `limit` rows with keys above `after`, by key; () is before all."""

    def rewrite(self, part: CodePart, rows: Sequence[CodedRow]) -> None:
        """Put these values in place of those of the rows with the same keys."""

    def size(self, part: CodePart) -> int:
        """How many rows there are."""
