"""The audit trail: events of a unit of work wait here until its commit chains them and signs the new head."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import bindparam, insert, select, update

from audit.chain import body_of, chain, head_octets
from domain.events import AuditEvent, AuditHead, AuditRow
from domain.ports import Signer
from store.statements import Statements
from store.tables import audit_head, audit_rows

_r, _h = audit_rows.c, audit_head.c
_ROWS = select(_r.sequence, _r.body, _r.digest).where(_r.sequence > bindparam("after")).order_by(_r.sequence)
_INSERT = insert(audit_rows)
_HEAD = select(_h.sequence, _h.digest, _h.signature, _h.key_id)
_LOCK = select(_h.sequence, _h.digest, _h.code_keys).with_for_update()
_MOVE = update(audit_head)


class Trail:
    """`domain.ports.AuditTrail`."""

    def __init__(self, statements: Statements, signer: Signer | None) -> None:
        self._statements = statements
        self._signer = signer
        self._newest: tuple[int, bytes] | None = None
        self._bodies: list[str] = []

    def lock(self) -> tuple[int, ...]:
        """Wait for the head: from now to the end of the transaction nobody else writes. The generations of the keys of
        resident codes that rows are made with, by the same row."""
        row = self._statements.one(_LOCK)
        self._newest = (row.sequence, row.digest)
        generations: tuple[int, ...] = row.code_keys
        return generations

    def append(self, event: AuditEvent) -> None:
        self._bodies.append(body_of(event))

    def chain(self) -> bytes:
        """Store the waiting events behind the head and sign the new one. The digest of the head."""
        if self._newest is None or self._signer is None:
            raise RuntimeError("this unit of work only reads")
        if not self._bodies:
            return self._newest[1]
        rows = chain(self._newest, self._bodies)
        self._statements.run(
            _INSERT, [{"sequence": row.sequence, "body": row.body, "digest": row.digest} for row in rows]
        )
        sequence, digest = rows[-1].sequence, rows[-1].digest
        signature = self._signer.sign(head_octets(sequence, digest))
        head = {"sequence": sequence, "digest": digest, "signature": signature, "key_id": self._signer.key_id}
        self._statements.run(_MOVE, head)
        return digest

    def rows(self, after: int = 0) -> Iterator[AuditRow]:
        for row in self._statements.stream(_ROWS, {"after": after}):
            yield AuditRow(*row)

    def head(self) -> AuditHead | None:
        row = self._statements.one(_HEAD)
        return AuditHead(*row) if row.sequence else None
