"""Residents: the stored copy of the register."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from domain.birth import BirthDate
from domain.people import BasicAttributes, MunicipalityCode, Resident, ResidentState
from store.prepared import AnyRow
from store.sets import AnyOf
from store.statements import Statements
from store.tables import residents

_CHUNK = 1000
"""Rows that `put_many` looks up and writes at a time."""

_c = residents.c
_COLUMNS = (_c.id, _c.municipality, _c.name, _c.address, _c.birth_date, _c.birth_date_text, _c.sex, _c.state)

_BY_INDEX = select(*_COLUMNS).where(_c.code_index == bindparam("index"))
_AMONG = _c.code_index.in_([bindparam(f"index_{number}", type_=_c.code_index.type) for number in range(_CHUNK)])
_BY_INDEXES = select(_c.code_index, *_COLUMNS).where(_AMONG)
_BY_ID = select(*_COLUMNS).where(_c.id == bindparam("id"))
_BY_IDS = AnyOf(select(*_COLUMNS), _c.id)
_OF_MUNICIPALITY = (
    select(*_COLUMNS)
    .where(_c.id > bindparam("after"), _c.id <= bindparam("through"), _c.municipality == bindparam("of_municipality"))
    .order_by(_c.id)
)
_NEWEST = select(func.max(_c.id))
_ID = select(_c.id).where(_c.code_index == bindparam("index"))
_KNOWN = select(_c.code_index).where(_AMONG)
_SEALED = select(_c.code_index, _c.code_sealed).order_by(_c.id)
_BY_ITEMS = select(*_COLUMNS).where(_c.items_digest == bindparam("digest")).order_by(_c.id).limit(2)
_UNMATCHED = select(*_COLUMNS).where(_c.items_digest.is_(None)).order_by(_c.id).limit(bindparam("limit"))
_COUNT = select(func.count()).select_from(residents)
_INSERT = insert(residents)
_INSERT_ONE = insert(residents).returning(_c.id)
_REPLACE = update(residents).where(_c.code_index == bindparam("of_index"))
_UPDATE = update(residents).where(_c.id == bindparam("of_id"))


class Residents:
    """`domain.ports.ResidentRepository`."""

    def __init__(self, statements: Statements, not_found: Callable[[], None]) -> None:
        """`not_found` is called when an index leads to nobody; it may refuse."""
        self._statements = statements
        self._not_found = not_found

    def find(self, *indexes: bytes) -> Resident | None:
        for index in indexes:
            if row := self._statements.find(_BY_INDEX, {"index": index}):
                return _resident(row)
        self._not_found()
        return None

    def find_many(self, indexes: Sequence[bytes]) -> Mapping[bytes, Resident]:
        rows = self._statements.many(_BY_INDEXES, _among(indexes)) if indexes else []
        if len(rows) < len(indexes):
            self._not_found()
        return {row.code_index: _resident(row) for row in rows}

    def get(self, resident_id: int) -> Resident:
        """Raises LookupError when there is no such resident."""
        row = self._statements.find(_BY_ID, {"id": resident_id})
        if row is None:
            raise LookupError("no resident has this row id")
        return _resident(row)

    def put(
        self,
        index: bytes,
        sealed: bytes,
        municipality: MunicipalityCode,
        attributes: BasicAttributes,
        state: ResidentState,
        at: datetime,
    ) -> tuple[int, bool]:
        values = _values(sealed, municipality, attributes, state, at)
        known = self._statements.find(_ID, {"index": index})
        if known is not None:
            self._statements.run(_UPDATE, {"of_id": known.id, **values})
            return known.id, False
        return self._statements.one(_INSERT_ONE, {"code_index": index, **values}).id, True

    def put_many(
        self, rows: Sequence[tuple[bytes, bytes, MunicipalityCode, BasicAttributes]], at: datetime
    ) -> tuple[int, int]:
        new = 0
        for start in range(0, len(rows), _CHUNK):
            # Of two records with one index the later one counts.
            chunk = {
                index: _values(sealed, municipality, attributes, ResidentState.PRESENT, at)
                for index, sealed, municipality, attributes in rows[start : start + _CHUNK]
            }
            known = {row.code_index for row in self._statements.many(_KNOWN, _among(list(chunk)))}
            if inserts := [{"code_index": index, **values} for index, values in chunk.items() if index not in known]:
                self._statements.run(_INSERT, inserts)
            if updates := [{"of_index": index, **values} for index, values in chunk.items() if index in known]:
                self._statements.run(_REPLACE, updates)
            new += len(inserts)
        return new, len(rows) - new

    def update(
        self,
        resident_id: int,
        municipality: MunicipalityCode,
        attributes: BasicAttributes | None,
        state: ResidentState,
        at: datetime,
    ) -> None:
        """Raises LookupError when there is no such resident."""
        values = {"municipality": municipality, "state": state, "changed_at": at}
        if attributes is not None:
            values |= _items(attributes)
        if self._statements.run(_UPDATE, {"of_id": resident_id, **values}) != 1:
            raise LookupError("no resident has this row id")

    def get_many(self, resident_ids: Sequence[int]) -> Mapping[int, Resident]:
        return {row.id: _resident(row) for row in _BY_IDS.rows(self._statements, resident_ids)}

    def update_many(self, residents: Sequence[Resident], at: datetime) -> None:
        """Raises LookupError when there is no row of one of them."""
        values = [
            {"of_id": row.id, "municipality": row.municipality, "state": row.state, "changed_at": at}
            | _items(row.attributes)
            for row in residents
        ]
        if values and self._statements.run(_UPDATE, values) != len(values):
            raise LookupError("no resident has this row id")

    def of_municipality(self, municipality: MunicipalityCode, after: int, through: int) -> Sequence[Resident]:
        named = {"of_municipality": municipality, "after": after, "through": through}
        return [_resident(row) for row in self._statements.many(_OF_MUNICIPALITY, named)]

    def newest(self) -> int:
        newest: int | None = self._statements.one(_NEWEST)[0]
        return newest or 0

    def by_items(self, digests: Sequence[bytes]) -> Sequence[Resident]:
        found = [row for digest in digests for row in self._statements.many(_BY_ITEMS, {"digest": digest})]
        return [_resident(row) for row in found[:2]]

    def unmatched(self, limit: int) -> Sequence[Resident]:
        return [_resident(row) for row in self._statements.many(_UNMATCHED, {"limit": limit})]

    def keep_matches(self, digests: Sequence[tuple[int, bytes]]) -> None:
        if digests:
            self._statements.run(_UPDATE, [{"of_id": row, "items_digest": digest} for row, digest in digests])

    def rekey(self, resident_id: int, index: bytes, sealed: bytes, at: datetime) -> None:
        """Raises LookupError when there is no such resident."""
        values = {"code_index": index, "code_sealed": sealed, "changed_at": at}
        if self._statements.run(_UPDATE, {"of_id": resident_id, **values}) != 1:
            raise LookupError("no resident has this row id")

    def sealed(self) -> Iterator[tuple[bytes, bytes]]:
        for row in self._statements.stream(_SEALED):
            yield row[0], row[1]

    def count(self) -> int:
        count: int = self._statements.one(_COUNT)[0]
        return count


def _among(indexes: Sequence[bytes]) -> dict[str, bytes]:
    """As many parameters as the statement has: the last index fills the places that are left."""
    if len(indexes) > _CHUNK:
        raise ValueError(f"at most {_CHUNK} indexes are looked up at a time")
    return {f"index_{number}": indexes[min(number, len(indexes) - 1)] for number in range(_CHUNK)}


def _values(
    sealed: bytes, municipality: MunicipalityCode, attributes: BasicAttributes, state: ResidentState, at: datetime
) -> dict[str, Any]:
    return {
        "code_sealed": sealed,
        "municipality": municipality,
        **_items(attributes),
        "state": state,
        "changed_at": at,
    }


def _items(attributes: BasicAttributes) -> dict[str, Any]:
    return {
        "name": attributes.name,
        "address": attributes.address,
        "birth_date": attributes.birth_date.earliest,
        "birth_date_text": None if attributes.birth_date.whole else attributes.birth_date.text,
        "sex": attributes.sex,
        "items_digest": None,
    }


def _resident(row: AnyRow) -> Resident:
    born = BirthDate.read(row.birth_date_text) if row.birth_date_text else BirthDate.on(row.birth_date)
    attributes = BasicAttributes(row.name, row.address, born, row.sex)
    return Resident(row.id, row.municipality, attributes, row.state)
