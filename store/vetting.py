"""Applications of verifiers, and the evidence for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import bindparam, insert, select, text, update

from domain.certificates import Kind
from domain.vetting import Application, Evidence
from store.party_tables import vettings
from store.prepared import AnyRow
from store.statements import Statements

_v = vettings.c
# In the order of Application, but for evidence, which is read before the rest.
_ROWS = select(_v.id, _v.party_id, _v.purposes, _v.applied_by, _v.applied_at, _v.evidence, _v.decided_at, _v.proposal)
_BY_ID = _ROWS.where(_v.id == bindparam("id"))
_OF_PARTY = _ROWS.where(_v.party_id == bindparam("party_id")).order_by(_v.id)
_OPEN = insert(vettings).returning(_v.id)
_WRITE = update(vettings).where(_v.id == bindparam("of_id"))
_CLOSE = update(vettings).where(_v.id == bindparam("of_id"), text("vettings.decided_at IS NULL"))


class Vettings:
    """`domain.vetting.VettingRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def open(self, application: Application) -> Application:
        row = {
            "party_id": application.party_id,
            "purposes": json.dumps({kind.value: sorted(words) for kind, words in application.purposes.items()}),
            "evidence": _written(application.evidence),
            "applied_by": application.applied_by,
            "applied_at": application.applied_at,
        }
        return replace(application, id=self._statements.one(_OPEN, row).id)

    def find(self, application_id: int) -> Application | None:
        row = self._statements.find(_BY_ID, {"id": application_id})
        return _application(row) if row else None

    def of_party(self, party_id: int) -> Sequence[Application]:
        return [_application(row) for row in self._statements.many(_OF_PARTY, {"party_id": party_id})]

    def add_evidence(self, application_id: int, evidence: Evidence) -> None:
        found = self.find(application_id)
        if found is None:
            raise LookupError("there is no such application")
        self._statements.run(_WRITE, {"of_id": application_id, "evidence": _written((*found.evidence, evidence))})

    def close(self, application_id: int, at: datetime, proposal: str) -> None:
        if self._statements.run(_CLOSE, {"of_id": application_id, "decided_at": at, "proposal": proposal}) != 1:
            raise LookupError("no open application has this id")


def _written(evidence: Sequence[Evidence]) -> str:
    rows = [(row.criterion, row.reference, row.by, int(row.at.timestamp())) for row in evidence]
    return json.dumps(rows, ensure_ascii=False)


def _application(row: AnyRow) -> Application:
    id_, party_id, purposes, by, at, evidence, decided_at, proposal = row
    wanted = {Kind(kind): frozenset(words) for kind, words in json.loads(purposes).items()}
    found = tuple(
        Evidence(what, where, who, datetime.fromtimestamp(then, UTC)) for what, where, who, then in json.loads(evidence)
    )
    return Application(id_, party_id, wanted, by, at, found, decided_at, proposal)
