"""The board of proposals: proposed by one officer, confirmed by another one, or dismissed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Credential
from domain.ports import Begin, Clock, RandomSource, UnitOfWork
from domain.proposals import Decision, JointAct, Proposal, ProposalState, Voice, canonical, spoken
from verifiers.voices import require_officer, same_person

_ID_OCTETS = 8
_SIGNED_WITHIN = timedelta(minutes=15)
"""How old the time in a draft may be when the draft comes in."""

# A reason stays readable for years. Numbers of this length could be a resident code or a serial.
_NUMBER = re.compile(r"[0-9０-９]{11}|[0-9A-Fa-f]{16}")


@dataclass(frozen=True, slots=True)
class Board:
    """All that proposals take: storage, clock, chance, and the acts there are, by kind."""

    begin: Begin
    clock: Clock
    random: RandomSource
    acts: Mapping[str, JointAct]


def draft(board: Board, kind: str, content: Mapping[str, object], reason: str, credential: bytes) -> Proposal:
    """A proposal that is not made yet, for the officer with that certificate (SHA-256) to look at and to sign.

    Raises Refusal(NOT_FOUND) for a kind that there is not.
    """
    now = board.clock()
    lasts = _act(board, kind).lasts
    voice = Voice(credential)
    return Proposal(board.random(_ID_OCTETS).hex(), kind, canonical(content), reason, "", voice, now, now + lasts)


def propose(board: Board, drafted: Proposal, voice: Voice) -> Proposal:
    """Put a draft on the board. Nothing takes effect.

    Raises Refusal: UNKNOWN_CALLER, NOT_ADMITTED, BAD_REQUEST_SIGNATURE for the officer; MALFORMED for a reason that is
    missing or holds numbers, PROPOSAL_CLOSED for a draft that is too old, and what the act itself says of the content.
    """
    act, now = _act(board, drafted.kind), board.clock()
    _require_reason(drafted.reason)
    if not timedelta() <= now - drafted.proposed_at <= _SIGNED_WITHIN:
        raise Refusal(Code.PROPOSAL_CLOSED, "the draft is too old; make it anew")
    if drafted.expires_at != drafted.proposed_at + act.lasts or drafted.voice.fingerprint != voice.fingerprint:
        raise Refusal(Code.MALFORMED, "the draft is not of this kind or not of this officer; make it anew")
    with board.begin() as work:
        officer = require_officer(work, voice, spoken("propose", drafted.digest), now).party
        act.check(work, drafted.said, now)
        proposal = replace(drafted, officer=officer.label, voice=voice, state=ProposalState.OPEN, decision=None)
        work.proposals.put(proposal)
        facts = {**_facts(proposal), "until": proposal.expires_at.isoformat()}
        work.audit.append(AuditEvent(Act.PROPOSED, officer.label, now, facts))
        work.commit()
    return proposal


def confirm(board: Board, id_: str, digest: bytes, voice: Voice) -> Proposal:
    """Have the proposal with that id and digest take effect, in one transaction with its audit rows.

    Raises Refusal: UNKNOWN_CALLER, NOT_ADMITTED, BAD_REQUEST_SIGNATURE for the officer; SECOND_OFFICER for who
    proposed it, by whatever credential (the attempt is audited); NOT_FOUND; PROPOSAL_CLOSED when it was decided or has
    expired, or its proposer may not act any more; IDEMPOTENCY_MISMATCH for the digest of something else; and what the
    act itself says.
    """
    now = board.clock()
    with board.begin() as work:
        proposal, officer = _open(board, work, id_, digest, voice, spoken("confirm", digest), now)
        proposer = work.parties.credential(proposal.voice.fingerprint)
        if proposer is None or not proposer.usable(now):
            raise Refusal(Code.PROPOSAL_CLOSED, "who proposed this may not act any more; propose it anew")
        # What an officer signed at a terminal must still be what stands in the database.
        require_officer(work, proposal.voice, spoken("propose", proposal.digest), now)
        alone = same_person(proposer, officer)
        if alone:
            work.audit.append(AuditEvent(Act.PROPOSAL_REFUSED, officer.party.label, now, _facts(proposal)))
        else:
            proposal = _carry_out(board, work, proposal, Decision(officer.party.label, voice, now), now)
        work.commit()
    if alone:
        raise Refusal(Code.SECOND_OFFICER, "who proposes does not confirm; another officer must look at it and confirm")
    return proposal


def dismiss(board: Board, id_: str, digest: bytes, voice: Voice, reason: str) -> Proposal:
    """Close a proposal without effect; its proposer may do so, too. Raises as `confirm` does, but SECOND_OFFICER."""
    now = board.clock()
    _require_reason(reason)
    with board.begin() as work:
        proposal, officer = _open(board, work, id_, digest, voice, spoken("dismiss", digest, reason), now)
        closed = _decided(work, proposal, ProposalState.DISMISSED, Decision(officer.party.label, voice, now, reason))
        work.audit.append(AuditEvent(Act.PROPOSAL_DISMISSED, officer.party.label, now, _facts(proposal)))
        work.commit()
    return closed


def find_proposal(board: Board, id_: str) -> Proposal:
    """The proposal. Raises Refusal(NOT_FOUND)."""
    with board.begin(write=False) as work:
        return _find(work, id_)


def list_proposals(board: Board, state: ProposalState | None, limit: int = 1000) -> Sequence[Proposal]:
    """Proposals of a state, or all, newest first."""
    with board.begin(write=False) as work:
        return work.proposals.page(state, limit)


def _carry_out(board: Board, work: UnitOfWork, proposal: Proposal, decision: Decision, now: datetime) -> Proposal:
    act = _act(board, proposal.kind)
    act.check(work, proposal.said, now)
    closed = _decided(work, proposal, ProposalState.CONFIRMED, decision)
    did = act.do(work, closed, now)
    facts = {**_facts(proposal), "proposed_by": proposal.officer, **did}
    work.audit.append(AuditEvent(Act.PROPOSAL_CONFIRMED, decision.officer, now, facts))
    return closed


def _open(
    board: Board, work: UnitOfWork, id_: str, digest: bytes, voice: Voice, said: bytes, now: datetime
) -> tuple[Proposal, Credential]:
    """The open proposal that is meant, and the officer who speaks."""
    officer = require_officer(work, voice, said, now)
    proposal = _find(work, id_)
    if proposal.digest != digest:
        raise Refusal(
            Code.IDEMPOTENCY_MISMATCH, "this is not the digest of the proposal as it stands; look at it again"
        )
    if proposal.state is not ProposalState.OPEN:
        raise Refusal(Code.PROPOSAL_CLOSED, f"the proposal is {proposal.state.value} already")
    if proposal.expired(now):
        raise Refusal(Code.PROPOSAL_CLOSED, "the proposal has expired; propose it anew")
    _act(board, proposal.kind)
    return proposal, officer


def _decided(work: UnitOfWork, proposal: Proposal, state: ProposalState, decision: Decision) -> Proposal:
    work.proposals.decide(proposal.id, state, decision)
    return replace(proposal, state=state, decision=decision)


def _find(work: UnitOfWork, id_: str) -> Proposal:
    proposal = work.proposals.find(id_)
    if proposal is None:
        raise Refusal(Code.NOT_FOUND, "there is no such proposal; see the list of proposals")
    return proposal


def _act(board: Board, kind: str) -> JointAct:
    if kind not in board.acts:
        raise Refusal(Code.NOT_FOUND, f"there is no act of this kind; there are {', '.join(sorted(board.acts))}")
    return board.acts[kind]


def _require_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > 2000 or not reason.replace("\n", " ").isprintable():
        raise Refusal(Code.MALFORMED, "say why, in up to 2,000 printable characters", pointer="reason")
    if _NUMBER.search(reason):
        raise Refusal(
            Code.MALFORMED, "a reason is kept for years: leave serials and resident codes out of it", pointer="reason"
        )


def _facts(proposal: Proposal) -> dict[str, object]:
    return {"proposal": proposal.id, "kind": proposal.kind, "digest": proposal.digest.hex()}
