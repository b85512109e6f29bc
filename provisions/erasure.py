"""Erasure of provisions that were kept long enough: their files, and the keys of their months in the ledger."""

from __future__ import annotations

import os
from calendar import monthrange
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from domain.events import Act, AuditEvent
from domain.ports import UnitOfWork
from policies.retention import RetentionRule
from provisions.filing import Filing
from provisions.segment import HEADER

BATCH = 50
"""Segments in one transaction."""
LINES = 5000
"""Lines of the ledger in one transaction."""


def count_due(filing: Filing, rule: RetentionRule) -> int:
    """How many segments of this node are not kept any longer, at most a thousand."""
    with filing.begin(write=False) as work:
        return len(work.provisions.ended(filing.node, rule.over_before(filing.clock()), 1000))


def erase_provisions(filing: Filing, rule: RetentionRule, actor: str, batches: int | None = None) -> Counter[str]:
    """Erase what is not kept any longer, or the first `batches` of it; how many segments, months and lines.

    The file first, then its row: a crash leaves a row that says more than there is, and the next call goes on. Of a
    month the key goes first: from then on nobody reads its lines, whoever kept a copy of them. Raises Refusal(BUSY),
    Refusal(STORE_UNAVAILABLE).
    """
    erased: Counter[str] = Counter()
    now = filing.clock()
    before = rule.over_before(now)
    while batches is None or batches > 0:
        with filing.begin() as work:
            done = _months(work, before, actor, now) + _segments(filing, work, before, actor, now)
            done["lines"] += work.provisions.erase_lines(LINES)
            work.commit()
        if not done.total():
            break
        erased += done
        batches = batches and batches - 1
    return erased


def _segments(filing: Filing, work: UnitOfWork, before: datetime, actor: str, now: datetime) -> Counter[str]:
    erased: Counter[str] = Counter()
    for segment in work.provisions.ended(filing.node, before, BATCH):
        destroy(filing.path(segment))
        work.provisions.put_segment(replace(segment, erased_at=now))
        facts = {"segment": segment.name, "last_at": segment.last_at.isoformat()}
        work.audit.append(AuditEvent(Act.PROVISIONS_ERASED, actor, now, facts))
        erased["segments"] += 1
    return erased


def _months(work: UnitOfWork, before: datetime, actor: str, now: datetime) -> Counter[str]:
    erased: Counter[str] = Counter()
    for epoch in work.provisions.epochs():
        if _end(epoch) < before:
            work.provisions.erase_epoch(epoch)
            work.audit.append(AuditEvent(Act.LEDGER_ERASED, actor, now, {"month": epoch}))
            erased["months"] += 1
    return erased


def destroy(path: Path) -> None:
    """Take away what opens a segment, have that on disk, and then the file."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.pwrite(file, bytes(HEADER), 0)
        os.fsync(file)
    finally:
        os.close(file)
    path.unlink()


def _end(epoch: str) -> datetime:
    year, month = map(int, epoch.split("-"))
    return datetime(year, month, monthrange(year, month)[1], 23, 59, 59, tzinfo=UTC)
