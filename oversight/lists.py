"""Revocation lists as records and as files: numbers in order, every step on the trail, the newest list in place."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from crl.files import map_current
from crl.read import RevocationList, read_list
from domain import der
from domain.certificates import Issuer
from domain.events import Act
from domain.lists import ListRecord, ListState, Scope, ScopeRecord
from oversight.entries import entry_findings
from oversight.findings import Finding, fault, list_name, note
from oversight.inspection import Inspection
from oversight.trail import Told

_STEPS = {
    ListState.RESERVED: Act.CRL_RESERVED,
    ListState.SIGNED: Act.CRL_SIGNED,
    ListState.PUBLISHED: Act.CRL_PUBLISHED,
}
_STATES = tuple(_STEPS)


def order_faults(records: Sequence[ListRecord]) -> Iterator[Finding]:
    """Where a scope's lists do not follow each other: numbers rise and times do not go back (RFC 5280 §5.2.3)."""
    for earlier, later in pairwise(records):
        if later.number <= earlier.number or later.this_update < earlier.this_update:
            yield fault("lists", f"{_name(later)} does not follow list {earlier.number} in number and time")


def told_faults(record: ListRecord, told: Sequence[Told]) -> Iterator[Finding]:
    """Where the audit trail tells another story of a list than its record does."""
    acts = [event.act for event in told]
    if acts != [_STEPS[state] for state in _STATES[: _STATES.index(record.state) + 1]]:
        story = ", ".join(act.value for act in acts) or "nothing of it"
        yield fault("lists", f"{_name(record)} is recorded as {record.state.value}, the audit trail tells {story}")
    digests = [event.facts.get("sha256") for event in told if event.act is Act.CRL_SIGNED]
    if record.digest is not None and digests and digests != [record.digest.hex()]:
        yield fault("lists", f"{_name(record)} has another digest in the audit trail than in the database")


def scope_findings(inspection: Inspection, scope: Scope, points: Collection[bytes]) -> list[Finding]:
    """What the file of a scope says otherwise than the database, and than the distribution `points` (directory entries,
    DER) of its certificates. A publisher may be at work just now: only what is still so at a second look counts."""
    first = list(_look(inspection, scope, points))
    return list(_look(inspection, scope, points)) if first else first


def _look(inspection: Inspection, scope: Scope, points: Collection[bytes]) -> Iterator[Finding]:
    with inspection.begin(write=False) as work:
        known, records = work.lists.scope(scope), work.lists.records(scope)
        issuer = inspection.issuers.get(scope.issuer)
        if known is None or issuer is None:
            yield fault("lists", f"{scope.path} belongs to an issuer or a scope that is not known here")
            return
        yield from _overdue(inspection, known, issuer)
        file = map_current(inspection.directory, scope)
        try:
            read = read_list(file) if file is not None else None
            entries = sum(map(len, read.rows())) if read else 0
        except der.DerError as error:
            yield fault("lists", f"the file {scope.path} cannot be read: {error}")
            return
        record = None
        if file is not None and read is not None:
            yield from _authenticity(inspection, scope, issuer, file, read)
            if not all(point in read.point for point in points):
                yield fault("lists", f"certificates name another distribution point than the file {scope.path}")
            record = next((row for row in records if row.digest == hashlib.sha256(file).digest()), None)
        yield from _place(scope, records, record, in_place=file is not None)
        if record is not None and read is not None:
            yield from _agreement(record, read, entries)
        if record is not None or known.published is None:
            yield from entry_findings(inspection, work, known, records, record, read)


def _overdue(inspection: Inspection, known: ScopeRecord, issuer: Issuer) -> Iterator[Finding]:
    """Lists must be renewed while the issuer lives; whether a change waits is a matter of the entries."""
    newest = known.published
    if newest is None or issuer.validity.ended(inspection.now):
        return
    if inspection.now > newest.next_update:
        yield fault("lists", f"{_name(newest)} ended at {newest.next_update:%Y-%m-%dT%H:%M:%SZ}, no newer one is out")
    elif inspection.crl.is_due(replace(known, wanted=newest.covers), inspection.now - inspection.patience):
        yield fault("lists", f"{_name(newest)} should have been renewed by now")


def _authenticity(
    inspection: Inspection, scope: Scope, issuer: Issuer, file: memoryview, read: RevocationList
) -> Iterator[Finding]:
    """Issuer and signature. The issuer's generations share a name, so the key identifier must fit too."""
    if (read.issuer, read.authority_key) != (issuer.subject, issuer.key_identifier):
        yield fault("lists", f"the file {scope.path} names another issuer than {issuer.id}")
    if not inspection.signed_by(issuer, file, read.algorithm):
        yield fault("lists", f"the signature of the file {scope.path} is not one of {issuer.id}")


def _place(
    scope: Scope, records: Sequence[ListRecord], record: ListRecord | None, *, in_place: bool
) -> Iterator[Finding]:
    """Whether the right list is in place: the newest that was signed, or the one before while it is on its way."""
    signed = [row for row in records if row.state is not ListState.RESERVED]
    published = [row for row in records if row.state is ListState.PUBLISHED]
    if not in_place:
        if published:
            yield fault("lists", f"{_name(published[-1])} was published, its file is gone")
        else:
            yield note("lists", f"{scope.path} has no list yet; the publisher will make the first one")
    elif record is None:
        yield fault("lists", f"the file {scope.path} is none of the lists on record")
    elif record == signed[-1]:
        if record.state is ListState.SIGNED:
            yield note("lists", f"{_name(record)} is in place, its publication is not recorded yet")
    elif signed[-1].state is ListState.SIGNED and record == published[-1]:
        yield note("lists", f"{_name(signed[-1])} was signed and is not in place; list {record.number} still is")
    else:
        yield fault("lists", f"the file {scope.path} is list {record.number}, the newest is {signed[-1].number}")


def _agreement(record: ListRecord, read: RevocationList, entries: int) -> Iterator[Finding]:
    said = (read.number, read.this_update, read.next_update, entries)
    if said != (record.number, record.this_update, record.next_update, record.entries):
        yield fault("lists", f"{_name(record)} has another number, time or count of entries in its file than on record")


def _name(record: ListRecord) -> str:
    return list_name(record.scope.path, record.number)
