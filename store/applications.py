"""Applications for issuance, as recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, exists, func, insert, select, update

from domain.applications import ApplicationRecord
from domain.errors import Code, Refusal
from domain.people import MunicipalityCode
from store.statements import Statements
from store.tables import applications, batch_items, certificates

_c = applications.c
# In the order of ApplicationRecord.
_ROWS = select(_c.id, _c.caller, _c.key, _c.content, _c.resident_id, _c.municipality, _c.received_at, _c.issued_at)
_BY_KEY = _ROWS.where(_c.caller == bindparam("caller"), _c.key == bindparam("key"))
_BY_ID = _ROWS.where(_c.id == bindparam("id"))
_UNFINISHED = _ROWS.where(_c.issued_at.is_(None), _c.received_at < bindparam("before")).order_by(_c.received_at, _c.id)
_NEWEST = select(func.max(_c.id))
_INSERT = insert(applications).returning(_c.id)
_ERASE = delete(applications).where(
    _c.id == bindparam("of_id"),
    _c.id < _NEWEST.scalar_subquery(),
    ~exists().where(certificates.c.application_id == _c.id),
    ~exists().where(batch_items.c.application_id == _c.id),
)
_CLOSE = update(applications).where(_c.id == bindparam("of_id"), _c.issued_at.is_(None))


_REFUSALS = {
    "applications_caller_key_once": Refusal(
        Code.IN_PROGRESS, "an application under this idempotency key is being worked on; repeat it in a few seconds"
    )
}


class Applications:
    """`domain.ports.ApplicationRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def find(self, caller: str, key: str) -> ApplicationRecord | None:
        row = self._statements.find(_BY_KEY, {"caller": caller, "key": key})
        return ApplicationRecord(*row) if row else None

    def get(self, application_id: int) -> ApplicationRecord:
        """Raises LookupError when there is no such application."""
        row = self._statements.find(_BY_ID, {"id": application_id})
        if row is None:
            raise LookupError("no application has this id")
        return ApplicationRecord(*row)

    def open(
        self,
        caller: str,
        key: str,
        content: bytes,
        resident_id: int,
        municipality: MunicipalityCode,
        received_at: datetime,
    ) -> int:
        row = {
            "caller": caller,
            "key": key,
            "content": content,
            "resident_id": resident_id,
            "municipality": municipality,
            "received_at": received_at,
        }
        new: int = self._statements.one(_INSERT, row, _REFUSALS).id
        return new

    def close(self, application_id: int, issued_at: datetime) -> bool:
        return self._statements.run(_CLOSE, {"of_id": application_id, "issued_at": issued_at}) == 1

    def newest(self) -> int:
        newest: int | None = self._statements.one(_NEWEST)[0]
        return newest or 0

    def unfinished(self, before: datetime) -> Sequence[ApplicationRecord]:
        return [ApplicationRecord(*row) for row in self._statements.many(_UNFINISHED, {"before": before})]

    def erase(self, application_id: int) -> bool:
        return self._statements.run(_ERASE, {"of_id": application_id}) == 1
