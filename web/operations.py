"""Operations of the API's description (OpenAPI 3.1): what is alike in all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.parties import Role
from web.problems import MEDIA_TYPE, STATUS

_Object = dict[str, Any]


def act(
    summary: str,
    roles: Iterable[Role],
    parameters: list[_Object],
    body: Mapping[str, Any],
    good: _Object,
    files: Iterable[str] = (),
) -> _Object:
    """An act: a body is posted to it by callers of these roles. `files` are media types of bodies that are described
    elsewhere."""
    content = {"application/json": {"schema": body}, **{media_type: {} for media_type in files}}
    return {
        "post": {
            "summary": summary,
            "description": f"For callers of the role {' or '.join(role.value for role in roles)}.",
            "security": [{"clientCertificate": []}],
            "parameters": parameters,
            "requestBody": {"required": True, "content": content},
            "responses": {**good, **problems(400, 401, 403, 409, 413, 415, 422, 429, 503, 500)},
        }
    }


def reading(summary: str, responses: _Object, *parameters: _Object) -> _Object:
    """What is read by GET."""
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": {**responses, **problems(500)}}}


def problems(*statuses: int) -> _Object:
    """Problem responses; each names the codes that come with its status."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        str(status): {
            "description": ", ".join(sorted(code.value for code, of in STATUS.items() if of == status)) or "a problem",
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def told(description: str, schema: Mapping[str, Any]) -> _Object:
    """An answer in JSON."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def sent(description: str, media_type: str) -> _Object:
    """An answer that is no JSON."""
    return {"description": description, "content": {media_type: {}}}


def in_path(name: str, schema: _Object, description: str) -> _Object:
    """A parameter in the path."""
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


def in_query(name: str, schema: _Object, description: str, required: bool) -> _Object:
    """A parameter in the query."""
    return {"name": name, "in": "query", "required": required, "schema": schema, "description": description}
