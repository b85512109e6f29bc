"""The doors for handles: a verifier shows certificates and learns what it may remember them by, and asks for news."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.handles import Correspondence, Handle, HandleWord
from domain.parties import Credential, Party, Role
from verifiers.handle_news import PAGE, News
from verifiers.handle_office import KnownAs
from verifiers.handles import FORM, LONGEST
from web.answers import json_answer
from web.bodies import read_json, receive
from web.callers import Callers
from web.operations import act, in_query, problems, reading, told
from web.schemas import members
from web.shapes import Shape, octets, record, several, text, truth, word

PATH = "/v1/handles"
TRANSLATIONS = f"{PATH}/translations"
CORRESPONDENCES = f"{PATH}/correspondences"
SUBSCRIPTIONS = f"{PATH}/subscriptions"
NEWS = f"{PATH}/news"
ROLES = (Role.VERIFIER,)
CERTIFICATES = 100
"""Certificates that are shown at once."""
HANDLES = 1000
"""Handles that are sent at once."""
BODY_LIMIT = 512 * 1024

_PROVIDER = text(
    str,
    1,
    200,
    description="The service provider behind a platform operator, by its registered name: the handles are the "
    "provider's own",
)
_PURPOSE = text(str, 1, 64, "[a-z0-9-]+", "a purpose that was declared", description="One that the verifier declared")
_FOR = {"provider": _PROVIDER, "purpose": _PURPOSE}
_CERTIFICATE = octets(3072, description="A holder's certificate, DER")
_HANDLES = several(text(str, 42, LONGEST, FORM, "a handle"), HANDLES)
SHOWN: Shape[dict[str, Any]] = record(dict, {"certificates": several(_CERTIFICATE, CERTIFICATES)}, _FOR)
OWN: Shape[dict[str, Any]] = record(dict, {"handles": _HANDLES}, _FOR)
WHICH: Shape[dict[str, Any]] = record(dict, {"handles": _HANDLES, "which": word(Correspondence)}, _FOR)
WANTED: Shape[dict[str, Any]] = record(
    dict, {"handles": _HANDLES, "wanted": truth(description="true: tell news of them from now on")}, _FOR
)

_KIND = {"type": "string", "enum": [kind.value for kind in Kind]}
_HANDLE = {"type": "string", "pattern": f"^{FORM}$", "maxLength": LONGEST}
_HANDLE_OR_NONE = {**_HANDLE, "type": ["string", "null"]}


@dataclass(frozen=True, slots=True)
class HandleParts:
    """What the doors need: the acts, each bound to what it works with."""

    provider_of: Callable[[Party, str | None], Party | None]
    purpose_of: Callable[[Credential, Party | None, str | None], str | None]
    of_many: Callable[[Party, Party | None, Sequence[bytes], str | None], Sequence[KnownAs]]
    translate: Callable[[Party, Party | None, Sequence[str], str | None], Sequence[Handle]]
    counterparts: Callable[[Party, Party | None, Sequence[str], Correspondence, str | None], Sequence[Handle | None]]
    subscribe: Callable[..., None]
    fetch_news: Callable[[Party, Party | None, int, str | None], tuple[Sequence[News], bool]]


def handles_blueprint(parts: HandleParts, callers: Callers) -> Blueprint:
    """POST certificates or handles and get handles, in the same order; GET the news that were asked for."""
    door = Blueprint("handles", __name__)

    def asked(shape: Shape[dict[str, Any]]) -> tuple[dict[str, Any], Party, Party | None, str | None]:
        credential = callers.credential(*ROLES)
        if request.mimetype != "application/json":
            raise Refusal(Code.WRONG_TYPE, "send the body as Content-Type: application/json")
        body = shape.read(read_json(receive(BODY_LIMIT)), "")
        return body, *whose(credential, body.get("provider"), body.get("purpose"))

    def whose(credential: Credential, name: str | None, said: str | None) -> tuple[Party, Party | None, str | None]:
        party = credential.party
        provider = parts.provider_of(party, name)
        return party, provider, parts.purpose_of(credential, provider, said)

    @door.post(PATH)
    def post_handles() -> Response:
        body, party, provider, purpose = asked(SHOWN)
        found = parts.of_many(party, provider, body["certificates"], purpose)
        return json_answer({"handles": [{"handle": one.handle, "kind": one.kind.value} for one in found]})

    @door.post(TRANSLATIONS)
    def post_translations() -> Response:
        body, party, provider, purpose = asked(OWN)
        return json_answer({"handles": list(parts.translate(party, provider, body["handles"], purpose))})

    @door.post(CORRESPONDENCES)
    def post_correspondences() -> Response:
        body, party, provider, purpose = asked(WHICH)
        found = parts.counterparts(party, provider, body["handles"], body["which"], purpose)
        return json_answer({"handles": list(found)})

    @door.post(SUBSCRIPTIONS)
    def post_subscriptions() -> Response:
        body, party, provider, purpose = asked(WANTED)
        parts.subscribe(party, provider, body["handles"], wanted=body["wanted"], purpose=purpose)
        return json_answer({"handles": len(body["handles"]), "wanted": body["wanted"]})

    @door.get(NEWS)
    def get_news() -> Response:
        credential = callers.credential(*ROLES)
        after, name, said = _query()
        party, provider, purpose = whose(credential, name, said)
        news, more = parts.fetch_news(party, provider, after, purpose)
        return json_answer({"news": [_news(one) for one in news], "more": more})

    return door


def _query() -> tuple[int, str | None, str | None]:
    """`after`, `provider` and `purpose`, each once at most, and nothing else."""
    given = request.args.to_dict(flat=False)
    if given.keys() - {"after", *_FOR} or any(len(values) > 1 for values in given.values()):
        raise Refusal(Code.MALFORMED, "the query parameters here are after, provider and purpose", pointer="after")
    after = request.args.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise Refusal(Code.MALFORMED, "after must be a number of at most 18 digits", pointer="after")
    provider, purpose = (shape.read(given[name][0], name) if name in given else None for name, shape in _FOR.items())
    return int(after), provider, purpose


def _news(one: News) -> dict[str, object]:
    return {
        "number": one.number,
        "handle": one.handle,
        "former": one.former,
        "kind": one.kind.value,
        "what": one.word.value,
    }


def describe_handles() -> dict[str, Any]:
    """The doors' part of the description."""
    lists = {"type": "array", "items": _HANDLE}
    known = members(handles={"type": "array", "items": members(handle=_HANDLE, kind=_KIND)})
    news = members(
        number={"type": "integer", "minimum": 1},
        handle=_HANDLE,
        former={**_HANDLE_OR_NONE, "description": "The handle in the generation before, while that is understood"},
        kind=_KIND,
        what={"type": "string", "enum": [one.value for one in HandleWord]},
    )
    after = in_query("after", {"type": "integer", "minimum": 0}, "Only higher numbers; 0 when left out", False)
    provider, purpose = (
        in_query(name, dict(shape.schema), str(shape.schema["description"]), False) for name, shape in _FOR.items()
    )
    counterparts = members(handles={"type": "array", "items": _HANDLE_OR_NONE})
    done = members(handles={"type": "integer"}, wanted={"type": "boolean"})
    own: list[dict[str, Any]] = [{"clientCertificate": []}]

    def posted(summary: str, shape: Shape[dict[str, Any]], answer: str, schema: dict[str, Any]) -> dict[str, Any]:
        return act(summary, ROLES, [], shape.schema, {"200": told(answer, schema), **problems(404)})

    return {
        PATH: posted("Learn what certificates may be remembered by", SHOWN, "In the order of the certificates", known),
        TRANSLATIONS: posted("Learn one's handles under the newest key", OWN, "In their order", members(handles=lists)),
        CORRESPONDENCES: posted("Learn which of one's handles belong to one person", WHICH, "In order", counterparts),
        SUBSCRIPTIONS: posted("Ask for news of handles, or end it", WANTED, "How many", done),
        NEWS: {
            "get": {
                **reading(
                    "Fetch one's news",
                    {
                        "200": told(
                            f"By number, at most {PAGE}",
                            members(news={"type": "array", "items": news}, more={"type": "boolean"}),
                        ),
                        **problems(401, 403, 404, 503),
                        **problems(400),
                    },
                    after,
                    provider,
                    purpose,
                )["get"],
                "security": own,
            }
        },
    }
