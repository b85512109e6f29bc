"""The description of the API (OpenAPI 3.1), made of the same shapes that read the bodies."""

from __future__ import annotations

from functools import cache
from typing import Any

from domain.events import NoticeState
from domain.people import MunicipalityCode
from web import (
    alarms,
    batches,
    certificate_texts,
    delivery,
    filters,
    handles,
    holds,
    issuance,
    ledger,
    mass,
    notices,
    ocsp,
    proposals,
    revocation,
    schemas,
    validations,
    verifiers,
    visibility,
)
from web.operations import act, in_path, in_query, problems, reading, sent, told
from web.problems import INTERNAL, STATUS
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
        issuance.PATH: act(
            "Issue certificates for a resident",
            issuance.ROLES,
            [key],
            issuance.APPLICATION.schema,
            {
                "201": told("Issued", schemas.PAIR),
                "200": told("Issued before, for the same application", schemas.PAIR),
            },
        ),
        **_batches(key),
        certificate_texts.PATH: act(
            "Show how a certificate would write a name or an address",
            certificate_texts.ROLES,
            [],
            certificate_texts.REGISTER_TEXTS.schema,
            {"200": told("Every substitute character, and what is left to choose", schemas.CERTIFICATE_TEXTS)},
        ),
        delivery.PATH: act(
            "Report what became of an application's certificates",
            delivery.ROLES,
            [in_path("key", {"type": "string"}, "Idempotency key of the application, percent-encoded")],
            delivery.DELIVERY.schema,
            {"200": told("The receipt, the same one for a repeat", schemas.DELIVERY), **problems(404)},
        ),
        revocation.PATH: act(
            "Revoke certificates of a resident",
            revocation.ROLES,
            [key, rehearsal],
            revocation.REVOCATION.schema,
            {
                "200": told(
                    "The receipt; with dry_run what would be done",
                    {"oneOf": [schemas.RECEIPT, schemas.REVOCATION_PREVIEW]},
                )
            },
        ),
        **_holds(key, rehearsal),
        notices.PATH: {
            **act(
                "Tell of a change in the resident register, or of many in a file",
                notices.ROLES,
                [rehearsal],
                notices.NOTICE,
                {
                    "200": told(
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
                    "202": told("Held until the notices before it are here", schemas.NOTICE_WAIT),
                },
                notices.FILES,
            ),
            **_own_notices(),
        },
        **_mass_events(),
        **handles.describe_handles(),
        **filters.describe_filters(),
        **proposals.describe_proposals(),
        **verifiers.describe_verifiers(),
        **ledger.describe_ledger(),
        **alarms.describe_alarms(),
        validations.PATH: act(
            "Validate, with consent", validations.ROLES, [key], validations.VALIDATION.schema, validations.ANSWERS
        ),
    }


def _batches(key: _Object) -> _Object:
    batch = in_path("batch", {"type": "integer"}, "As the answer to the file named it")
    own: list[_Object] = [{"clientCertificate": []}]
    found = problems(401, 403, 404, 503)
    before = in_query("before", {"type": "integer", "minimum": 0}, "Only lower numbers", False)
    after = in_query("after", {"type": "integer", "minimum": 0}, "Only later lines", False)
    send = act(
        "Send many applications as a file, one in each line",
        batches.ROLES,
        [key],
        {},
        {
            "202": told("Taken", schemas.TAKEN_BATCH),
            "200": told("Taken before, under the same key", schemas.TAKEN_BATCH),
        },
        [batches.MEDIA_TYPE],
    )
    send["post"]["requestBody"]["content"].pop("application/json")
    many = reading(
        "Batches, newest first", {"200": told("At most 100", schemas.BATCHES), **problems(400, 401, 403, 503)}, before
    )
    one = reading("How far a batch is", {"200": told("It", schemas.BATCH), **found}, batch)
    results = reading(
        "What became of the applications of a batch, by line",
        {"200": told("At most 100", schemas.BATCH_RESULTS), **problems(400), **found},
        batch,
        after,
    )
    cancel = {
        "summary": "Cancel what nobody has begun",
        "security": own,
        "parameters": [batch],
        "responses": {"200": told("How far it is", schemas.BATCH), **found, **problems(500)},
    }
    return {
        batches.PATH: {**send, "get": {**many["get"], "security": own}},
        f"{batches.PATH}/{{batch}}": {"get": {**one["get"], "security": own}},
        f"{batches.PATH}/{{batch}}/results": {"get": {**results["get"], "security": own}},
        f"{batches.PATH}/{{batch}}/cancellation": {"post": cancel},
    }


