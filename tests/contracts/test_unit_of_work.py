"""Units of work on every store: all or nothing, one view, one writer at a time."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from tests.support.people import certificate_record
from tests.support.stores import NOW, Store, add_application, add_certificate, add_resident, digest_of, make_certificate

EVENT = AuditEvent(Act.RESIDENT_CHANGED, "register:test", NOW, {"resident": 1})


def residents(store: Store) -> int:
    with store.begin(write=False) as work:
        return work.residents.count()


def test_what_is_committed_stays(any_store: Store) -> None:
    with any_store.begin() as work:
        resident_id = add_resident(work)
        work.commit()
    with any_store.begin(write=False) as work:
        assert work.residents.get(resident_id).id == resident_id


def test_a_commit_that_does_not_wait_for_the_disk_is_seen_by_all(any_store: Store) -> None:
    with any_store.begin(lasting=False) as work:
        resident_id = add_resident(work)
        work.audit.append(EVENT)
        work.commit()
    with any_store.begin(write=False) as work:
        assert work.residents.get(resident_id).id == resident_id
        assert work.audit.head() is not None


def test_leaving_without_commit_leaves_nothing(any_store: Store) -> None:
    with any_store.begin() as work:
        add_resident(work)
        work.audit.append(EVENT)
    with any_store.begin(write=False) as work:
        assert work.residents.count() == 0
        assert work.audit.head() is None


def test_an_exception_leaves_nothing_and_goes_on(any_store: Store) -> None:
    def fail() -> None:
        with any_store.begin() as work:
            add_resident(work)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert residents(any_store) == 0


def test_a_unit_sees_what_it_wrote(any_store: Store) -> None:
    with any_store.begin() as work:
        resident_id = add_resident(work)
        assert work.residents.find(digest_of("resident")) == work.residents.get(resident_id)


def test_others_see_nothing_before_the_commit(any_store: Store) -> None:
    with any_store.begin() as work:
        add_resident(work)
        assert residents(any_store) == 0
        work.commit()
    assert residents(any_store) == 1


def test_a_reader_sees_one_moment(any_store: Store) -> None:
    with any_store.begin(write=False) as reader:
        assert reader.residents.count() == 0
        with any_store.begin() as writer:
            add_resident(writer)
            writer.commit()
        assert reader.residents.count() == 0
    assert residents(any_store) == 1


def test_a_reader_cannot_commit(any_store: Store) -> None:
    with any_store.begin(write=False) as work, pytest.raises(RuntimeError, match="read"):
        work.commit()


def test_an_audit_row_comes_with_what_it_describes(any_store: Store) -> None:
    with any_store.begin() as work:
        add_resident(work)
        work.audit.append(EVENT)
        work.audit.append(replace(EVENT, act=Act.ISSUED))
        assert list(work.audit.rows()) == []
        work.commit()
    with any_store.begin(write=False) as work:
        rows, head = list(work.audit.rows()), work.audit.head()
        later = list(work.audit.rows(after=1))
    assert [row.sequence for row in rows] == [1, 2]
    assert later == rows[1:]
    assert head is not None
    assert (head.sequence, head.digest) == (2, rows[-1].digest)


def test_a_refused_statement_undoes_what_was_done_before_it(any_store: Store) -> None:
    add_certificate(any_store.begin)

    def certify_the_same_key() -> None:
        with any_store.begin() as work:
            work.audit.append(EVENT)
            work.certificates.reserve([make_certificate(work, "other", spki_digest=digest_of("key of holder"))])

    with pytest.raises(Refusal) as refused:
        certify_the_same_key()
    assert refused.value.code is Code.KEY_USED_BEFORE
    with any_store.begin(write=False) as work:
        assert work.residents.count() == 1
        assert work.audit.head() is None


def test_of_two_writers_one_waits_for_the_other(any_store: Store) -> None:
    order: list[str] = []

    def write(label: str) -> None:
        with any_store.begin() as work:
            order.append(f"{label} begins")
            add_resident(work, label)
            work.commit()

    with any_store.begin() as first:
        second = threading.Thread(target=write, args=("second",))
        second.start()
        add_resident(first, "first")
        order.append("first ends")
        first.commit()
    second.join(timeout=30)
    assert order == ["first ends", "second begins"]
    assert residents(any_store) == 2


def test_of_two_threads_that_reserve_for_one_resident_one_wins(any_store: Store) -> None:
    with any_store.begin() as work:
        resident_id = add_resident(work)
        applications = [add_application(work, resident_id, key) for key in ("first", "second")]
        work.commit()
    outcomes: list[Code | None] = []
    barrier = threading.Barrier(2)

    def reserve(application_id: int) -> None:
        record = replace(
            certificate_record(Kind.SIGNATURE, application_id),
            resident_id=resident_id,
            spki_digest=digest_of(f"key {application_id}"),
        )
        barrier.wait(timeout=30)
        try:
            with any_store.begin() as work:
                work.certificates.reserve([record])
                work.commit()
        except Refusal as refusal:
            outcomes.append(refusal.code)
        else:
            outcomes.append(None)

    threads = [threading.Thread(target=reserve, args=(number,)) for number in applications]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes, key=str) == [Code.LIVE_PAIR, None]
    with any_store.begin(write=False) as work:
        assert len(work.certificates.live_of(resident_id)) == 1
