"""The doors of the register: officers take applications and evidence; verifiers look after themselves."""

from __future__ import annotations

import base64
from typing import Any

from flask import Blueprint, Response

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import Role
from domain.standings import Standing
from verifiers.desk import VerifierDesk, VerifierFile
from verifiers.vetting import LONGEST_REFERENCE, Request, purposes_json
from web.answers import json_answer
from web.bodies import receive_json
from web.callers import Callers
from web.operations import act, in_path, problems, reading, told
from web.schemas import members
from web.shapes import Shape, octets, record, several, some, text, word

VERIFIERS, APPLICATIONS, OWN = "/v1/verifiers", "/v1/verifier-applications", "/v1/verifier"
OFFICERS, SELF, EITHER = (Role.OPERATOR,), (Role.VERIFIER,), (Role.OPERATOR, Role.VERIFIER)

_NAME = text(str, 1, 200, description="The verifier's registered name")
_PURPOSES = several(text(str, 1, 64, "[a-z0-9-]+", "a purpose"), 20)
APPLICATION: Shape[dict[str, Any]] = record(
    dict,
    {
        "name": _NAME,
        "standing": word(Standing),
        "purposes": record(dict, {}, {kind.value: _PURPOSES for kind in Kind}),
    },
    {"through": _NAME},
)
EVIDENCE: Shape[dict[str, Any]] = record(
    dict,
    {"criterion": text(str, 1, 64, "[a-z0-9-]+"), "reference": text(str, 1, LONGEST_REFERENCE)},
)
NOTIFICATION: Shape[dict[str, Any]] = record(dict, {"kinds": some(word(Kind), len(Kind))})
SUCCESSOR: Shape[dict[str, Any]] = record(dict, {"request": octets(3072, description="PKCS#10, DER")})

_TEXT = {"type": "string"}
_MAYBE = {"type": ["string", "null"]}
_MOMENT = {"type": "string", "format": "date-time"}
_MANY = {"type": "array", "items": _TEXT}
FILE = members(
    name=_TEXT,
    standing=_MAYBE,
    through=_MAYBE,
    approvals={
        "type": "array",
        "items": members(kind=_TEXT, purposes=_MANY, since=_MOMENT, until=_MOMENT, state=_TEXT, proposal=_TEXT),
    },
    applications={
        "type": "array",
        "items": members(id={"type": "integer"}, purposes={"type": "object"}, evidence=_MANY, proposal=_MAYBE),
    },
    missing=_MANY,
    credentials={
        "type": "array",
        "items": members(fingerprint=_TEXT, usage=_TEXT, until=_MOMENT, usable={"type": "boolean"}, purpose=_MAYBE),
    },
)
NAMES = members(verifiers=_MANY)
CREDENTIAL = members(fingerprint=_TEXT, certificate=_TEXT)


def verifiers_blueprint(desk: VerifierDesk, callers: Callers) -> Blueprint:
    """GET and POST what is on file about verifiers, one's own or, as an officer, anybody's."""
    door = Blueprint("verifiers", __name__)

    @door.get(VERIFIERS)
    def get_verifiers() -> Response:
        callers.party(*OFFICERS)
        return json_answer({"verifiers": list(desk.names())})

    @door.get(f"{VERIFIERS}/<name>")
    def get_verifier(name: str) -> Response:
        callers.party(*OFFICERS)
        return json_answer(_file(desk, desk.file_of(name)))

    @door.post(APPLICATIONS)
    def post_application() -> Response:
        caller = callers.party(*EITHER)
        asked = APPLICATION.read(receive_json(), "")
        purposes = {Kind(kind): frozenset(words) for kind, words in asked["purposes"].items()}
        wanted = Request(asked["name"], asked["standing"], purposes, asked.get("through"))
        return json_answer(_file(desk, desk.apply(wanted, caller)), 201)

    @door.post(f"{VERIFIERS}/<name>/evidence")
    def post_evidence(name: str) -> Response:
        caller = callers.party(*OFFICERS)
        asked = EVIDENCE.read(receive_json(), "")
        return json_answer(_file(desk, desk.bring(name, asked["criterion"], asked["reference"], caller)))

    @door.get(f"{VERIFIERS}/<name>/approval")
    def get_content(name: str) -> Response:
        callers.party(*OFFICERS)
        return json_answer(desk.content(name, None))

    @door.get(OWN)
    def get_own() -> Response:
        return json_answer(_file(desk, desk.file_of(callers.party(*SELF).name)))

    @door.post(f"{OWN}/notification")
    def post_notification() -> Response:
        caller = callers.party(*SELF)
        return json_answer(_file(desk, desk.notify(caller, NOTIFICATION.read(receive_json(), "")["kinds"])))

    @door.post(f"{OWN}/credentials")
    def post_credential() -> Response:
        shown = callers.credential(*SELF)
        added, certificate = desk.succeed(shown, SUCCESSOR.read(receive_json(), "")["request"])
        said = {"fingerprint": added.fingerprint.hex(), "certificate": base64.b64encode(certificate).decode()}
        return json_answer(said, 201)

    @door.delete(f"{OWN}/credentials/<fingerprint>")
    def delete_credential(fingerprint: str) -> Response:
        caller = callers.party(*SELF)
        try:
            octets_ = bytes.fromhex(fingerprint)
        except ValueError:
            raise Refusal(Code.NOT_FOUND, "you have no credential with this fingerprint") from None
        desk.end(caller, octets_)
        return json_answer(_file(desk, desk.file_of(caller.name)))

    return door