def _holds(key: _Object, rehearsal: _Object) -> _Object:
    answers = {"oneOf": [schemas.HOLD_RECEIPT, schemas.HOLD_PREVIEW]}
    good = {"200": told("The receipt; with dry_run what would be done", answers)}
    return {
        holds.PATH: act("Hold certificates of a resident", holds.ROLES, [key, rehearsal], holds.HOLD.schema, good),
        holds.RELEASE_PATH: act(
            "Lift the holds on a carrier", holds.RELEASE_ROLES, [key, rehearsal], holds.RELEASE.schema, good
        ),
    }


def _own_notices() -> _Object:
    state = in_query("state", {"type": "string", "enum": [state.value for state in NoticeState]}, "Which notices", True)
    after = in_query("after", {"type": "string", "pattern": f"^(0|{notices.SEQUENCE})$"}, "Only higher numbers", False)
    after_id = in_query("after_id", {"type": "string"}, "Only what follows this notice without a number", False)
    good = {
        "200": told("At most 500 notices by number; those whose number cannot be read come first", schemas.NOTICE_LIST)
    }
    read = reading("The caller's own notices", {**good, **problems(400, 401, 403, 503)}, state, after, after_id)
    return {"get": {**read["get"], "security": [{"clientCertificate": []}]}}


def _receipts() -> _Object:
    receipt = in_path("receipt", {"type": "string"}, "Its number")
    own: list[_Object] = [{"clientCertificate": []}]
    answers = {"200": told("Where it can be seen", visibility.VISIBILITY), **problems(401, 403, 404, 503)}
    read = reading("A receipt of one's own: since when it can be seen, in OCSP and in which list", answers, receipt)
    return {visibility.RECEIPT_PATH: {"get": {**read["get"], "security": own}}}


def _mass_events() -> _Object:
    event = in_path("event", {"type": "string"}, "As the preview named it")
    own: list[_Object] = [{"clientCertificate": []}]
    many = reading("Mass events, newest first", {"200": told("All", mass.ACCOUNTS), **problems(401, 403, 503)})
    one = reading("A mass event", {"200": told("It", mass.ACCOUNT), **problems(401, 403, 404, 503)}, event)
    return {
        mass.PATH: {"get": {**many["get"], "security": own}},
        f"{mass.PATH}/{{event}}": {"get": {**one["get"], "security": own}},
    }


def _reference() -> _Object:
    code = in_path("code", {"type": "string"}, f"Six digits, such as {MunicipalityCode.of_area('13221')}")
    return {
        "/v1/causes": reading(
            "Causes of revocation",
            {"200": told("The table", members(causes=list_of(schemas.CAUSE_RULE)))},
        ),
        "/v1/municipalities/{code}": reading(
            "A municipality", {"200": told("The municipality", schemas.MUNICIPALITY), **problems(404)}, code
        ),
        "/v1/openapi.json": reading("This description", {"200": told("This description", {"type": "object"})}),
    }


def _status() -> _Object:
    request = in_path("request", {"type": "string"}, "OCSPRequest (DER) in base64, escaped or not")
    issuer = in_path("issuer", {"type": "string"}, "Key generation, such as signature-g1")
    scope = in_path("scope", {"type": "string"}, "Five digits of a municipality, or ca")
    answer = {"200": sent("OCSPResponse, also for errors of OCSP", ocsp.MEDIA_TYPE)}
    post = {
        "summary": "Certificate status (RFC 6960)",
        "requestBody": {"description": "OCSPRequest (DER)", "content": {"application/ocsp-request": {}}},
        "responses": {**answer, **problems(413, 500)},
    }
    cached = {"304": {"description": "Not modified"}, **problems(404, 416)}
    return {
        "/ocsp": {"post": post},
        "/ocsp/{request}": reading("Certificate status (RFC 6960 §A.1)", answer, request),
        "/crl/{issuer}/{scope}.crl": reading(
            "Revocation list",
            {
                "200": sent("The list", "application/pkix-crl"),
                "206": sent("Parts", "application/pkix-crl"),
                **cached,
            },
            issuer,
            scope,
        ),
        "/ca/{issuer}.cer": reading(
            "Certificate of an issuer",
            {"200": sent("It", "application/pkix-cert"), "206": sent("Parts", "application/pkix-cert"), **cached},
            issuer,
        ),
    }


def _operation() -> _Object:
    parts = {"type": "object", "additionalProperties": {"type": "boolean"}}
    ready = members(ready={"type": "boolean"}, parts=parts)
    return {
        "/healthz": reading("Whether the process answers", {"200": told("It does", members(alive={"const": True}))}),
        "/readyz": reading(
            "Whether every part can do its work", {"200": told("All can", ready), "503": told("Not all can", ready)}
        ),
        "/metrics": reading(
            "Counts", {"200": {"description": "Prometheus text format", "content": {"text/plain": {}}}}
        ),
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
