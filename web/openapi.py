"""The description of the API (OpenAPI 3.1), made of the same shapes that read the bodies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from domain.events import NoticeState
from domain.parties import Role
from domain.people import MunicipalityCode
from web import (
    batches,
    certificate_texts,
    delivery,
    holds,
    issuance,
    mass,
    notices,
    ocsp,
    revocation,
    schemas,
    visibility,
)
from web.problems import INTERNAL, MEDIA_TYPE, STATUS
from web.schemas import TEXT, list_of, members

_Object = dict[str, Any]


@cache
def describe() -> _Object:
    """The document. It is the same value each time: do not change it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "JPKI authority",
            "version": "1",
            "description": "Issuance and revocation for municipalities, notices of the resident register, status for "
            "verifiers. Callers are known by their TLS client certificate.",
        },
        "servers": [{"url": "/"}],
        "paths": {**_acts(), **_receipts(), **_reference(), **_status(), **_operation()},
        "components": {
            "schemas": {"Problem": _problem()},
            "securitySchemes": {
                "clientCertificate": {"type": "mutualTLS", "description": "Registered for a party of the right role"}
            },
        },
    }


def _acts() -> _Object:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "A new one for each new request, the same one when repeating a request",
        "schema": {"type": "string", "minLength": 8, "maxLength": 100, "pattern": "^[!-~]+$"},
    }
    rehearsal = {
        "name": "dry_run",
        "in": "query",
        "description": "true: say what would happen and do nothing",
        "schema": {"type": "string", "enum": ["true", "false"], "default": "false"},
    }
    return {
        issuance.PATH: _act(
            "Issue certificates for a resident",
            issuance.ROLES,
            [key],
            issuance.APPLICATION.schema,
            {
                "201": _json("Issued", schemas.PAIR),
                "200": _json("Issued before, for the same application", schemas.PAIR),
            },
        ),
        **_batches(key),
        certificate_texts.PATH: _act(
            "Show how a certificate would write a name or an address",
            certificate_texts.ROLES,
            [],
            certificate_texts.REGISTER_TEXTS.schema,
            {"200": _json("Every substitute character, and what is left to choose", schemas.CERTIFICATE_TEXTS)},
        ),
        delivery.PATH: _act(
            "Report what became of an application's certificates",
            delivery.ROLES,
            [_path("key", {"type": "string"}, "Idempotency key of the application, percent-encoded")],
            delivery.DELIVERY.schema,
            {"200": _json("The receipt, the same one for a repeat", schemas.DELIVERY), **_problems(404)},
        ),
        revocation.PATH: _act(
            "Revoke certificates of a resident",
            revocation.ROLES,
            [key, rehearsal],
            revocation.REVOCATION.schema,
            {
                "200": _json(
                    "The receipt; with dry_run what would be done",
                    {"oneOf": [schemas.RECEIPT, schemas.REVOCATION_PREVIEW]},
                )
            },
        ),
        **_holds(key, rehearsal),
        notices.PATH: {
            **_act(
                "Tell of a change in the resident register, or of many in a file",
                notices.ROLES,
                [rehearsal],
                notices.NOTICE,
                {
                    "200": _json(
                        "The receipt, or what became of each line; with dry_run what would be done",
                        {
                            "oneOf": [
                                schemas.NOTICE_RECEIPT,
                                schemas.NOTICE_PREVIEW,
                                schemas.NOTICE_WAIT_PREVIEW,
                                schemas.NOTICE_OUTCOMES,
                            ]
                        },
                    ),
                    "202": _json("Held until the notices before it are here", schemas.NOTICE_WAIT),
                },
                notices.FILES,
            ),
            **_own_notices(),
        },
        **_mass_events(),
    }


