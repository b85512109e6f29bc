"""Changes of status, in the order of their commits: what the status models of all nodes follow (`store.feed`)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, func, insert, select

from domain.certificates import IssuerId
from domain.serial import SerialNumber
from store.change_tables import status_changes
from store.statements import Statements

CHANNEL = "jpki_status"
"""Where PostgreSQL tells of urgent changes."""

KEPT = 1_000_000
"""Changes that are kept for models to follow, some 100 MB: a week of a nation's. A model that is further behind is made
anew, which takes less time than so many changes."""

LINK = 8
"""Octets of the audit head's digest that a change keeps."""

_s = status_changes.c
_INSERT = insert(status_changes)
_TELL = select(func.pg_notify(CHANNEL, ""))
# Apart, because SQLite looks at all rows for both at once.
_FIRST = select(func.min(_s.sequence).label("sequence"))
_LAST = select(func.max(_s.sequence).label("sequence"))
_PRUNE = delete(status_changes).where(_s.sequence < bindparam("before"))


class StatusChanges:
    """Written with the commit that makes the change. Writers are one after the other, so the numbers are in the order
    of the commits, and who has read up to one of them has missed nothing."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._noted: dict[tuple[IssuerId, SerialNumber], None] = {}
        self._urgent = False

    def note(self, certificates: Iterable[tuple[IssuerId, SerialNumber]], *, urgent: bool) -> None:
        """Have these certificates among the changes of this unit of work. Those of which another status may have been
        told already are urgent: a revocation must be known when it returns, a new certificate is looked for where it
        is."""
        self._noted.update(dict.fromkeys(certificates))
        self._urgent |= urgent

    def write(self, head: bytes) -> bool:
        """Put the noted ones on record; whether there are urgent ones. `head` is the digest of the audit head as this
        commit leaves it."""
        if self._noted:
            link = head[:LINK]
            rows = [{"issuer": issuer, "serial": serial, "link": link} for issuer, serial in self._noted]
            self._statements.run(_INSERT, rows)
            if self._urgent and self._statements.postgresql:
                self._statements.one(_TELL)
        return self._urgent

    def is_long(self, kept: int = KEPT) -> bool:
        """Whether there is something to prune."""
        first, last = self._ends()
        return last - first >= kept

    def prune(self, most: int, kept: int = KEPT) -> int:
        """Drop changes before the newest `kept`, `most` of them at once; how many were dropped."""
        first, last = self._ends()
        before = min(last - kept + 1, first + most)
        return self._statements.run(_PRUNE, {"before": before}) if first < before else 0

    def _ends(self) -> tuple[int, int]:
        """The numbers of the oldest and the newest change; 0 twice when there is none."""
        first, last = (self._statements.one(end).sequence for end in (_FIRST, _LAST))
        return first or 0, last or 0
