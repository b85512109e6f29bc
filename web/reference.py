"""The doors for reference: causes of revocation, municipalities, and the description of this API. Open to everybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import Blueprint, Response

from domain.errors import Code, Refusal
from domain.people import Municipality, MunicipalityCode
from domain.revocation import CauseRule
from web.answers import json_answer
from web.openapi import describe


def reference_blueprint(
    causes: Iterable[CauseRule], municipalities: Mapping[MunicipalityCode, Municipality]
) -> Blueprint:
    """GET /v1/causes, /v1/municipalities/<code> and /v1/openapi.json."""
    door = Blueprint("reference", __name__)
    table = {"causes": [_cause(rule) for rule in causes]}
    description = describe()

    @door.get("/v1/causes")
    def get_causes() -> Response:
        return _lasting(json_answer(table))

    @door.get("/v1/municipalities/<code>")
    def get_municipality(code: str) -> Response:
        try:
            municipality = municipalities[MunicipalityCode(code)]
        except (ValueError, KeyError):
            raise Refusal(Code.NOT_FOUND, "there is no municipality of this code (six digits)") from None
        return _lasting(json_answer(_municipality(municipality)))

    @door.get("/v1/openapi.json")
    def get_description() -> Response:
        return _lasting(json_answer(description))

    return door


def _lasting(response: Response) -> Response:
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _cause(rule: CauseRule) -> dict[str, object]:
    return {
        "cause": rule.cause.value,
        "title": rule.title_en,
        "title_ja": rule.title_ja,
        "kinds": sorted(kind.value for kind in rule.kinds),
        "choosable": rule.choosable,
        "carrier_choosable": rule.carrier_choosable,
        "effects": [
            {
                "kind": kind.value,
                "carrier": carrier.value,
                "effect": effect.word,
                "reason": effect.reason.word if effect.reason is not None else None,
                "source": effect.source,
                "verified": effect.verified,
            }
            for (kind, carrier), effect in rule.effects.items()
        ],
        "by": sorted(rule.by),
        "source": rule.source,
        "verified": rule.verified,
    }


def _municipality(municipality: Municipality) -> dict[str, str]:
    return {
        "code": municipality.code.value,
        "prefecture": municipality.prefecture,
        "name": municipality.name,
        "prefecture_romanised": municipality.prefecture_romanised,
        "name_romanised": municipality.name_romanised,
    }
