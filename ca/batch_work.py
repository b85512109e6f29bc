"""The work on batches: items begun in turn, issued together, ended each for itself; after a kill it just goes on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ca.authority import Authority
from ca.batches import Batching
from ca.issue import issue_all
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
    """One worker. `slot` is the place it has among the workers, `holder` names it and no other, ever."""

    batching: Batching
    slot: int
    holder: str


def work_off(worker: Worker) -> int:
    """Take up some items, issue what they ask for, and record how each ended; how many ended.

    What was begun in this slot and has not ended comes first: whoever had the slot before died. It is issued under its
    own idempotency key, so what was reserved or issued before is completed and found, never made again. Raises
    Refusal(BUSY) while another worker has the slot, and what keeps items from being worked on at all
    (SIGNER_UNAVAILABLE, STORE_UNAVAILABLE, BUSY): they stay begun, and are taken up again.
    """
    batching = worker.batching
    authority = batching.authority
    items, callers = _take_up(worker, authority.clock())
    if not items:
        return 0
    ended, outage = [], None
    for item, outcome in zip(items, _issue(batching, items, callers), strict=True):
        if isinstance(outcome, Refusal) and outcome.code in _OUTAGES:
            outage = outcome
        else:
            ended.append(_ended(item, outcome))
    # If this is lost, the items are begun still, and their results are found again.
    with authority.begin(lasting=False) as work:
        work.batches.end(ended, authority.clock())
        work.commit()
    if outage is not None:
        raise outage
    return len(ended)


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


def _take_up(worker: Worker, now: datetime) -> tuple[Sequence[BatchItem], dict[int, Party | None]]:
    """Items of this slot, and who sent the batches they belong to."""
    count = worker.batching.policy.chunk
    with worker.batching.authority.begin(write=False) as work:
        if not work.batches.waiting() and not work.batches.begun(worker.slot, 1):
            return [], {}
    # Not on disk until something is reserved for it; before that, nothing is lost with it.
    with worker.batching.authority.begin(lasting=False) as work:
        if not work.lists.lease(_lease_of(worker), worker.holder, now, now + LEASE):
            raise Refusal(Code.BUSY, f"another worker has slot {worker.slot}, or died in it a moment ago")
        items = work.batches.begun(worker.slot, count) or work.batches.begin(count, worker.slot)
        callers = {batch_id: _caller(work, batch_id) for batch_id in {item.batch_id for item in items}}
        work.commit()
    return items, callers


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


def _issue(
    batching: Batching, items: Sequence[BatchItem], callers: dict[int, Party | None]
) -> Sequence[IssuedPair | Refusal]:
    asked = [_application(batching, item, callers[item.batch_id]) for item in items]
    sound = [application for application in asked if not isinstance(application, Refusal)]
    outcomes = iter(_issue_together(batching.authority, sound))
    return [application if isinstance(application, Refusal) else next(outcomes) for application in asked]


def _application(batching: Batching, item: BatchItem, caller: Party | None) -> IssuanceApplication | Refusal:
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


def _ended(item: BatchItem, outcome: IssuedPair | Refusal) -> BatchItem:
    if isinstance(outcome, Refusal):
        why = BatchRefusal(outcome.code, outcome.detail, outcome.pointer)
        return replace(item, state=ItemState.REFUSED, refusal=why)
    return replace(item, state=ItemState.ISSUED, application_id=outcome.application_id)


def erase_old(batching: Batching) -> int:
    """Erase batches whose retention is over, some of them; how many."""
    authority = batching.authority
    now = authority.clock()
    with authority.begin() as work:
        if erased := work.batches.erase(now - batching.policy.retention, _ERASED_AT_ONCE):
            work.audit.append(AuditEvent(Act.BATCHES_ERASED, "authority", now, {"batches": erased}))
            work.commit()
    return erased
