"""Validations for operators: the receipts that were given and the consents that were used up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select

from domain.errors import Code, Refusal
from domain.validations import ValidationRecord, used_up
from store.statements import Statements
from store.validation_tables import validations

_v = validations.c
# In the order of ValidationRecord.
_FIND = select(_v.party_id, _v.key, _v.content, _v.consent, _v.receipt, _v.at, _v.keep_until).where(
    _v.party_id == bindparam("party_id"), _v.key == bindparam("key")
)
_USED = select(_v.at).where(_v.consent == bindparam("consent"))
_KEEP = insert(validations)
_OVER = (
    select(_v.party_id, _v.key)
    .where(_v.keep_until < bindparam("now"))
    .order_by(_v.keep_until)
    .limit(bindparam("limit"))
)
_ERASE = delete(validations).where(_v.party_id == bindparam("of_party"), _v.key == bindparam("of_key"))


class Validations:
    """`domain.validations.ValidationRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def find(self, party_id: int, key: str) -> ValidationRecord | None:
        row = self._statements.find(_FIND, {"party_id": party_id, "key": key})
        return ValidationRecord(*row) if row else None

    def used(self, consent: bytes) -> bool:
        return self._statements.find(_USED, {"consent": consent}) is not None

    def keep(self, record: ValidationRecord) -> None:
        row = {
            "party_id": record.party_id,
            "key": record.key,
            "content": record.content,
            "consent": record.consent,
            "receipt": record.receipt,
            "at": record.at,
            "keep_until": record.keep_until,
        }
        taken = Refusal(Code.IN_PROGRESS, "a request with this key is being worked on; repeat it later")
        refusals = {"validations_key": taken, "validations_consent_once": used_up()}
        self._statements.run(_KEEP, row, refusals)

    def over(self, now: datetime, limit: int) -> Sequence[tuple[int, str]]:
        rows = self._statements.many(_OVER, {"now": now, "limit": limit})
        return [(row.party_id, row.key) for row in rows]

    def erase(self, keys: Sequence[tuple[int, str]]) -> None:
        if keys:
            self._statements.run(_ERASE, [{"of_party": party, "of_key": key} for party, key in keys])
