"""Provisions: segments that are filed, and the ledger with the keys of its months."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from domain.errors import Code, Refusal
from domain.provisions import LedgerLine, Segment
from store.provision_tables import ledger_challenges, ledger_epochs, ledger_lines, provision_segments
from store.statements import Statements

_s, _e, _l, _c = provision_segments.c, ledger_epochs.c, ledger_lines.c, ledger_challenges.c
# In the order of Segment.
_SEGMENTS = select(_s.id, _s.node, _s.begun_at, _s.last_at, _s.records, _s.damaged, _s.filed, _s.digest, _s.erased_at)
_BY_ID = _SEGMENTS.where(_s.id == bindparam("id"))
_ALL = _SEGMENTS.order_by(_s.begun_at, _s.id)
_ENDED = (
    _SEGMENTS.where(
        _s.node == bindparam("node"),
        _s.last_at < bindparam("before"),
        _s.digest.is_not(None),
        _s.erased_at.is_(None),
    )
    .order_by(_s.last_at, _s.id)
    .limit(bindparam("limit"))
)
_ADD = insert(provision_segments)
_CHANGE = update(provision_segments).where(_s.id == bindparam("of_id"))

_EPOCHS = select(_e.epoch, _e.sealed).order_by(_e.epoch)
_ADD_EPOCH = insert(ledger_epochs)
_ERASE_EPOCH = delete(ledger_epochs).where(_e.epoch == bindparam("of_epoch"))

_ADD_LINES = insert(ledger_lines)
_LINES = (
    select(_l.epoch, _l.tag, _l.sealed)
    .where(_l.epoch == bindparam("epoch"), _l.tag == bindparam("tag"))
    .order_by(_l.id)
)
_FIRST_MONTH = select(_l.epoch).order_by(_l.epoch).limit(1)
_SOME_OF_MONTH = select(_l.id).where(_l.epoch == bindparam("epoch")).limit(bindparam("limit"))
_ERASE_LINES = delete(ledger_lines).where(_l.id.in_(_SOME_OF_MONTH))

_SPEND = insert(ledger_challenges)


class Provisions:
    """`domain.provisions.ProvisionRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def segment(self, id_: bytes) -> Segment | None:
        row = self._statements.find(_BY_ID, {"id": id_})
        return Segment(*row) if row else None

    def put_segment(self, segment: Segment) -> None:
        row = asdict(segment)
        id_ = row.pop("id")
        if not self._statements.run(_CHANGE, {"of_id": id_, **row}):
            self._statements.run(_ADD, {"id": id_, **row})

    def segments(self) -> Iterator[Segment]:
        return (Segment(*row) for row in self._statements.stream(_ALL))

    def ended(self, node: str, before: datetime, limit: int) -> Sequence[Segment]:
        named = {"node": node, "before": before, "limit": limit}
        return [Segment(*row) for row in self._statements.many(_ENDED, named)]

    def epochs(self) -> Mapping[str, bytes]:
        return dict(map(tuple, self._statements.many(_EPOCHS)))

    def put_epoch(self, epoch: str, sealed: bytes) -> None:
        self._statements.run(_ADD_EPOCH, {"epoch": epoch, "sealed": sealed})

    def erase_epoch(self, epoch: str) -> None:
        self._statements.run(_ERASE_EPOCH, {"of_epoch": epoch})

    def add_lines(self, lines: Sequence[LedgerLine]) -> None:
        if lines:
            self._statements.run(_ADD_LINES, [line._asdict() for line in lines])

    def lines(self, epoch: str, tags: Sequence[bytes]) -> Sequence[LedgerLine]:
        return [LedgerLine(*row) for tag in tags for row in self._statements.many(_LINES, {"epoch": epoch, "tag": tag})]

    def erase_lines(self, limit: int) -> int:
        # Months end in their order. To look for lines without a key would be to look at all there are.
        first = self._statements.find(_FIRST_MONTH, {})
        if first is None or first.epoch in self.epochs():
            return 0
        return self._statements.run(_ERASE_LINES, {"epoch": first.epoch, "limit": limit})

    def spend(self, challenge: bytes, at: datetime) -> None:
        again = Refusal(Code.ALREADY_APPLIED, "this challenge was answered already; ask for a new one")
        self._statements.run(_SPEND, {"digest": challenge, "answered_at": at}, {"ledger_challenges_key": again})
