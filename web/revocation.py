"""The door for revocations: applications of holders, reports of loss, and what operators have to revoke."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from ca.receipts import effects_to_json
from ca.revoke import RevocationOutcome, RevocationRequest
from domain.certificates import Carrier, Kind
from domain.parties import Role
from domain.revocation import RevocationCause, RevocationReceipt
from web.answers import flag, idempotency_key, json_answer
from web.bodies import receive_json
from web.callers import Callers
from web.people import RESIDENT_CODE
from web.shapes import Shape, record, some, word

PATH = "/v1/revocations"
ROLES = (Role.MUNICIPALITY, Role.REGISTER, Role.OPERATOR)

REVOCATION: Shape[dict[str, Any]] = record(
    dict,
    {"resident_code": RESIDENT_CODE, "cause": word(RevocationCause, description="See /v1/causes")},
    {
        "kinds": some(word(Kind), len(Kind), description="Which certificates; all that the cause hits when left out"),
        "carriers": some(word(Carrier), len(Carrier), description="On which carriers; all of them when left out"),
    },
)


def revocation_blueprint(
    revoke: Callable[[RevocationRequest], RevocationReceipt],
    preview: Callable[[RevocationRequest], RevocationOutcome],
    callers: Callers,
) -> Blueprint:
    """POST a request, get the receipt, the same one for a repeat; `?dry_run=true` tells what it would do.

    The table of causes decides which role may name which cause.
    """
    door = Blueprint("revocation", __name__)

    @door.post(PATH)
    def post_revocation() -> Response:
        caller = callers.party(*ROLES)
        rehearsal = flag("dry_run")
        key = idempotency_key()
        asked = RevocationRequest(caller=caller, key=key, **REVOCATION.read(receive_json(), ""))
        return json_answer(_preview(preview(asked), asked.cause) if rehearsal else _receipt(revoke(asked)))

    return door


def _receipt(receipt: RevocationReceipt) -> dict[str, object]:
    return {
        "receipt": receipt.id,
        "cause": receipt.cause.value,
        "revoked": [kind.value for kind in receipt.revoked],
        "already": [kind.value for kind in receipt.already],
        "received_at": receipt.received_at.isoformat(),
        "committed_at": receipt.committed_at.isoformat(),
        "effects": effects_to_json(receipt.effects),
    }


def _preview(outcome: RevocationOutcome, cause: RevocationCause) -> dict[str, object]:
    return {
        "dry_run": True,
        "cause": cause.value,
        "revokes": [kind.value for kind in outcome.revoked],
        "already": [kind.value for kind in outcome.already],
        "effects": effects_to_json(outcome.effects),
    }
