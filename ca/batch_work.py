"""The work on batches: items begun in turn, issued together, ended each for itself; after a kill it just goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from ca.authority import Authority
from ca.batches import Batching
from ca.issue import Group, issue_all
from ca.units import Part, run_parts
from domain.applications import IssuanceApplication, IssuedPair
from domain.batches import BatchItem, BatchRefusal, ItemState, sealed_name
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import LOCAL_OPERATOR, Party
from domain.ports import UnitOfWork

_log = logging.getLogger(__name__)

LEASE = timedelta(minutes=1)
"""How long a worker that died keeps its slot."""

_OUTAGES = {Code.BUSY, Code.STORE_UNAVAILABLE, Code.SIGNER_UNAVAILABLE}
_ERASED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker. `slot` is the place it has among the workers, `holder` names it and no other, ever. It takes up as
    many chunks, one after the other, before it looks round for anything else."""

    batching: Batching
    slot: int
    holder: str
    chunks: int = 8


@dataclass(frozen=True, slots=True)
class _Taken:
    """Items of this slot, who sent the batches they belong to, and whether they were begun before: by a worker that
    died, or beside an outage or a fault of ours."""

    items: Sequence[BatchItem] = ()
    callers: Mapping[int, Party | None] = field(default_factory=dict)
    begun_before: bool = False


def work_off(worker: Worker) -> int:
    """Take up items, issue what they ask for, and record how each ended; how many ended.

    What was begun in this slot and has not ended comes first. It is issued under its own idempotency key, so what was
    reserved or issued before is completed and found, never made again. Raises Refusal(BUSY) while another worker has
    the slot, and what keeps items from being worked on at all (SIGNER_UNAVAILABLE, STORE_UNAVAILABLE, BUSY): they stay
    begun, and are taken up again.
    """
    taken = _take_up(worker)
    if not taken.items:
        return 0
    if taken.begun_before:
        return _go_over(worker, taken)
    try:
        return _convey(worker, taken)
    except Refusal:
        raise
    except Exception as error:
        _log.error("a batch met a fault, and goes on one by one: %s", type(error).__name__)
    return work_off(worker)  # which finds them begun


def _go_over(worker: Worker, taken: _Taken) -> int:
    """Step by step, and alone what cannot be together with others."""
    batching = worker.batching
    asked = [_application(batching, item, taken.callers) for item in taken.items]
    outcomes = iter(_issue_together(batching.authority, _sound(asked)))
    ended, outage = _ended(taken.items, asked, outcomes)
    run_parts(batching.authority.begin, [_ending(batching.authority, ended)])
    if outage is not None:
        raise outage
    return len(ended)


def _convey(worker: Worker, taken: _Taken) -> int:
    """Chunk behind chunk, each a step behind the one before it, and one transaction for all steps of the moment: one
    chunk is recorded, the one before it ended, the next one reserved, and the next but one taken up. What takes long is
    done outside."""
    authority = worker.batching.authority
    chunks, count, outage = worker.chunks - 1, 0, None
    reserved: _Chunk | None = None
    done: list[BatchItem] = []
    while taken.items or reserved or done:
        more: list[_Taken | Refusal] = [_Taken()]
        parts = [_ending(authority, done)]
        if reserved:
            reserved.group.sign()
            parts.append(reserved.group.recording())
        drafted = _Chunk(worker.batching, taken) if taken.items else None
        if drafted:
            parts.append(drafted.group.reserving())
            if chunks > 0 and outage is None:
                chunks -= 1
                parts.append(Part([partial(_take_more, worker, authority.clock())], more.extend, lasting=False))
        run_parts(authority.begin, parts)
        count += len(done)
        done = []
        if reserved:
            done, met = reserved.ended()
            outage = outage or met
        if drafted:
            drafted.group.settle()
        reserved = drafted
        if isinstance(further := more[-1], Refusal):
            outage, taken = outage or further, _Taken()
        else:
            taken = further
    if outage is not None:
        raise outage
    return count


class _Chunk:
    """Items whose applications go through the steps together, but for those that are refused before."""

    def __init__(self, batching: Batching, taken: _Taken) -> None:
        self._items = taken.items
        self._asked = [_application(batching, item, taken.callers) for item in taken.items]
        self.group = Group(batching.authority, _sound(self._asked))

    def ended(self) -> tuple[list[BatchItem], Refusal | None]:
        return _ended(self._items, self._asked, iter(self.group.answers()))


def work_round(worker: Worker) -> int:
    """`work_off`; and when there is nothing, what was begun in slots whose workers died. Raises as `work_off` does."""
    if ended := work_off(worker):
        return ended
    with worker.batching.authority.begin(write=False) as work:
        slots = [slot for slot in work.batches.slots() if slot != worker.slot]
    return sum(_stand_in(replace(worker, slot=slot)) for slot in slots)


def _stand_in(worker: Worker) -> int:
    try:
        ended = work_off(worker)
    except Refusal as refusal:
        if refusal.code is Code.BUSY:
            return 0  # its worker lives
        raise
    leave(worker)
    return ended


