"""News by handle: who wants them, how changes of status become news, and how a recipient fetches its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.certificates import Kind
from domain.handles import Handle, HandleNotice, HandleWord, Line, Recipient, StatusChange, Subscription
from domain.parties import Party
from domain.ports import UnitOfWork
from domain.provisions import Channel, Provision
from policies.news import due_at, word_of
from policies.retention import RetentionRule
from verifiers.handle_office import HandleOffice, inquiry_of, keys_in, read_own
from verifiers.handles import HandleKeys

PAGE = 1000
"""News in one answer."""
BATCH = 250
"""Changes of status that are looked at in one transaction, and news that get numbers in one."""


@dataclass(frozen=True, slots=True)
class News:
    """What a recipient is told. `former` is the handle in the generation before, as long as verifiers change over."""

    number: int
    handle: Handle
    former: Handle | None
    kind: Kind
    word: HandleWord


def subscribe(
    office: HandleOffice,
    party: Party,
    provider: Party | None,
    handles: Sequence[str],
    *,
    wanted: bool = True,
    purpose: str | None = None,
) -> None:
    """Have news of these handles be told from now on, or not any more. Refuses as `read_own` does, all or nothing."""
    now, recipient = office.clock(), Recipient.of(party, provider)
    with office.begin() as work:
        keys = keys_in(work, office.ring)
        own = read_own(office, keys, party, provider, handles, purpose, now, Channel.NOTICE)
        lines = [line for line, _ in own]
        if wanted:
            work.handles.subscribe([_subscription(keys, line, recipient, now) for line in lines])
        else:
            topics = [keys.key(generation).topic(line) for line in lines for generation in keys.readable]
            work.handles.unsubscribe(topics, recipient)
        work.commit()


def collect_news(office: HandleOffice) -> int:
    """Make news of the next changes of status; how many changes were looked at. What was looked at and what came of it
    is one transaction."""
    with office.begin(write=False) as work:
        if not work.handles.generations() or work.handles.position() == work.handles.last_change():
            return 0
    with office.begin() as work:
        changes = work.handles.changes(work.handles.position() or 0, BATCH)
        if changes:
            work.handles.keep(_news_of(work, keys_in(work, office.ring), changes, office.clock()))
            work.handles.keep_position(changes[-1].sequence)
            work.commit()
    return len(changes)


def release_news(office: HandleOffice, kept: RetentionRule) -> int:
    """Give numbers to some of the news that are due, so that they can be fetched; how many. Those that were told long
    ago are erased."""
    now = office.clock()
    long_ago = kept.days_before(now)
    with office.begin(write=False) as work:
        if not work.handles.due(now, 1) and not work.handles.has_told(long_ago):
            return 0
    with office.begin() as work:
        due = work.handles.due(now, BATCH)
        work.handles.number(due, now)
        work.handles.erase_told(long_ago)
        work.commit()
    return len(due)


def fetch_news(
    office: HandleOffice, party: Party, provider: Party | None, after: int, purpose: str | None = None
) -> tuple[list[News], bool]:
    """The recipient's news with numbers above `after`, and whether there are more. Those of a kind for which admission
    refuses the verifier now are left out; refuses as that does where it refuses both."""
    now, recipient = office.clock(), Recipient.of(party, provider)
    inquiries = [inquiry_of(party, provider, purpose, kind, now, Channel.NOTICE) for kind in Kind]
    purposes = {inquiry.kind: inquiry.meant or "" for inquiry in office.gate.admit_some(inquiries)}
    with office.begin(write=False) as work:
        keys = keys_in(work, office.ring)
        rows = work.handles.told(recipient, after, PAGE)
        lines = [(row, keys.read(row.handle, recipient)) for row in rows]
        told = [(row, line) for row, line in lines if line.kind in purposes]
        newest = [(row, record) for row, line in told for record in work.handles.of_line(line)[-1:]]
    for row, record in newest:
        what = (record.issuer, Channel.NOTICE, record.serial.octets, row.word.value)
        office.record(Provision(now, party, provider, purposes[record.kind], *what))
    return [_told(keys, row, line) for row, line in told], len(rows) == PAGE


def _told(keys: HandleKeys, row: HandleNotice, line: Line) -> News:
    older = [generation for generation in keys.readable if generation < keys.current]
    former = keys.make(line, row.recipient, older[0]) if older else None
    return News(row.number or 0, keys.make(line, row.recipient), former, line.kind, row.word)


def _subscription(keys: HandleKeys, line: Line, recipient: Recipient, now: datetime) -> Subscription:
    topic = keys.key(keys.current).topic(line)
    return Subscription(topic, recipient, keys.make(line, recipient), keys.current, now)


def _news_of(work: UnitOfWork, keys: HandleKeys, changes: Sequence[StatusChange], now: datetime) -> list[HandleNotice]:
    """News for all who want them of what changed."""
    about: dict[bytes, list[tuple[Line, StatusChange, HandleWord]]] = {}
    for change in changes:
        for whole in (True, False):
            word = word_of(change, whole=whole)
            if word is None or change.kind is None or change.application_id is None:
                continue
            number = change.line if whole and change.line is not None else change.application_id
            line = Line(number, change.kind, whole)
            for generation in keys.readable:
                about.setdefault(keys.key(generation).topic(line), []).append((line, change, word))
    return [
        _notice(keys, wish.recipient, line, change, word, now)
        for wish in work.handles.subscribers([*about])
        for line, change, word in about[wish.topic]
    ]


def _notice(
    keys: HandleKeys, recipient: Recipient, line: Line, change: StatusChange, word: HandleWord, now: datetime
) -> HandleNotice:
    """Place and day follow from the news by the key: the same for the same news, and chance to everybody else."""
    moment = change.released_at if word is HandleWord.RELEASED else change.revoked_at
    parts = (recipient.party, recipient.provider, line.number, line.kind.value, line.whole, change.application_id)
    mark = keys.key(keys.current).mark(f"{parts} {word.value} {moment}".encode())
    day, place = int.from_bytes(mark[16:24]), int.from_bytes(mark[24:]) >> 1
    return HandleNotice(mark[:16], recipient, keys.make(line, recipient), word, due_at(now, day), place)
