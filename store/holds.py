"""Holds: those that stand, those that were lifted, and attempts at one that named nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select, text, tuple_, update

from domain.certificates import Carrier, IssuerId
from domain.holds import Hold, Release
from domain.lists import Scope
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from store.hold_tables import hold_misses, releases
from store.lists import Lists
from store.prepared import Statement
from store.statements import Statements
from store.status_changes import StatusChanges
from store.tables import certificates, revocations

_r, _c = revocations.c, certificates.c
# No parameters, or SQLite would not use partial indexes.
_HELD = text(f"revocations.reason = {int(CrlReason.CERTIFICATE_HOLD)}")
_UNREPORTED = text("revocations.reported_at IS NULL")
_ROWS = (
    # In the order of Hold.
    select(
        _r.issuer,
        _r.serial,
        _c.application_id,
        _c.kind,
        _c.carrier,
        _r.municipality,
        _c.resident_id,
        _r.revoked_at,
        _r.reported_at,
    )
    .select_from(revocations.join(certificates, (_c.issuer == _r.issuer) & (_c.serial == _r.serial)))
    .where(_HELD, _r.revoked_at < bindparam("before"), _r.not_after >= bindparam("now"))
    .order_by(_r.revoked_at, _r.issuer, _r.serial)
    .limit(bindparam("limit"))
)
_OF_CARRIER = _ROWS.where(_UNREPORTED, _c.carrier == bindparam("carrier"))
_AFTER = _ROWS.where(
    tuple_(_r.revoked_at, _r.issuer, _r.serial)
    > tuple_(
        bindparam("after_held", type_=_r.revoked_at.type),
        bindparam("after_issuer", type_=_r.issuer.type),
        bindparam("after_serial", type_=_r.serial.type),
    )
)
_OF_HOLD = (
    _r.issuer == bindparam("of_issuer"),
    _r.serial == bindparam("of_serial"),
    _HELD,
    _r.revoked_at == bindparam("of_held"),
)
_LIFT = delete(revocations).where(*_OF_HOLD)
_REPORT = update(revocations).where(*_OF_HOLD)
_RELEASED = insert(releases)
_RELEASES_OF = (
    select(releases.c.issuer, releases.c.serial, releases.c.held_at, releases.c.released_at)
    .where(releases.c.issuer == bindparam("issuer"), releases.c.serial == bindparam("serial"))
    .order_by(releases.c.id)
)
_FORGET_RELEASES = delete(releases).where(
    releases.c.issuer == bindparam("of_issuer"), releases.c.serial == bindparam("of_serial")
)
_MUNICIPALITY = select(_c.municipality).where(_c.issuer == bindparam("issuer"), _c.serial == bindparam("serial"))

_m = hold_misses.c
_MISS = insert(hold_misses)
_FORGET = delete(hold_misses).where(_m.caller == bindparam("of_caller"), _m.at < bindparam("since"))
_MISSES = (
    select(func.count()).select_from(hold_misses).where(_m.caller == bindparam("caller"), _m.at >= bindparam("since"))
)


class Holds:
    """`domain.holds.HoldRepository`."""

    def __init__(self, statements: Statements, lists: Lists, changes: StatusChanges) -> None:
        self._statements = statements
        self._lists = lists
        self._changes = changes

    def standing(self, now: datetime, before: datetime, after: Hold | None, limit: int) -> Sequence[Hold]:
        named: dict[str, object] = {"now": now, "before": before, "limit": limit}
        if after is None:
            return self._holds(_ROWS, named)
        place = {"after_held": after.held_at, "after_issuer": after.issuer, "after_serial": after.serial}
        return self._holds(_AFTER, {**named, **place})

    def unreported(self, now: datetime, before: datetime, carrier: Carrier, limit: int) -> Sequence[Hold]:
        return self._holds(_OF_CARRIER, {"now": now, "before": before, "limit": limit, "carrier": carrier})

    def _holds(self, statement: Statement, named: Mapping[str, object]) -> list[Hold]:
        return [Hold(*row) for row in self._statements.many(statement, named)]

    def release(self, release: Release, receipt: str, received_at: datetime | None = None) -> None:
        if self._statements.run(_LIFT, _named(release.issuer, release.serial, release.held_at)) != 1:
            raise LookupError("no hold of that time stands")
        row = {
            "issuer": release.issuer,
            "serial": release.serial,
            "held_at": release.held_at,
            "released_at": release.released_at,
            "receipt": receipt,
        }
        self._statements.run(_RELEASED, row)
        found = self._statements.one(_MUNICIPALITY, {"issuer": release.issuer, "serial": release.serial})
        self._changes.note([(release.issuer, release.serial)], urgent=True)
        told = (receipt, None, received_at or release.released_at, release.released_at)
        self._lists.want(Scope(release.issuer, found.municipality), 1, told)

    def releases_of(self, issuer: IssuerId, serial: SerialNumber) -> Sequence[Release]:
        return [Release(*row) for row in self._statements.many(_RELEASES_OF, {"issuer": issuer, "serial": serial})]

    def forget(self, issuer: IssuerId, serial: SerialNumber) -> None:
        self._statements.run(_FORGET_RELEASES, {"of_issuer": issuer, "of_serial": serial})

    def report(self, hold: Hold, at: datetime) -> None:
        named = _named(hold.issuer, hold.serial, hold.held_at)
        if self._statements.run(_REPORT, {**named, "reported_at": at}) != 1:
            raise LookupError("no hold of that time stands")

    def miss(self, caller: str, at: datetime, since: datetime) -> None:
        self._statements.run(_FORGET, {"of_caller": caller, "since": since})
        self._statements.run(_MISS, {"caller": caller, "at": at})

    def misses(self, caller: str, since: datetime) -> int:
        misses: int = self._statements.one(_MISSES, {"caller": caller, "since": since})[0]
        return misses


def _named(issuer: IssuerId, serial: SerialNumber, held_at: datetime) -> dict[str, object]:
    return {"of_issuer": issuer, "of_serial": serial, "of_held": held_at}
