"""The doors for notices of the resident register (異動の通知): send one or a file, see what waits or was put aside."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterable, Iterator
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, request

from ca.receipts import effects_to_json
from domain.errors import Code, Refusal
from domain.events import EventType, NoticeRecord, NoticeState
from domain.parties import Party, Role
from domain.people import MunicipalityCode
from residents.feed import MEMBERS, NEW_CODE, VERSION, Notice, read_notices, take_notice
from residents.intake import Effect, Outcome
from residents.listing import NoticeList
from residents.receipts import HeldNotice, NoticeReceipt, QuarantinedNotice
from residents.records import ITEMS
from residents.rows import Format
from web import people
from web.answers import flag, json_answer
from web.bodies import receive, receive_json_octets
from web.callers import Callers
from web.shapes import day, text, word

PATH = "/v1/resident-notices"
ROLES = (Role.MUNICIPALITY, Role.REGISTER)

FILES = {"application/jsonl": Format.JSON_LINES, "text/csv": Format.CSV}
"""Media types of many notices at once."""
FILE_LIMIT = 256 * 1024
"""Octets of such a body: some hundred notices, so that the answer comes in time."""

SEQUENCE = "[1-9][0-9]{0,17}"
_ATTRIBUTES: Any = people.ATTRIBUTES.schema["properties"]
NOTICE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "version": {"const": VERSION},
        "notice_id": text(str, 1, 128, "[!-~]+", description="The sender's own name of this notice").schema,
        "sequence": text(str, 1, 18, SEQUENCE, description="Number in the order of this sender's notices").schema,
        "resident_code": people.RESIDENT_CODE.schema,
        "event": word(EventType).schema,
        "effective_on": day(description="In Japan").schema,
        "municipality_code": people.MUNICIPALITY_CODE.schema,
        **{item: _ATTRIBUTES[item] for item in ITEMS},
        NEW_CODE: people.RESIDENT_CODE.schema,
    },
    "required": list(MEMBERS),
    "dependentRequired": {item: [other for other in ITEMS if other != item] for item in ITEMS},
    "additionalProperties": False,
    "description": "The record after the change. The four items are left out where the record ends.",
}
"""What `residents.feed.read_notice` reads, as JSON Schema."""


def notices_blueprint(
    apply_event: Callable[[Notice, Party], NoticeReceipt | HeldNotice],
    preview_event: Callable[[Notice, Party], Effect | HeldNotice],
    apply_all: Callable[[Iterable[tuple[int, Notice]], Party], Iterator[Outcome]],
    rehearse: Callable[[Iterable[tuple[int, Notice]], Party], Iterator[Outcome]],
    list_notices: Callable[[str, NoticeState, int | str], NoticeList],
    municipalities: Container[MunicipalityCode],
    callers: Callers,
) -> Blueprint:
    """POST one notice, get its receipt (200) or hear that it waits (202); `?dry_run=true` tells what it would do. Its
    id makes a repeat harmless. POST a file, get what became of each line. GET one's own notices of one `state`,
    after the one of a number, or of an id where it has none."""
    door = Blueprint("notices", __name__)

    @door.post(PATH)
    def post_notice() -> Response:
        caller = callers.party(*ROLES)
        rehearsal = flag("dry_run")
        if form := FILES.get(request.mimetype):
            notices = read_notices(BytesIO(receive(FILE_LIMIT)), form, caller.label, municipalities)
            outcomes = (rehearse if rehearsal else apply_all)(notices, caller)
            return json_answer({"dry_run": rehearsal, "outcomes": [_outcome(outcome) for outcome in outcomes]})
        notice = take_notice(receive_json_octets(), caller.label, municipalities)
        if rehearsal:
            effect = preview_event(notice, caller)
            content = _held(effect) if isinstance(effect, HeldNotice) else _effect(effect)
            return json_answer({"dry_run": True, **content})
        answer = apply_event(notice, caller)
        if isinstance(answer, HeldNotice):
            return json_answer({**_held(answer), "repeated": answer.repeated}, 202)
        return json_answer(_receipt(answer))

    @door.get(PATH)
    def get_notices() -> Response:
        caller = callers.party(*ROLES)
        return json_answer(_list(list_notices(caller.label, *_wanted())))

    return door


def _wanted() -> tuple[NoticeState, int | str]:
    """The query parameters: `state`, and where the last page ended: `after` or `after_id`, at most one of them."""
    named = set(request.args)
    twice = any(len(request.args.getlist(name)) > 1 for name in named)
    if named - {"state", "after", "after_id"} or twice or named >= {"after", "after_id"}:
        problem = "the query parameters here are state and one of after and after_id, each once"
        raise Refusal(Code.MALFORMED, problem, pointer="state")
    state = word(NoticeState).read(request.args.get("state"), "state")
    if "after_id" in named:
        return state, request.args["after_id"]
    after = request.args.get("after", "0")
    if after != "0" and re.fullmatch(SEQUENCE, after) is None:
        raise Refusal(Code.MALFORMED, "after is the number of a notice", pointer="after")
    return state, int(after)


def _receipt(receipt: NoticeReceipt) -> dict[str, object]:
    return {"state": NoticeState.APPLIED.value, **json.loads(receipt.to_json()), "repeated": receipt.repeated}


def _held(held: HeldNotice) -> dict[str, object]:
    return {
        "state": NoticeState.HELD.value,
        "notice_id": held.notice_id,
        "sequence": str(held.sequence),
        "expected": str(held.expected),
        "received_at": held.received_at.isoformat(),
    }


def _effect(effect: Effect) -> dict[str, object]:
    return {
        "state": NoticeState.APPLIED.value,
        "revokes": [kind.value for kind in effect.revokes],
        "nothing": effect.nothing.value if effect.nothing else None,
        "changes": list(effect.changes),
        "releases": list(effect.releases),
        "effects": effects_to_json(effect.effects),
    }


def _outcome(outcome: Outcome) -> dict[str, object]:
    """What became of one line of a file. A refused one is not kept, and may be sent again as it is."""
    line, notice, taken = outcome
    if isinstance(taken, Refusal):
        told = {"state": "refused", "reason": taken.code.value, "detail": taken.detail}
        return {"line": line, "notice_id": notice.notice_id, **told}
    answer = taken.answer
    row: dict[str, object] = {"line": line, "notice_id": answer.notice_id, "repeated": answer.repeated}
    if taken.released:
        row["released"] = [other.notice_id for other in taken.released]
    if isinstance(answer, QuarantinedNotice):
        return {**row, "state": NoticeState.QUARANTINED.value, "reason": answer.reason.value, "detail": answer.detail}
    if isinstance(answer, HeldNotice):
        return {**row, "state": NoticeState.HELD.value, "expected": str(answer.expected)}
    row |= {"state": NoticeState.APPLIED.value, "revoked": [kind.value for kind in answer.revoked]}
    return {**row, "effects": effects_to_json(answer.effects)}


def _list(found: NoticeList) -> dict[str, object]:
    return {
        "expected": str(found.expected),
        "notices": [_row(record) for record in found.notices],
        "more": found.more,
    }


def _row(record: NoticeRecord) -> dict[str, object]:
    return {
        "notice_id": record.notice_id,
        "sequence": None if record.sequence is None else str(record.sequence),
        "state": record.state.value,
        "received_at": record.received_at.isoformat(),
        "reason": record.reason.value if record.reason else None,
        "detail": record.detail,
    }
