"""The door for applications: what a municipality sends becomes an `IssuanceApplication`, the pair becomes JSON."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from domain.applications import Card, IssuanceApplication, IssuedPair
from domain.certificates import Carrier, Kind
from domain.errors import Code, Refusal
from domain.parties import Role
from web.answers import idempotency_key, json_answer
from web.bodies import receive_json
from web.callers import Callers
from web.certificate_texts import CERTIFICATE_TEXT, substitution_json
from web.people import ATTRIBUTES, MUNICIPALITY_CODE, RESIDENT_CODE
from web.shapes import Shape, day, octets, record, text, truth, word

PATH = "/v1/issuance-applications"
ROLES = (Role.MUNICIPALITY, Role.OPERATOR)
"""Operators hand on what holders apply for online, signed with their card: certificates on a phone, and no others."""

_REQUEST = octets(4095, description="PKCS#10 CertificationRequest (DER) in base64, signed by the key it carries")


def _requests(**requests: bytes) -> dict[Kind, bytes]:
    if not requests:
        raise ValueError("must hold at least one request")
    return {Kind(kind): request for kind, request in requests.items()}


APPLICATION: Shape[dict[str, Any]] = record(
    dict,
    {
        "resident_code": RESIDENT_CODE,
        "municipality_code": MUNICIPALITY_CODE,
        "attributes": ATTRIBUTES,
        "card": record(
            Card,
            {
                "id": text(str, 1, 64, "[!-~]+", "1 to 64 visible ASCII characters"),
                "expires_on": day(description="Last day (JST) of the card"),
            },
        ),
        "requests": record(
            _requests,
            {},
            {kind.value: _REQUEST for kind in Kind},
            minProperties=1,
            description="Both for a pair; the signing one alone after a change of the register; the authentication one "
            "alone for children and adults under guardianship",
        ),
    },
    {
        "carrier": word(Carrier, default=Carrier.CARD.value),
        "under_guardianship": truth(
            default=False, description="Whether the resident is an adult under guardianship (成年被後見人)"
        ),
        "proof": octets(1023, description="For a mobile device: the signature over the application with the card"),
        "certificate_text": CERTIFICATE_TEXT,
    },
)


def read_application(document: object) -> dict[str, Any]:
    """The fields of an `IssuanceApplication`, but for caller and key, in parsed JSON. Raises Refusal(MALFORMED)."""
    members = APPLICATION.read(document, "")
    if "certificate_text" in members:
        members["text"] = members.pop("certificate_text")
    members["municipality"] = members.pop("municipality_code")
    return members


def issuance_blueprint(issue: Callable[[IssuanceApplication], IssuedPair], callers: Callers) -> Blueprint:
    """POST an application, get the pair: 201 when new, 200 when the same application was answered before."""
    door = Blueprint("issuance", __name__)

    @door.post(PATH)
    def post_application() -> Response:
        caller = callers.party(*ROLES)
        key = idempotency_key()
        application = IssuanceApplication(caller=caller, key=key, **read_application(receive_json()))
        if caller.role is Role.OPERATOR and application.carrier is Carrier.CARD:
            raise Refusal(Code.NOT_ADMITTED, "certificates for a card are applied for by the municipality")
        pair = issue(application)
        return json_answer(_pair(pair), 200 if pair.repeated else 201)

    return door


def _pair(pair: IssuedPair) -> dict[str, object]:
    return {
        "application": pair.application_id,
        "certificates": {kind.value: base64.b64encode(der).decode() for kind, der in pair.certificates.items()},
        "substituted": {item: list(positions) for item, positions in pair.substituted.items()},
        "substitutions": [substitution_json(substitution) for substitution in pair.substitutions],
        "repeated": pair.repeated,
        "pending": pair.pending,
    }
