"""The publication of one list, in steps that a crash between any two leaves something to go on from."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from crl.build import build_tbs_crl
from crl.content import ListContent, gather_content
from crl.delta import put_delta_in_place
from crl.files import fenced, map_current, swap_in, swap_in_digest
from crl.lags import lags
from crl.lint import lint_tbs_crl
from crl.plan import ListPlan
from crl.publisher import LEASE_LIFE, Publisher, hold_lease
from crl.signature import sign_list
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.lists import ListRecord, ListState, Scope
from domain.ports import UnitOfWork
from domain.revocation import RevocationCount


def publish_scope(
    publisher: Publisher, scope: Scope, *, force: bool = False, token: int | None = None
) -> ListRecord | None:
    """The scope's new list once it is in place, or None when the scope needs none. `token` is that of the lease that is
    held for it; none of the steps is done under another one.

    After a crash the next call goes on: a number once reserved is never used again, and a list whose file was in place
    but not yet recorded is recorded. Raises Refusal: NOT_FOUND for a scope not in use, BAD_CONFIGURATION for an issuer
    that is not configured, BUSY when another publisher is at work, CLOCK_BEHIND, OUT_OF_ORDER when the files are newer
    than the database, LINT, WOULD_SHRINK, SIGNER_UNAVAILABLE, STORE_UNAVAILABLE.
    """
    if scope.issuer not in publisher.issuers or scope.issuer not in publisher.signers:
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"{scope.path} is in use but issuer {scope.issuer} is not configured; keep an issuer until it has expired",
        )
    now = publisher.clock()
    point = publisher.point(scope)
    file = map_current(publisher.directory, scope)
    finished = _finish_interrupted(publisher, scope, file, now, token)
    # 1. What belongs on the list; an entry that would disappear unexplained ends it here.
    content = gather_content(publisher, scope, file, now, force=force)
    if content is None:
        return finished
    # 2. The number is committed before anything carries it.
    record, token = _reserve(publisher, content, now, token)
    # 3. Only a list that says what was planned, and holds every standing revocation, may be signed.
    plan = ListPlan(
        issuer=publisher.issuers[scope.issuer],
        algorithm=publisher.signers[scope.issuer].algorithm,
        scope=scope,
        point=point,
        number=record.number,
        this_update=record.this_update,
        next_update=record.next_update,
        freshest=publisher.freshest(scope) if publisher.policy.deltas else b"",
    )
    build_tbs_crl(plan, content.octets)
    linted = lint_tbs_crl(content.octets, plan, content.standing, content.count)
    # 4. No unit of work is open while the key store works.
    der = sign_list(content.octets, linted, publisher.signers[scope.issuer], plan.issuer)
    # 5. What was signed is on record before anybody can see it.
    signed = _record_signed(publisher, record, content, der, now, token)
    if publisher.policy.deltas:
        _add_delta(publisher, plan, signed, der, content.count, now, token)
    # 6. The file and its record change together.
    return _put_in_place(publisher, signed, der, now, token)


def _finish_interrupted(
    publisher: Publisher, scope: Scope, file: memoryview | None, now: datetime, token: int | None
) -> ListRecord | None:
    """Record a list as published whose file is in place although a crash kept that from being recorded. One that never
    got into place has spent its number, and the next list takes its part."""
    with publisher.begin(write=False) as work:
        latest = work.lists.latest(scope)
    if file is None or latest is None or latest.state is not ListState.SIGNED:
        return None
    digest = hashlib.sha256(file).digest()
    if digest != latest.digest:
        return None
    with publisher.begin() as work:
        held = hold_lease(publisher, work, token)
        with fenced(publisher.directory, held):
            swap_in_digest(publisher.directory, scope, digest)
        published = _record_published(publisher, work, latest, now, now)
        work.commit()
    return published


def _reserve(publisher: Publisher, content: ListContent, now: datetime, token: int | None) -> tuple[ListRecord, int]:
    """The record of the next list, its number reserved, and the token it was reserved under. The content must not be
    older than the newest signed list."""
    scope, covers = content.known.scope, content.known.wanted
    this_update, next_update = publisher.policy.window(now)
    with publisher.begin() as work:
        held = hold_lease(publisher, work, token)
        if work.lists.latest(scope) != content.latest:
            raise _overtaken(scope)
        _refuse_old_view(work, content, now)
        number = work.lists.reserve(scope, this_update, next_update, covers)
        record = ListRecord(scope, number, this_update, next_update, ListState.RESERVED, covers)
        _audit(publisher, work, Act.CRL_RESERVED, record, now)
        work.commit()
    return record, held


def _refuse_old_view(work: UnitOfWork, content: ListContent, now: datetime) -> None:
    """Raises Refusal(LINT) when the content lacks changes that were there long before it was read: what the database
    showed then was an old view of it."""
    scope, seen = content.known.scope, content.known.wanted
    known = work.lists.scope(scope)
    missed = work.changes.newly(scope, seen, known.wanted) if known and known.wanted > seen else ()
    if any(change.committed_at < now - LEASE_LIFE for change in missed):
        raise Refusal(
            Code.LINT,
            f"the list for {scope.path} was not signed: what the database showed was older than a minute; restart the "
            "publisher, and see to the database if that does not help",
        )


def _record_signed(
    publisher: Publisher, record: ListRecord, content: ListContent, der: memoryview, now: datetime, token: int
) -> ListRecord:
    digest = hashlib.sha256(der).digest()
    facts = {
        "sha256": digest.hex(),
        "key": publisher.signers[record.scope.issuer].key_id,
        "entries": content.octets.entries,
        "added": content.changes.added,
        "removed": len(content.changes.removed),
        "changed": content.changes.changed,
    }
    with publisher.begin() as work:
        hold_lease(publisher, work, token)
        work.lists.signed(record.scope, record.number, digest, content.octets.entries)
        _audit(publisher, work, Act.CRL_SIGNED, record, now, **facts)
        work.commit()
    return replace(record, state=ListState.SIGNED, digest=digest, entries=content.octets.entries)


def _add_delta(
    publisher: Publisher,
    plan: ListPlan,
    record: ListRecord,
    der: memoryview,
    count: RevocationCount,
    now: datetime,
    token: int,
) -> None:
    """Put the delta list in place before the complete one; it too is on record when anybody can see it."""
    with publisher.begin() as work:
        hold_lease(publisher, work, token)
        latest = work.lists.latest(record.scope)
        if latest is None or latest.number != record.number:
            raise _overtaken(record.scope)
        with fenced(publisher.directory, token):
            base, entries = put_delta_in_place(publisher, plan, der, count)
        # Not as an event of the list itself: its story is told by its own three.
        facts = {"delta_of": record.scope.path, "complete": record.number, "base": base, "entries": entries}
        work.audit.append(AuditEvent(Act.CRL_DELTA_SIGNED, f"publisher:{publisher.holder}", now, facts))
        work.commit()


def _put_in_place(publisher: Publisher, record: ListRecord, der: memoryview, now: datetime, token: int) -> ListRecord:
    """Swap the file in while the unit of work keeps other writers out: a publisher that lost its lease while it was
    asleep cannot put an older list over a newer one. One that falls asleep here, and whose transaction the database
    ends for it, is stopped by the token that a later publisher left with the files."""
    with publisher.begin() as work:
        hold_lease(publisher, work, token)
        latest = work.lists.latest(record.scope)
        if latest is None or latest.number != record.number:
            raise _overtaken(record.scope)
        with fenced(publisher.directory, token):
            swap_in(publisher.directory, record.scope, der, record.digest)
        # Read again: signing a long list takes a while, and it is out from here on.
        at = max(now, publisher.clock())
        published = _record_published(publisher, work, record, now, at)
        work.commit()
    return published


def _overtaken(scope: Scope) -> Refusal:
    return Refusal(Code.BUSY, f"another publisher made a newer list {scope.path} meanwhile; nothing is left to do")


def _record_published(
    publisher: Publisher, work: UnitOfWork, record: ListRecord, now: datetime, at: datetime
) -> ListRecord:
    scope = work.lists.scope(record.scope)
    covered = scope.published.covers if scope and scope.published else 0
    work.lists.published(record.scope, record.number, at)
    work.changes.count(lags(work.changes.newly(record.scope, covered, record.covers), at))
    _audit(publisher, work, Act.CRL_PUBLISHED, record, now)
    return replace(record, state=ListState.PUBLISHED, published_at=at)


def _audit(
    publisher: Publisher, work: UnitOfWork, act: Act, record: ListRecord, now: datetime, **facts: object
) -> None:
    place = {"list": record.scope.path, "number": record.number}
    work.audit.append(AuditEvent(act, f"publisher:{publisher.holder}", now, {**place, **facts}))
