"""The doors for revocation filters over mutual TLS: which there are, their files, and the key of the caller's class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, request

from domain.certificates import Issuer, IssuerId, Kind
from domain.errors import Code, Refusal
from domain.ports import Clock
from domain.provisions import FILTER_SUBJECT, Channel, Provision, Record
from filters.publish import ClassKey
from filters.shelf import Copy, Shelf
from policies.admission import NOBODY, Admit, Admitted
from web.answers import json_answer
from web.lists import cached
from web.ocsp import Caller
from web.operations import in_path, in_query, problems, reading, sent, told
from web.schemas import members

PATH = "/v1/filters"
MEDIA_TYPE = "application/vnd.jpki.filter"
FILTER_AGE = timedelta(minutes=5)
_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class FilterParts:
    """What the doors need: where filters lie, whose they are, the keys of classes, who may have them, and where it is
    put on record."""

    shelf: Shelf
    issuers: Mapping[IssuerId, Issuer]
    key_of: Callable[[str], ClassKey]
    admit: Admit
    record: Record
    clock: Clock


def filters_blueprint(parts: FilterParts, caller: Caller) -> Blueprint:
    """GET what there is for a kind of certificates, a base, a delta over it (`?over=`), and the key.

    Filters are those of the caller's class, which is its standing. Each file and each key that is handed over is put on
    record; that a file is still the newest (304), and what there is, is told to who is admitted alone.
    """
    door = Blueprint("filters", __name__)

    def admitted(word: str) -> tuple[Kind, Admitted, ClassKey]:
        kind = _KINDS.get(word)
        if kind is None:
            raise Refusal(Code.NOT_FOUND, f"there are filters for {' and '.join(_KINDS)}")
        found = parts.admit(caller(request.environ) or NOBODY, kind, parts.clock())
        return kind, found, parts.key_of(_class_of(found))

    def pair(found: Admitted, key: ClassKey, issuer: Issuer) -> tuple[Copy | None, Copy | None]:
        """Base and delta that this key opens and that are not over."""
        base, delta = parts.shelf.pair(_class_of(found), issuer.id)
        if base is None or (base.label.verifiers, base.label.key_identifier) != (key.word, issuer.key_identifier):
            return None, None
        newest = delta or base
        return (base, delta) if parts.clock() <= newest.label.next_update else (None, None)

    @door.get(f"{PATH}/<kind>")
    def get_filters(kind: str) -> Response:
        wanted, found, key = admitted(kind)
        rows = []
        for issuer in parts.issuers.values():
            base, delta = pair(found, key, issuer) if issuer.kind is wanted else (None, None)
            if base is not None:
                rows.append({"issuer": issuer.id, "base": _row(base), "delta": _row(delta) if delta else None})
        response = json_answer({"class": key.word, "filters": rows})
        response.headers["Cache-Control"] = "no-store"
        return response

    @door.get(f"{PATH}/<kind>/files/<issuer>")
    def get_filter(kind: str, issuer: str) -> Response:
        wanted, found, key = admitted(kind)
        whose = parts.issuers.get(IssuerId(issuer))
        if whose is None or whose.kind is not wanted:
            raise Refusal(Code.NOT_FOUND, "there is no such issuer of this kind; see the list of filters")
        base, delta = pair(found, key, whose)
        copy = _wanted(base, delta, _over())
        octets = parts.shelf.read(copy)
        if octets is None:
            raise Refusal(Code.BUSY, "this filter is being replaced; fetch it again")
        response = Response(octets, content_type=MEDIA_TYPE)
        response.last_modified = copy.label.this_update
        now = parts.clock()
        cached(response, copy.digest, min(FILTER_AGE, copy.label.next_update - now), shared=False)
        if request.method == "GET" and response.status_code in (200, 206):
            digest = bytes.fromhex(copy.digest)
            parts.record(Provision(now, *found, whose.id, Channel.FILTER, FILTER_SUBJECT, "filter", digest))
        return response

    @door.get(f"{PATH}/<kind>/key")
    def get_key(kind: str) -> Response:
        wanted, found, key = admitted(kind)
        response = json_answer({"class": key.word, "key": key.octets.hex()})
        response.headers["Cache-Control"] = "no-store"
        if request.method == "GET":
            about = IssuerId(wanted.value)
            parts.record(Provision(parts.clock(), *found, about, Channel.FILTER, b"", "filter-key"))
        return response

    return door


def _class_of(found: Admitted) -> str:
    """The class is the standing of who asks, also for a provider behind it."""
    if found.party is None or found.party.standing is None:
        raise Refusal(Code.NOT_ADMITTED, "filters are for verifiers with a standing", facts={"rule": "way-not-given"})
    return found.party.standing.value


def _over() -> int | None:
    """The number of the base that a delta is wanted over."""
    given = request.args.to_dict(flat=False)
    if not given:
        return None
    (text, *more) = given.pop("over", [""])
    if given or more or not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refusal(Code.MALFORMED, "the query parameter here is over, the number of a base", pointer="over")
    return int(text)


def _wanted(base: Copy | None, delta: Copy | None, over: int | None) -> Copy:
    if base is None:
        raise Refusal(Code.NOT_FOUND, "there is no filter in force for your class; ask by OCSP until there is one")
    if over is None:
        return base
    if over != base.label.number:
        raise Refusal(Code.OUT_OF_ORDER, "there is a newer base; fetch it, and deltas over it", pointer="over")
    if delta is None:
        raise Refusal(Code.NOT_FOUND, "there is no delta yet: this base is the newest")
    return delta


def _row(copy: Copy) -> dict[str, object]:
    label = copy.label
    return {
        "number": label.number,
        "octets": copy.octets,
        "sha256": copy.digest,
        "this_update": label.this_update.isoformat(),
        "next_update": label.next_update.isoformat(),
    }


def describe_filters() -> dict[str, Any]:
    """The doors' part of the description."""
    own: dict[str, Any] = {"security": [{"clientCertificate": []}]}
    kind = in_path("kind", {"type": "string", "enum": [*_KINDS]}, "Of certificates")
    issuer = in_path("issuer", {"type": "string"}, "Key generation, such as signature-g1")
    over = in_query("over", {"type": "integer", "minimum": 0}, "A delta over the base of this number", False)
    moment = {"type": "string", "format": "date-time"}
    word = {"type": "string", "description": "The class as its filters name it: another one after a change of its key"}
    row = members(
        number={"type": "integer"},
        octets={"type": "integer"},
        sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"},
        this_update=moment,
        next_update=moment,
    )
    one = members(issuer={"type": "string"}, base=row, delta={**row, "type": ["object", "null"]})
    rows: dict[str, Any] = {"class": word, "filters": {"type": "array", "items": one}}
    key = members(**{"class": word, "key": {"type": "string", "pattern": "^[0-9a-f]{64}$"}})
    refused = problems(401, 403, 404, 503)
    many = reading("Which filters there are", {"200": told("By issuer", members(**rows)), **refused}, kind)
    file = reading(
        "A filter: a base, or a delta over it",
        {
            "200": sent("The file", MEDIA_TYPE),
            "206": sent("Parts", MEDIA_TYPE),
            "304": {"description": "Not modified"},
            **refused,
            **problems(400, 409, 416),
        },
        kind,
        issuer,
        over,
    )
    secret = reading("The key of one's class", {"200": told("Keep it as a secret", key), **refused}, kind)
    root = f"{PATH}/{{kind}}"
    paths = {root: many, f"{root}/files/{{issuer}}": file, f"{root}/key": secret}
    return {path: {"get": {**of["get"], **own}} for path, of in paths.items()}