def _batches(key: _Object) -> _Object:
    batch = _path("batch", {"type": "integer"}, "As the answer to the file named it")
    own: list[_Object] = [{"clientCertificate": []}]
    found = _problems(401, 403, 404, 503)
    before = _query("before", {"type": "integer", "minimum": 0}, "Only lower numbers", False)
    after = _query("after", {"type": "integer", "minimum": 0}, "Only later lines", False)
    send = _act(
        "Send many applications as a file, one in each line",
        batches.ROLES,
        [key],
        {},
        {
            "202": _json("Taken", schemas.TAKEN_BATCH),
            "200": _json("Taken before, under the same key", schemas.TAKEN_BATCH),
        },
        [batches.MEDIA_TYPE],
    )
    send["post"]["requestBody"]["content"].pop("application/json")
    many = _read(
        "Batches, newest first", {"200": _json("At most 100", schemas.BATCHES), **_problems(400, 401, 403, 503)}, before
    )
    one = _read("How far a batch is", {"200": _json("It", schemas.BATCH), **found}, batch)
    results = _read(
        "What became of the applications of a batch, by line",
        {"200": _json("At most 100", schemas.BATCH_RESULTS), **_problems(400), **found},
        batch,
        after,
    )
    cancel = {
        "summary": "Cancel what nobody has begun",
        "security": own,
        "parameters": [batch],
        "responses": {"200": _json("How far it is", schemas.BATCH), **found, **_problems(500)},
    }
    return {
        batches.PATH: {**send, "get": {**many["get"], "security": own}},
        f"{batches.PATH}/{{batch}}": {"get": {**one["get"], "security": own}},
        f"{batches.PATH}/{{batch}}/results": {"get": {**results["get"], "security": own}},
        f"{batches.PATH}/{{batch}}/cancellation": {"post": cancel},
    }


def _holds(key: _Object, rehearsal: _Object) -> _Object:
    answers = {"oneOf": [schemas.HOLD_RECEIPT, schemas.HOLD_PREVIEW]}
    good = {"200": _json("The receipt; with dry_run what would be done", answers)}
    return {
        holds.PATH: _act("Hold certificates of a resident", holds.ROLES, [key, rehearsal], holds.HOLD.schema, good),
        holds.RELEASE_PATH: _act(
            "Lift the holds on a carrier", holds.RELEASE_ROLES, [key, rehearsal], holds.RELEASE.schema, good
        ),
    }


def _own_notices() -> _Object:
    state = _query("state", {"type": "string", "enum": [state.value for state in NoticeState]}, "Which notices", True)
    after = _query("after", {"type": "string", "pattern": f"^(0|{notices.SEQUENCE})$"}, "Only higher numbers", False)
    good = {
        "200": _json("At most 500 notices by number; those whose number cannot be read come first", schemas.NOTICE_LIST)
    }
    read = _read("The caller's own notices", {**good, **_problems(400, 401, 403, 503)}, state, after)
    return {"get": {**read["get"], "security": [{"clientCertificate": []}]}}


def _receipts() -> _Object:
    receipt = _path("receipt", {"type": "string"}, "Its number")
    own: list[_Object] = [{"clientCertificate": []}]
    answers = {"200": _json("Where it can be seen", visibility.VISIBILITY), **_problems(401, 403, 404, 503)}
    read = _read("A receipt of one's own: since when it can be seen, in OCSP and in which list", answers, receipt)
    return {visibility.RECEIPT_PATH: {"get": {**read["get"], "security": own}}}


def _mass_events() -> _Object:
    event = _path("event", {"type": "string"}, "As the preview named it")
    own: list[_Object] = [{"clientCertificate": []}]
    many = _read("Mass events, newest first", {"200": _json("All", mass.ACCOUNTS), **_problems(401, 403, 503)})
    one = _read("A mass event", {"200": _json("It", mass.ACCOUNT), **_problems(401, 403, 404, 503)}, event)
    return {
        mass.PATH: {"get": {**many["get"], "security": own}},
        f"{mass.PATH}/{{event}}": {"get": {**one["get"], "security": own}},
    }


def _reference() -> _Object:
    code = _path("code", {"type": "string"}, f"Six digits, such as {MunicipalityCode.of_area('13221')}")
    return {
        "/v1/causes": _read(
            "Causes of revocation",
            {"200": _json("The table", members(causes=list_of(schemas.CAUSE_RULE)))},
        ),
        "/v1/municipalities/{code}": _read(
            "A municipality", {"200": _json("The municipality", schemas.MUNICIPALITY), **_problems(404)}, code
        ),
        "/v1/openapi.json": _read("This description", {"200": _json("This description", {"type": "object"})}),
    }


