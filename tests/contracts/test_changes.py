"""Changes of lists with their times, on every store: kept with the revocations, and found by receipt, time and list."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from domain.certificates import CertificateRecord, IssuerId
from domain.changes import LagCount, Leg, ListChange
from domain.lists import Scope
from domain.ports import UnitOfWork
from domain.revocation import CrlReason, RevocationCause
from tests.support.people import serial_of
from tests.support.stores import NOW, Store, add_certificate, digest_of, revocation_of

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
AT = NOW + timedelta(minutes=59)


def certificates(store: Store, *labels: str) -> list[CertificateRecord]:
    return [add_certificate(store.begin, label, serial=serial_of(label)) for label in labels]


def revoke(work: UnitOfWork, record: CertificateRecord, receipt: str, **changes: object) -> None:
    work.revocations.put(revocation_of(record, **changes), receipt, NOW)


def scope_of(record: CertificateRecord) -> Scope:
    return Scope(record.issuer, record.municipality)


def test_an_act_is_one_change_of_each_series_however_many_it_revoked(any_store: Store) -> None:
    a, b, c, d = certificates(any_store, "a", "b", "c", "d")
    with any_store.begin() as work:
        for record in (a, b, c):
            revoke(work, record, "first")
        work.commit()
    with any_store.begin() as work:
        work.revocations.put_many(
            [(revocation_of(d, cause=RevocationCause.CARD_LOST), "second", NOW)], over_holds=False
        )
        work.commit()
    with any_store.begin(write=False) as work:
        known = work.lists.scope(scope_of(a))
        assert known is not None
        assert known.wanted == 4
        at = revocation_of(a).revoked_at
        first = ListChange(scope_of(a), 3, 3, "first", RevocationCause.RESIDENT_EVENT, NOW, at)
        second = replace(first, number=4, count=1, receipt="second", cause=RevocationCause.CARD_LOST)
        assert list(work.changes.of_receipt("first")) == [first]
        assert list(work.changes.of_receipt("second")) == [second]
        assert list(work.changes.of_receipt("another")) == []
        assert list(work.changes.between(at, at + SECOND)) == [first, second]
        assert list(work.changes.between(at + SECOND, at + DAY)) == list(work.changes.between(NOW - DAY, at)) == []
        assert list(work.changes.newly(scope_of(a), 0, 3)) == [first]
        assert list(work.changes.newly(scope_of(a), 3, 9)) == [second]
        assert list(work.changes.newly(Scope(IssuerId("other"), a.municipality), 0, 9)) == []


def test_a_hold_that_becomes_a_revocation_is_a_second_change_with_its_own_time(any_store: Store) -> None:
    (record,) = certificates(any_store, "a")
    with any_store.begin() as work:
        revoke(work, record, "hold", reason=CrlReason.CERTIFICATE_HOLD, cause=RevocationCause.TEMPORARY_STOP)
        work.commit()
    held_at = revocation_of(record).revoked_at
    with any_store.begin() as work:
        work.revocations.put(revocation_of(record), "final", held_at + DAY, held_at + DAY)
        work.commit()
    with any_store.begin(write=False) as work:
        found = [(row.number, row.receipt, row.committed_at) for row in work.changes.between(NOW, NOW + 2 * DAY)]
    assert found == [(1, "hold", held_at), (2, "final", held_at + DAY)]


def test_the_first_published_list_that_covers_a_change_shows_it(any_store: Store) -> None:
    a, b = certificates(any_store, "a", "b")
    scope = scope_of(a)
    with any_store.begin() as work:
        revoke(work, a, "a")
        work.commit()
    with any_store.begin() as work:
        revoke(work, b, "b")
        for number, covers in enumerate((0, 1, 1, 2, 2), start=1):
            work.lists.reserve(scope, AT + number * SECOND, AT + DAY, covers)
            work.lists.signed(scope, number, digest_of("list"), 0)
            if number != 2:  # that one never got into place
                work.lists.published(scope, number, AT + number * SECOND)
        work.commit()
    with any_store.begin(write=False) as work:
        (first,), (second,) = work.changes.of_receipt("a"), work.changes.of_receipt("b")
        shown = [work.changes.shown_by(change) for change in (first, second)]
        assert [record and (record.number, record.published_at) for record in shown] == [
            (3, AT + 3 * SECOND),
            (4, AT + 4 * SECOND),
        ]
        assert work.changes.shown_by(replace(second, number=3)) is None
        assert work.changes.shown_by(replace(second, scope=Scope(scope.issuer, None))) is None
        assert [record.number for record in work.changes.lists_since(scope, AT)] == [1, 3, 4, 5]
        assert [record.number for record in work.changes.lists_since(scope, AT + 4 * SECOND)] == [4, 5]


def test_lags_are_counted_up(any_store: Store) -> None:
    with any_store.begin() as work:
        assert list(work.changes.counts()) == []
        work.changes.count({(Leg.LIST, 2): (3, 5), (Leg.LIST, None): (1, 100_000)})
        work.changes.count({})
        work.commit()
    with any_store.begin() as work:
        work.changes.count({(Leg.LIST, 2): (1, 1), (Leg.COMMIT, 1): (2, 0)})
        work.commit()
    with any_store.begin(write=False) as work:
        counted = set(work.changes.counts())
    assert counted == {
        LagCount(Leg.LIST, 2, 4, 6),
        LagCount(Leg.LIST, None, 1, 100_000),
        LagCount(Leg.COMMIT, 1, 2, 0),
    }


def test_a_receipt_is_found_by_its_number(any_store: Store) -> None:
    with any_store.begin() as work:
        work.revocations.keep_receipt("caller", "key 1", digest_of("a"), "{}", "number")
        work.revocations.keep_receipt("caller", "key 2", digest_of("b"), "{}")
        work.commit()
    with any_store.begin(write=False) as work:
        assert work.revocations.receipt_of("number") == ("caller", "{}")
        assert work.revocations.receipt_of("another") is None


def test_what_is_rolled_back_leaves_no_change(any_store: Store) -> None:
    (record,) = certificates(any_store, "a")
    with any_store.begin() as work:
        revoke(work, record, "never")
    with any_store.begin(write=False) as work:
        assert list(work.changes.of_receipt("never")) == []
