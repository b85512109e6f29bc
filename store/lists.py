"""Revocation lists as records: scopes, numbers, states, and who may publish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, exists, insert, literal, or_, select, update

from domain.errors import Code, Refusal
from domain.lists import ListRecord, ListState, Scope, ScopeRecord
from domain.revocation import RevocationCause
from store.change_tables import changes
from store.prepared import AnyRow
from store.statements import Statements
from store.tables import leases, lists, scopes

_s, _c, _l = scopes.c, lists.c, leases.c
_IN_SCOPE = (_c.issuer == bindparam("of_issuer"), _c.municipality == bindparam("of_municipality"))
_THE_SCOPE = (_s.issuer == bindparam("of_issuer"), _s.municipality == bindparam("of_municipality"))

LIST = (_c.number, _c.this_update, _c.next_update, _c.state, _c.covers, _c.digest, _c.entries, _c.published_at)
"""In the order of ListRecord, behind its scope."""
_LISTS = select(_c.issuer, _c.municipality, *LIST).where(*_IN_SCOPE).order_by(_c.number)
_NEWEST_FIRST = _LISTS.order_by(None).order_by(_c.number.desc()).limit(1)
_LATEST = _NEWEST_FIRST.where(_c.state != ListState.RESERVED)
_LAST = select(_c.number, _c.this_update).where(*_IN_SCOPE).order_by(_c.number.desc()).limit(1)
_RESERVE = insert(lists)
_ADVANCE = update(lists).where(*_IN_SCOPE, _c.number == bindparam("of_number"))

_SCOPES = (
    select(_s.issuer, _s.municipality, _s.wanted, *LIST)
    .outerjoin(lists, and_(_c.issuer == _s.issuer, _c.municipality == _s.municipality, _c.number == _s.published))
    .order_by(_s.issuer, _s.municipality)
)
_SCOPE = _SCOPES.where(*_THE_SCOPE)
_REGISTER = insert(scopes).from_select(
    ["issuer", "municipality", "wanted"],
    select(
        bindparam("of_issuer", type_=_s.issuer.type),
        bindparam("of_municipality", type_=_s.municipality.type),
        literal(0),
    ).where(~exists().where(*_THE_SCOPE)),
)
_WANT = update(scopes).where(*_THE_SCOPE).values(wanted=_s.wanted + bindparam("changes")).returning(_s.wanted)
_TELL = insert(changes)
_PUBLISHED = update(scopes).where(*_THE_SCOPE).values(published=bindparam("of_number"))

_MINE, _NEXT = _l.holder == bindparam("of_holder"), _l.token + 1
_TAKE = (
    update(leases)
    .where(_l.name == bindparam("of_name"), or_(_MINE, _l.until <= bindparam("now", type_=_l.until.type)))
    .values(
        # Not below the time either: the lease of a database that was restored must not give old tokens again.
        token=case(
            (_MINE, _l.token), (bindparam("second", type_=_l.token.type) < _NEXT, _NEXT), else_=bindparam("second")
        )
    )
    .returning(_l.token)
)
_HELD = select(_l.holder, _l.until).where(_l.name == bindparam("of_name"))
_FIRST = insert(leases)
_RELEASE = update(leases).where(_l.name == bindparam("of_name"), _MINE)

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

Told = tuple[str, RevocationCause | None, datetime, datetime]
"""Receipt, cause, and when it was received and committed."""


class Lists:
    """`domain.lists.ListRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._in_use: set[Scope] = set()
        """Those this unit of work put in use, or found so: it needs no second look."""
        self._wanted: Counter[Scope] = Counter()
        self._told: dict[Scope, Counter[Told]] = {}

    def register(self, scope: Scope) -> bool:
        return self.use([scope]) == 1

    def use(self, scopes: Iterable[Scope]) -> int:
        """Put scopes in use; how many were new."""
        asked = set(scopes) - self._in_use
        if not asked:
            return 0
        self._in_use |= asked
        return self._statements.run(_REGISTER, [_named(scope) for scope in asked])

    def want(self, scope: Scope, more: int = 1, told: Told | None = None) -> None:
        """Count changes that the scope's next list should show; puts the scope in use when it is not. `told` is what
        is kept of them."""
        self._wanted[scope] += more
        if told is not None:
            self._told.setdefault(scope, Counter())[told] += more

    def write_wanted(self) -> None:
        """Store what was counted: once for a whole transaction, and before anybody looks."""
        if self._wanted:
            self.use(self._wanted)
            for scope, more in self._wanted.items():
                wanted = self._statements.one(_WANT, {**_named(scope), "changes": more}).wanted
                if told := self._told.pop(scope, None):
                    self._statements.run(_TELL, _told(scope, told, wanted))
            self._wanted.clear()

    def scopes(self) -> Sequence[ScopeRecord]:
        self.write_wanted()
        return [_scope_record(row) for row in self._statements.many(_SCOPES)]

    def scope(self, scope: Scope) -> ScopeRecord | None:
        self.write_wanted()
        row = self._statements.find(_SCOPE, _named(scope))
        return _scope_record(row) if row else None

    def reserve(self, scope: Scope, this_update: datetime, next_update: datetime, covers: int) -> int:
        self.register(scope)
        last = self._statements.find(_LAST, _named(scope))
        if last is not None and this_update < last.this_update:
            raise Refusal(
                Code.CLOCK_BEHIND,
                "the clock is behind the newest list of this scope; set the clock right before publishing",
            )
        number: int = last.number + 1 if last is not None else 1
        row = {
            "issuer": scope.issuer,
            "municipality": scope.municipality,
            "number": number,
            "this_update": this_update,
            "next_update": next_update,
            "state": ListState.RESERVED,
            "covers": covers,
        }
        self._statements.run(_RESERVE, row)
        return number

    def signed(self, scope: Scope, number: int, digest: bytes, entries: int) -> None:
        """Raises LookupError when no list has this number."""
        self._advance(scope, number, {"state": ListState.SIGNED, "digest": digest, "entries": entries})

    def published(self, scope: Scope, number: int, at: datetime | None = None) -> None:
        """Raises LookupError when no list has this number."""
        self._advance(scope, number, {"state": ListState.PUBLISHED, "published_at": at})
        self._statements.run(_PUBLISHED, {**_named(scope), "of_number": number})

    def _advance(self, scope: Scope, number: int, values: dict[str, Any]) -> None:
        if self._statements.run(_ADVANCE, {**_named(scope), "of_number": number, **values}) != 1:
            raise LookupError("the scope has no list of this number")

    def latest(self, scope: Scope) -> ListRecord | None:
        row = self._statements.find(_LATEST, _named(scope))
        return ListRecord(Scope(*row[:2]), *row[2:]) if row else None

    def records(self, scope: Scope) -> Sequence[ListRecord]:
        return [ListRecord(Scope(*row[:2]), *row[2:]) for row in self._statements.many(_LISTS, _named(scope))]

    def lease(self, name: str, holder: str, now: datetime, until: datetime) -> int:
        named, second = {"of_name": name, "of_holder": holder}, int(now.timestamp())
        given = {**named, "now": now, "second": second, "holder": holder, "until": until}
        if taken := self._statements.find(_TAKE, given):
            token: int = taken.token
            return token
        if self._statements.find(_HELD, {"of_name": name}) is not None:
            return 0
        self._statements.run(_FIRST, {"name": name, "holder": holder, "until": until, "token": second})
        return second

    def holder(self, name: str) -> tuple[str, datetime] | None:
        """Who has the lease, or had it last, and until when."""
        row = self._statements.find(_HELD, {"of_name": name})
        return (row.holder, row.until) if row and row.holder else None

    def release(self, name: str, holder: str) -> None:
        self._statements.run(_RELEASE, {"of_name": name, "of_holder": holder, "holder": "", "until": _LONG_AGO})


def _told(scope: Scope, told: Counter[Told], wanted: int) -> list[dict[str, Any]]:
    """Rows of changes that end at the scope's counter `wanted`."""
    rows = []
    for (receipt, cause, received_at, committed_at), count in told.items():
        row = {"receipt": receipt, "cause": cause, "received_at": received_at, "committed_at": committed_at}
        place = {"issuer": scope.issuer, "municipality": scope.municipality, "number": wanted, "count": count}
        rows.append({**place, **row})
        wanted -= count
    return rows


def _named(scope: Scope) -> dict[str, Any]:
    return {"of_issuer": scope.issuer, "of_municipality": scope.municipality}


def _scope_record(row: AnyRow) -> ScopeRecord:
    scope = Scope(row.issuer, row.municipality)
    return ScopeRecord(scope, row.wanted, ListRecord(scope, *row[3:]) if row.number is not None else None)