def _status() -> _Object:
    request = _path("request", {"type": "string"}, "OCSPRequest (DER) in base64, escaped or not")
    issuer = _path("issuer", {"type": "string"}, "Key generation, such as signature-g1")
    scope = _path("scope", {"type": "string"}, "Five digits of a municipality, or ca")
    answer = {"200": _octets("OCSPResponse, also for errors of OCSP", ocsp.MEDIA_TYPE)}
    post = {
        "summary": "Certificate status (RFC 6960)",
        "requestBody": {"description": "OCSPRequest (DER)", "content": {"application/ocsp-request": {}}},
        "responses": {**answer, **_problems(413, 500)},
    }
    cached = {"304": {"description": "Not modified"}, **_problems(404, 416)}
    return {
        "/ocsp": {"post": post},
        "/ocsp/{request}": _read("Certificate status (RFC 6960 §A.1)", answer, request),
        "/crl/{issuer}/{scope}.crl": _read(
            "Revocation list",
            {
                "200": _octets("The list", "application/pkix-crl"),
                "206": _octets("Parts", "application/pkix-crl"),
                **cached,
            },
            issuer,
            scope,
        ),
        "/ca/{issuer}.cer": _read(
            "Certificate of an issuer",
            {"200": _octets("It", "application/pkix-cert"), "206": _octets("Parts", "application/pkix-cert"), **cached},
            issuer,
        ),
    }


def _operation() -> _Object:
    parts = {"type": "object", "additionalProperties": {"type": "boolean"}}
    ready = members(ready={"type": "boolean"}, parts=parts)
    return {
        "/healthz": _read("Whether the process answers", {"200": _json("It does", members(alive={"const": True}))}),
        "/readyz": _read(
            "Whether every part can do its work", {"200": _json("All can", ready), "503": _json("Not all can", ready)}
        ),
        "/metrics": _read("Counts", {"200": {"description": "Prometheus text format", "content": {"text/plain": {}}}}),
    }


def _act(
    summary: str,
    roles: Iterable[Role],
    parameters: list[_Object],
    body: Mapping[str, Any],
    good: _Object,
    files: Iterable[str] = (),
) -> _Object:
    """`files` are media types of bodies that are described elsewhere."""
    content = {"application/json": {"schema": body}, **{media_type: {} for media_type in files}}
    return {
        "post": {
            "summary": summary,
            "description": f"For callers of the role {' or '.join(role.value for role in roles)}.",
            "security": [{"clientCertificate": []}],
            "parameters": parameters,
            "requestBody": {"required": True, "content": content},
            "responses": {**good, **_problems(400, 401, 403, 409, 413, 415, 422, 429, 503, 500)},
        }
    }


def _read(summary: str, responses: _Object, *parameters: _Object) -> _Object:
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": {**responses, **_problems(500)}}}


def _problems(*statuses: int) -> _Object:
    """Problem responses; each names the codes that come with its status."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        str(status): {
            "description": ", ".join(sorted(code.value for code, of in STATUS.items() if of == status)) or "a problem",
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def _problem() -> _Object:
    codes = {"type": "string", "enum": [*(code.value for code in STATUS), INTERNAL]}
    told = members(
        type=TEXT,
        status={"type": "integer"},
        code=codes,
        title=TEXT,
        title_ja=TEXT,
        action=TEXT,
        action_ja=TEXT,
    )
    told["properties"] |= {
        "detail": TEXT,
        "pointer": TEXT,
        "facts": {"type": "object"},
        "reference": TEXT,
    }
    return told


def _json(description: str, schema: Mapping[str, Any]) -> _Object:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _octets(description: str, media_type: str) -> _Object:
    return {"description": description, "content": {media_type: {}}}


def _path(name: str, schema: _Object, description: str) -> _Object:
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


def _query(name: str, schema: _Object, description: str, required: bool) -> _Object:
    return {"name": name, "in": "query", "required": required, "schema": schema, "description": description}
