"""The doors for disclosure (開示): residents by a signed challenge, or by the counter of their municipality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response

from domain.parties import Party, Role
from domain.people import ResidentCode
from domain.provisions import Channel
from provisions.disclosure import Challenge, Disclosure, IdentityCheck, content_of
from provisions.wording import disclosure_to_json
from web.answers import json_answer
from web.bodies import receive_json
from web.callers import Callers
from web.operations import act, problems, told
from web.people import RESIDENT_CODE
from web.shapes import Shape, octets, record, text, word

CHALLENGE_PATH = "/v1/ledger/challenges"
OWN_PATH = "/v1/ledger/own"
COUNTER_PATH = "/v1/ledger/at-counter"
ROLES = (Role.MUNICIPALITY,)


@dataclass(frozen=True, slots=True)
class LedgerParts:
    """The acts of disclosure."""

    challenge: Callable[[], Challenge]
    to_owner: Callable[[bytes, str, bytes], Disclosure]
    at_counter: Callable[[Party, ResidentCode, IdentityCheck], Disclosure]


OWN: Shape[dict[str, Any]] = record(
    dict,
    {
        "certificate": octets(8190, description="DER of one's own authentication certificate"),
        "challenge": text(str, 1, 100, r"[A-Za-z0-9_=-]*"),
        "signature": octets(1023, description="By its key, over `to_sign` of the challenge in UTF-8"),
    },
)
COUNTER: Shape[dict[str, Any]] = record(
    dict,
    {
        "resident_code": RESIDENT_CODE,
        "identity_check": word(IdentityCheck, description="By what the person was known at the counter"),
    },
)

_TEXT = {"type": "string"}
_MAYBE = {"type": ["string", "null"]}
_MOMENT = {"type": "string", "format": "date-time"}


def _members(**of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": of, "required": list(of), "additionalProperties": False}


CHALLENGE = _members(challenge=_TEXT, to_sign=_TEXT, expires_at=_MOMENT)
LEDGER = _members(
    as_of=_MOMENT,
    provisions={
        "type": "array",
        "items": _members(
            first_at=_MOMENT,
            last_at=_MOMENT,
            count={"type": "integer", "minimum": 1, "description": "1, but for lists, which are counted together"},
            verifier={**_MAYBE, "description": "Name of the party; null for anybody, by the public lists"},
            provider={**_MAYBE, "description": "The service behind a platform"},
            purpose=_TEXT,
            channel={"enum": [channel.name.lower() for channel in Channel]},
            channel_ja=_TEXT,
            channel_en=_TEXT,
            about_ja=_TEXT,
            about_en=_TEXT,
            answer=_TEXT,
            answer_ja=_TEXT,
            evidence={**_MAYBE, "description": "Beginning of the digest that the verifier gave for its transaction"},
        ),
    },
)


def ledger_blueprint(parts: LedgerParts, callers: Callers) -> Blueprint:
    """POST for a challenge, POST its answer; or POST as a municipality. All by POST: none of it is kept in a cache."""
    door = Blueprint("ledger", __name__)

    @door.post(CHALLENGE_PATH)
    def post_challenge() -> Response:
        made = parts.challenge()
        to_sign = content_of(made.text).decode()
        said = {"challenge": made.text, "to_sign": to_sign, "expires_at": made.expires_at.isoformat()}
        return json_answer(said, 201)

    @door.post(OWN_PATH)
    def post_own() -> Response:
        asked = OWN.read(receive_json(), "")
        found = parts.to_owner(asked["certificate"], asked["challenge"], asked["signature"])
        return json_answer(disclosure_to_json(found))

    @door.post(COUNTER_PATH)
    def post_counter() -> Response:
        caller = callers.party(*ROLES)
        asked = COUNTER.read(receive_json(), "")
        found = parts.at_counter(caller, asked["resident_code"], asked["identity_check"])
        return json_answer(disclosure_to_json(found))

    return door


def describe_ledger() -> dict[str, Any]:
    """The paths, for the description of the API."""
    own = act(
        "See who was told what about one's own certificates", (), [], OWN.schema, {"200": told("The ledger", LEDGER)}
    )
    own["post"] |= {"security": [{}], "description": "For residents, by their own key."}
    challenge = {
        "summary": "A challenge to sign with one's authentication certificate",
        "security": [{}],
        "responses": {"201": told("To be answered within five minutes, once", CHALLENGE), **problems(500)},
    }
    counter = act(
        "See it for a resident at the counter", ROLES, [], COUNTER.schema, {"200": told("The ledger", LEDGER)}
    )
    return {CHALLENGE_PATH: {"post": challenge}, OWN_PATH: own, COUNTER_PATH: counter}
