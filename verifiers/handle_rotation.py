"""Rotation of the key of handles: a new generation is put beside the old, comes into use, and the old is retired.

Handles of every generation that was in use and is not retired are understood, so a verifier changes its own over at
its own time. Each step is a transaction; what is interrupted goes on from what it left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.code_keys import LAST
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.handles import HandleKeyRecord, Subscription
from domain.parties import Party
from domain.ports import Begin, Clock, UnitOfWork
from verifiers.handle_office import keys_in
from verifiers.handles import HandleKeys, HandleRing

BATCH = 500
"""Subscriptions that are moved in one transaction: others write between two of them."""

CHANGE_OVER = timedelta(days=90)
"""So long verifiers have for translating handles of the generation before, unless it is cut off."""


@dataclass(frozen=True, slots=True)
class HandleRotation:
    """What a rotation needs. `actor` is whoever orders it."""

    begin: Begin
    clock: Clock
    ring: HandleRing
    actor: Party


def newest(work: UnitOfWork) -> tuple[int, bool]:
    """The newest generation on record, 0 without any, and whether it waits to come into use."""
    records = work.handles.generations()
    return (records[-1].generation, records[-1].current_since is None) if records else (0, False)


def add_key(rotation: HandleRotation) -> tuple[int, bool]:
    """Put the next generation, whose key must be at hand, on record; its number, and whether it is the first one, which
    is in use at once. Repeated before another comes into use it gives the same number.

    Raises Refusal(BAD_CONFIGURATION) without the key, Refusal(ALREADY_APPLIED) while an older rotation is unfinished.
    """
    with rotation.begin() as work:
        found = put_next_key(rotation, work)
        work.commit()
    return found


def put_next_key(rotation: HandleRotation, work: UnitOfWork) -> tuple[int, bool]:
    """The same within the caller's unit of work, for an authority that is founded: it has its key or is not there."""
    generation, waiting = newest(work)
    if waiting:
        return generation, False
    if len(keys_in(work, rotation.ring).readable) > 1:
        raise Refusal(Code.ALREADY_APPLIED, "a rotation is under way; finish that one first")
    if generation == LAST:
        raise Refusal(Code.BAD_CONFIGURATION, f"there are no more than {LAST} generations")
    generation, at = generation + 1, rotation.clock()
    first = generation == 1
    check = rotation.ring.check(generation)
    work.handles.put_key(HandleKeyRecord(generation, check, at, at if first else None))
    if first:
        work.handles.keep_position(work.handles.last_change())
    _tell(rotation, work, Act.HANDLE_KEY_ADDED, generation=generation, check=check.hex(), current=first)
    return generation, first


def switch_key(rotation: HandleRotation) -> int | None:
    """Have handles be made with the newest generation from this commit on; None when that is so already.

    Whoever gives out handles reads the records each time. Raises Refusal(BAD_CONFIGURATION) without the key.
    """
    with rotation.begin() as work:
        generation, waiting = newest(work)
        if not waiting:
            return None
        record = work.handles.generations()[-1]
        rotation.ring.key(record)
        work.handles.put_key(replace(record, current_since=rotation.clock()))
        _tell(rotation, work, Act.HANDLE_KEY_CURRENT, generation=generation)
        work.commit()
    return generation


def move_subscriptions(rotation: HandleRotation, batch: int = BATCH) -> Iterator[int]:
    """Have every subscription be found by the current generation, some in a transaction; how many, each time."""
    while True:
        with rotation.begin() as work:
            keys = keys_in(work, rotation.ring)
            older = work.handles.older(keys.current, batch)
            if not older:
                return
            work.handles.move([(one, _moved(keys, one)) for one in older])
            work.commit()
        yield len(older)


def retire_keys(rotation: HandleRotation, *, cut_off: bool = False) -> tuple[int, ...]:
    """Have handles of all generations but the current one mean nothing any more; which these are.

    Raises Refusal(ALREADY_APPLIED) while subscriptions are found by an older one, and, unless it is a `cut_off`, while
    verifiers have time for changing over.
    """
    with rotation.begin() as work:
        keys, now = keys_in(work, rotation.ring), rotation.clock()
        records = {record.generation: record for record in work.handles.generations()}
        older = [generation for generation in keys.readable if generation != keys.current]
        if not older:
            return ()
        if work.handles.older(keys.current, 1):
            raise Refusal(Code.ALREADY_APPLIED, "subscriptions wait to be moved; run: jpki handles rotate")
        until = (records[keys.current].current_since or now) + CHANGE_OVER
        if now < until and not cut_off:
            raise Refusal(
                Code.ALREADY_APPLIED, f"verifiers may change over until {until:%Y-%m-%d}; finish after that day"
            )
        for generation in older:
            work.handles.put_key(replace(records[generation], retired_at=now))
        _tell(rotation, work, Act.HANDLE_KEY_RETIRED, generations=older, cut_off=now < until)
        work.commit()
    return tuple(older)


def _moved(keys: HandleKeys, one: Subscription) -> Subscription:
    line = keys.read(one.handle, one.recipient)
    current = keys.current
    return replace(
        one,
        topic=keys.key(current).topic(line),
        handle=keys.make(line, one.recipient),
        generation=current,
    )


def _tell(rotation: HandleRotation, work: UnitOfWork, act: Act, **facts: object) -> None:
    moment: datetime = rotation.clock()
    work.audit.append(AuditEvent(act, rotation.actor.label, moment, facts))
