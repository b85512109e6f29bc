"""The register of tracers, and where they were seen."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select

from domain.handles import Recipient
from domain.tracers import Sighting, TracerName, TracerRow
from store.handle_tables import tracer_sightings, tracers
from store.prepared import AnyRow
from store.statements import Statements

_t, _s = tracers.c, tracer_sightings.c
_ALL = select(_t.proposal, _t.place, _t.sealed, _t.at).order_by(_t.proposal, _t.place)
_FIND = _ALL.where(_t.proposal == bindparam("proposal"), _t.place == bindparam("place"))
_PUT = insert(tracers)
_SIGHTINGS = select(_s.proposal, _s.place, _s.party_id, _s.provider_id, _s.channel, _s.at).order_by(
    _s.at, _s.proposal, _s.place
)
_SEEN = _SIGHTINGS.where(
    _s.proposal == bindparam("proposal"),
    _s.place == bindparam("place"),
    _s.party_id == bindparam("party_id"),
    _s.provider_id == bindparam("provider_id"),
    _s.channel == bindparam("channel"),
)
_SEE = insert(tracer_sightings)


class Tracers:
    """`domain.tracers.TracerRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def put(self, row: TracerRow) -> None:
        self._statements.run(_PUT, {**row.name._asdict(), "sealed": row.sealed, "at": row.at})

    def find(self, name: TracerName) -> TracerRow | None:
        row = self._statements.find(_FIND, name._asdict())
        return _row(row) if row else None

    def all(self) -> Sequence[TracerRow]:
        return [_row(row) for row in self._statements.many(_ALL)]

    def see(self, sighting: Sighting) -> bool:
        seen_by = sighting.seen_by or Recipient(0)
        named = {
            **sighting.name._asdict(),
            "party_id": seen_by.party,
            "provider_id": seen_by.provider,
            "channel": sighting.channel,
        }
        if self._statements.find(_SEEN, named) is not None:
            return False
        self._statements.run(_SEE, {**named, "at": sighting.at})
        return True

    def sightings(self) -> Sequence[Sighting]:
        return [
            Sighting(TracerName(*row[:2]), Recipient(*row[2:4]) if row[2] else None, *row[4:])
            for row in self._statements.many(_SIGHTINGS)
        ]


def _row(row: AnyRow) -> TracerRow:
    return TracerRow(TracerName(*row[:2]), row.sealed, row.at)
