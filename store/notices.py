"""Notices of the register that were applied."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import bindparam, func, insert, select

from domain.errors import Code, Refusal
from domain.events import ResidentEvent
from store.statements import Statements
from store.tables import notices

_c = notices.c
_SEEN = select(_c.content).where(_c.sender == bindparam("sender"), _c.notice_id == bindparam("notice_id"))
_LATEST = select(func.max(_c.effective_on)).where(_c.resident_id == bindparam("resident_id"))
_INSERT = insert(notices)


class Notices:
    """`domain.ports.NoticeRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def seen(self, sender: str, notice_id: str) -> bytes | None:
        row = self._statements.find(_SEEN, {"sender": sender, "notice_id": notice_id})
        return row.content if row else None

    def record(self, event: ResidentEvent, resident_id: int, content: bytes, received_at: datetime) -> None:
        """Raises Refusal(ALREADY_APPLIED) for a notice that was recorded before."""
        row = {
            "sender": event.sender,
            "notice_id": event.notice_id,
            "content": content,
            "resident_id": resident_id,
            "type": event.type,
            "effective_on": event.effective_on,
            "municipality": event.municipality,
            "received_at": received_at,
        }
        applied = Refusal(Code.ALREADY_APPLIED, "this notice was applied already; nothing is left to do")
        self._statements.run(_INSERT, row, {"notices_key": applied})

    def latest_effective(self, resident_id: int) -> date | None:
        latest: date | None = self._statements.one(_LATEST, {"resident_id": resident_id})[0]
        return latest
