"""Filing: segments that their writers let go of are put into the ledger, and closed for all but two officers."""

from __future__ import annotations

import fcntl
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from domain.certificates import IssuerId
from domain.events import Act, AuditEvent
from domain.ports import Begin, Clock, RandomSource, UnitOfWork
from domain.provisions import LedgerLine, Segment
from provisions.entries import write_entries
from provisions.segment import (
    HEADER,
    SLOT,
    Content,
    Header,
    Sealed,
    digest_of,
    open_key,
    read_content,
    read_header,
    wiped,
)
from provisions.tags import Subject, epoch_of, filing_key, open_epoch, seal_epoch, seal_line, tag_of
from provisions.writer import SUFFIX

STEP = 4096
"""Records in one transaction: others write between two of them."""
YOUNG = timedelta(minutes=1)
"""A file without a header is somebody's who has just begun it, or died over it."""

_ZEROS = bytes(SLOT)

Hear = Callable[[Content, Sequence[Sealed]], None]
"""Told of the records of a segment before they are closed away, some thousands at a time, each once at least."""

Count = Callable[[UnitOfWork, Content, Sequence[Sealed]], None]
"""The same in the transaction that files them, each once."""


@dataclass(frozen=True, slots=True)
class Filing:
    """All that filing takes. `node` names whose files these are, `master` is the secret of the state directory."""

    folder: Path
    node: str
    master: bytes = field(repr=False)
    begin: Begin
    clock: Clock
    random: RandomSource
    hear: Hear | None = None
    count: Count | None = None

    def path(self, segment: Segment) -> Path:
        """Where a segment lies once it is filed."""
        return self.folder / epoch_of(segment.begun_at) / segment.name


def file_due(filing: Filing, limit: int | None = None) -> tuple[int, int]:
    """File the segments that no writer holds, the oldest first, `limit` at most; how many segments and records.

    Those that are held are written out to disk, so that a power cut takes seconds of records and no more. Each step is
    one transaction with the cursor in it: after a crash the next call goes on, and nothing is in the ledger twice.
    Raises Refusal(BUSY), Refusal(STORE_UNAVAILABLE), Refusal(BAD_CONFIGURATION) for segments sealed to another key.
    """
    segments = records = 0
    for path in islice(sorted(filing.folder.glob(f"*{SUFFIX}")), limit):
        with _let_go(path) as file:
            if file is not None:
                records += _file(filing, path, file)
                segments += 1
    return segments, records


@contextmanager
def _let_go(path: Path) -> Iterator[int | None]:
    """The file of a segment, ours for as long as this lasts, or None while its writer lives."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.fsync(file)
            yield None
        else:
            # Another process may have filed it before we had the lock.
            yield file if path.exists() else None
    finally:
        os.close(file)


def _file(filing: Filing, path: Path, file: int) -> int:
    octets = os.pread(file, os.fstat(file).st_size, 0)
    header = read_header(octets)
    if header is None:
        begun = datetime.fromtimestamp(os.fstat(file).st_mtime, UTC)
        # Where there are slots and no header, somebody took it away: that is for `jpki check` to tell.
        if not any(octets[HEADER:]) and filing.clock() - begun > YOUNG:
            path.unlink()
        return 0
    begun = datetime.fromtimestamp(header.begun, UTC)
    with filing.begin(write=False) as work:
        segment = work.provisions.segment(header.id)
    if segment is None or segment.digest is None:
        if header.filing is None:
            return 0  # not filed, and wiped: for `jpki check` to tell
        content = read_content(octets, open_key(header.filing, filing_key(filing.master), header.id))
        if not content.records and not content.damaged:
            path.unlink()
            return 0
        octets = octets[: HEADER + (content.used + content.torn) * SLOT]
        segment = segment or _begun(filing, header, content, begun)
        while segment.filed < segment.records:
            segment = _step(filing, segment, content)
        segment = replace(segment, digest=digest_of(octets))
        _close(filing, segment)
    os.ftruncate(file, len(octets))
    os.pwrite(file, wiped(octets[:HEADER]), 0)
    os.fsync(file)
    target = filing.path(segment)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    path.rename(target)
    return segment.records


def _begun(filing: Filing, header: Header, content: Content, begun: datetime) -> Segment:
    seconds = max((row.seconds for row in content.records), default=header.begun)
    last = datetime.fromtimestamp(seconds, UTC)
    return Segment(header.id, filing.node, begun, last, len(content.records), len(content.damaged))


def _step(filing: Filing, segment: Segment, content: Content) -> Segment:
    """Put the next records into the ledger, and the cursor behind them."""
    rows = content.records[segment.filed : segment.filed + STEP]
    if filing.hear is not None:
        filing.hear(content, rows)
    after = replace(segment, filed=segment.filed + len(rows))
    with filing.begin() as work:
        work.provisions.add_lines(list(_lines(filing, work, content, rows)))
        if filing.count is not None:
            filing.count(work, content, rows)
        work.provisions.put_segment(after)
        work.commit()
    return after


def _lines(filing: Filing, work: UnitOfWork, content: Content, rows: Sequence[Sealed]) -> Iterator[LedgerLine]:
    about: dict[tuple[str, Subject], list[Sealed]] = defaultdict(list)
    months: dict[int, str] = {}
    for row in rows:
        day = row.seconds // 86400
        if day not in months:
            months[day] = epoch_of(datetime.fromtimestamp(row.seconds, UTC))
        about[months[day], (IssuerId(content.names.get(row.issuer, "?")), row.asked)].append(row)
    keys = {epoch: _epoch_key(filing, work, epoch) for epoch in {epoch for epoch, _ in about}}
    for (epoch, subject), own in about.items():
        key = keys[epoch]
        sealed = seal_line(key, subject, write_entries(own, content), filing.random(12))
        yield LedgerLine(epoch, tag_of(key, subject), sealed)


def _epoch_key(filing: Filing, work: UnitOfWork, epoch: str) -> bytes:
    sealed = work.provisions.epochs().get(epoch)
    if sealed is not None:
        return open_epoch(filing.master, epoch, sealed)
    key = filing.random(32)
    work.provisions.put_epoch(epoch, seal_epoch(filing.master, epoch, key, filing.random(12)))
    return key


def _close(filing: Filing, segment: Segment) -> None:
    with filing.begin() as work:
        work.provisions.put_segment(segment)
        facts = {"segment": segment.name, "records": segment.records, "digest": (segment.digest or b"").hex()}
        if segment.damaged:
            facts["damaged"] = segment.damaged
        work.audit.append(AuditEvent(Act.PROVISIONS_FILED, f"filing:{segment.node}", filing.clock(), facts))
        work.commit()
