"""The door for notices of the resident register (異動の通知)."""

from __future__ import annotations

import json
from collections.abc import Callable, Container
from typing import Any

from flask import Blueprint, Response

from domain.events import EventType, ResidentEvent
from domain.parties import Party, Role
from domain.people import MunicipalityCode
from residents.feed import MEMBERS, read_notice
from residents.intake import Effect
from residents.receipts import NoticeReceipt
from residents.records import ITEMS
from web import people
from web.answers import flag, json_answer
from web.bodies import receive_json_octets
from web.callers import Callers
from web.shapes import day, text, word

PATH = "/v1/resident-notices"
ROLES = (Role.MUNICIPALITY, Role.REGISTER)

_ATTRIBUTES: Any = people.ATTRIBUTES.schema["properties"]
NOTICE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "notice_id": text(str, 1, 128, "[!-~]+", description="The sender's own number of this notice").schema,
        "resident_code": people.RESIDENT_CODE.schema,
        "event": word(EventType).schema,
        "effective_on": day(description="In Japan").schema,
        "municipality_code": people.MUNICIPALITY_CODE.schema,
        **{item: _ATTRIBUTES[item] for item in ITEMS},
    },
    "required": list(MEMBERS),
    "dependentRequired": {item: [other for other in ITEMS if other != item] for item in ITEMS},
    "additionalProperties": False,
    "description": "The record after the change. The four items are left out where the record ends.",
}
"""What `residents.feed.read_notice` reads, as JSON Schema."""


def notices_blueprint(
    apply_event: Callable[[ResidentEvent, Party], NoticeReceipt],
    preview_event: Callable[[ResidentEvent, Party], Effect],
    municipalities: Container[MunicipalityCode],
    callers: Callers,
) -> Blueprint:
    """POST one notice, get its receipt; `?dry_run=true` tells what it would do. Its id makes a repeat harmless."""
    door = Blueprint("notices", __name__)

    @door.post(PATH)
    def post_notice() -> Response:
        caller = callers.party(*ROLES)
        rehearsal = flag("dry_run")
        event = read_notice(receive_json_octets(), caller.label, municipalities)
        if rehearsal:
            return json_answer(_effect(preview_event(event, caller)))
        return json_answer(_receipt(apply_event(event, caller)))

    return door


def _receipt(receipt: NoticeReceipt) -> dict[str, object]:
    return {**json.loads(receipt.to_json()), "repeated": receipt.repeated}


def _effect(effect: Effect) -> dict[str, object]:
    return {
        "dry_run": True,
        "revokes": [kind.value for kind in effect.revokes],
        "nothing": effect.nothing.value if effect.nothing else None,
        "changes": list(effect.changes),
    }