def describe_verifiers() -> dict[str, Any]:
    """The doors' part of the description."""
    own: dict[str, Any] = {"security": [{"clientCertificate": []}]}
    name = in_path("name", _TEXT, "The verifier's registered name")
    it = {"200": told("What is on file", FILE)}
    refusals = problems(401, 403, 404, 503)

    def read(summary: str, good: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
        return {"get": {**reading(summary, {**good, **refusals}, *parameters)["get"], **own}}

    ending: dict[str, Any] = {
        "summary": "End one of your credentials",
        "parameters": [in_path("fingerprint", _TEXT, "SHA-256 of its certificate, in hex")],
        "responses": {**it, **problems(401, 403, 404, 409, 503, 500)},
        **own,
    }
    content = {
        "200": told("To be proposed as verifier-approval", {"type": "object"}),
        **problems(409),
    }
    return {
        VERIFIERS: read("Names of verifiers", {"200": told("All", NAMES)}),
        f"{VERIFIERS}/{{name}}": read("A verifier", it, name),
        f"{VERIFIERS}/{{name}}/evidence": act(
            "Keep evidence for a criterion", OFFICERS, [name], EVIDENCE.schema, {**it, **problems(404)}
        ),
        f"{VERIFIERS}/{{name}}/approval": read("What its approval would be about", content, name),
        APPLICATIONS: act(
            "Apply to be approved or renewed",
            EITHER,
            [],
            APPLICATION.schema,
            {"201": told("What is on file", FILE), **problems(404)},
        ),
        OWN: read("What is on file about you", it),
        f"{OWN}/notification": act("Notify (届出) what was approved", SELF, [], NOTIFICATION.schema, it),
        f"{OWN}/credentials": act(
            "One more credential", SELF, [], SUCCESSOR.schema, {"201": told("Its certificate", CREDENTIAL)}
        ),
        f"{OWN}/credentials/{{fingerprint}}": {"delete": ending},
    }


def _file(desk: VerifierDesk, found: VerifierFile) -> dict[str, object]:
    now, party = desk.clock(), found.party
    return {
        "name": party.name,
        "standing": party.standing and party.standing.value,
        "through": found.through,
        "approvals": [
            {
                "kind": row.kind.value,
                "purposes": sorted(row.purposes),
                "since": row.since.isoformat(),
                "until": row.until.isoformat(),
                "state": row.state(now),
                "proposal": row.proposal,
            }
            for row in party.approvals
        ],
        "applications": [
            {
                "id": row.id,
                "purposes": purposes_json(row.purposes),
                "evidence": [shown.criterion for shown in row.evidence],
                "proposal": row.proposal,
            }
            for row in found.applications
        ],
        "missing": list(found.missing),
        "credentials": [
            {
                "fingerprint": row.fingerprint.hex(),
                "usage": row.usage.value,
                "until": row.not_after.isoformat(),
                "usable": row.usable(now),
                "purpose": row.purpose,
            }
            for row in found.credentials
        ],
    }
