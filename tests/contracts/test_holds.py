"""Holds, their release and their age, attempts in vain, and residents found by their items, on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.certificates import Carrier, CertificateRecord
from domain.holds import Hold, Release
from domain.lists import Scope
from domain.people import ResidentState
from domain.ports import UnitOfWork
from domain.revocation import CrlReason, Revocation, RevocationCause
from domain.status import GOOD
from tests.support.people import KIYOSE, PERSON
from tests.support.stores import NOW, Store, add_certificate, add_resident, digest_of, revocation_of

HOUR = timedelta(hours=1)


def held(record: CertificateRecord, hours: int = 0) -> Revocation:
    hold = revocation_of(record, reason=CrlReason.CERTIFICATE_HOLD, cause=RevocationCause.TEMPORARY_STOP)
    return replace(hold, revoked_at=NOW + hours * HOUR)


def names(holds: list[Hold]) -> list[object]:
    return [hold.serial for hold in holds]


def wanted(work: UnitOfWork, record: CertificateRecord) -> int:
    found = work.lists.scope(Scope(record.issuer, record.municipality))
    assert found is not None
    return found.wanted


def test_a_lifted_hold_leaves_the_certificate_good_and_is_remembered(any_store: Store) -> None:
    record = add_certificate(any_store.begin)
    hold = held(record)
    release = Release(record.issuer, record.serial, hold.revoked_at, NOW + HOUR)
    with any_store.begin() as work:
        work.certificates.complete([(record.issuer, record.serial, b"certificate")])
        work.revocations.put(hold, "stop", NOW)
        before = wanted(work, record)
        work.holds.release(release, "found")
        work.commit()
    assert any_store.status.status_of(record.issuer, record.serial) == GOOD
    with any_store.begin() as work:
        assert wanted(work, record) == before + 1
        (change,) = work.changes.of_receipt("found")
        assert (change.number, change.cause, change.committed_at) == (before + 1, None, NOW + HOUR)
        assert work.revocations.find(record.issuer, record.serial) is None
        assert work.holds.releases_of(record.issuer, record.serial) == [release]
        again = replace(hold, revoked_at=NOW + 2 * HOUR)
        work.revocations.put(again, "stop again", NOW)
        assert work.revocations.find(record.issuer, record.serial) == again


def test_releases_are_erased_with_their_certificate(any_store: Store) -> None:
    record = add_certificate(any_store.begin)
    with any_store.begin() as work:
        work.revocations.put(held(record), "stop", NOW)
        work.holds.release(Release(record.issuer, record.serial, NOW, NOW + HOUR), "found")
        work.holds.forget(record.issuer, record.serial)
        assert not work.holds.releases_of(record.issuer, record.serial)
        work.certificates.erase(record.issuer, record.serial)


@pytest.mark.parametrize(
    "changes", [{"reason": CrlReason.KEY_COMPROMISE}, {"revoked_at": NOW - HOUR}], ids=["revoked", "another-hold"]
)
def test_nothing_but_this_hold_is_lifted(any_store: Store, changes: dict[str, object]) -> None:
    record = add_certificate(any_store.begin)
    with any_store.begin() as work:
        work.revocations.put(replace(held(record), **changes), "stop", NOW)  # type: ignore[arg-type]
        with pytest.raises(LookupError):
            work.holds.release(Release(record.issuer, record.serial, NOW, NOW + HOUR), "found")


def test_holds_are_paged_by_age(any_store: Store) -> None:
    records = [add_certificate(any_store.begin, f"holder {n}") for n in range(4)]
    ended = replace(held(records[3], 0), not_after=NOW - HOUR)
    with any_store.begin() as work:
        for record, hours in zip(records[:3], (3, 1, 2), strict=True):
            work.revocations.put(held(record, hours), "stop", NOW)
        work.revocations.put(ended, "stop", NOW)
        work.commit()
    with any_store.begin(write=False) as work:
        far = NOW + 9 * HOUR
        first = list(work.holds.standing(NOW, far, None, 2))
        assert names(first) == [records[1].serial, records[2].serial]
        assert names(list(work.holds.standing(NOW, far, first[-1], 2))) == [records[0].serial]
        assert names(list(work.holds.standing(NOW, NOW + 2 * HOUR, None, 9))) == [records[1].serial]
        oldest = first[0]
        assert (oldest.application_id, oldest.kind, oldest.carrier) == (
            records[1].application_id,
            records[1].kind,
            records[1].carrier,
        )
        assert (oldest.resident_id, oldest.municipality, oldest.held_at, oldest.reported_at) == (
            records[1].resident_id,
            records[1].municipality,
            NOW + HOUR,
            None,
        )


def test_a_hold_is_reported_once(any_store: Store) -> None:
    one, other = (add_certificate(any_store.begin, label) for label in ("one", "other"))
    with any_store.begin() as work:
        for record in (one, other):
            work.revocations.put(held(record), "stop", NOW)
        far = NOW + HOUR
        hold = next(row for row in work.holds.standing(NOW, far, None, 9) if row.serial == one.serial)
        work.holds.report(hold, NOW + HOUR)
        assert names(list(work.holds.unreported(NOW, far, Carrier.CARD, 9))) == [other.serial]
        assert not work.holds.unreported(NOW, far, Carrier.MOBILE_DEVICE, 9)
        assert not work.holds.unreported(NOW, NOW, Carrier.CARD, 9)
        kept = next(row for row in work.holds.standing(NOW, far, None, 9) if row.serial == one.serial)
        assert kept.reported_at == NOW + HOUR
        with pytest.raises(LookupError):
            work.holds.report(replace(hold, held_at=NOW - HOUR), NOW)


def test_misses_count_against_their_caller_while_they_are_new(any_store: Store) -> None:
    with any_store.begin() as work:
        for hours in (0, 1, 2):
            work.holds.miss("desk:tokyo", NOW + hours * HOUR, NOW)
        work.holds.miss("desk:osaka", NOW, NOW)
        assert work.holds.misses("desk:tokyo", NOW) == 3
        assert work.holds.misses("desk:tokyo", NOW + HOUR) == 2
        work.holds.miss("desk:tokyo", NOW + 3 * HOUR, NOW + 2 * HOUR)
        assert [work.holds.misses(who, NOW) for who in ("desk:tokyo", "desk:osaka", "desk:nara")] == [2, 1, 0]


def test_residents_are_found_by_a_digest_of_their_items_until_these_change(any_store: Store) -> None:
    with any_store.begin() as work:
        one, other, third = (add_resident(work, label) for label in ("one", "other", "third"))
        assert [row.id for row in work.residents.unmatched(2)] == [one, other]
        same = digest_of("same items")
        work.residents.keep_matches([(one, same), (other, same), (third, digest_of("others"))])
        assert not work.residents.unmatched(9)
        assert [row.id for row in work.residents.by_items([same])] == [one, other]
        assert [row.id for row in work.residents.by_items([digest_of("none"), digest_of("others")])] == [third]
        assert not work.residents.by_items([digest_of("none")])
        work.residents.update(one, KIYOSE.code, None, ResidentState.PRESENT, NOW)
        work.residents.update(other, KIYOSE.code, PERSON, ResidentState.PRESENT, NOW)
        assert [row.id for row in work.residents.by_items([same])] == [one]
        assert [row.id for row in work.residents.unmatched(9)] == [other]
