"""Rotation of the key of handles: a new generation is put beside the old, comes into use, and the old is retired.

Handles of every generation that was in use and is not retired are understood, so a verifier changes its own over at
its own time. Each step is a transaction; what is interrupted goes on from what it left. To put a new key on record
changes nothing for anybody; that it comes into use, and that older ones end, two officers decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from domain.code_keys import LAST
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.handles import HandleKeyRecord, Subscription
from domain.parties import Party
from domain.ports import Begin, Clock, UnitOfWork
from domain.proposals import JointAct, Proposal
from verifiers.handle_office import keys_in
from verifiers.handles import HandleKeys, HandleRing
from verifiers.officers import decider

BATCH = 500
"""Subscriptions that are moved in one transaction: others write between two of them."""

SWITCH, RETIREMENT = "handle-key-switch", "handle-key-retirement"

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


def handle_acts(ring: Callable[[], HandleRing]) -> tuple[JointAct, ...]:
    """What takes two: that handles are made with another key from then on, and that older keys mean nothing more."""
    return (
        JointAct(SWITCH, "Make handles with another key", "仮名の鍵の切替え", partial(_check_switch, ring), _switch),
        JointAct(
            RETIREMENT,
            "The end of older keys of handles",
            "旧い仮名の鍵の廃止",
            partial(_check_retirement, ring),
            partial(_retire, ring),
        ),
    )


def switch_content(work: UnitOfWork) -> dict[str, object]:
    """What officers look at: the generation that waits, and what tells its key from others. Raises
    Refusal(ALREADY_APPLIED) when none waits."""
    generation, waiting = newest(work)
    if not waiting:
        raise Refusal(Code.ALREADY_APPLIED, "no key of handles waits; make one by: jpki handles add-key")
    return {"generation": generation, "check": work.handles.generations()[-1].check.hex()}


def retirement_content(work: UnitOfWork, ring: HandleRing, now: datetime, *, cut_off: bool) -> dict[str, object]:
    """What officers look at: the generations that would end.

    Raises Refusal(ALREADY_APPLIED) without any, while subscriptions are found by one of them, and, unless it is a
    `cut_off`, while verifiers have time for changing over.
    """
    keys = keys_in(work, ring)
    older = [generation for generation in keys.readable if generation != keys.current]
    if not older:
        raise Refusal(Code.ALREADY_APPLIED, "there is no older key of handles to retire")
    if work.handles.older(keys.current, 1):
        raise Refusal(Code.ALREADY_APPLIED, "subscriptions wait to be moved; run: jpki handles rotate")
    if now < (until := _change_over(work, keys)) and not cut_off:
        raise Refusal(
            Code.ALREADY_APPLIED, f"verifiers may change over until {until:%Y-%m-%d}; retire the old key after that day"
        )
    return {"generations": older, "cut_off": cut_off}


def _change_over(work: UnitOfWork, keys: HandleKeys) -> datetime:
    (current,) = [row for row in work.handles.generations() if row.generation == keys.current]
    return (current.current_since or current.added_at) + CHANGE_OVER


def _check_switch(ring: Callable[[], HandleRing], work: UnitOfWork, said: Mapping[str, object], _now: datetime) -> None:
    if dict(said) != switch_content(work):
        raise _changed()
    ring().key(work.handles.generations()[-1])


def _switch(work: UnitOfWork, proposal: Proposal, now: datetime) -> Mapping[str, object]:
    """Whoever gives out handles reads the records each time."""
    record = work.handles.generations()[-1]
    work.handles.put_key(replace(record, current_since=now))
    facts = {"generation": record.generation, "proposal": proposal.id}
    work.audit.append(AuditEvent(Act.HANDLE_KEY_CURRENT, decider(proposal).label, now, facts))
    return {"generation": record.generation}


def _check_retirement(
    ring: Callable[[], HandleRing], work: UnitOfWork, said: Mapping[str, object], now: datetime
) -> None:
    if dict(said) != retirement_content(work, ring(), now, cut_off=said.get("cut_off") is True):
        raise _changed()


def _retire(
    ring: Callable[[], HandleRing], work: UnitOfWork, proposal: Proposal, now: datetime
) -> Mapping[str, object]:
    keys = keys_in(work, ring())
    records = {record.generation: record for record in work.handles.generations()}
    older = [generation for generation in keys.readable if generation != keys.current]
    early = now < _change_over(work, keys)
    for generation in older:
        work.handles.put_key(replace(records[generation], retired_at=now))
    facts = {"generations": older, "cut_off": early, "proposal": proposal.id}
    work.audit.append(AuditEvent(Act.HANDLE_KEY_RETIRED, decider(proposal).label, now, facts))
    return {"generations": older}


def _changed() -> Refusal:
    return Refusal(Code.IDEMPOTENCY_MISMATCH, "the keys of handles are not as proposed; propose it anew")


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
