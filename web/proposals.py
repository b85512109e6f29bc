"""The doors for acts that take two officers: proposed, looked at, confirmed, dismissed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, Response

from domain.errors import Code, Refusal
from domain.parties import Role
from domain.proposals import Proposal, ProposalState, Voice
from verifiers import proposals as acts
from verifiers.proposals import Board
from web.answers import flag, json_answer
from web.bodies import receive_json
from web.callers import Callers
from web.operations import act, in_path, in_query, problems, reading, told
from web.schemas import members
from web.shapes import Shape, record, text

PATH = "/v1/proposals"
ROLES = (Role.OPERATOR,)


@dataclass(frozen=True, slots=True)
class ProposalParts:
    """The acts of the board. A `Voice` here has no signature: the officer has just shown the key in the handshake."""

    listed: Callable[[ProposalState | None], Sequence[Proposal]]
    find: Callable[[str], Proposal]
    propose: Callable[[str, Mapping[str, object], str, Voice], Proposal]
    confirm: Callable[[str, bytes, Voice], Proposal]
    dismiss: Callable[[str, bytes, Voice, str], Proposal]


def parts_of(board: Board) -> ProposalParts:
    """The acts of a board."""

    def propose(kind: str, content: Mapping[str, object], reason: str, voice: Voice) -> Proposal:
        drafted = acts.draft(board, kind, content, reason, voice.fingerprint)
        return acts.propose(board, drafted, voice)

    return ProposalParts(
        partial(acts.list_proposals, board),
        partial(acts.find_proposal, board),
        propose,
        partial(acts.confirm, board),
        partial(acts.dismiss, board),
    )


def _content(value: object, pointer: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Refusal(Code.MALFORMED, "must be an object", pointer=pointer)
    return value


_REASON = text(str, 1, 2000, r"[^\u0000-\u0009\u000B-\u001F\u007F-\u009F]*", description="Kept; no serials, no codes")
_DIGEST = text(bytes.fromhex, 64, 64, "[0-9a-f]*", "SHA-256 in hex", description="That of the proposal as you saw it")
PROPOSED: Shape[dict[str, Any]] = record(
    dict,
    {
        "kind": text(str, 1, 64, "[a-z0-9-]+", "a kind of act"),
        "content": Shape({"type": "object", "description": "What exactly; depends on the kind"}, _content),
        "reason": _REASON,
    },
)
CONFIRMED: Shape[dict[str, Any]] = record(dict, {"digest": _DIGEST})
DISMISSED: Shape[dict[str, Any]] = record(dict, {"digest": _DIGEST, "reason": _REASON})

_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "format": "date-time"}
PROPOSAL = members(
    id=_TEXT,
    kind=_TEXT,
    content={"type": "object"},
    reason=_TEXT,
    digest=_TEXT,
    proposed_by=_TEXT,
    proposed_at=_MOMENT,
    until=_MOMENT,
    state={"type": "string", "enum": [state.value for state in ProposalState]},
    decided_by={"type": ["string", "null"]},
    decided_at={"type": ["string", "null"], "format": "date-time"},
)
PROPOSALS = members(proposals={"type": "array", "items": PROPOSAL})


def proposals_blueprint(parts: ProposalParts, callers: Callers) -> Blueprint:
    """GET those that wait, or all, or one; POST a new one, and what is decided about one."""
    door = Blueprint("proposals", __name__)

    def voice() -> Voice:
        return Voice(callers.credential(*ROLES).fingerprint)

    @door.get(PATH)
    def get_proposals() -> Response:
        callers.party(*ROLES)
        found = parts.listed(None if flag("all") else ProposalState.OPEN)
        return json_answer({"proposals": [_told(proposal) for proposal in found]})

    @door.get(f"{PATH}/<proposal>")
    def get_proposal(proposal: str) -> Response:
        callers.party(*ROLES)
        return json_answer(_told(parts.find(proposal)))

    @door.post(PATH)
    def post_proposal() -> Response:
        who = voice()
        asked = PROPOSED.read(receive_json(), "")
        return json_answer(_told(parts.propose(asked["kind"], asked["content"], asked["reason"], who)), 201)

    @door.post(f"{PATH}/<proposal>/confirmation")
    def post_confirmation(proposal: str) -> Response:
        who = voice()
        asked = CONFIRMED.read(receive_json(), "")
        return json_answer(_told(parts.confirm(proposal, asked["digest"], who)))

    @door.post(f"{PATH}/<proposal>/dismissal")
    def post_dismissal(proposal: str) -> Response:
        who = voice()
        asked = DISMISSED.read(receive_json(), "")
        return json_answer(_told(parts.dismiss(proposal, asked["digest"], who, asked["reason"])))

    return door


def describe_proposals() -> dict[str, Any]:
    """The doors' part of the description."""
    own: list[dict[str, list[str]]] = [{"clientCertificate": []}]
    one = in_path("proposal", _TEXT, "Its id")
    every = in_query("all", {"type": "boolean"}, "Those that were decided, too", False)
    many = reading("Proposals, newest first", {"200": told("Them", PROPOSALS), **problems(400, 401, 403, 503)}, every)
    single = reading("A proposal", {"200": told("It", PROPOSAL), **problems(401, 403, 404, 503)}, one)
    made = act("Propose what takes two", ROLES, [], PROPOSED.schema, {"201": told("It", PROPOSAL), **problems(404)})
    done = {"200": told("What became of it", PROPOSAL), **problems(404)}
    return {
        PATH: {"get": {**many["get"], "security": own}, **made},
        f"{PATH}/{{proposal}}": {"get": {**single["get"], "security": own}},
        f"{PATH}/{{proposal}}/confirmation": act("Have it done", ROLES, [one], CONFIRMED.schema, done),
        f"{PATH}/{{proposal}}/dismissal": act("Close it without effect", ROLES, [one], DISMISSED.schema, done),
    }


def _told(proposal: Proposal) -> dict[str, object]:
    decision = proposal.decision
    return {
        "id": proposal.id,
        "kind": proposal.kind,
        "content": proposal.said,
        "reason": proposal.reason,
        "digest": proposal.digest.hex(),
        "proposed_by": proposal.officer,
        "proposed_at": proposal.proposed_at.isoformat(),
        "until": proposal.expires_at.isoformat(),
        "state": proposal.state.value,
        "decided_by": decision and decision.officer,
        "decided_at": decision and decision.at.isoformat(),
    }
