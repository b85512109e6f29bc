"""The doors for batches (一括発行): send a file of applications, watch it, cancel it, fetch what became of it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from ca.batches import PAGE, Progress, Result
from domain.batches import ItemState
from domain.errors import Code, Refusal
from domain.parties import Party, Role
from web.answers import idempotency_key, json_answer
from web.bodies import read_json, receive
from web.callers import Callers
from web.issuance import read_application
from web.shapes import text

PATH = "/v1/batches"
ROLES = (Role.MUNICIPALITY, Role.OPERATOR)
MEDIA_TYPE = "application/jsonl"
FILE_LIMIT = 64 * 1024 * 1024
"""Octets of a file: ten thousand applications take less."""

KEY = text(str, 8, 100, "[!-~]+", "8 to 100 visible ASCII characters")


def read_line(octets: bytes) -> dict[str, Any]:
    """The fields of an `IssuanceApplication`, but for the caller, in a line of a batch. Raises Refusal(MALFORMED)."""
    document = read_json(octets)
    if not isinstance(document, dict):
        raise Refusal(Code.MALFORMED, "must be an object")
    key = KEY.read(document.pop("idempotency_key", None), "/idempotency_key")
    return {"key": key, **read_application(document)}


@dataclass(frozen=True, slots=True)
class BatchParts:
    """What the doors need: the acts, each bound to what it works with."""

    take: Callable[[Party, str, bytes], Progress]
    progress: Callable[[Party, int], Progress]
    listed: Callable[[Party, int | None], Sequence[Progress]]
    results: Callable[[Party, int, int], Sequence[Result]]
    cancel: Callable[[Party, int], Progress]


def batches_blueprint(parts: BatchParts, callers: Callers) -> Blueprint:
    """POST a file: 202 when it was taken, 200 when it was taken before. GET how far it is, and its results."""
    door = Blueprint("batches", __name__)

    @door.post(PATH)
    def post_batch() -> Response:
        caller = callers.party(*ROLES)
        if request.mimetype != MEDIA_TYPE:
            raise Refusal(Code.WRONG_TYPE, f"send the file as Content-Type: {MEDIA_TYPE}")
        taken = parts.take(caller, idempotency_key(), receive(FILE_LIMIT))
        return json_answer({**progress_json(taken), "repeated": taken.repeated}, 200 if taken.repeated else 202)

    @door.get(PATH)
    def get_batches() -> Response:
        caller = callers.party(*ROLES)
        found = parts.listed(caller, _number("before") or None)
        return json_answer({"batches": [progress_json(one) for one in found], "more": len(found) == PAGE})

    @door.get(f"{PATH}/<int:batch>")
    def get_batch(batch: int) -> Response:
        return json_answer(progress_json(parts.progress(callers.party(*ROLES), batch)))

    @door.post(f"{PATH}/<int:batch>/cancellation")
    def post_cancellation(batch: int) -> Response:
        return json_answer(progress_json(parts.cancel(callers.party(*ROLES), batch)))

    @door.get(f"{PATH}/<int:batch>/results")
    def get_results(batch: int) -> Response:
        found = parts.results(callers.party(*ROLES), batch, _number("after"))
        return json_answer({"results": [result_json(one) for one in found], "more": len(found) == PAGE})

    return door


def _number(name: str) -> int:
    """The only query parameter, a number; 0 when absent."""
    values = request.args.getlist(name)
    if set(request.args) - {name} or len(values) > 1 or not all(v.isascii() and v.isdigit() for v in values):
        raise Refusal(Code.MALFORMED, f"the only query parameter here is {name}, a number", pointer=name)
    if values and len(values[0]) > 18:
        raise Refusal(Code.MALFORMED, f"{name} has at most 18 digits", pointer=name)
    return int(values[0]) if values else 0


def progress_json(progress: Progress) -> dict[str, object]:
    """How far a batch is."""
    batch, counts = progress.batch, progress.counts
    return {
        "batch": batch.id,
        "idempotency_key": batch.key,
        "items": batch.items,
        "open": batch.open,
        "counts": {state.value: counts.get(state, 0) for state in ItemState},
        "received_at": batch.received_at.isoformat(),
        "cancelled_at": batch.cancelled_at.isoformat() if batch.cancelled_at else None,
        "ended_at": batch.ended_at.isoformat() if batch.ended_at else None,
    }


def result_json(result: Result) -> dict[str, object]:
    """What became of one line."""
    item = result.item
    row: dict[str, object] = {"line": item.line, "idempotency_key": item.key, "state": item.state.value}
    if item.state is ItemState.ISSUED:
        row["application"] = item.application_id
        row["certificates"] = {kind.value: base64.b64encode(der).decode() for kind, der in result.certificates.items()}
        row["substituted"] = {name: list(positions) for name, positions in result.substituted.items()}
    if item.refusal:
        refusal = item.refusal
        row["refusal"] = {"code": refusal.code.value, "detail": refusal.detail, "pointer": refusal.pointer}
    return row
