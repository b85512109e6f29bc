"""Previews: every step of an order gone through without doing anything, counted, and kept to be confirmed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import BinaryIO

from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.mass import CertificateOrder, MassEvent, MassOrder, MassRow, MassState, RegisterOrder, Stretch
from domain.parties import Party, Role
from domain.people import ResidentState
from domain.ports import UnitOfWork
from mass.certificates import gather_certificates, refine, scan
from mass.counts import Counts
from mass.ending import cancel_old
from mass.lists import read_list
from mass.orders import order_to_json
from mass.parts import MassParts, require_operator
from mass.register import EVENTS, gather_records
from policies.validity import day_in_japan
from residents import fields
from residents.rows import Format

MOST = 500
"""Certificates or residents that one step changes, give or take chance: other writers wait for one step at most."""

_PAGE = 20_000
_KEPT_TOGETHER = 5_000
ID_OCTETS = 8

Progress = Callable[[int, int], object]
"""Hears how many steps are done, and of how many."""

ListFile = tuple[BinaryIO, Format]


def preview(
    parts: MassParts,
    order: MassOrder,
    actor: Party,
    file: ListFile | None = None,
    on_progress: Progress = lambda *_: None,
) -> MassEvent:
    """What the order would do now, as an event that can be confirmed with `mass.run.token_of`. Nothing else changes.

    Reads in short transactions, so that others go on; what changes meanwhile may be counted as it was or as it is.
    Raises Refusal: NOT_ADMITTED, CAUSE_NOT_ALLOWED for a cause that operators do not name, MALFORMED for an order or
    a list (`file`) with faults, NO_LIVE_CERTIFICATE when nothing would change.
    """
    require_operator(parts, actor)
    _require_order(parts, order, file)
    now = parts.intake.clock()
    event = MassEvent(
        parts.intake.random(ID_OCTETS).hex(),
        order_to_json(order),
        "{}",
        (),
        MassState.PREVIEWING,
        actor.label,
        now,
    )
    rows = _rows(parts, order, event.id, file)
    kept = _keep(parts, event, rows) if rows is not None else 0
    counts = Counts()
    plan = _plan(parts, order, kept)
    _count(parts, order, replace(event, plan=plan), counts, on_progress)
    if not counts.changes:
        with parts.intake.begin() as work:
            work.mass.forget(event.id)
            if kept:
                work.mass.put(replace(event, state=MassState.CANCELLED, ended_at=now))
            work.commit()
        raise Refusal(Code.NO_LIVE_CERTIFICATE, "nothing would change: the selection has nothing left to do")
    if isinstance(order, CertificateOrder) and not order.listed:
        plan = refine(plan, counts.by_issuer, MOST)
    with parts.intake.begin() as work:
        entries = {row.scope: (row.published.entries or 0) if row.published else 0 for row in work.lists.scopes()}
        cancel_old(work, actor, now)
        event = replace(event, plan=plan, preview=counts.to_json(entries), state=MassState.PREVIEWED)
        work.mass.put(event)
        facts = {"mass": event.id, **_named(order), "changes": counts.changes}
        work.audit.append(AuditEvent(Act.MASS_PREVIEWED, actor.label, now, facts))
        work.commit()
    return event


def _require_order(parts: MassParts, order: MassOrder, file: ListFile | None) -> None:
    if order.listed != (file is not None):
        raise Refusal(Code.MALFORMED, "an order without a selection of its own comes with a list, another one without")
    if isinstance(order, CertificateOrder):
        if Role.OPERATOR.value not in parts.intake.causes[order.cause].by:
            raise Refusal(Code.CAUSE_NOT_ALLOWED, f"{order.cause.value} is not for operators to name", pointer="cause")
        return
    if order.event not in EVENTS:
        raise Refusal(Code.MALFORMED, "only renamed addresses and mergers happen to whole areas", pointer="event")
    if order.effective_on > day_in_japan(parts.intake.clock()):
        raise Refusal(Code.OUT_OF_ORDER, "the day lies in the future; preview on that day", pointer="effective_on")
    for name, text in (("old", order.old), ("new", order.new)):
        try:
            if not order.listed:
                fields.address(text)
        except ValueError as fault:
            raise Refusal(Code.MALFORMED, f"the {name} beginning of the addresses {fault}", pointer=name) from None
    if order.into != order.municipality and not parts.intake.events[order.event].transfers:
        raise Refusal(Code.MALFORMED, f"with {order.event.value} records stay where they are held", pointer="into")


def _rows(parts: MassParts, order: MassOrder, event: str, file: ListFile | None) -> Iterable[MassRow] | None:
    """The residents that no columns select; None where there are none."""
    if file is not None:
        return read_list(parts.intake, *file, event, addresses=isinstance(order, RegisterOrder))
    return _area(parts, order) if isinstance(order, RegisterOrder) else None


def _area(parts: MassParts, order: RegisterOrder) -> Iterator[MassRow]:
    """Residents on record in the municipality whose address begins so."""
    position, after, newest = 0, 0, 1
    while after < newest:
        with parts.intake.begin(write=False) as work:
            newest = work.residents.newest()
            page = work.residents.of_municipality(order.municipality, after, after + _PAGE)
        for resident in page:
            if resident.state is ResidentState.PRESENT and resident.attributes.address.startswith(order.old):
                position += 1
                yield MassRow(position, resident.id)
        after += _PAGE


def _keep(parts: MassParts, event: MassEvent, rows: Iterable[MassRow]) -> int:
    """Keep the rows with the event; the highest position."""
    position, waiting = 0, list[MassRow]()

    def write(work: UnitOfWork) -> None:
        work.mass.put(event)
        work.mass.keep(event.id, waiting)
        work.commit()

    for row in rows:
        waiting.append(row)
        position = row.position
        if len(waiting) == _KEPT_TOGETHER:
            with parts.intake.begin() as work:
                write(work)
            waiting.clear()
    with parts.intake.begin() as work:
        write(work)
    return position


def _plan(parts: MassParts, order: MassOrder, kept: int) -> tuple[Stretch, ...]:
    if isinstance(order, CertificateOrder) and not order.listed:
        with parts.intake.begin(write=False) as work:
            return scan(parts, work, order)
    return (Stretch(None, -(-kept // MOST)),)


def _count(parts: MassParts, order: MassOrder, event: MassEvent, counts: Counts, on_progress: Progress) -> None:
    intake = parts.intake
    for step in range(event.steps):
        stretch, number = event.place(step)
        with intake.begin(write=False) as work:
            rows = rows_of(work, event, stretch, number)
            if isinstance(order, CertificateOrder):
                residents = [row.resident_id for row in rows]
                rule = intake.causes[order.cause]
                changes, left = gather_certificates(rule, order, work, stretch, number, residents, event.previewed_at)
                counts.left.update(left)
            else:
                found = gather_records(intake, work, order, event.id, rows, event.previewed_at)
                changes = list(found.certificates)
                counts.records(order.municipality, len(found.changed))
                counts.passed.update(refusal.code.value for _, refusal in found.passed)
        counts.certificates(stretch.issuer, changes)
        on_progress(step + 1, event.steps)


def rows_of(work: UnitOfWork, event: MassEvent, stretch: Stretch, number: int) -> list[MassRow]:
    """The rows of a step where they were kept with the preview; none elsewhere."""
    if stretch.issuer is not None:
        return []
    return list(work.mass.rows(event.id, number * MOST, (number + 1) * MOST))


def _named(order: MassOrder) -> dict[str, object]:
    """What audit rows tell of an order: the act, never addresses."""
    if isinstance(order, RegisterOrder):
        return {"event": order.event.value, "municipality": order.municipality.value}
    return {"cause": order.cause.value}


def told(event: MassEvent) -> dict[str, object]:
    """The preview, read back."""
    said: dict[str, object] = json.loads(event.preview)
    return said
