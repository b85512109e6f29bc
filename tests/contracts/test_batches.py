"""Batches on every store: queues served in turn, ends that stay, and nothing left of what was asked for."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from domain.batches import BatchItem, BatchRefusal, ItemState
from domain.errors import Code, Refusal
from domain.people import MunicipalityCode
from domain.ports import UnitOfWork
from tests.support.stores import NOW, Store, add_application, add_resident, digest_of

KIYOSE, HINO, SAPPORO = (MunicipalityCode.of_area(area) for area in ("13221", "13212", "01100"))


def add_batch(work: UnitOfWork, key: str, *queues: tuple[MunicipalityCode, int], caller: str = "municipality:x") -> int:
    """A batch of that many waiting items of each municipality."""
    places = [place for place, count in queues for _ in range(count)]
    batch_id = work.batches.open(caller, key, digest_of(key), len(places), NOW)
    work.batches.put(
        [
            BatchItem(batch_id, line, f"{key}-{line}", ItemState.WAITING, place, sealed=b"sealed")
            for line, place in enumerate(places, start=1)
        ],
        NOW,
    )
    return batch_id


def lines(items: object) -> list[int]:
    assert isinstance(items, list)
    return [item.line for item in items]


def test_a_batch_comes_back_as_it_went(any_store: Store) -> None:
    with any_store.begin() as work:
        batch_id = add_batch(work, "key", (KIYOSE, 2))
        refused = BatchItem(
            batch_id, 3, None, ItemState.REFUSED, refusal=BatchRefusal(Code.MALFORMED, "not JSON", "/name")
        )
        work.batches.put([refused], NOW)
        work.commit()
    with any_store.begin(write=False) as work:
        batch = work.batches.find("municipality:x", "key")
        assert batch is not None
        assert work.batches.get(batch_id) == batch
        assert (batch.content, batch.items, batch.open, batch.ended_at) == (digest_of("key"), 2, 2, None)
        assert work.batches.find("municipality:y", "key") is None
        assert work.batches.get(batch_id + 1) is None
        assert work.batches.items(batch_id, 2, 9) == [refused]
        assert work.batches.items(batch_id, 0, 1) == [
            BatchItem(batch_id, 1, "key-1", ItemState.WAITING, KIYOSE, b"sealed")
        ]
        assert work.batches.counts(batch_id) == {ItemState.WAITING: 2, ItemState.REFUSED: 1}


def test_a_caller_uses_a_key_once(any_store: Store) -> None:
    with any_store.begin() as work:
        add_batch(work, "key", (KIYOSE, 1))
        add_batch(work, "key", (KIYOSE, 1), caller="municipality:y")
        with pytest.raises(Refusal) as refused:
            work.batches.open("municipality:x", "key", digest_of("other"), 1, NOW)
        assert refused.value.code is Code.IN_PROGRESS


def test_batches_are_listed_from_the_newest_on(any_store: Store) -> None:
    with any_store.begin() as work:
        first, second = add_batch(work, "1", (KIYOSE, 1)), add_batch(work, "2", (KIYOSE, 1), caller="municipality:y")
        third = add_batch(work, "3", (KIYOSE, 1))
        listed = [[batch.id for batch in work.batches.all(*page)] for page in (
            (None, None, 9), ("municipality:x", None, 9), (None, third, 1), ("municipality:x", first, 9)
        )]  # fmt: skip
        assert listed == [[third, second, first], [third, first], [second], []]


def test_queues_are_served_alike_and_in_the_order_of_arrival(any_store: Store) -> None:
    with any_store.begin() as work:
        add_batch(work, "long", (KIYOSE, 20))
        add_batch(work, "short", (HINO, 3), (SAPPORO, 1))
        assert work.batches.waiting() == {KIYOSE: 20, HINO: 3, SAPPORO: 1}
        begun = work.batches.begin(5, 0)
        assert Counter(item.municipality for item in begun) == {KIYOSE: 2, HINO: 2, SAPPORO: 1}
        assert [item.line for item in begun if item.municipality == KIYOSE] == [1, 2]
        assert work.batches.waiting() == {KIYOSE: 18, HINO: 1}
        assert len(work.batches.begin(100, 0)) == 19
        assert work.batches.waiting() == {}
        assert list(work.batches.begin(1, 0)) == []


def test_who_was_served_longest_ago_comes_first(any_store: Store) -> None:
    with any_store.begin() as work:
        add_batch(work, "key", (KIYOSE, 4), (HINO, 4), (SAPPORO, 4))
        served = [work.batches.begin(1, 0)[0].municipality for _ in range(6)]
        assert len(set(served[:3])) == 3
        assert served[3:] == served[:3]


def test_begun_items_belong_to_a_slot_until_they_end(any_store: Store) -> None:
    with any_store.begin() as work:
        batch_id = add_batch(work, "key", (KIYOSE, 5))
        first, second = list(work.batches.begin(2, 0)), list(work.batches.begin(2, 1))
        assert [lines(list(work.batches.begun(slot, 9))) for slot in (0, 1, 2)] == [[1, 2], [3, 4], []]
        assert lines(list(work.batches.begun(0, 1))) == [1]
        assert work.batches.slots() == [0, 1]
        application = add_application(work, add_resident(work), "key-1")
        refusal = BatchRefusal(Code.LIVE_PAIR, "has a pair", "/resident_code")
        ends = [
            BatchItem(batch_id, 1, "key-1", ItemState.ISSUED, KIYOSE, first[0].sealed, application),
            BatchItem(batch_id, 3, "key-3", ItemState.REFUSED, KIYOSE, second[0].sealed, None, refusal),
        ]
        work.batches.end(ends, NOW)
        work.batches.end([BatchItem(batch_id, 1, "key-1", ItemState.REFUSED, KIYOSE, None, None, refusal)], NOW)
        work.batches.end([BatchItem(batch_id, 5, "key-5", ItemState.REFUSED, KIYOSE, None, None, refusal)], NOW)
        assert [lines(list(work.batches.begun(slot, 9))) for slot in (0, 1)] == [[2], [4]]
        found = work.batches.items(batch_id, 0, 9)
        assert [item.state.value for item in found] == ["issued", "begun", "refused", "begun", "waiting"]
        assert (found[0].application_id, found[0].sealed, found[2].refusal) == (application, None, refusal)
        batch = work.batches.get(batch_id)
        assert batch is not None
        assert (batch.open, batch.ended_at) == (3, None)


def test_a_batch_ends_with_its_last_item(any_store: Store) -> None:
    later = NOW + timedelta(hours=1)
    with any_store.begin() as work:
        batch_id = add_batch(work, "key", (KIYOSE, 2))
        one, other = work.batches.begin(2, 0)
        refusal = BatchRefusal(Code.LIVE_PAIR, "has a pair")
        for item, at in ((one, NOW), (other, later)):
            ended = BatchItem(batch_id, item.line, item.key, ItemState.REFUSED, KIYOSE, None, None, refusal)
            work.batches.end([ended], at)
        batch = work.batches.get(batch_id)
        assert batch is not None
        assert (batch.open, batch.ended_at) == (0, later)


def test_cancelling_ends_what_waits_and_leaves_what_was_begun(any_store: Store) -> None:
    with any_store.begin() as work:
        other = add_batch(work, "other", (HINO, 1))
        batch_id = add_batch(work, "key", (KIYOSE, 3), (HINO, 1))
        begun = next(item for item in work.batches.begin(2, 0) if item.batch_id == batch_id)
        assert work.batches.cancel(batch_id, NOW) == 3
        assert work.batches.cancel(batch_id, NOW + timedelta(days=1)) == 0
        assert work.batches.counts(batch_id) == {ItemState.CANCELLED: 3, ItemState.BEGUN: 1}
        assert {item.sealed for item in work.batches.items(batch_id, 0, 9)} == {None, begun.sealed}
        assert work.batches.waiting() == {}
        batch, unharmed = work.batches.get(batch_id), work.batches.get(other)
        assert batch is not None
        assert unharmed is not None
        assert (batch.open, batch.cancelled_at, batch.ended_at) == (1, NOW, None)
        assert (unharmed.open, unharmed.cancelled_at) == (1, None)


def test_a_batch_of_which_nothing_was_begun_ends_when_it_is_cancelled(any_store: Store) -> None:
    with any_store.begin() as work:
        batch_id = add_batch(work, "key", (KIYOSE, 3))
        work.batches.cancel(batch_id, NOW)
        batch = work.batches.get(batch_id)
        assert batch is not None
        assert (batch.open, batch.ended_at) == (0, NOW)


def test_a_batch_of_refused_lines_has_ended_when_it_is_taken(any_store: Store) -> None:
    with any_store.begin() as work:
        batch_id = work.batches.open("municipality:x", "key", digest_of("key"), 1, NOW)
        refusal = BatchRefusal(Code.MALFORMED, "not JSON")
        work.batches.put([BatchItem(batch_id, 1, None, ItemState.REFUSED, refusal=refusal)], NOW)
        batch = work.batches.get(batch_id)
        assert batch is not None
        assert (batch.open, batch.ended_at, batch.cancelled_at) == (0, NOW, None)


def test_what_ended_long_ago_is_erased(any_store: Store) -> None:
    with any_store.begin() as work:
        old, older, new, going = (add_batch(work, key, (KIYOSE, 1)) for key in ("1", "2", "3", "4"))
        for batch_id, days in ((old, 2), (older, 3), (new, 0)):
            work.batches.cancel(batch_id, NOW - timedelta(days=days))
        assert work.batches.erase(NOW - timedelta(days=1), 1) == 1
        assert work.batches.erase(NOW - timedelta(days=1), 9) == 1
        assert work.batches.erase(NOW - timedelta(days=1), 9) == 0
        assert [batch.id for batch in work.batches.all(None, None, 9)] == [going, new]
        assert list(work.batches.items(old, 0, 9)) == []
