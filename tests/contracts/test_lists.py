"""Scopes, list numbers and leases on every store."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.lists import ListRecord, ListState, Scope
from domain.people import MunicipalityCode
from domain.ports import UnitOfWork
from tests.support.stores import NOW, Store, digest_of

ISSUER = IssuerId("signature-g1")
KIYOSE = Scope(ISSUER, MunicipalityCode("132217"))
HINO = Scope(ISSUER, MunicipalityCode("132128"))
AUTHORITIES = Scope(ISSUER, None)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def reserve(work: UnitOfWork, scope: Scope = KIYOSE, *, after: timedelta = timedelta(0), covers: int = 0) -> int:
    return work.lists.reserve(scope, NOW + after, NOW + after + DAY, covers)


@pytest.mark.parametrize("scope", [KIYOSE, AUTHORITIES], ids=["of-a-municipality", "of-certificates-of-authorities"])
def test_a_scope_is_registered_once(any_store: Store, scope: Scope) -> None:
    with any_store.begin() as work:
        assert work.lists.scope(scope) is None
        assert work.lists.register(scope)
        assert not work.lists.register(scope)
        found = work.lists.scope(scope)
        assert found is not None
        assert (found.scope, found.wanted, found.published) == (scope, 0, None)


def test_a_list_goes_from_reserved_to_signed_to_published(any_store: Store) -> None:
    with any_store.begin() as work:
        number = reserve(work, covers=3)
        reserved = ListRecord(KIYOSE, number, NOW, NOW + DAY, ListState.RESERVED, 3)
        assert list(work.lists.records(KIYOSE)) == [reserved]
        assert work.lists.latest(KIYOSE) is None
        work.lists.signed(KIYOSE, number, digest_of("list"), 12)
        signed = ListRecord(KIYOSE, number, NOW, NOW + DAY, ListState.SIGNED, 3, digest_of("list"), 12)
        assert work.lists.latest(KIYOSE) == signed
        scope = work.lists.scope(KIYOSE)
        assert scope is not None
        assert scope.published is None
        work.lists.published(KIYOSE, number)
        scope = work.lists.scope(KIYOSE)
        assert scope is not None
        assert scope.published == work.lists.latest(KIYOSE)
        assert scope.published is not None
        assert scope.published.state is ListState.PUBLISHED


def test_every_number_is_taken_once_whatever_became_of_it(any_store: Store) -> None:
    with any_store.begin() as work:
        assert [reserve(work), reserve(work), reserve(work, HINO), reserve(work, AUTHORITIES)] == [1, 2, 1, 1]
        work.lists.signed(KIYOSE, 1, digest_of("list"), 0)
        assert reserve(work) == 3
        assert [row.number for row in work.lists.records(KIYOSE)] == [1, 2, 3]
        latest = work.lists.latest(KIYOSE)
        assert latest is not None
        assert latest.number == 1


def test_a_number_that_is_not_there_has_no_progress(any_store: Store) -> None:
    with any_store.begin() as work:
        work.lists.register(KIYOSE)
        with pytest.raises(LookupError):
            work.lists.signed(KIYOSE, 1, digest_of("list"), 0)
        with pytest.raises(LookupError):
            work.lists.published(KIYOSE, 1)


@pytest.mark.parametrize(
    ("after", "refused"),
    [
        pytest.param(SECOND, False, id="a-later-list-is-welcome"),
        pytest.param(timedelta(0), False, id="two-lists-within-a-second-are-two-numbers"),
        pytest.param(-SECOND, True, id="a-clock-that-went-back-is-refused"),
    ],
)
def test_the_clock_does_not_go_back_within_a_scope(any_store: Store, after: timedelta, refused: bool) -> None:
    outcome = None
    with any_store.begin() as work:
        reserve(work)
        assert reserve(work, HINO, after=-DAY) == 1
        try:
            reserve(work, after=after)
        except Refusal as refusal:
            outcome = refusal.code
    assert outcome is (Code.CLOCK_BEHIND if refused else None)


def test_scopes_come_in_order_with_their_published_list(any_store: Store) -> None:
    with any_store.begin() as work:
        work.lists.register(KIYOSE)
        for _ in range(2):
            number = reserve(work, HINO)
            work.lists.signed(HINO, number, digest_of("list"), 0)
            work.lists.published(HINO, number)
        reserve(work, HINO)
        found = [(row.scope, row.published.number if row.published else None) for row in work.lists.scopes()]
        assert found == [(HINO, 2), (KIYOSE, None)]


def test_a_lease_belongs_to_one_holder_until_it_ends(any_store: Store) -> None:
    with any_store.begin() as work:
        assert work.lists.lease("publisher", "one", NOW, NOW + DAY)
        assert work.lists.lease("publisher", "one", NOW, NOW + 2 * DAY), "the holder may extend it"
        assert not work.lists.lease("publisher", "other", NOW + DAY, NOW + 3 * DAY)
        assert work.lists.lease("another thing", "other", NOW, NOW + DAY)
        assert work.lists.lease("publisher", "other", NOW + 2 * DAY, NOW + 3 * DAY), "it has run out"
        assert not work.lists.lease("publisher", "one", NOW + 2 * DAY, NOW + 3 * DAY)


def test_only_the_holder_gives_a_lease_back(any_store: Store) -> None:
    with any_store.begin() as work:
        work.lists.release("publisher", "one")
        work.lists.lease("publisher", "one", NOW, NOW + DAY)
        work.lists.release("publisher", "other")
        assert not work.lists.lease("publisher", "other", NOW, NOW + DAY)
        work.lists.release("publisher", "one")
        assert work.lists.lease("publisher", "other", NOW, NOW + DAY)


def test_each_holder_of_a_lease_has_a_higher_token_and_keeps_it(any_store: Store) -> None:
    with any_store.begin() as work:
        first = work.lists.lease("publisher", "one", NOW, NOW + DAY)
        assert work.lists.lease("publisher", "one", NOW, NOW + DAY) == first > 0
        assert work.lists.lease("publisher", "other", NOW, NOW + DAY) == 0
        second = work.lists.lease("publisher", "other", NOW + DAY, NOW + 2 * DAY)
        assert second > first
        work.lists.release("publisher", "other")
        third = work.lists.lease("publisher", "one", NOW, NOW + DAY)
        assert third > second


def test_tokens_follow_the_time_so_that_none_is_given_again_after_a_restore(any_store: Store) -> None:
    with any_store.begin() as work:
        assert work.lists.lease("publisher", "one", NOW, NOW) >= NOW.timestamp()
        assert work.lists.lease("publisher", "other", NOW + DAY, NOW + 2 * DAY) >= (NOW + DAY).timestamp()


def test_of_two_that_want_a_lease_at_once_one_has_it(any_store: Store) -> None:
    had: list[int] = []
    barrier = threading.Barrier(2)

    def take(holder: str) -> None:
        barrier.wait(timeout=30)
        with any_store.begin() as work:
            taken = work.lists.lease("publisher", holder, NOW, NOW + DAY)
            work.commit()
        had.append(taken)

    threads = [threading.Thread(target=take, args=(holder,)) for holder in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(map(bool, had)) == [False, True]
