"""The doors for mass events: operators see how far each one is and what it did. Orders are given at the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response

from domain.events import EventType
from domain.mass import MassState
from domain.parties import Party, Role
from domain.revocation import RevocationCause
from mass.account import MassAccount
from web.answers import json_answer
from web.callers import Callers

PATH = "/v1/mass-events"
ROLES = (Role.OPERATOR,)

_COUNT = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "format": "date-time"}
_MAYBE_MOMENT = {"type": ["string", "null"], "format": "date-time"}
_MEMBERS: dict[str, Any] = {
    "id": _TEXT,
    "act": {"enum": [*(cause.value for cause in RevocationCause), *(event.value for event in EventType)]},
    "state": {"enum": [state.value for state in MassState]},
    "step": _COUNT,
    "steps": _COUNT,
    "changes": {**_COUNT, "description": "As the preview counted them"},
    "tally": {"type": "object", "additionalProperties": _COUNT, "description": "What was done so far"},
    "previewed_by": _TEXT,
    "previewed_at": _MOMENT,
    "confirmed_by": {"type": ["string", "null"]},
    "confirmed_at": _MAYBE_MOMENT,
    "ended_at": _MAYBE_MOMENT,
}
ACCOUNT: dict[str, Any] = {
    "type": "object",
    "properties": _MEMBERS,
    "required": list(_MEMBERS),
    "additionalProperties": False,
}
ACCOUNTS: dict[str, Any] = {
    "type": "object",
    "properties": {"events": {"type": "array", "items": ACCOUNT}},
    "required": ["events"],
    "additionalProperties": False,
}


def mass_blueprint(
    list_accounts: Callable[[Party], Sequence[MassAccount]],
    find_account: Callable[[str, Party], MassAccount],
    callers: Callers,
) -> Blueprint:
    """GET all mass events, newest first, or one by its id."""
    door = Blueprint("mass", __name__)

    @door.get(PATH)
    def get_events() -> Response:
        caller = callers.party(*ROLES)
        return json_answer({"events": [account.to_json() for account in list_accounts(caller)]})

    @door.get(f"{PATH}/<event>")
    def get_event(event: str) -> Response:
        caller = callers.party(*ROLES)
        return json_answer(find_account(event, caller).to_json())

    return door
