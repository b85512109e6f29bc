"""Keys, subscriptions and news of handles on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from domain.certificates import CertificateRecord, Kind
from domain.handles import Handle, HandleKeyRecord, HandleNotice, HandleWord, Recipient, StatusChange, Subscription
from domain.holds import Release
from domain.parties import Party, Role
from domain.ports import UnitOfWork
from domain.revocation import CrlReason, RevocationCause
from domain.tracers import Sighting, TracerName, TracerRow
from tests.support.stores import NOW, Store, add_certificate, digest_of, make_certificate, revocation_of

DAY = timedelta(days=1)


def recipients(store: Store) -> tuple[Recipient, Recipient]:
    with store.begin() as work:
        party = work.parties.add(Party(0, Role.VERIFIER, "bank", kinds=frozenset(Kind)), NOW)
        work.commit()
    return Recipient(party.id), Recipient(party.id, 7)


def subscription(recipient: Recipient, topic: str = "topic", generation: int = 1) -> Subscription:
    return Subscription(digest_of(topic)[:16], recipient, Handle(f"handle of {topic}"), generation, NOW)


def notice(recipient: Recipient, mark: str, place: int = 1, days: int = 0) -> HandleNotice:
    return HandleNotice(digest_of(mark)[:16], recipient, Handle(mark), HandleWord.HELD, NOW + days * DAY, place)


def test_generations_come_back_by_number_as_they_were_put_last(any_store: Store) -> None:
    second = HandleKeyRecord(2, digest_of("two"), NOW)
    first = HandleKeyRecord(1, digest_of("one"), NOW, NOW)
    with any_store.begin() as work:
        assert list(work.handles.generations()) == []
        for record in (second, first):
            work.handles.put_key(record)
        work.handles.put_key(replace(first, retired_at=NOW + DAY))
        work.commit()
    with any_store.begin(write=False) as work:
        assert list(work.handles.generations()) == [replace(first, retired_at=NOW + DAY), second]


def test_a_recipient_subscribes_a_topic_once_and_ends_it_for_itself(any_store: Store) -> None:
    bank, shop = recipients(any_store)
    ours, theirs = subscription(bank), subscription(shop)
    other = subscription(bank, "other")
    with any_store.begin() as work:
        work.handles.subscribe([ours, theirs, other])
        work.handles.subscribe([replace(ours, handle=Handle("another"))])
        work.commit()
    with any_store.begin() as work:
        assert {*work.handles.subscribers([ours.topic])} == {ours, theirs}
        assert {*work.handles.subscribers([ours.topic, other.topic])} == {ours, theirs, other}
        assert list(work.handles.subscribers([digest_of("nobody")[:16]])) == []
        work.handles.unsubscribe([ours.topic, digest_of("nobody")[:16]], bank)
        assert list(work.handles.subscribers([ours.topic])) == [theirs]


def test_subscriptions_of_older_generations_are_moved(any_store: Store) -> None:
    bank, shop = recipients(any_store)
    old, new = subscription(bank, "old"), subscription(bank, "new", 2)
    there = subscription(shop, "there", 2)
    with any_store.begin() as work:
        work.handles.subscribe([old, there])
        assert list(work.handles.older(2, 9)) == [old]
        assert list(work.handles.older(1, 9)) == list(work.handles.older(2, 0)) == []
        work.handles.move([(old, new)])
        assert list(work.handles.older(2, 9)) == []
        assert list(work.handles.subscribers([new.topic])) == [new]


def revoked(work: UnitOfWork, record: CertificateRecord, reason: CrlReason, cause: RevocationCause) -> None:
    work.revocations.put(revocation_of(record, reason=reason, cause=cause), "receipt", NOW)


def test_changes_of_status_are_told_as_they_are_now(any_store: Store) -> None:
    record = add_certificate(any_store.begin, line=77)
    with any_store.begin() as work:
        assert work.handles.last_change() == 0
        work.certificates.complete([(record.issuer, record.serial, b"certificate")])
        work.commit()
    with any_store.begin() as work:
        revoked(work, record, CrlReason.CERTIFICATE_HOLD, RevocationCause.TEMPORARY_STOP)
        work.commit()
    at = revocation_of(record).revoked_at
    named = (record.application_id, Kind.SIGNATURE, 77, False)
    with any_store.begin(write=False) as work:
        standing = (RevocationCause.TEMPORARY_STOP, CrlReason.CERTIFICATE_HOLD, at, None)
        assert list(work.handles.changes(0, 9)) == [StatusChange(number, *named, *standing) for number in (1, 2)]
        assert [change.sequence for change in work.handles.changes(1, 9)] == [2]
        assert [change.sequence for change in work.handles.changes(0, 1)] == [1]
        assert work.handles.last_change() == 2
    with any_store.begin() as work:
        work.holds.release(Release(record.issuer, record.serial, at, at + DAY), "receipt")
        work.commit()
    with any_store.begin(write=False) as work:
        assert list(work.handles.changes(2, 9)) == [StatusChange(3, *named, None, None, None, at + DAY)]


def test_the_position_is_kept(any_store: Store) -> None:
    with any_store.begin() as work:
        assert work.handles.position() is None
        work.handles.keep_position(4)
        work.handles.keep_position(9)
        assert work.handles.position() == 9


def test_news_are_kept_once_and_numbered_for_each_recipient_in_their_places(any_store: Store) -> None:
    bank, shop = recipients(any_store)
    late, early, theirs = notice(bank, "late", 5), notice(bank, "early", 3), notice(shop, "theirs", 4)
    tomorrow = notice(bank, "tomorrow", 1, days=1)
    with any_store.begin() as work:
        work.handles.keep([late, early, theirs, tomorrow])
        work.handles.keep([replace(early, handle=Handle("again"))])
        due = work.handles.due(NOW, 9)
        assert list(due) == [early, late, theirs]
        assert list(work.handles.due(NOW, 1)) == [early]
        assert list(work.handles.told(bank, 0, 9)) == []
        work.handles.number(due, NOW)
        assert list(work.handles.due(NOW, 9)) == []
        work.commit()
    with any_store.begin() as work:
        work.handles.number(work.handles.due(NOW + DAY, 9), NOW + DAY)
        told = list(work.handles.told(bank, 0, 9))
        assert told == [replace(early, number=1), replace(late, number=2), replace(tomorrow, number=3)]
        assert list(work.handles.told(bank, 1, 1)) == [told[1]]
        assert list(work.handles.told(shop, 0, 9)) == [replace(theirs, number=1)]


def test_told_news_are_erased_and_no_number_is_given_again(any_store: Store) -> None:
    bank, _ = recipients(any_store)
    with any_store.begin() as work:
        work.handles.keep([notice(bank, "one")])
        work.handles.number(work.handles.due(NOW, 9), NOW)
        assert not work.handles.has_told(NOW)
        assert work.handles.erase_told(NOW) == 0
        assert work.handles.has_told(NOW + DAY)
        assert work.handles.erase_told(NOW + DAY) == 1
        work.handles.keep([notice(bank, "two")])
        work.handles.number(work.handles.due(NOW, 9), NOW)
        assert [row.number for row in work.handles.told(bank, 0, 9)] == [2]


def test_the_line_of_a_certificate_is_kept(any_store: Store) -> None:
    with any_store.begin() as work:
        record = make_certificate(work, line=3)
        work.certificates.reserve([record])
        assert work.certificates.find(record.issuer, record.serial) == record


def test_tracers_and_sightings_are_kept_once_and_come_in_order(any_store: Store) -> None:
    bank, shop = recipients(any_store)
    rows = [TracerRow(TracerName("0a", place), digest_of(str(place)), NOW) for place in (10, 2)]
    seen = Sighting(rows[0].name, bank, "ocsp", NOW + DAY)
    others = [replace(seen, seen_by=None, at=NOW), replace(seen, seen_by=shop), replace(seen, channel="handle")]
    with any_store.begin() as work:
        for row in rows:
            work.tracers.put(row)
        assert work.tracers.find(rows[0].name) == rows[0]
        assert work.tracers.find(TracerName("0b", 2)) is None
        assert [work.tracers.see(one) for one in (seen, seen, replace(seen, at=NOW))] == [True, False, False]
        assert all(work.tracers.see(one) for one in others)
        work.commit()
    with any_store.begin(write=False) as work:
        assert list(work.tracers.all()) == [rows[1], rows[0]]
        told = work.tracers.sightings()
        assert {*told} == {seen, *others}
        assert told[0] == others[0]
