"""Proposals of officers, open and decided."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, func, insert, select, text, update

from domain.errors import Code, Refusal
from domain.proposals import Decision, Proposal, ProposalState, Voice
from store.prepared import AnyRow
from store.proposal_tables import proposals
from store.statements import Statements

_p = proposals.c
_ROWS = select(
    _p.id,
    _p.kind,
    _p.content,
    _p.reason,
    _p.officer,
    _p.credential,
    _p.signature,
    _p.proposed_at,
    _p.expires_at,
    _p.state,
    _p.decided_by,
    _p.decided_credential,
    _p.decided_signature,
    _p.decided_at,
    _p.decided_reason,
)
_BY_ID = _ROWS.where(_p.id == bindparam("id"))
_NEWEST = _ROWS.order_by(_p.proposed_at.desc(), _p.id.desc()).limit(bindparam("limit"))
_OF_STATE = _NEWEST.where(_p.state == bindparam("state"))
_CONFIRMED = select(func.count()).where(_p.kind == bindparam("kind"), _p.state == ProposalState.CONFIRMED)
_AGREED = _ROWS.where(_p.kind == bindparam("kind"), _p.state == ProposalState.CONFIRMED).order_by(
    _p.decided_at, _p.proposed_at, _p.id
)
_PUT = insert(proposals)
_DECIDE = update(proposals).where(_p.id == bindparam("of_id"), text(f"state = '{ProposalState.OPEN.value}'"))


class Proposals:
    """`domain.proposals.ProposalRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.decided = False

    def put(self, proposal: Proposal) -> None:
        row = {
            "id": proposal.id,
            "kind": proposal.kind,
            "content": proposal.content,
            "reason": proposal.reason,
            "officer": proposal.officer,
            "credential": proposal.voice.fingerprint,
            "signature": proposal.voice.signature,
            "proposed_at": proposal.proposed_at,
            "expires_at": proposal.expires_at,
            "state": proposal.state,
        }
        taken = Refusal(Code.ALREADY_APPLIED, "this proposal was made already")
        self._statements.run(_PUT, row, {"proposals_key": taken})

    def find(self, id_: str) -> Proposal | None:
        row = self._statements.find(_BY_ID, {"id": id_})
        return _proposal(row) if row else None

    def decide(self, id_: str, state: ProposalState, decision: Decision) -> None:
        row = {
            "of_id": id_,
            "state": state,
            "decided_by": decision.officer,
            "decided_credential": decision.voice.fingerprint,
            "decided_signature": decision.voice.signature,
            "decided_at": decision.at,
            "decided_reason": decision.reason,
        }
        if self._statements.run(_DECIDE, row) != 1:
            raise LookupError("no open proposal has this id")
        self.decided = True

    def confirmed(self, kind: str) -> int:
        row = self._statements.find(_CONFIRMED, {"kind": kind})
        return int(row[0]) if row else 0

    def agreed(self, kind: str) -> Sequence[Proposal]:
        return [_proposal(row) for row in self._statements.many(_AGREED, {"kind": kind})]

    def page(self, state: ProposalState | None, limit: int) -> Sequence[Proposal]:
        if state is None:
            return [_proposal(row) for row in self._statements.many(_NEWEST, {"limit": limit})]
        return [_proposal(row) for row in self._statements.many(_OF_STATE, {"state": state, "limit": limit})]


def _proposal(row: AnyRow) -> Proposal:
    id_, kind, content, reason, officer, credential, signature, proposed, expires, state, *decided = row
    by, fingerprint, mark, at, why = decided
    decision = None if by is None else Decision(by, Voice(fingerprint, mark), at, why)
    voice = Voice(credential, signature)
    return Proposal(id_, kind, content, reason, officer, voice, proposed, expires, state, decision)
