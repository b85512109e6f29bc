"""Batches of applications: taken whole or not at all, watched, cancelled, and their results read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ca.authority import Authority
from ca.completion import issued_by
from ca.entitlement import require_municipality
from ca.substitutes import positions_in
from domain.applications import IssuanceApplication
from domain.batches import Batch, BatchItem, BatchRefusal, ItemState, sealed_name
from domain.certificates import Carrier, Kind
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Party, Role
from domain.people import ResidentCode
from domain.ports import UnitOfWork
from policies.batches import BatchPolicy

LONGEST_LINE = 16 * 1024
"""Octets; two PKCS#10 requests in base64 and a record take less than half."""
PAGE = 100
"""Results given at once: pairs of certificates, 5 KiB each."""


@dataclass(frozen=True, slots=True)
class Batching:
    """What batches work with. `read` gives the fields of an `IssuanceApplication`, but for the caller, in a line (JSON)
    or raises Refusal."""

    authority: Authority
    policy: BatchPolicy
    read: Callable[[bytes], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Progress:
    """A batch, how many of its items are in each state, and whether it was taken before."""

    batch: Batch
    counts: Mapping[ItemState, int]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an item: of one that was issued, its certificates (DER) and where substitutes stand in them."""

    item: BatchItem
    certificates: Mapping[Kind, bytes] = field(repr=False)
    substituted: Mapping[str, tuple[int, ...]]


def take_batch(batching: Batching, caller: Party, key: str, octets: bytes) -> Progress:
    """Take a file of applications (JSON Lines). Taken again under its key, it is the same batch.

    A bad line is refused by itself, at once or by a worker later, and stops no other. The whole file is refused, and
    nothing of it is kept: Refusal(MALFORMED) when it is empty or was cut off, Refusal(TOO_LARGE) for too many lines,
    Refusal(QUEUE_FULL) when too much waits for a municipality already, Refusal(NOT_ADMITTED),
    Refusal(IDEMPOTENCY_MISMATCH) when the key belongs to another file.
    """
    authority = batching.authority
    now = authority.clock()
    if caller.role not in (Role.MUNICIPALITY, Role.OPERATOR) or not caller.in_force(now):
        raise Refusal(Code.NOT_ADMITTED, "batches are sent by municipalities that are registered and in force")
    if earlier := _earlier(authority, caller, key, octets):
        return earlier
    judged = _Lines(batching, caller, now).judge(_lines(octets, batching.policy.longest))
    try:
        with authority.begin() as work:
            _require_room(work, judged, batching.policy.queue)
            content = authority.sealer.digest(octets)
            batch_id = work.batches.open(caller.label, key, content, len(judged), now)
            work.batches.put([_sealed(authority, replace(item, batch_id=batch_id)) for item in judged], now)
            refused = sum(item.state.ended for item in judged)
            facts = {"batch": batch_id, "items": len(judged), "refused": refused}
            work.audit.append(AuditEvent(Act.BATCH_TAKEN, caller.label, now, facts))
            work.commit()
    except Refusal as refusal:
        if refusal.code is Code.QUEUE_FULL or not (earlier := _earlier(authority, caller, key, octets)):
            raise
        return earlier
    return progress_of(batching, caller, batch_id)


def _earlier(authority: Authority, caller: Party, key: str, octets: bytes) -> Progress | None:
    with authority.begin(write=False) as work:
        batch = work.batches.find(caller.label, key)
        if batch is None:
            return None
        if not authority.sealer.says(octets, batch.content):
            raise Refusal(
                Code.IDEMPOTENCY_MISMATCH,
                "this idempotency key belongs to an earlier batch with other content; use a new key",
            )
        return Progress(batch, work.batches.counts(batch.id), repeated=True)


def _lines(octets: bytes, longest: int) -> Iterator[tuple[int, bytes]]:
    """The lines that hold something, by number."""
    *lines, rest = octets.split(b"\n")
    if rest.strip():
        raise Refusal(
            Code.MALFORMED,
            "the last line does not end with a line feed: the file was cut off, and nothing of it was taken; send it "
            "whole",
        )
    held = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not held:
        raise Refusal(Code.MALFORMED, "there is no application in the file; want one in each line, as JSON")
    if len(held) > longest:
        raise Refusal(Code.TOO_LARGE, f"a batch has at most {longest} lines; send the others as another batch")
    return iter(held)


class _Lines:
    """Judges the lines of a file one after the other, as far as can be without records and keys."""

    def __init__(self, batching: Batching, caller: Party, now: datetime) -> None:
        self._batching, self._caller, self._now = batching, caller, now
        self._keys: dict[str, int] = {}
        self._residents: dict[tuple[ResidentCode, Carrier], int] = {}

    def judge(self, lines: Iterator[tuple[int, bytes]]) -> list[BatchItem]:
        return [self._judge(number, line) for number, line in lines]

    def _judge(self, number: int, line: bytes) -> BatchItem:
        key = None
        try:
            _require_short(line)
            asked = IssuanceApplication(caller=self._caller, **self._batching.read(line))
            key = asked.key
            require_municipality(self._caller, asked.municipality, self._now)
            self._require_first(number, asked)
        except Refusal as refusal:
            why = BatchRefusal(refusal.code, refusal.detail, refusal.pointer)
            return BatchItem(0, number, key, ItemState.REFUSED, refusal=why)
        return BatchItem(0, number, key, ItemState.WAITING, asked.municipality, line)

    def _require_first(self, number: int, asked: IssuanceApplication) -> None:
        resident = asked.resident_code, asked.carrier
        if asked.key in self._keys:
            raise _twice("idempotency key", self._keys[asked.key], "/idempotency_key")
        if resident in self._residents:
            raise _twice("resident", self._residents[resident], "/resident_code")
        self._keys[asked.key] = self._residents[resident] = number


def _require_short(line: bytes) -> None:
    if len(line) > LONGEST_LINE:
        raise Refusal(Code.TOO_LARGE, f"a line has at most {LONGEST_LINE} octets")


def _twice(what: str, line: int, pointer: str) -> Refusal:
    return Refusal(Code.MALFORMED, f"the same {what} stands in line {line} already, which counts", pointer=pointer)


def _require_room(work: UnitOfWork, items: list[BatchItem], most: int) -> None:
    waiting = work.batches.waiting()
    joining = Counter(item.municipality for item in items if item.municipality)
    for municipality, more in joining.items():
        there = waiting.get(municipality, 0)
        if there + more > most:
            raise Refusal(
                Code.QUEUE_FULL,
                f"{there} applications wait for this municipality, and at most {most} may; nothing was taken, send the "
                "batch again later",
                facts={"waiting": there, "most": most},
            )


def _sealed(authority: Authority, item: BatchItem) -> BatchItem:
    return replace(item, sealed=authority.sealer.conceal(item.sealed, sealed_name(item))) if item.sealed else item


def progress_of(batching: Batching, caller: Party, batch_id: int) -> Progress:
    """Raises Refusal(NOT_FOUND) for a batch that is not there, or another's; operators see all."""
    with batching.authority.begin(write=False) as work:
        return Progress(_require_batch(work, caller, batch_id), work.batches.counts(batch_id))


def _require_batch(work: UnitOfWork, caller: Party, batch_id: int) -> Batch:
    batch = work.batches.get(batch_id)
    if batch is None or (caller.role is not Role.OPERATOR and batch.caller != caller.label):
        raise Refusal(Code.NOT_FOUND, "you have no batch of this number; its results may have been erased by now")
    return batch


def list_batches(batching: Batching, caller: Party, before: int | None = None) -> list[Progress]:
    """The caller's newest batches, those of everybody for an operator; at most `PAGE`, with ids below `before`."""
    label = None if caller.role is Role.OPERATOR else caller.label
    with batching.authority.begin(write=False) as work:
        found = work.batches.all(label, before, PAGE)
        return [Progress(batch, work.batches.counts(batch.id)) for batch in found]


def results_of(batching: Batching, caller: Party, batch_id: int, after: int = 0) -> list[Result]:
    """What became of its items with lines above `after`; at most `PAGE`. Raises Refusal(NOT_FOUND)."""
    with batching.authority.begin(write=False) as work:
        _require_batch(work, caller, batch_id)
        return [_result(work, item) for item in work.batches.items(batch_id, after, PAGE)]


def _result(work: UnitOfWork, item: BatchItem) -> Result:
    certificates = issued_by(work, item.application_id) if item.application_id else {}
    return Result(item, certificates, positions_in(certificates))


def cancel_batch(batching: Batching, caller: Party, batch_id: int) -> Progress:
    """Cancel what waits; what was begun is finished. Raises Refusal(NOT_FOUND)."""
    authority = batching.authority
    now = authority.clock()
    with authority.begin() as work:
        batch = _require_batch(work, caller, batch_id)
        if batch.ended_at is None and batch.cancelled_at is None:
            facts = {"batch": batch_id, "items": work.batches.cancel(batch_id, now)}
            work.audit.append(AuditEvent(Act.BATCH_CANCELLED, caller.label, now, facts))
            work.commit()
    return progress_of(batching, caller, batch_id)
