"""Changes of status, in the order of their commits: what the status models of all nodes follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import bindparam, func, insert, select

from domain.certificates import CertificateState, IssuerId
from domain.serial import SerialNumber
from store.change_tables import status_changes
from store.statements import Statements
from store.tables import certificates, revocations

_s, _c, _r = status_changes.c, certificates.c, revocations.c
_INSERT = insert(status_changes)
_LAST = select(func.max(_s.sequence).label("sequence"))
_STATUS = (_c.issuer, _c.serial, _c.state, _c.not_after, _r.revoked_at, _r.reason)
_REVOKED = (_r.issuer == _c.issuer) & (_r.serial == _c.serial)
_AFTER = (
    select(_s.sequence, _s.issuer, _s.serial, *_STATUS[2:])
    .outerjoin_from(status_changes, certificates, (_c.issuer == _s.issuer) & (_c.serial == _s.serial))
    .outerjoin(revocations, _REVOKED)
    .where(_s.sequence > bindparam("after"))
    .order_by(_s.sequence)
    .limit(bindparam("limit"))
)
_ALL = select(*_STATUS).outerjoin(revocations, _REVOKED).where(_c.state == CertificateState.ISSUED).order_by(_c.serial)
_BLOCK = 1 << 14

StatusRow = tuple[str, bytes, str | None, int | None, int | None, int | None]
"""Issuer, serial, state (None when the certificate's row was erased), end of validity, and when and why it was revoked
or held: as stored, since there are millions."""


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

    def write(self) -> bool:
        """Put the noted ones on record; whether there are urgent ones."""
        if self._noted:
            rows = [{"issuer": issuer, "serial": serial} for issuer, serial in self._noted]
            self._statements.run(_INSERT, rows)
        return self._urgent

    def last(self) -> int:
        """The number of the newest change, 0 before the first."""
        return self._statements.one(_LAST).sequence or 0

    def after(self, sequence: int, limit: int) -> Sequence[tuple[int, StatusRow]]:
        """Certificates that changed after that change, with the status they have now."""
        rows: list[tuple[int, StatusRow]] = []
        for block in self._statements.blocks(_AFTER, {"after": sequence, "limit": limit}, limit):
            rows += [(row[0], tuple(row[1:])) for row in block]
        return rows

    def everything(self) -> Iterator[Sequence[StatusRow]]:
        """All issued certificates by serial, some thousands at a time."""
        for block in self._statements.blocks(_ALL, {}, _BLOCK):
            yield [tuple(row) for row in block]
