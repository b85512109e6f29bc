"""The door for receipts: when what a receipt is about could be seen, in OCSP and in which list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from ca.visibility import Visibility, visibility_to_json
from domain.certificates import Kind
from domain.parties import Party
from web import holds, revocation
from web.answers import json_answer
from web.callers import Callers
from web.revocation import PATH

ROLES = tuple(dict.fromkeys((*revocation.ROLES, *holds.ROLES)))
RECEIPT_PATH = f"{PATH}/{{receipt}}"

_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "format": "date-time"}
_MAYBE_MOMENT = {"type": ["string", "null"], "format": "date-time"}


def _object(**members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


VISIBILITY = _object(
    receipt=_TEXT,
    revoked={"type": "array", "items": {"enum": [kind.value for kind in Kind]}, "uniqueItems": True},
    received_at=_MOMENT,
    committed_at=_MOMENT,
    in_ocsp_at={**_MAYBE_MOMENT, "description": "Answers made from then on say so; null when nothing was changed"},
    in_lists_at={**_MAYBE_MOMENT, "description": "When the last of the lists below was in place; null before"},
    lists={
        "type": "array",
        "items": _object(
            list={**_TEXT, "description": "Below /crl/, such as signature-g1/13221.crl"},
            certificates={"type": "integer", "minimum": 1},
            number={"type": ["integer", "null"], "description": "CRL number of the first list that shows it"},
            this_update=_MAYBE_MOMENT,
            published_at=_MAYBE_MOMENT,
        ),
    },
)


def visibility_blueprint(find: Callable[[str, Party | None], Visibility], callers: Callers) -> Blueprint:
    """GET a receipt of one's own by its number: of a revocation, a hold or its release, a hand-over, a notice."""
    door = Blueprint("visibility", __name__)

    @door.get(f"{PATH}/<receipt>")
    def get_receipt(receipt: str) -> Response:
        return json_answer(visibility_to_json(find(receipt, callers.party(*ROLES))))

    return door
