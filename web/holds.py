"""The doors for holds: placed at any hour by the desk, lifted by the municipality or an operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from ca.hold import HoldRequest
from ca.receipts import effects_to_json
from ca.release import ReleaseRequest
from ca.revoke import RevocationOutcome
from domain.certificates import Carrier
from domain.holds import ReleaseReceipt
from domain.parties import Role
from domain.people import BasicAttributes, ResidentCode
from domain.revocation import CertificateEffect, RevocationReceipt
from web.answers import flag, idempotency_key, json_answer
from web.bodies import receive_json
from web.callers import Callers
from web.people import RESIDENT_CODE, TYPED_ATTRIBUTES
from web.shapes import Shape, record, some, word

PATH = "/v1/holds"
RELEASE_PATH = "/v1/hold-releases"
ROLES = (Role.DESK, Role.MUNICIPALITY, Role.OPERATOR)
RELEASE_ROLES = (Role.MUNICIPALITY, Role.OPERATOR)


def _named(
    resident_code: ResidentCode | None = None,
    attributes: BasicAttributes | None = None,
    carriers: frozenset[Carrier] | None = None,
) -> dict[str, Any]:
    who = resident_code or attributes
    if who is None or (resident_code and attributes):
        raise ValueError("must name the resident by resident_code or by attributes, not by both")
    return {"who": who, "carriers": carriers}


HOLD: Shape[dict[str, Any]] = record(
    _named,
    {},
    {
        "resident_code": RESIDENT_CODE,
        "attributes": TYPED_ATTRIBUTES,
        "carriers": some(word(Carrier), len(Carrier), description="What is lost; everything when left out"),
    },
    oneOf=[{"required": ["resident_code"]}, {"required": ["attributes"]}],
    description="The resident by code, or by all four items when no code is at hand",
)
RELEASE: Shape[dict[str, Any]] = record(
    dict, {"resident_code": RESIDENT_CODE, "carrier": word(Carrier, description="What was found")}
)


def holds_blueprint(
    place: Callable[[HoldRequest], RevocationReceipt],
    preview: Callable[[HoldRequest], RevocationOutcome],
    release: Callable[[ReleaseRequest], ReleaseReceipt],
    preview_release: Callable[[ReleaseRequest], tuple[CertificateEffect, ...]],
    callers: Callers,
) -> Blueprint:
    """POST a hold or a release, get the receipt, the same one for a repeat; `?dry_run=true` tells what it would do."""
    door = Blueprint("holds", __name__)

    @door.post(PATH)
    def post_hold() -> Response:
        caller = callers.party(*ROLES)
        rehearsal = flag("dry_run")
        asked = HoldRequest(caller=caller, key=idempotency_key(), **HOLD.read(receive_json(), ""))
        if rehearsal:
            return json_answer({"dry_run": True, "effects": effects_to_json(preview(asked).effects)})
        receipt = place(asked)
        return json_answer(_receipt(receipt))

    @door.post(RELEASE_PATH)
    def post_release() -> Response:
        caller = callers.party(*RELEASE_ROLES)
        rehearsal = flag("dry_run")
        asked = ReleaseRequest(caller=caller, key=idempotency_key(), **RELEASE.read(receive_json(), ""))
        if rehearsal:
            return json_answer({"dry_run": True, "effects": effects_to_json(preview_release(asked))})
        return json_answer(_receipt(release(asked)))

    return door


def _receipt(receipt: RevocationReceipt | ReleaseReceipt) -> dict[str, object]:
    return {
        "receipt": receipt.id,
        "received_at": receipt.received_at.isoformat(),
        "committed_at": receipt.committed_at.isoformat(),
        "effects": effects_to_json(receipt.effects),
    }
