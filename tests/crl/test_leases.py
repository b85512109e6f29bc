"""The lease of publishers: whoever lost it while asleep publishes nothing, whatever clock it goes by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crl import publication
from crl.files import fenced, read_current
from crl.publish import publish_due
from crl.publisher import LEASE_LIFE, SKEW, Publisher
from domain.errors import Code, Refusal
from domain.lists import ListState
from tests.support.authority import TurnedClock
from tests.support.lists import SCOPE, make_publisher
from tests.support.memory import MemoryStore


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    with store.begin() as work:
        work.lists.register(SCOPE)
        work.commit()
    return store


@pytest.fixture
def publisher(store: MemoryStore, clock: TurnedClock, tmp_path: Path) -> Publisher:
    return make_publisher(store.begin, tmp_path / "crl", clock)


def numbers(store: MemoryStore) -> list[tuple[int, ListState]]:
    with store.begin(write=False) as work:
        return [(record.number, record.state) for record in work.lists.records(SCOPE)]


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("gather_content", id="before-the-number"),
        pytest.param("build_tbs_crl", id="after-the-number"),
        pytest.param("_record_signed", id="after-the-signature"),
        pytest.param("_put_in_place", id="before-the-file"),
    ],
)
@pytest.mark.parametrize("published", [True, False], ids=["another-published", "another-had-the-lease"])
def test_a_publisher_that_slept_through_the_end_of_its_lease_publishes_nothing(
    publisher: Publisher,
    store: MemoryStore,
    clock: TurnedClock,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    published: bool,
) -> None:
    real: Callable[..., object] = getattr(publication, step)
    seen: list[bytes | None] = []

    def asleep(*arguments: object, **options: object) -> object:
        monkeypatch.setattr(publication, step, real)
        clock.forward(LEASE_LIFE)
        other = replace(publisher, holder="second")
        if published:
            assert publish_due(other).refused == ()
        else:
            with store.begin() as work:
                assert work.lists.lease("crl-publisher", "second", clock(), clock())
                work.commit()
        seen.append(read_current(publisher.directory, SCOPE))
        return real(*arguments, **options)

    monkeypatch.setattr(publication, step, asleep)
    report = publish_due(publisher)
    assert report.published == ()
    assert {refusal.code for _, refusal in report.refused} <= {Code.BUSY}
    assert read_current(publisher.directory, SCOPE) == seen[0]
    states = [state for _, state in numbers(store)]
    assert states.count(ListState.PUBLISHED) == published
    clock.forward(LEASE_LIFE)
    assert publish_due(publisher).refused == ()
    given = [number for number, _ in numbers(store)]
    assert given == sorted(set(given))


def test_one_that_sleeps_with_the_file_in_hand_does_not_write_it(tmp_path: Path) -> None:
    with fenced(tmp_path, 7):
        pass
    with fenced(tmp_path, 7), pytest.raises(Refusal) as caught, fenced(tmp_path, 8):
        raise AssertionError("both wrote")
    assert caught.value.code is Code.BUSY
    with fenced(tmp_path, 8):
        pass
    with pytest.raises(Refusal) as caught, fenced(tmp_path, 7):
        raise AssertionError("the older one wrote")
    assert caught.value.code is Code.BUSY
    assert (tmp_path / ".lease").read_bytes() == b"8"


def test_leases_go_by_the_clock_that_is_shared(publisher: Publisher, store: MemoryStore, clock: TurnedClock) -> None:
    shared = TurnedClock()
    first = replace(publisher, shared_clock=shared)
    second = replace(first, holder="second", clock=lambda: shared() + SKEW)
    with store.begin() as work:
        assert work.lists.lease("crl-publisher", "first", shared(), shared() + SKEW)
        work.commit()
    with pytest.raises(Refusal) as caught:
        publish_due(second)
    assert caught.value.code is Code.BUSY
    assert len(publish_due(first).published) == 1


@pytest.mark.parametrize("sign", [1, -1], ids=["ahead", "behind"])
def test_a_publisher_whose_clock_is_wrong_refuses(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock, sign: int
) -> None:
    wrong = replace(publisher, shared_clock=lambda: clock() + sign * 1.1 * SKEW)
    with pytest.raises(Refusal) as caught:
        publish_due(wrong)
    assert caught.value.code is Code.CLOCK_BEHIND
    assert numbers(store) == []
