"""Revocation records (失効情報) and the receipts that were given for them."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import starmap
from typing import Any

from sqlalchemy import and_, bindparam, delete, insert, literal_column, select, update

from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.lists import Scope
from domain.revocation import CrlReason, Revocation, RevocationBlock, RevocationCount, weight
from domain.serial import SerialNumber
from store.change_tables import revocation_counts
from store.lists import Lists
from store.statements import Statements
from store.status_changes import StatusChanges
from store.tables import certificates, lists, receipts, revocations, scopes

_c, _n = revocations.c, revocation_counts.c
# In the order of Revocation.
_ROWS = select(_c.issuer, _c.serial, _c.municipality, _c.cause, _c.reason, _c.revoked_at, _c.not_after)
_NAMED = (_c.issuer == bindparam("of_issuer"), _c.serial == bindparam("of_serial"))
_FIND = _ROWS.where(*_NAMED)
_COLUMNS = (
    select(_c.serial, _c.revoked_at, _c.reason)
    .where(_c.issuer == bindparam("issuer"), _c.municipality == bindparam("municipality"))
    .order_by(_c.serial)
)
_COLUMNS_LISTED = _COLUMNS.where(_c.not_after >= bindparam("listed_since"))
_COUNT = select(_n.entries, _n.weight).where(
    _n.issuer == bindparam("issuer"), _n.municipality == bindparam("municipality")
)
# By the index of ends, in which few come before a list; that of scopes would have all of them looked at.
_ENDED = select(_c.serial, _c.revoked_at, _c.reason).where(
    _c.not_after < bindparam("listed_since"),
    literal_column("revocations.issuer || ''") == bindparam("issuer", type_=_c.issuer.type),
    literal_column("revocations.municipality || ''") == bindparam("municipality", type_=_c.municipality.type),
)
_CENSUS = select(_c.serial).where(_c.issuer == bindparam("issuer"), _c.not_after >= bindparam("unexpired_at"))
_BLOCK = 1 << 12
_ORPHANS = _ROWS.outerjoin(
    certificates, and_(certificates.c.issuer == _c.issuer, certificates.c.serial == _c.serial)
).where(certificates.c.serial.is_(None))
_PUBLISHED = (("issuer", "issuer"), ("municipality", "municipality"), ("number", "published"))
_INSERT = insert(revocations)
_REPLACE_HOLD = update(revocations).where(*_NAMED, _c.reason == CrlReason.CERTIFICATE_HOLD)
_EXPIRED = (
    select(_c.issuer, _c.serial)
    .join(scopes, and_(scopes.c.issuer == _c.issuer, scopes.c.municipality == _c.municipality))
    .join(lists, and_(*(lists.c[ours] == scopes.c[theirs] for ours, theirs in _PUBLISHED)))
    .where(_c.not_after < bindparam("before"), _c.not_after < lists.c.this_update)
    .order_by(_c.not_after)
)
_ERASE = delete(revocations).where(*_NAMED)

_r = receipts.c
_RECEIPT = select(_r.content, _r.receipt).where(_r.caller == bindparam("caller"), _r.key == bindparam("key"))
_NUMBERED = select(_r.caller, _r.receipt).where(_r.number == bindparam("number"))
_KEEP = insert(receipts)
_STANDS = Refusal(Code.ALREADY_APPLIED, "the certificate is revoked already; nothing was changed")


class Revocations:
    """`domain.ports.RevocationRepository`."""

    def __init__(self, statements: Statements, lists: Lists, changes: StatusChanges) -> None:
        self._statements = statements
        self._lists = lists
        self._changes = changes

    def find(self, issuer: IssuerId, serial: SerialNumber) -> Revocation | None:
        row = self._statements.find(_FIND, {"of_issuer": issuer, "of_serial": serial})
        return Revocation(*row) if row else None

    def put(
        self, revocation: Revocation, receipt: str, received_at: datetime, committed_at: datetime | None = None
    ) -> None:
        """Raises Refusal(ALREADY_APPLIED) when a revocation that is no hold stands."""
        if self._statements.run(_REPLACE_HOLD, _over_hold(revocation, receipt, received_at)) == 0:
            self._statements.run(_INSERT, _row(revocation, receipt, received_at), {"revocations_key": _STANDS})
        self._tell([(revocation, receipt, received_at)], committed_at)

    def put_many(
        self,
        rows: Sequence[tuple[Revocation, str, datetime]],
        committed_at: datetime | None = None,
        *,
        over_holds: bool,
    ) -> None:
        """Raises Refusal(ALREADY_APPLIED) when one finds another state than that."""
        if not rows:
            return
        if over_holds:
            if self._statements.run(_REPLACE_HOLD, [_over_hold(*row) for row in rows]) != len(rows):
                raise _STANDS.again()
        else:
            self._statements.run(_INSERT, [_row(*row) for row in rows], {"revocations_key": _STANDS})
        self._tell(rows, committed_at)

    def _tell(self, rows: Sequence[tuple[Revocation, str, datetime]], committed_at: datetime | None) -> None:
        """Have lists show them, and keep when they were received and committed."""
        self._changes.note([(row.issuer, row.serial) for row, _, _ in rows], urgent=True)
        alike = Counter(
            (Scope(row.issuer, row.municipality), (receipt, row.cause, received_at, committed_at or row.revoked_at))
            for row, receipt, received_at in rows
        )
        for (scope, told), count in alike.items():
            self._lists.want(scope, count, told)

    def blocks_of(self, scope: Scope, listed_since: datetime | None) -> Iterator[RevocationBlock]:
        # CA certificates have no rows here: their scope, without a municipality, finds none.
        # Lists have millions of rows: they leave the driver as columns, with nothing said for each row.
        named = {"issuer": scope.issuer, "municipality": scope.municipality}
        blocks = (
            self._statements.blocks(_COLUMNS, named, _BLOCK)
            if listed_since is None
            else self._statements.blocks(_COLUMNS_LISTED, {**named, "listed_since": listed_since}, _BLOCK)
        )
        for rows in blocks:
            serials, seconds, reasons = zip(*rows, strict=True)
            yield RevocationBlock(b"".join(serials), array("q", seconds), bytes(reasons))

    def count(self, scope: Scope, listed_since: datetime | None) -> RevocationCount:
        named = {"issuer": scope.issuer, "municipality": scope.municipality}
        row = self._statements.find(_COUNT, named)
        entries, weighed = (row.entries, row.weight) if row else (0, 0)
        if listed_since is not None:
            for ended in self._statements.blocks(_ENDED, {**named, "listed_since": listed_since}, _BLOCK):
                entries -= len(ended)
                weighed -= sum(starmap(weight, ended))
        return RevocationCount(entries, weighed)

    def census(self, issuer: IssuerId, unexpired_at: datetime) -> Iterator[bytes]:
        named = {"issuer": issuer, "unexpired_at": unexpired_at}
        for rows in self._statements.blocks(_CENSUS, named, _BLOCK):
            yield b"".join(row[0] for row in rows)

    def all(self) -> Iterator[Revocation]:
        for row in self._statements.stream(_ROWS):
            yield Revocation(*row)

    def orphans(self) -> Iterator[Revocation]:
        for row in self._statements.stream(_ORPHANS):
            yield Revocation(*row)

    def expired(self, before: datetime) -> Iterator[tuple[IssuerId, SerialNumber]]:
        for row in self._statements.stream(_EXPIRED, {"before": before}):
            yield row[0], row[1]

    def erase(self, issuer: IssuerId, serial: SerialNumber) -> None:
        self._statements.run(_ERASE, {"of_issuer": issuer, "of_serial": serial})

    def receipt(self, caller: str, key: str) -> tuple[bytes, str] | None:
        row = self._statements.find(_RECEIPT, {"caller": caller, "key": key})
        return (row.content, row.receipt) if row else None

    def receipt_of(self, number: str) -> tuple[str, str] | None:
        row = self._statements.find(_NUMBERED, {"number": number})
        return (row.caller, row.receipt) if row else None

    def keep_receipt(self, caller: str, key: str, content: bytes, receipt: str, number: str | None = None) -> None:
        """Raises Refusal(IN_PROGRESS) when the key was taken meanwhile."""
        self.keep_receipts([(caller, key, content, receipt, number)])

    def keep_receipts(self, rows: Sequence[tuple[str, str, bytes, str, str | None]]) -> None:
        taken = Refusal(
            Code.IN_PROGRESS, "a request under this idempotency key is being worked on; repeat it in a few seconds"
        )
        names = ("caller", "key", "content", "receipt", "number")
        if rows:
            values = [dict(zip(names, row, strict=True)) for row in rows]
            self._statements.run(_KEEP, values, {"receipts_key": taken})


def _row(revocation: Revocation, receipt: str, received_at: datetime) -> dict[str, Any]:
    return {
        "issuer": revocation.issuer,
        "serial": revocation.serial,
        "municipality": revocation.municipality,
        "cause": revocation.cause,
        "reason": revocation.reason,
        "revoked_at": revocation.revoked_at,
        "not_after": revocation.not_after,
        "receipt": receipt,
        "received_at": received_at,
    }


def _over_hold(revocation: Revocation, receipt: str, received_at: datetime) -> dict[str, Any]:
    row = _row(revocation, receipt, received_at)
    kept = ("issuer", "serial", "municipality", "not_after")
    return {f"of_{name}": row[name] for name in kept[:2]} | {n: v for n, v in row.items() if n not in kept}
