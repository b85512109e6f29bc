"""Notices of the register, and the number whose turn it is for each sender."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date

from sqlalchemy import bindparam, func, insert, select, update

from domain.events import NoticeRecord, NoticeState
from store.sets import AnyOf
from store.statements import Statements
from store.tables import notice_senders, notices, residents

_c = notices.c
_COLUMNS = tuple(field.name for field in fields(NoticeRecord))
_ROWS = select(*(_c[name] for name in _COLUMNS))
_FIND = _ROWS.where(_c.sender == bindparam("sender"), _c.notice_id == bindparam("notice_id"))
_AT = _ROWS.where(_c.sender == bindparam("sender"), _c.sequence == bindparam("sequence"))
_OF_STATE = _ROWS.where(_c.sender == bindparam("sender"), _c.state == bindparam("state")).limit(bindparam("limit"))
_NUMBERED = _OF_STATE.where(_c.sequence > bindparam("after")).order_by(_c.sequence)
_UNNUMBERED = _OF_STATE.where(_c.sequence.is_(None), _c.notice_id > bindparam("after_id")).order_by(_c.notice_id)
_ALL = _ROWS.order_by(_c.sender, _c.notice_id)
_LATEST = select(func.max(_c.effective_on)).where(_c.resident_id == bindparam("resident_id"))
_FIND_MANY = AnyOf(_ROWS.where(_c.sender == bindparam("sender")), _c.notice_id)
_BETWEEN = _ROWS.where(
    _c.sender == bindparam("sender"), _c.sequence >= bindparam("first"), _c.sequence <= bindparam("last")
).order_by(_c.sequence)
_LATEST_MANY = AnyOf(
    select(
        residents.c.id,
        select(func.max(_c.effective_on)).where(_c.resident_id == residents.c.id).scalar_subquery().label("latest"),
    ),
    residents.c.id,
)
_INSERT = insert(notices)
_REPLACE = update(notices).where(_c.sender == bindparam("of_sender"), _c.notice_id == bindparam("of_notice_id"))

_s = notice_senders.c
_EXPECTED = select(_s.expected).where(_s.sender == bindparam("sender"))
_SENDERS = select(_s.sender).order_by(_s.sender)
_EXPECT = update(notice_senders).where(_s.sender == bindparam("of_sender"))
_EXPECT_FIRST = insert(notice_senders)


class Notices:
    """`domain.events.NoticeRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def find(self, sender: str, notice_id: str) -> NoticeRecord | None:
        row = self._statements.find(_FIND, {"sender": sender, "notice_id": notice_id})
        return NoticeRecord(*row) if row else None

    def at(self, sender: str, sequence: int) -> NoticeRecord | None:
        row = self._statements.find(_AT, {"sender": sender, "sequence": sequence})
        return NoticeRecord(*row) if row else None

    def put(self, record: NoticeRecord) -> None:
        values = {name: getattr(record, name) for name in _COLUMNS}
        named = {"of_sender": record.sender, "of_notice_id": record.notice_id}
        if self._statements.run(_REPLACE, {**named, **values}) == 0:
            self._statements.run(_INSERT, values)

    def put_many(self, records: Sequence[NoticeRecord]) -> None:
        if records:
            self._statements.run(_INSERT, [{name: getattr(row, name) for name in _COLUMNS} for row in records])

    def find_many(self, sender: str, notice_ids: Sequence[str]) -> Sequence[NoticeRecord]:
        return [NoticeRecord(*row) for row in _FIND_MANY.rows(self._statements, notice_ids, {"sender": sender})]

    def between(self, sender: str, first: int, last: int) -> Sequence[NoticeRecord]:
        rows = self._statements.many(_BETWEEN, {"sender": sender, "first": first, "last": last})
        return [NoticeRecord(*row) for row in rows]

    def expected(self, sender: str) -> int:
        row = self._statements.find(_EXPECTED, {"sender": sender})
        return row.expected if row else 1

    def expect(self, sender: str, sequence: int) -> None:
        if self._statements.run(_EXPECT, {"of_sender": sender, "expected": sequence}) == 0:
            self._statements.run(_EXPECT_FIRST, {"sender": sender, "expected": sequence})

    def senders(self) -> Sequence[str]:
        return [row.sender for row in self._statements.many(_SENDERS)]

    def page(self, sender: str, state: NoticeState, after: int | str, limit: int) -> Sequence[NoticeRecord]:
        named = {"sender": sender, "state": state, "limit": limit}
        number, after_id = (0, after) if isinstance(after, str) else (after, "")
        rows = [] if number else list(self._statements.many(_UNNUMBERED, {**named, "after_id": after_id}))
        if limit > len(rows):
            rows += self._statements.many(_NUMBERED, {**named, "after": number, "limit": limit - len(rows)})
        return [NoticeRecord(*row) for row in rows]

    def all(self) -> Iterator[NoticeRecord]:
        for row in self._statements.stream(_ALL):
            yield NoticeRecord(*row)

    def latest_effective(self, resident_id: int) -> date | None:
        latest: date | None = self._statements.one(_LATEST, {"resident_id": resident_id})[0]
        return latest

    def latest_effective_many(self, resident_ids: Sequence[int]) -> Mapping[int, date]:
        rows = _LATEST_MANY.rows(self._statements, resident_ids)
        return {row.id: row.latest for row in rows if row.latest is not None}
