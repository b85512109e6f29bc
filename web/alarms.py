"""The door for alarms: verifiers see their own, say why, and appeal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response

from domain.detection import Alarm, AlarmState, Grade
from domain.parties import Party, Role
from web.answers import json_answer
from web.bodies import receive_json
from web.callers import Callers
from web.operations import act, in_path, problems, reading, told
from web.shapes import Shape, record, text

PATH = "/v1/alarms"
ROLES = (Role.VERIFIER,)


@dataclass(frozen=True, slots=True)
class AlarmParts:
    """What a verifier can do about its alarms. `title` tells a rule in Japanese and English."""

    listed: Callable[[Party], Sequence[Alarm]]
    justify: Callable[[Party, str, str], Alarm]
    appeal: Callable[[Party, str, str], Alarm]
    title: Callable[[str], tuple[str, str]]


REASON: Shape[dict[str, Any]] = record(dict, {"reason": text(str, 1, 2000, description="Why; no serials")})

_TEXT = {"type": "string"}
ALARM = {
    "type": "object",
    "properties": {
        "alarm": _TEXT,
        "day": {"type": "string", "format": "date"},
        "rule": _TEXT,
        "title": _TEXT,
        "title_ja": _TEXT,
        "grade": {"enum": [grade.word for grade in Grade]},
        "state": {"enum": [state.value for state in AlarmState]},
    },
    "required": ["alarm", "day", "rule", "title", "title_ja", "grade", "state"],
    "additionalProperties": False,
}
ALARMS = {"type": "object", "properties": {"alarms": {"type": "array", "items": ALARM}}, "required": ["alarms"]}


def alarms_blueprint(parts: AlarmParts, callers: Callers) -> Blueprint:
    """GET one's alarms; POST a justification of one, or an appeal. What was measured is not told: it would teach."""
    door = Blueprint("alarms", __name__)

    @door.get(PATH)
    def get_alarms() -> Response:
        found = parts.listed(callers.party(*ROLES))
        return json_answer({"alarms": [_said(parts, alarm) for alarm in found]})

    @door.post(f"{PATH}/<alarm>/justification")
    def post_justification(alarm: str) -> Response:
        caller = callers.party(*ROLES)
        return json_answer(_said(parts, parts.justify(caller, alarm, REASON.read(receive_json(), "")["reason"])))

    @door.post(f"{PATH}/<alarm>/appeal")
    def post_appeal(alarm: str) -> Response:
        caller = callers.party(*ROLES)
        return json_answer(_said(parts, parts.appeal(caller, alarm, REASON.read(receive_json(), "")["reason"])))

    return door


def describe_alarms() -> dict[str, Any]:
    """The paths, for the description of the API."""
    alarm = in_path("alarm", {"type": "string"}, "As the list names it")
    many = reading("One's alarms, newest first", {"200": told("All", ALARMS), **problems(401, 403, 503)})
    good = {"200": told("As it stands now", ALARM), **problems(404)}
    return {
        PATH: {"get": {**many["get"], "security": [{"clientCertificate": []}]}},
        f"{PATH}/{{alarm}}/justification": act("Say why", ROLES, [alarm], REASON.schema, good),
        f"{PATH}/{{alarm}}/appeal": act("Appeal what was upheld", ROLES, [alarm], REASON.schema, good),
    }


def _said(parts: AlarmParts, alarm: Alarm) -> dict[str, object]:
    title_ja, title = parts.title(alarm.rule)
    return {
        "alarm": alarm.id,
        "day": alarm.day.isoformat(),
        "rule": alarm.rule,
        "title": title,
        "title_ja": title_ja,
        "grade": alarm.grade.word,
        "state": alarm.state.value,
    }
