"""The door for deliveries: what became of new certificates at the counter."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from domain.applications import DeliveryReceipt, DeliveryReport, HandOver
from domain.errors import Code, Refusal
from web import issuance
from web.answers import KEY, json_answer
from web.bodies import receive_json
from web.callers import Callers
from web.shapes import Shape, record, word

PATH = f"{issuance.PATH}/{{key}}/delivery"
ROLES = issuance.ROLES

DELIVERY: Shape[dict[str, Any]] = record(
    dict,
    {
        "outcome": word(
            HandOver,
            description="delivered: they are on the carrier, and those they replace are revoked as superseded; "
            "refused: they are revoked as never delivered, and the others stay",
        )
    },
)


def delivery_blueprint(report: Callable[[DeliveryReport], DeliveryReceipt], callers: Callers) -> Blueprint:
    """POST what became of the caller's application of that idempotency key; a repeat gets the same receipt."""
    door = Blueprint("delivery", __name__)

    @door.post(f"{issuance.PATH}/<rest:key>/delivery")
    def post_delivery(key: str) -> Response:
        caller = callers.party(*ROLES)
        members = DELIVERY.read(receive_json(), "")
        if not re.fullmatch(KEY, key):
            raise Refusal(Code.NOT_FOUND, "there is no application under this idempotency key; check the key")
        return json_answer(_receipt(report(DeliveryReport(caller, caller.label, key, members["outcome"]))))

    return door


def _receipt(receipt: DeliveryReceipt) -> dict[str, object]:
    return {
        "receipt": receipt.id,
        "application": receipt.application_id,
        "outcome": receipt.outcome.value,
        "live": [kind.value for kind in receipt.live],
        "revoked": [kind.value for kind in receipt.revoked],
        "received_at": receipt.received_at.isoformat(),
        "committed_at": receipt.committed_at.isoformat(),
        "repeated": receipt.repeated,
    }