def _take_up(worker: Worker) -> _Taken:
    authority, count, now = worker.batching.authority, worker.batching.policy.chunk, worker.batching.authority.clock()
    with authority.begin(write=False) as work:
        if not work.batches.waiting() and not work.batches.begun(worker.slot, 1):
            return _Taken()
    # Not on disk until something is reserved for it; before that, nothing is lost with it.
    with authority.begin(lasting=False) as work:
        _hold(worker, work, now)
        begun = work.batches.begun(worker.slot, count)
        items = begun or work.batches.begin(count, worker.slot)
        taken = _Taken(items, _callers(work, items), begun_before=bool(begun))
        work.commit()
    return taken


def _take_more(worker: Worker, now: datetime, work: UnitOfWork) -> _Taken | Refusal:
    try:
        _hold(worker, work, now)
    except Refusal as refusal:
        return refusal
    items = work.batches.begin(worker.batching.policy.chunk, worker.slot)
    return _Taken(items, _callers(work, items))


def _hold(worker: Worker, work: UnitOfWork, now: datetime) -> None:
    if not work.lists.lease(_lease_of(worker), worker.holder, now, now + LEASE):
        raise Refusal(Code.BUSY, f"another worker has slot {worker.slot}, or died in it a moment ago")


def _callers(work: UnitOfWork, items: Sequence[BatchItem]) -> dict[int, Party | None]:
    return {batch_id: _caller(work, batch_id) for batch_id in {item.batch_id for item in items}}


def _lease_of(worker: Worker) -> str:
    return f"batches-{worker.slot}"


def leave(worker: Worker) -> None:
    """Give the slot back."""
    with worker.batching.authority.begin() as work:
        work.lists.release(_lease_of(worker), worker.holder)
        work.commit()


def _caller(work: UnitOfWork, batch_id: int) -> Party | None:
    """As registered now: who was suspended meanwhile applies for nobody. None when there is no such party any more."""
    batch = work.batches.get(batch_id)
    if batch is None:
        return None
    role, _, name = batch.caller.partition(":")
    return LOCAL_OPERATOR if batch.caller == LOCAL_OPERATOR.label else work.parties.find(role, name)


def _application(
    batching: Batching, item: BatchItem, callers: Mapping[int, Party | None]
) -> IssuanceApplication | Refusal:
    caller = callers[item.batch_id]
    if caller is None:
        return Refusal(Code.NOT_ADMITTED, "who sent this batch is not registered any more")
    try:
        line = batching.authority.sealer.reveal(sealed_name(item), item.sealed or b"")
        return IssuanceApplication(caller=caller, **batching.read(line))
    except ValueError:
        return Refusal(
            Code.BAD_CONFIGURATION,
            "this application does not open any more: the key it was sealed under is missing; send it again",
        )
    except Refusal as refusal:
        return refusal


def _sound(asked: Sequence[IssuanceApplication | Refusal]) -> list[IssuanceApplication]:
    return [application for application in asked if not isinstance(application, Refusal)]


def _issue_together(
    authority: Authority, applications: Sequence[IssuanceApplication]
) -> Sequence[IssuedPair | Refusal]:
    """`issue_all`, and alone what cannot be together with others: a fault of ours in one must not stop them."""
    try:
        return issue_all(authority, applications)
    except Exception as error:
        if len(applications) > 1:
            return [outcome for one in applications for outcome in _issue_together(authority, [one])]
        _log.error("an application of a batch met a fault: %s", type(error).__name__)
        return [Refusal(Code.BAD_PLAN, "this application met a fault of the authority; tell its operators")]


def _ended(
    items: Sequence[BatchItem],
    asked: Sequence[IssuanceApplication | Refusal],
    outcomes: Iterator[IssuedPair | Refusal],
) -> tuple[list[BatchItem], Refusal | None]:
    """The items with what became of them, but for those that an outage keeps begun, and that outage."""
    ended, outage = [], None
    for item, application in zip(items, asked, strict=True):
        outcome = application if isinstance(application, Refusal) else next(outcomes)
        if not isinstance(outcome, Refusal):
            ended.append(replace(item, state=ItemState.ISSUED, application_id=outcome.application_id))
        elif outcome.code in _OUTAGES:
            outage = outcome
        else:
            why = BatchRefusal(outcome.code, outcome.detail, outcome.pointer)
            ended.append(replace(item, state=ItemState.REFUSED, refusal=why))
    return ended, outage


def _ending(authority: Authority, ended: Sequence[BatchItem]) -> Part:
    """If this is lost, the items are begun still, and their results are found again."""

    def end(work: UnitOfWork) -> None:
        work.batches.end(ended, authority.clock())

    def take(outcomes: Sequence[Refusal | None]) -> None:
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    return Part([end] if ended else [], take, lasting=False)


def erase_old(batching: Batching) -> int:
    """Erase batches whose retention is over, some of them; how many."""
    authority = batching.authority
    now = authority.clock()
    with authority.begin() as work:
        if erased := work.batches.erase(now - batching.policy.retention, _ERASED_AT_ONCE):
            work.audit.append(AuditEvent(Act.BATCHES_ERASED, "authority", now, {"batches": erased}))
            work.commit()
    return erased
