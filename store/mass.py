"""Mass events, and what is kept with their previews."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from domain.certificates import IssuerId
from domain.mass import MassEvent, MassRow, Stretch
from store.prepared import AnyRow
from store.statements import Statements
from store.tables import mass_events, mass_rows

_c, _r = mass_events.c, mass_rows.c
_EVENTS = select(
    _c.id, _c.order, _c.preview, _c.plan, _c.state, _c.previewed_by, _c.previewed_at, _c.step, _c.tally,
    _c.confirmed_by, _c.confirmed_at, _c.ended_at,
)  # fmt: skip
_FIND = _EVENTS.where(_c.id == bindparam("event"))
_NEWEST_FIRST = _EVENTS.order_by(_c.previewed_at.desc(), _c.id)
_INSERT = insert(mass_events)
_UPDATE = update(mass_events).where(_c.id == bindparam("of_id"))

_OF_EVENT = _r.event == bindparam("event")
_ROWS = select(_r.position, _r.resident_id, _r.sealed).where(
    _OF_EVENT, _r.position > bindparam("after"), _r.position <= bindparam("through")
).order_by(_r.position)  # fmt: skip
_KEEP = insert(mass_rows)
_FORGET = delete(mass_rows).where(_r.event == bindparam("of_event"))


class Mass:
    """`domain.ports.MassRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def put(self, event: MassEvent) -> None:
        values: dict[str, Any] = {
            "order": event.order,
            "preview": event.preview,
            "plan": json.dumps([[stretch.issuer, stretch.steps] for stretch in event.plan]),
            "state": event.state,
            "previewed_by": event.previewed_by,
            "previewed_at": event.previewed_at,
            "step": event.step,
            "tally": json.dumps(dict(event.tally), sort_keys=True),
            "confirmed_by": event.confirmed_by,
            "confirmed_at": event.confirmed_at,
            "ended_at": event.ended_at,
        }
        if self._statements.run(_UPDATE, {"of_id": event.id, **values}) == 0:
            self._statements.run(_INSERT, {"id": event.id, **values})

    def find(self, event: str) -> MassEvent | None:
        row = self._statements.find(_FIND, {"event": event})
        return _event(row) if row else None

    def all(self) -> Sequence[MassEvent]:
        return [_event(row) for row in self._statements.many(_NEWEST_FIRST)]

    def keep(self, event: str, rows: Sequence[MassRow]) -> None:
        values = [
            {"event": event, "position": row.position, "resident_id": row.resident_id, "sealed": row.sealed}
            for row in rows
        ]
        if values:
            self._statements.run(_KEEP, values)

    def rows(self, event: str, after: int, through: int) -> Sequence[MassRow]:
        found = self._statements.many(_ROWS, {"event": event, "after": after, "through": through})
        return [MassRow(*row) for row in found]

    def forget(self, event: str) -> None:
        self._statements.run(_FORGET, {"of_event": event})


def _event(row: AnyRow) -> MassEvent:
    plan = tuple(Stretch(issuer and IssuerId(issuer), steps) for issuer, steps in json.loads(row.plan))
    fields: list[Any] = [*row[:3], plan, *row[4:8], json.loads(row.tally), *row[9:]]
    return MassEvent(*fields)
