"""The register's notices against the audit trail, and against the turn that their sender's numbers give."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.events import Act, NoticeRecord, NoticeState
from domain.ports import UnitOfWork
from oversight.findings import Finding, fault, note, notice_name
from oversight.trail import Told, Trail

_ENDS = {
    NoticeState.APPLIED: Act.RESIDENT_CHANGED,
    NoticeState.HELD: Act.NOTICE_HELD,
    NoticeState.QUARANTINED: Act.NOTICE_QUARANTINED,
}


@dataclass(slots=True)
class _Queue:
    """What was seen of one sender's notices: how many numbers below its turn, and those that wait."""

    past: int = 0
    waiting: int = 0
    first: int | None = None
    since: datetime | None = None


def notice_findings(work: UnitOfWork, trail: Trail) -> Iterator[Finding]:
    """Notices whose story on the trail is another one, numbers that were skipped, and what waits."""
    turns = {sender: work.notices.expected(sender) for sender in work.notices.senders()}
    queues: dict[str, _Queue] = defaultdict(_Queue)
    for record in work.notices.all():
        name = notice_name(record.sender, record.notice_id)
        for text in told_faults(record, trail.take(name)):
            yield fault("notices", f"the {name} {text}")
        turn = turns.get(record.sender, 1)
        if (out_of_place := _place_fault(record, turn)) is not None:
            yield fault("notices", f"the {name} {out_of_place}")
        _count(queues[record.sender], record, turn)
    for sender, turn in turns.items():
        yield from _queue_findings(sender, turn, queues[sender])


def told_faults(record: NoticeRecord, told: Sequence[Told]) -> Iterator[str]:
    """Where the audit trail tells another story of a notice than its record does."""
    acts = [event.act for event in told]
    end = _ENDS[record.state]
    if acts not in ([end], [Act.NOTICE_HELD, end]) or acts == [Act.NOTICE_HELD, Act.NOTICE_HELD]:
        story = ", ".join(act.value for act in acts) or "nothing of it"
        yield f"is recorded as {record.state.value}, the audit trail tells {story}"
        return
    last = told[-1].facts
    if any(event.facts.get("sequence") != record.sequence for event in told):
        yield "has another number in the audit trail than in the database"
    if record.state is NoticeState.APPLIED and (last.get("resident"), last.get("event")) != (
        record.resident_id,
        record.type and record.type.value,
    ):
        yield "was applied to another record, or as another event, by the audit trail"
    if record.state is NoticeState.QUARANTINED and last.get("reason") != (record.reason and record.reason.value):
        yield "was put aside for another reason by the audit trail"
    if (record.sealed is not None) != (record.state is NoticeState.HELD):
        yield "is held without what it says, or keeps what it says without being held"


def _place_fault(record: NoticeRecord, turn: int) -> str | None:
    if record.sequence is None:
        return None
    if record.state is NoticeState.HELD and record.sequence < turn:
        return f"is held, and it is the turn of number {turn} already"
    if record.state is NoticeState.APPLIED and record.sequence >= turn:
        return f"was applied before its turn, which is that of number {turn}"
    return None


def _count(queue: _Queue, record: NoticeRecord, turn: int) -> None:
    if record.sequence is None:
        return
    queue.past += record.sequence < turn
    if record.state is NoticeState.HELD:
        queue.waiting += 1
        queue.first = min(queue.first or record.sequence, record.sequence)
        queue.since = min(queue.since or record.received_at, record.received_at)


def _queue_findings(sender: str, turn: int, queue: _Queue) -> Iterator[Finding]:
    if queue.past != turn - 1:
        yield fault("notices", f"of {sender} {turn - 1 - queue.past} numbers below {turn} were skipped")
    if queue.since is None:
        return
    since = f"{queue.since:%Y-%m-%dT%H:%M:%SZ}"
    if queue.first == turn:
        yield note("notices", f"notices of {sender} go on with its next one: {queue.waiting}, the oldest of {since}")
    else:
        yield note("notices", f"notices of {sender} that wait for number {turn}: {queue.waiting}, since {since}")
