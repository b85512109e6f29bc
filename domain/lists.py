"""Revocation lists as records: their scope, their number, and how far their publication got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from domain.certificates import IssuerId
from domain.people import MunicipalityCode


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """One series of lists: a key generation and a municipality, or a key generation's CA certificates (None)."""

    issuer: IssuerId
    municipality: MunicipalityCode | None

    @property
    def file_name(self) -> str:
        """`13221.crl`, or `ca.crl` for the list of CA certificates."""
        return f"{self.municipality.area if self.municipality else 'ca'}.crl"

    @property
    def path(self) -> str:
        """Relative path of the file and tail of its URL, for example `signature-g1/13221.crl`."""
        return f"{self.issuer}/{self.file_name}"


class ListState(Enum):
    """A list's number is reserved, then its signature is recorded, then the file is in place."""

    RESERVED = "reserved"
    SIGNED = "signed"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class ListRecord:
    """One list of a scope. `covers` is the scope's change counter as read before the entries were. `published_at` is
    when its file was in place; lists of older versions do not say."""

    scope: Scope
    number: int
    this_update: datetime
    next_update: datetime
    state: ListState
    covers: int
    digest: bytes | None = None
    entries: int | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ScopeRecord:
    """A scope in use, the changes it has seen (`wanted`), and its newest published list, if any."""

    scope: Scope
    wanted: int
    published: ListRecord | None


class ListRepository(Protocol):
    """Scopes in use, the numbers of their lists, and the lease that publication works under."""

    def register(self, scope: Scope) -> bool:
        """Put a scope in use; whether it was new."""

    def scopes(self) -> Sequence[ScopeRecord]: ...

    def scope(self, scope: Scope) -> ScopeRecord | None: ...

    def reserve(self, scope: Scope, this_update: datetime, next_update: datetime, covers: int) -> int:
        """Take the scope's next CRL number. Raises Refusal(CLOCK_BEHIND) when `this_update` is before the last."""

    def signed(self, scope: Scope, number: int, digest: bytes, entries: int) -> None: ...

    def published(self, scope: Scope, number: int, at: datetime | None = None) -> None:
        """The list's file is in place since `at`."""

    def latest(self, scope: Scope) -> ListRecord | None:
        """The list with the highest number that was at least signed."""

    def records(self, scope: Scope) -> Sequence[ListRecord]:
        """All lists of the scope, oldest first."""

    def lease(self, name: str, holder: str, now: datetime, until: datetime) -> int:
        """Take or extend the lease `name`: a token that is the same as long as no other holder has had it, and higher
        for each holder; 0 while another one has it."""

    def release(self, name: str, holder: str) -> None: ...
