"""Records that were kept long enough, on every store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.certificates import CertificateRecord, Validity
from domain.lists import Scope
from tests.support.stores import NOW, Store, add_application, add_certificate, add_resident, revocation_of

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def ending(store: Store, label: str, days: int) -> CertificateRecord:
    """A certificate that ends so many days from now, revoked."""
    record = add_certificate(store.begin, label, validity=Validity(NOW - DAY, NOW + days * DAY))
    with store.begin() as work:
        work.revocations.put(revocation_of(record, not_after=record.validity.not_after), "receipt", NOW)
        work.commit()
    return record


def publish(store: Store, record: CertificateRecord, days: int) -> None:
    """A list of its scope, made so many days from now."""
    scope = Scope(record.issuer, record.municipality)
    with store.begin() as work:
        number = work.lists.reserve(scope, NOW + days * DAY, NOW + (days + 2) * DAY, 0)
        work.lists.signed(scope, number, bytes(32), 1)
        work.lists.published(scope, number)
        work.commit()


def test_expired_certificates_come_in_the_order_of_their_ends(any_store: Store) -> None:
    later, sooner, last = (ending(any_store, label, days) for label, days in (("one", 2), ("two", 1), ("three", 9)))
    with any_store.begin(write=False) as work:
        ends = last.validity.not_after
        assert list(work.certificates.expired(ends)) == [(row.issuer, row.serial) for row in (sooner, later)]
        assert len(list(work.certificates.expired(ends + SECOND))) == 3
        assert not list(work.certificates.expired(NOW))


def test_a_revocation_is_over_when_a_list_came_after_the_certificate(any_store: Store) -> None:
    one, other = ending(any_store, "one", 1), ending(any_store, "other", 3)

    def over(days: int) -> list[object]:
        with any_store.begin(write=False) as work:
            return list(work.revocations.expired(NOW + days * DAY))

    assert over(9) == []
    publish(any_store, one, 1)
    assert over(9) == []
    publish(any_store, one, 2)
    assert over(9) == [(one.issuer, one.serial)]
    assert over(1) == []
    publish(any_store, other, 4)
    assert over(9) == [(row.issuer, row.serial) for row in (one, other)]


def test_a_revocation_is_erased_and_then_its_certificate(any_store: Store) -> None:
    one, other = ending(any_store, "one", 1), ending(any_store, "other", 1)
    with any_store.begin() as work:
        work.revocations.erase(one.issuer, one.serial)
        assert work.revocations.find(one.issuer, one.serial) is None
        work.certificates.erase(one.issuer, one.serial)
        assert work.certificates.find(one.issuer, one.serial) is None
        assert list(work.certificates.all()) == [other]
        assert len(list(work.revocations.all())) == 1
        work.commit()
    assert any_store.status.status_of(one.issuer, one.serial).word == "unknown"


def test_a_certificate_with_a_revocation_cannot_be_erased(any_store: Store) -> None:
    record = ending(any_store, "one", 1)
    with any_store.begin() as work, pytest.raises((AssertionError, RuntimeError)):
        work.certificates.erase(record.issuer, record.serial)


def test_an_application_is_erased_without_certificates_unless_it_is_the_newest(any_store: Store) -> None:
    with any_store.begin() as work:
        resident = add_resident(work)
        empty = add_application(work, resident, "empty")
        work.commit()
    used = add_certificate(any_store.begin, "used").application_id
    with any_store.begin() as work:
        newest = add_application(work, resident, "newest")
        assert [work.applications.erase(number) for number in (empty, used, newest, empty, 99)] == [True, *[False] * 4]
        assert work.applications.find("清瀬市", "empty") is None
        with pytest.raises(LookupError):
            work.applications.get(empty)
        assert add_application(work, resident, "next") == newest + 1
