"""The door for delegated validation: operators that are not approved send what a person signed, with consent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from domain.certificates import Kind
from domain.errors import Refusal
from domain.parties import Party, Role
from domain.validations import Format, Item, Reason
from policies.consents import DOCUMENT_LIMIT, SIGNATURE_LIMIT, TEXT_LIMIT
from validation.answer import SignedConsent, ValidationAnswer, ValidationRequest
from validation.consent import LONGEST
from web.answers import idempotency_key, json_answer
from web.bodies import receive_json
from web.callers import Callers
from web.shapes import Shape, octets, record, text, word

PATH = "/v1/validations"
ROLES = (Role.VERIFIER,)
BODY_LIMIT = DOCUMENT_LIMIT // 3 * 4 + SIGNATURE_LIMIT // 3 * 4 + 32_768
"""Octets of the largest body: document and signature in base64, and room for the consent."""

_CONSENT: Shape[SignedConsent] = record(
    SignedConsent,
    {
        "text": text(
            str.encode, 1, LONGEST, r"[^\u0000-\u0009\u000B-\u001F\u007F-\u009F]*", "the text that was signed"
        ),
        "signature": octets(1023, description="By the person's key, over the text in UTF-8"),
        "certificate": octets(8190, description="DER, of that key"),
    },
    description="One person's consent to this validation; see docs/formats.md",
)


def _request(signature: bytes | None = None, **members: Any) -> dict[str, Any]:
    return {"signature": signature, **members}


VALIDATION: Shape[dict[str, Any]] = record(
    _request,
    {
        "format": word(Format, description="How the document is signed"),
        "purpose": text(str, 1, TEXT_LIMIT, description="利用目的, in the words of the consent"),
        "document": octets(DOCUMENT_LIMIT, description="What was signed, or what the signature is in"),
        "consent": _CONSENT,
    },
    {
        "signature": octets(SIGNATURE_LIMIT, description="Beside the document, for raw and detached CMS"),
        "provider": text(
            str,
            1,
            200,
            description="The service provider behind a platform operator, by its registered name: who the "
            "person consents to, and whose handle is told",
        ),
    },
)


def _members(**of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": of, "required": list(of), "additionalProperties": False}


_MOMENT = {"type": "string", "format": "date-time"}
ANSWER = _members(
    receipt={"type": "string", "description": "JSON Web Signature; it says what stands beside it, but for the items"},
    valid={"type": "boolean"},
    reasons={"type": "array", "items": {"enum": [reason.value for reason in Reason]}, "uniqueItems": True},
    kind={"enum": [kind.value for kind in Kind]},
    checked_at=_MOMENT,
    handle={"type": ["string", "null"], "description": "The person as this operator may know them; null unless valid"},
    items={
        "type": "object",
        "properties": {item.value: {"type": "string"} for item in Item},
        "additionalProperties": False,
        "description": "Those of the four items that the person let be told, from the signing certificate",
    },
    signing_time={
        "oneOf": [
            {"type": "null"},
            _members(at=_MOMENT, proven={"type": "boolean"}, good_then={"type": ["boolean", "null"]}),
        ]
    },
    repeated={"type": "boolean"},
)

ANSWERS = {
    "200": {
        "description": "What was found, with its receipt, the same one for a repeat",
        "content": {"application/json": {"schema": ANSWER}},
    }
}


def validations_blueprint(
    validate: Callable[[ValidationRequest], ValidationAnswer], count: Callable[[str, str], None], callers: Callers
) -> Blueprint:
    """POST what a person signed, get the finding and its receipt, the same one for a repeat."""
    door = Blueprint("validations", __name__)

    @door.post(PATH)
    def post_validation() -> Response:
        caller: Party = callers.party(*ROLES)
        key = idempotency_key()
        asked = ValidationRequest(caller=caller, key=key, **VALIDATION.read(receive_json(BODY_LIMIT), ""))
        try:
            answer = validate(asked)
        except Refusal as refusal:
            count(asked.format.value, refusal.code.value)
            raise
        count(asked.format.value, "valid" if answer.content.valid else "not-valid")
        return json_answer(answer_to_json(answer))

    return door


def answer_to_json(answer: ValidationAnswer) -> dict[str, object]:
    """The answer as JSON values."""
    content, time = answer.content, answer.content.signing_time
    return {
        "receipt": answer.receipt,
        "valid": content.valid,
        "reasons": [reason.value for reason in content.reasons],
        "kind": content.kind.value,
        "checked_at": content.checked_at.isoformat(),
        "handle": content.handle,
        "items": dict(answer.items),
        "signing_time": time and {"at": time.at.isoformat(), "proven": time.proven, "good_then": time.good_then},
        "repeated": answer.repeated,
    }
