"""Revocation records and receipts on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.holds import Release
from domain.lists import Scope
from domain.ports import UnitOfWork
from domain.revocation import CrlReason, Revocation, RevocationCause
from domain.status import CertificateStatus
from tests.support.lists import count_of
from tests.support.people import serial_of
from tests.support.stores import NOW, Store, add_certificate, digest_of, make_certificate, revocation_of

SECOND = timedelta(seconds=1)


def test_a_revocation_comes_back_as_it_went(any_store: Store) -> None:
    record = add_certificate(any_store.begin)
    revocation = revocation_of(record)
    with any_store.begin() as work:
        assert work.revocations.find(record.issuer, record.serial) is None
        work.revocations.put(revocation, "receipt", NOW)
        assert work.revocations.find(record.issuer, record.serial) == revocation
        assert list(work.revocations.all()) == [revocation]


@pytest.mark.parametrize("reason", list(CrlReason))
def test_the_reason_is_kept_and_told(any_store: Store, reason: CrlReason) -> None:
    record = add_certificate(any_store.begin)
    revocation = revocation_of(record, reason=reason)
    with any_store.begin() as work:
        work.certificates.complete([(record.issuer, record.serial, b"certificate")])
        work.revocations.put(revocation, "receipt", NOW)
        work.commit()
    expected = CertificateStatus("revoked", revocation.revoked_at, reason)
    assert any_store.status.status_of(record.issuer, record.serial) == expected


def test_a_hold_may_become_a_revocation_and_a_revocation_stands(any_store: Store) -> None:
    record = add_certificate(any_store.begin)
    hold = revocation_of(record, reason=CrlReason.CERTIFICATE_HOLD, cause=RevocationCause.TEMPORARY_STOP)
    final = replace(hold, reason=CrlReason.KEY_COMPROMISE, cause=RevocationCause.CARD_LOST)
    with any_store.begin() as work:
        work.revocations.put(hold, "hold", NOW)
        work.revocations.put(final, "final", NOW)
        work.commit()
    with any_store.begin() as work:
        assert list(work.revocations.all()) == [final]
        with pytest.raises(Refusal) as refused:
            work.revocations.put(replace(final, reason=CrlReason.SUPERSEDED), "late", NOW)
        assert refused.value.code is Code.ALREADY_APPLIED


def test_each_revocation_counts_in_its_scope(any_store: Store) -> None:
    one, other = add_certificate(any_store.begin, "one"), add_certificate(any_store.begin, "other")
    scope = Scope(one.issuer, one.municipality)
    counts = []
    for record in (one, other):
        with any_store.begin() as work:
            work.revocations.put(revocation_of(record), "receipt", NOW)
            work.commit()
        with any_store.begin(write=False) as work:
            found = work.lists.scope(scope)
            assert found is not None
            counts.append(found.wanted)
    with any_store.begin() as work:
        third = make_certificate(work, "third")
        work.certificates.reserve([third])
        work.revocations.put(revocation_of(third), "receipt", NOW)
    with any_store.begin(write=False) as work:
        unchanged = work.lists.scope(scope)
    assert unchanged is not None
    assert counts == [1, 2]
    assert unchanged.wanted == 2


def test_a_scope_lists_its_own_by_serial_while_they_are_due(any_store: Store) -> None:
    records = [add_certificate(any_store.begin, f"holder {n}") for n in range(6)]
    elsewhere = add_certificate(any_store.begin, "elsewhere", issuer="signature-g2")
    ends = records[0].validity.not_after
    revocations = [replace(revocation_of(record), not_after=ends + n * SECOND) for n, record in enumerate(records)]
    with any_store.begin() as work:
        for revocation in (*revocations, revocation_of(elsewhere)):
            work.revocations.put(revocation, "receipt", NOW)
        work.commit()
    ordered = sorted(revocations, key=lambda revocation: revocation.serial)

    def listed(work: UnitOfWork, scope: Scope, since: datetime | None) -> list[Revocation]:
        octets = b"".join(block.serials for block in work.revocations.blocks_of(scope, since))
        by_serial = {revocation.serial.octets: revocation for revocation in revocations}
        return [by_serial[octets[at : at + 16]] for at in range(0, len(octets), 16)]

    scope = Scope(records[0].issuer, records[0].municipality)
    with any_store.begin(write=False) as work:
        assert listed(work, scope, None) == ordered
        due = [revocation for revocation in ordered if revocation.not_after >= ends + 3 * SECOND]
        assert listed(work, scope, ends + 3 * SECOND) == due
        assert listed(work, replace(scope, municipality=None), None) == []
        assert {revocation.serial for revocation in work.revocations.all()} == {
            *(revocation.serial for revocation in revocations),
            serial_of("elsewhere"),
        }


def test_the_store_counts_what_comes_and_goes(any_store: Store) -> None:
    records = [add_certificate(any_store.begin, f"holder {n}") for n in range(5)]
    scope = Scope(records[0].issuer, records[0].municipality)
    ends = records[0].validity.not_after
    rows = [
        replace(revocation_of(record, reason=reason), not_after=ends + n * SECOND, revoked_at=NOW + n * SECOND)
        for n, (record, reason) in enumerate(zip(records, (*CrlReason,)[2:], strict=True))
    ]
    hold = rows[4]
    assert hold.on_hold
    final = replace(hold, reason=CrlReason.KEY_COMPROMISE, revoked_at=NOW - SECOND)

    def check(standing: list[Revocation]) -> None:
        with any_store.begin(write=False) as work:
            assert work.revocations.count(scope, None) == count_of(standing)
            for since in (ends, ends + 2 * SECOND, ends + 9 * SECOND):
                listed = [row for row in standing if row.not_after >= since]
                assert work.revocations.count(scope, since) == count_of(listed)
                assert len(listed) == sum(map(len, work.revocations.blocks_of(scope, since)))
            assert work.revocations.count(Scope(scope.issuer, None), None) == count_of([])
            assert work.revocations.count(Scope(IssuerId("signature-g2"), scope.municipality), ends) == count_of([])

    check([])
    with any_store.begin() as work:
        work.revocations.put_many([(row, "receipt", NOW) for row in rows[:3]], over_holds=False)
        work.revocations.put(rows[3], "receipt", NOW)
        work.revocations.put(hold, "receipt", NOW)
        work.commit()
    check(rows)
    with any_store.begin() as work:
        work.holds.release(Release(hold.issuer, hold.serial, hold.revoked_at, NOW + SECOND), "found")
        work.commit()
    check(rows[:4])
    with any_store.begin() as work:
        work.revocations.put(hold, "receipt", NOW)
        work.revocations.put_many([(final, "receipt", NOW)], over_holds=True)
        work.commit()
    check([*rows[:4], final])
    with any_store.begin() as work:
        work.revocations.erase(rows[1].issuer, rows[1].serial)
        work.commit()
    check([rows[0], *rows[2:4], final])


def test_a_receipt_is_kept_once_under_its_key(any_store: Store) -> None:
    with any_store.begin() as work:
        assert work.revocations.receipt("清瀬市", "key") is None
        work.revocations.keep_receipt("清瀬市", "key", digest_of("content"), '{"id":"1"}')
        assert work.revocations.receipt("清瀬市", "key") == (digest_of("content"), '{"id":"1"}')
        assert work.revocations.receipt("日野市", "key") is None
        with pytest.raises(Refusal) as refused:
            work.revocations.keep_receipt("清瀬市", "key", digest_of("other"), "{}")
        assert refused.value.code is Code.IN_PROGRESS
