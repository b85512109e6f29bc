"""The register as the doors see it: look-ups that are kept for as long as nobody has changed anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.parties import Credential, Party, Role
from domain.ports import Begin, Clock

Mark = Callable[[], int | None]
"""The same number as long as nobody on this node changes the register; None while it is being changed."""


@dataclass(frozen=True, slots=True)
class _Page:
    """What was looked up under one mark, in one second."""

    mark: int | None = None
    second: datetime | None = None
    found: dict[object, Any] = field(default_factory=dict)


class Register:
    """Threads may share it. What it says is what stood in the database at or after the beginning of the request.

    A change on this node counts for the next look-up, since `mark` moves before it is committed. A change on another
    node counts in the next second at the latest: no look-up is kept for longer.
    """

    def __init__(self, begin: Begin, mark: Mark, clock: Clock) -> None:
        self._begin, self._mark, self._clock = begin, mark, clock
        self._page = _Page()

    def credential(self, fingerprint: bytes) -> Credential | None:
        """The registered credential with that SHA-256 of its certificate, usable or not."""
        found = self.kept()
        credential: Credential | None = found.get(fingerprint)
        if credential is None:
            with self._begin(write=False) as work:
                credential = work.parties.credential(fingerprint)
            if credential is not None:  # strangers are many: they are not kept
                found[fingerprint] = credential
        return credential

    def provider(self, party: Party, name: str | None) -> Party | None:
        """The verifier of that name that asks through `party`."""
        if name is None:
            return None
        found, key = self.kept(), (party.id, name)
        provider: Party | None = found.get(key)
        if provider is None:
            with self._begin(write=False) as work:
                provider = work.parties.find(Role.VERIFIER.value, name)
            if provider is None or provider.behind != party.id:
                return None
            found[key] = provider
        return provider

    def kept(self) -> dict[object, Any]:
        """What may be kept by any key for as long as look-ups are. Ask for it before looking anything up."""
        # Before the database is read: what is read then is at least as new as the mark says.
        mark, second, page = self._mark(), self._clock(), self._page
        if page.mark != mark or page.second != second or mark is None:
            page = _Page(mark, second)
            if mark is not None:
                self._page = page
        return page.found
