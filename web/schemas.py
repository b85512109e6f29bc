"""Schemas of the API's answers (JSON Schema 2020-12), for its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.applications import HandOver
from domain.batches import ItemState
from domain.certificates import Carrier, Kind
from domain.errors import Code
from domain.events import NoticeState
from domain.parties import Role
from domain.revocation import CrlReason, EffectWord, RevocationCause
from domain.substitution import VariantRule
from residents.receipts import NothingRevoked
from web import notices, people

_Object = dict[str, Any]


def members(**of: Mapping[str, Any]) -> _Object:
    """An object of exactly these members."""
    return {"type": "object", "properties": of, "required": list(of), "additionalProperties": False}


def list_of(of: Mapping[str, Any]) -> _Object:
    """A list of different elements."""
    return {"type": "array", "items": of, "uniqueItems": True}


TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_MOMENT = {"type": "string", "format": "date-time"}
_KIND = {"type": "string", "enum": [kind.value for kind in Kind]}
_CAUSE = {"type": "string", "enum": [cause.value for cause in RevocationCause]}
_CARRIER = {"type": "string", "enum": [carrier.value for carrier in Carrier]}
_REASON = {"enum": [*(reason.word for reason in CrlReason), None]}
_BASE64 = {"type": "string", "contentEncoding": "base64"}
_NOTHING = {"enum": [*(reason.value for reason in NothingRevoked), None]}
_POSITION = {"type": "integer", "minimum": 0}
_POSITIONS = {"type": "array", "items": _POSITION}
_SUBSTITUTION = members(
    item={"enum": [*people.TEXTS]},
    position=_POSITION,
    register=TEXT,
    certificate=TEXT,
    rule={"enum": [rule.value for rule in VariantRule]},
    title=TEXT,
    title_ja=TEXT,
    table=TEXT,
    confirmed=_FLAG,
)

PAIR = members(
    application={"type": "integer"},
    certificates={
        "type": "object",
        "properties": {kind.value: _BASE64 for kind in Kind},
        "additionalProperties": False,
    },
    substituted={"type": "object", "additionalProperties": _POSITIONS},
    substitutions=list_of(_SUBSTITUTION),
    repeated=_FLAG,
    pending=_FLAG,
)
DELIVERY = members(
    receipt=TEXT,
    application={"type": "integer"},
    outcome={"type": "string", "enum": [outcome.value for outcome in HandOver]},
    live=list_of(_KIND),
    revoked=list_of(_KIND),
    received_at=_MOMENT,
    committed_at=_MOMENT,
    repeated=_FLAG,
)
_MOMENT_OR_NONE = {"type": ["string", "null"], "format": "date-time"}
_BATCH: _Object = {
    "batch": {"type": "integer"},
    "idempotency_key": TEXT,
    "items": {"type": "integer"},
    "open": {"type": "integer"},
    "counts": members(**{state.value: {"type": "integer"} for state in ItemState}),
    "received_at": _MOMENT,
    "cancelled_at": _MOMENT_OR_NONE,
    "ended_at": _MOMENT_OR_NONE,
}
BATCH = members(**_BATCH)
TAKEN_BATCH = members(**_BATCH, repeated=_FLAG)
BATCHES = members(batches=list_of(BATCH), more=_FLAG)
BATCH_RESULTS = members(
    results=list_of(
        {
            "type": "object",
            "properties": {
                "line": {"type": "integer"},
                "idempotency_key": {"type": ["string", "null"]},
                "state": {"enum": [state.value for state in ItemState]},
                "application": {"type": "integer"},
                "certificates": PAIR["properties"]["certificates"],
                "substituted": PAIR["properties"]["substituted"],
                "refusal": members(
                    code={"enum": [code.value for code in Code]}, detail=TEXT, pointer={"type": ["string", "null"]}
                ),
            },
            "required": ["line", "idempotency_key", "state"],
            "additionalProperties": False,
        }
    ),
    more=_FLAG,
)
_CERTIFICATE_TEXT = members(
    text={"type": ["string", "null"]},
    substitutions=list_of(_SUBSTITUTION),
    to_confirm=_POSITIONS,
    to_choose=list_of(members(position=_POSITION, register=TEXT, choices=list_of(TEXT))),
)
CERTIFICATE_TEXTS = members(
    texts={
        "type": "object",
        "properties": dict.fromkeys(people.TEXTS, _CERTIFICATE_TEXT),
        "additionalProperties": False,
    },
    ready=_FLAG,
)
_EFFECTS = {
    "type": "array",
    "items": members(
        kind=_KIND,
        carrier=_CARRIER,
        effect={"enum": [word.value for word in EffectWord]},
        reason=_REASON,
        since={"anyOf": [_MOMENT, {"type": "null"}]},
    ),
}
RECEIPT = members(
    receipt=TEXT,
    cause=_CAUSE,
    revoked=list_of(_KIND),
    already=list_of(_KIND),
    received_at=_MOMENT,
    committed_at=_MOMENT,
    effects=_EFFECTS,
)
REVOCATION_PREVIEW = members(
    dry_run={"const": True}, cause=_CAUSE, revokes=list_of(_KIND), already=list_of(_KIND), effects=_EFFECTS
)
HOLD_RECEIPT = members(receipt=TEXT, received_at=_MOMENT, committed_at=_MOMENT, effects=_EFFECTS)
HOLD_PREVIEW = members(dry_run={"const": True}, effects=_EFFECTS)
_NUMBER = {"type": "string", "pattern": f"^{notices.SEQUENCE}$"}
NOTICE_RECEIPT = members(
    state={"const": NoticeState.APPLIED.value},
    receipt=TEXT,
    notice_id=TEXT,
    event=notices.NOTICE["properties"]["event"],
    revoked=list_of(_KIND),
    nothing=_NOTHING,
    changes=list_of(TEXT),
    effects=_EFFECTS,
    received_at=_MOMENT,
    committed_at=_MOMENT,
    repeated=_FLAG,
)
NOTICE_PREVIEW = members(
    dry_run={"const": True},
    state={"const": NoticeState.APPLIED.value},
    revokes=list_of(_KIND),
    nothing=_NOTHING,
    changes=list_of(TEXT),
    releases=list_of(TEXT),
    effects=_EFFECTS,
)
_WAIT: _Object = {
    "state": {"const": NoticeState.HELD.value},
    "notice_id": TEXT,
    "sequence": _NUMBER,
    "expected": _NUMBER,
    "received_at": _MOMENT,
}
NOTICE_WAIT = members(**_WAIT, repeated=_FLAG)
NOTICE_WAIT_PREVIEW = members(**_WAIT, dry_run={"const": True})
_OUTCOME: _Object = {
    "type": "object",
    "properties": {
        "line": {"type": "integer", "minimum": 1},
        "notice_id": {"type": ["string", "null"]},
        "state": {"enum": [*(state.value for state in NoticeState), "refused"]},
        "repeated": _FLAG,
        "revoked": list_of(_KIND),
        "effects": _EFFECTS,
        "expected": _NUMBER,
        "reason": {"enum": [code.value for code in Code]},
        "detail": TEXT,
        "released": list_of(TEXT),
    },
    "required": ["line", "notice_id", "state"],
    "additionalProperties": False,
}
NOTICE_OUTCOMES = members(dry_run=_FLAG, outcomes=list_of(_OUTCOME))
NOTICE_LIST = members(
    expected=_NUMBER,
    notices=list_of(
        members(
            notice_id=TEXT,
            sequence={"anyOf": [_NUMBER, {"type": "null"}]},
            state={"enum": [state.value for state in NoticeState]},
            received_at=_MOMENT,
            reason={"enum": [*(code.value for code in Code), None]},
            detail={"type": ["string", "null"]},
        )
    ),
    more=_FLAG,
)
CAUSE_RULE = members(
    cause=_CAUSE,
    title=TEXT,
    title_ja=TEXT,
    kinds=list_of(_KIND),
    choosable=_FLAG,
    carrier_choosable=_FLAG,
    effects=list_of(
        members(
            kind=_KIND,
            carrier=_CARRIER,
            effect={"enum": ["revoked", "held", "stays"]},
            reason=_REASON,
            source=TEXT,
            verified=_FLAG,
        )
    ),
    by=list_of({"enum": [role.value for role in Role]}),
    source=TEXT,
    verified=_FLAG,
)
MUNICIPALITY = members(
    code=people.MUNICIPALITY_CODE.schema,
    prefecture=TEXT,
    name=TEXT,
    prefecture_romanised=TEXT,
    name_romanised=TEXT,
)
