"""Intake of register notices: each is applied once, in its sender's order, in one transaction with what it revokes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import cast

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import Party
from domain.ports import UnitOfWork
from domain.revocation import CertificateEffect
from residents.ahead import Ahead
from residents.feed import Notice
from residents.judgement import require_sender
from residents.parts import Intake
from residents.queue import BATCH, OUTAGES, Taken, go_on, receive
from residents.receipts import HeldNotice, NothingRevoked, NoticeReceipt, QuarantinedNotice


@dataclass(frozen=True, slots=True)
class Effect:
    """What a notice would do: which certificates it revokes or why none, which fields of the record change, which
    held notices it lets go on, by their ids, and what becomes of each live certificate."""

    revokes: tuple[Kind, ...]
    nothing: NothingRevoked | None
    changes: tuple[str, ...]
    releases: tuple[str, ...] = ()
    effects: tuple[CertificateEffect, ...] = ()


Outcome = tuple[int, Notice, Taken | Refusal]
"""The number of a notice in its file, the notice, and what became of it."""


def apply_event(intake: Intake, notice: Notice, actor: Party) -> NoticeReceipt | HeldNotice:
    """Apply the notice when it is its turn, with held ones behind it, or hold it: all or nothing.

    An exact repeat (sender, notice id, number, content) gets the same answer and has no effect. Raises Refusal:
    - NOT_ADMITTED: this actor may not send notices of this sender;
    - IDEMPOTENCY_MISMATCH: the notice id or the number was used for another notice;
    - OUT_OF_ORDER, without `facts["state"]`: the notice is WINDOW or more ahead of its turn;
    - with `facts["state"]` "quarantined", what `read_notice` and `decide` raise: the notice is put aside for good.
    """
    taken = take(intake, notice, actor)
    if isinstance(taken.answer, QuarantinedNotice):
        raise taken.answer.refusal()
    return taken.answer


def preview_event(intake: Intake, notice: Notice, actor: Party) -> Effect | HeldNotice:
    """What `apply_event` would do now: it is done, and undone. Raises the same refusals, and ALREADY_APPLIED for a
    notice that was received before."""
    ((_, _, taken),) = rehearse(intake, [(1, notice)], actor)
    if isinstance(taken, Refusal):
        raise taken
    answer = taken.answer
    if answer.repeated:
        raise Refusal(Code.ALREADY_APPLIED, "this notice was received before; nothing would be done")
    if isinstance(answer, QuarantinedNotice):
        raise answer.refusal()
    if isinstance(answer, HeldNotice):
        return answer
    released = tuple(other.notice_id for other in taken.released)
    return Effect(answer.revoked, answer.nothing, answer.changes, released, answer.effects)


def apply_all(intake: Intake, notices: Iterable[tuple[int, Notice]], actor: Party) -> Iterator[Outcome]:
    """Take the notices as they come, BATCH in one transaction. A refusal stops no other; an outage is raised: the next
    would fare no better. Nothing is told of a notice before it is committed."""
    rest = iter(notices)
    while batch := list(islice(rest, BATCH)):
        yield from _take_together(intake, batch, actor)


def _take_together(intake: Intake, batch: list[tuple[int, Notice]], actor: Party) -> Iterator[Outcome]:
    """Where all cannot be taken together, each is taken alone, so that what fails spoils no other; those that were
    committed after all are answered as repeats."""
    try:
        with intake.begin() as work:
            ahead = Ahead(work)
            ahead.read(intake.sealer, (notice for _, notice in batch))
            outcomes = list(_each(batch, lambda notice: _attempt(intake, cast(UnitOfWork, ahead), notice, actor)))
            ahead.settle()
            work.commit()
    except Refusal:
        yield from _each(batch, lambda notice: take(intake, notice, actor))
        return
    for number, notice, taken in outcomes:
        yield number, notice, taken if isinstance(taken, Refusal) else _go_further(intake, notice.sender, taken)


def rehearse(intake: Intake, notices: Iterable[tuple[int, Notice]], actor: Party) -> Iterator[Outcome]:
    """What `apply_all` would do: it is done, one notice after the other, and undone. Other writers wait meanwhile."""
    with intake.begin() as work:
        yield from _each(notices, lambda notice: _attempt(intake, work, notice, actor))


def _attempt(intake: Intake, work: UnitOfWork, notice: Notice, actor: Party) -> Taken:
    received_at = intake.clock()
    require_sender(actor, notice.sender, received_at)
    return receive(intake, work, notice, actor, received_at)


def _each(notices: Iterable[tuple[int, Notice]], attempt: Callable[[Notice], Taken]) -> Iterator[Outcome]:
    for number, notice in notices:
        try:
            yield number, notice, attempt(notice)
        except Refusal as refusal:
            if refusal.code in OUTAGES:
                raise
            yield number, notice, refusal


def take(intake: Intake, notice: Notice, actor: Party) -> Taken:
    """The same as `apply_event`, with what became of others; a quarantined notice is an answer here."""
    received_at = intake.clock()
    require_sender(actor, notice.sender, received_at)
    with intake.begin() as work:
        taken = receive(intake, work, notice, actor, received_at)
        work.commit()
    return _go_further(intake, notice.sender, taken)


def _go_further(intake: Intake, sender: str, taken: Taken) -> Taken:
    """The same with held notices behind it that did not fit into its transaction."""
    # What fails here goes on with the sender's next notice. This one is done, and its sender is to hear so.
    with suppress(Refusal):
        while taken.more:
            with intake.begin() as work:
                answers, more = go_on(intake, work, sender, intake.clock())
                work.commit()
            taken = replace(taken, released=(*taken.released, *answers), more=more)
    return taken
