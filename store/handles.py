"""Handles: generations of their key, who wants news of which, and the news."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, text, update

from domain.certificates import CertificateRecord
from domain.handles import Handle, HandleKeyRecord, HandleNotice, Line, Recipient, StatusChange, Subscription
from store.certificates import CERTIFICATES, record_of
from store.change_tables import status_changes
from store.handle_tables import handle_keys, handle_notices, handle_numbers, handle_subscriptions
from store.hold_tables import releases
from store.prepared import AnyRow
from store.sets import AnyOf
from store.statements import Statements
from store.tables import certificates, revocations

_k, _s, _n, _l = handle_keys.c, handle_subscriptions.c, handle_notices.c, handle_numbers.c
_KEYS = select(_k.generation, _k.check, _k.added_at, _k.current_since, _k.retired_at).order_by(_k.generation)
_ADD_KEY = insert(handle_keys)
_REPLACE_KEY = update(handle_keys).where(_k.generation == bindparam("of_generation"))

_SUBSCRIPTIONS = select(_s.topic, _s.party_id, _s.provider_id, _s.handle, _s.generation, _s.since)
_THE_ONE = (
    _s.topic == bindparam("of_topic"),
    _s.party_id == bindparam("of_party"),
    _s.provider_id == bindparam("of_provider"),
)
_SUBSCRIPTION = _SUBSCRIPTIONS.where(*_THE_ONE)
_SUBSCRIBE = insert(handle_subscriptions)
_UNSUBSCRIBE = delete(handle_subscriptions).where(*_THE_ONE)
_TO_TOPICS = AnyOf(_SUBSCRIPTIONS, _s.topic)
_OLDER = _SUBSCRIPTIONS.where(_s.generation < bindparam("of_generation")).limit(bindparam("limit"))

_LAST = select(_l.last).where(_l.party_id == bindparam("of_party"), _l.provider_id == bindparam("of_provider"))
_FIRST_NUMBER = insert(handle_numbers)
_NEXT_NUMBER = update(handle_numbers).where(
    _l.party_id == bindparam("of_party"), _l.provider_id == bindparam("of_provider")
)
_READER = {"of_party": 0, "of_provider": 0}

_FIRST_OF = CERTIFICATES.where(
    certificates.c.application_id == bindparam("of_number"), certificates.c.kind == bindparam("of_kind")
)
_RENEWED = CERTIFICATES.where(
    text("line IS NOT NULL"), certificates.c.line == bindparam("of_number"), certificates.c.kind == bindparam("of_kind")
).order_by(certificates.c.application_id)
_c, _r, _sc = certificates.c, revocations.c, status_changes.c
_LAST_CHANGE = select(func.max(_sc.sequence).label("sequence"))
_RELEASED_AT = (
    select(func.max(releases.c.released_at))
    .where(releases.c.issuer == _c.issuer, releases.c.serial == _c.serial)
    .scalar_subquery()
    .label("released_at")
)
_CHANGES = (
    # In the order of StatusChange.
    select(
        _sc.sequence, _c.application_id, _c.kind, _c.line, _c.pending, _r.cause, _r.reason, _r.revoked_at, _RELEASED_AT
    )
    .outerjoin_from(status_changes, certificates, (_c.issuer == _sc.issuer) & (_c.serial == _sc.serial))
    .outerjoin(revocations, (_r.issuer == _c.issuer) & (_r.serial == _c.serial))
    .where(_sc.sequence > bindparam("after"))
    .order_by(_sc.sequence)
    .limit(bindparam("limit"))
)

_NOTICES = select(_n.mark, _n.party_id, _n.provider_id, _n.handle, _n.word, _n.due_at, _n.place, _n.number)
_NOTICE = select(_n.mark).where(_n.mark == bindparam("of_mark"))
_KEEP = insert(handle_notices)
_DUE = (
    _NOTICES.where(_n.number.is_(None), _n.due_at <= bindparam("now"))
    .order_by(_n.party_id, _n.provider_id, _n.place, _n.mark)
    .limit(bindparam("limit"))
)
_NUMBER = update(handle_notices).where(_n.mark == bindparam("of_mark"), _n.number.is_(None))
_TOLD = (
    _NOTICES.where(
        _n.party_id == bindparam("of_party"),
        _n.provider_id == bindparam("of_provider"),
        _n.number > bindparam("after"),
    )
    .order_by(_n.number)
    .limit(bindparam("limit"))
)
_LONG_TOLD = select(_n.mark).where(_n.told_at < bindparam("before")).limit(1)
_ERASE = delete(handle_notices).where(_n.told_at < bindparam("before"))


class Handles:
    """`domain.handles.HandleRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def generations(self) -> Sequence[HandleKeyRecord]:
        return [HandleKeyRecord(*row) for row in self._statements.many(_KEYS)]

    def put_key(self, record: HandleKeyRecord) -> None:
        values = {
            "check": record.check,
            "added_at": record.added_at,
            "current_since": record.current_since,
            "retired_at": record.retired_at,
        }
        if not self._statements.run(_REPLACE_KEY, {**values, "of_generation": record.generation}):
            self._statements.run(_ADD_KEY, {**values, "generation": record.generation})

    def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        # Writers are one after the other: what is not there now is not there at the insert.
        for one in subscriptions:
            if self._statements.find(_SUBSCRIPTION, {"of_topic": one.topic, **_of(one.recipient)}) is None:
                self._statements.run(_SUBSCRIBE, _subscription_columns(one))

    def unsubscribe(self, topics: Sequence[bytes], recipient: Recipient) -> None:
        for topic in topics:
            self._statements.run(_UNSUBSCRIBE, {"of_topic": topic, **_of(recipient)})

    def subscribers(self, topics: Sequence[bytes]) -> Sequence[Subscription]:
        return [_subscription(row) for row in _TO_TOPICS.rows(self._statements, topics)]

    def older(self, generation: int, limit: int) -> Sequence[Subscription]:
        rows = self._statements.many(_OLDER, {"of_generation": generation, "limit": limit})
        return [_subscription(row) for row in rows]

    def move(self, moves: Sequence[tuple[Subscription, Subscription]]) -> None:
        for old, new in moves:
            self._statements.run(_UNSUBSCRIBE, {"of_topic": old.topic, **_of(old.recipient)})
            self.subscribe([new])

    def position(self) -> int | None:
        row = self._statements.find(_LAST, _READER)
        return row.last if row else None

    def keep_position(self, sequence: int) -> None:
        self._keep_last(Recipient(0), sequence)

    def last_change(self) -> int:
        return self._statements.one(_LAST_CHANGE).sequence or 0

    def of_line(self, line: Line) -> Sequence[CertificateRecord]:
        named = {"of_number": line.number, "of_kind": line.kind}
        rows = [
            *self._statements.many(_FIRST_OF, named),
            *(self._statements.many(_RENEWED, named) if line.whole else ()),
        ]
        return [record for record in map(record_of, rows) if Line.of(record, whole=line.whole) == line]

    def changes(self, after: int, limit: int) -> Sequence[StatusChange]:
        return [StatusChange(*row) for row in self._statements.many(_CHANGES, {"after": after, "limit": limit})]

    def keep(self, notices: Sequence[HandleNotice]) -> None:
        for notice in notices:
            if self._statements.find(_NOTICE, {"of_mark": notice.mark}) is None:
                self._statements.run(_KEEP, _notice_columns(notice))

    def due(self, now: datetime, limit: int) -> Sequence[HandleNotice]:
        return [_notice(row) for row in self._statements.many(_DUE, {"now": now, "limit": limit})]

    def number(self, notices: Sequence[HandleNotice], at: datetime) -> None:
        last: dict[Recipient, int] = {}
        for notice in notices:
            recipient = notice.recipient
            if recipient not in last:
                row = self._statements.find(_LAST, _of(recipient))
                last[recipient] = row.last if row else 0
            last[recipient] += 1
            self._statements.run(_NUMBER, {"of_mark": notice.mark, "number": last[recipient], "told_at": at})
        for recipient, number in last.items():
            self._keep_last(recipient, number)

    def told(self, recipient: Recipient, after: int, limit: int) -> Sequence[HandleNotice]:
        rows = self._statements.many(_TOLD, {**_of(recipient), "after": after, "limit": limit})
        return [_notice(row) for row in rows]

    def has_told(self, before: datetime) -> bool:
        return self._statements.find(_LONG_TOLD, {"before": before}) is not None

    def erase_told(self, before: datetime) -> int:
        return self._statements.run(_ERASE, {"before": before})

    def _keep_last(self, recipient: Recipient, number: int) -> None:
        if not self._statements.run(_NEXT_NUMBER, {**_of(recipient), "last": number}):
            row = {"party_id": recipient.party, "provider_id": recipient.provider, "last": number}
            self._statements.run(_FIRST_NUMBER, row)


def _of(recipient: Recipient) -> dict[str, object]:
    return {"of_party": recipient.party, "of_provider": recipient.provider}


def _subscription_columns(one: Subscription) -> dict[str, Any]:
    return {
        "topic": one.topic,
        "party_id": one.recipient.party,
        "provider_id": one.recipient.provider,
        "handle": one.handle,
        "generation": one.generation,
        "since": one.since,
    }


def _subscription(row: AnyRow) -> Subscription:
    return Subscription(row.topic, Recipient(*row[1:3]), Handle(row.handle), row.generation, row.since)


def _notice_columns(notice: HandleNotice) -> dict[str, Any]:
    return {
        "mark": notice.mark,
        "party_id": notice.recipient.party,
        "provider_id": notice.recipient.provider,
        "handle": notice.handle,
        "word": notice.word,
        "due_at": notice.due_at,
        "place": notice.place,
    }


def _notice(row: AnyRow) -> HandleNotice:
    return HandleNotice(row.mark, Recipient(*row[1:3]), Handle(row.handle), row.word, row.due_at, *row[6:])
