"""The doors for handles: a verifier shows certificates and learns what it may remember them by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import Party, Role
from verifiers.handle_office import KnownAs
from verifiers.handles import FORM, LONGEST
from web.answers import json_answer
from web.bodies import read_json, receive
from web.callers import Callers
from web.operations import act, told
from web.schemas import members
from web.shapes import Shape, octets, record, several, text

PATH = "/v1/handles"
ROLES = (Role.VERIFIER,)
CERTIFICATES = 100
"""Certificates that are shown at once."""
BODY_LIMIT = 512 * 1024

_PURPOSE = text(str, 1, 64, "[a-z0-9-]+", "a purpose that was declared", description="One that the verifier declared")
_PROVIDER = text(
    str,
    1,
    200,
    description="The service provider behind a platform operator, by its registered name: the handles are the "
    "provider's own",
)
_CERTIFICATE = octets(3072, description="A holder's certificate, DER")
SHOWN: Shape[dict[str, Any]] = record(
    dict,
    {"certificates": several(_CERTIFICATE, CERTIFICATES)},
    {"provider": _PROVIDER, "purpose": _PURPOSE},
)

HANDLE = {"type": "string", "pattern": f"^{FORM}$", "maxLength": LONGEST}
_KIND = {"type": "string", "enum": [kind.value for kind in Kind]}
HANDLES = members(handles={"type": "array", "items": members(handle=HANDLE, kind=_KIND)})


@dataclass(frozen=True, slots=True)
class HandleParts:
    """What the doors need: the acts, each bound to what it works with."""

    provider_of: Callable[[Party, str | None], Party | None]
    of_many: Callable[[Party, Party | None, Sequence[bytes], str | None], Sequence[KnownAs]]


def handles_blueprint(parts: HandleParts, callers: Callers) -> Blueprint:
    """POST certificates and get their handles, in the same order."""
    door = Blueprint("handles", __name__)

    @door.post(PATH)
    def post_handles() -> Response:
        party, asked = _asked(callers, SHOWN)
        provider = parts.provider_of(party, asked.get("provider"))
        found = parts.of_many(party, provider, asked["certificates"], asked.get("purpose"))
        return json_answer({"handles": [{"handle": one.handle, "kind": one.kind.value} for one in found]})

    return door


def _asked(callers: Callers, shape: Shape[dict[str, Any]]) -> tuple[Party, dict[str, Any]]:
    """Who asks, and for what."""
    party = callers.party(*ROLES)
    if request.mimetype != "application/json":
        raise Refusal(Code.WRONG_TYPE, "send the body as Content-Type: application/json")
    return party, shape.read(read_json(receive(BODY_LIMIT)), "")


def describe_handles() -> dict[str, Any]:
    """The doors' part of the description."""
    summary = "Learn what certificates may be remembered by"
    handles = told("Handles, in the order of the certificates", HANDLES)
    return {PATH: act(summary, ROLES, [], SHOWN.schema, {"200": handles})}
