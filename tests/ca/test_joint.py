"""Steps of several callers share a transaction, and none of them fails for another's sake."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from ca.joint import JointWork
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.ports import UnitOfWork
from tests.support.memory import MemoryStore

NOW = datetime(2027, 4, 1, tzinfo=UTC)
Step = Callable[[UnitOfWork], str]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def writes(label: str) -> Step:
    def step(work: UnitOfWork) -> str:
        work.audit.append(AuditEvent(Act.RESIDENT_CHANGED, label, NOW, {}))
        return label

    return step


def refuses(work: UnitOfWork) -> str:
    work.audit.append(AuditEvent(Act.RESIDENT_CHANGED, "refused", NOW, {}))
    raise Refusal(Code.LIVE_PAIR, "as the database says")


def breaks(work: UnitOfWork) -> str:
    raise ZeroDivisionError


def actors(store: MemoryStore) -> list[str]:
    return [row.body.split('"actor":"')[1].split('"')[0] for row in store.tables.audit.values()]


def test_steps_given_together_share_one_commit(store: MemoryStore) -> None:
    assert JointWork(store.begin).run_all([writes("one"), writes("two")]) == ["one", "two"]
    assert (actors(store), store.commits) == (["one", "two"], 1)


def test_a_refused_step_is_alone_in_its_refusal(store: MemoryStore) -> None:
    outcomes = JointWork(store.begin).run_all([writes("one"), refuses, writes("two")])
    assert [outcome if isinstance(outcome, str) else outcome.code for outcome in outcomes] == [
        "one",
        Code.LIVE_PAIR,
        "two",
    ]
    assert actors(store) == ["one", "two"]


def test_a_refusal_given_back_costs_the_others_nothing(store: MemoryStore) -> None:
    def gives_back(work: UnitOfWork) -> Refusal:
        return Refusal(Code.LIVE_PAIR, "as the records say")

    joint = JointWork(store.begin)
    (refusal,) = joint.run_all([gives_back])
    assert isinstance(refusal, Refusal)
    assert store.commits == 0
    assert joint.run_all([writes("one"), gives_back])[0] == "one"
    assert (actors(store), store.commits) == (["one"], 1)


def test_one_step_raises_what_it_is_refused_with(store: MemoryStore) -> None:
    with pytest.raises(Refusal, match="as the database says"):
        JointWork(store.begin).run(refuses)
    assert store.commits == 0


def test_a_bug_in_one_step_takes_nothing_from_the_others(store: MemoryStore) -> None:
    joint = JointWork(store.begin)
    with pytest.raises(ZeroDivisionError):
        joint.run_all([writes("one"), breaks, writes("two")])
    assert actors(store) == ["one", "two"]
    assert joint.run(writes("three")) == "three"


def test_an_outage_is_told_to_all_and_tried_by_none_again(store: MemoryStore) -> None:
    store.faults[1] = "lost"
    outcomes = JointWork(store.begin).run_all([writes("one"), writes("two")])
    assert all(isinstance(outcome, Refusal) and outcome.code is Code.STORE_UNAVAILABLE for outcome in outcomes)
    assert outcomes[0] is not outcomes[1]
    assert (actors(store), store.commits) == ([], 1)


def test_who_comes_while_another_works_goes_with_those_who_came_too(store: MemoryStore) -> None:
    joint = JointWork(store.begin)
    at_work, go_on = threading.Event(), threading.Event()

    def slow(work: UnitOfWork) -> str:
        at_work.set()
        assert go_on.wait(5)
        return writes("slow")(work)

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(joint.run, slow)
        assert at_work.wait(5)
        others = [threads.submit(joint.run, writes(label)) for label in ("two", "three", "four")]
        while len(joint._waiting) < 3:
            threading.Event().wait(0.001)
        go_on.set()
        assert first.result(5) == "slow"
        assert {other.result(5) for other in others} == {"two", "three", "four"}
    assert store.commits == 2
    assert sorted(actors(store)) == ["four", "slow", "three", "two"]


def test_many_callers_at_once_are_all_served_once(store: MemoryStore) -> None:
    joint = JointWork(store.begin)
    with ThreadPoolExecutor(8) as threads:
        labels = list(threads.map(lambda n: joint.run(writes(str(n))), range(200)))
    assert labels == [str(n) for n in range(200)]
    assert sorted(actors(store)) == sorted(labels)
    assert store.commits <= 200


def test_who_is_called_from_within_does_not_wait_for_itself(store: MemoryStore) -> None:
    joint = JointWork(store.begin)

    def nest(write: bool) -> None:
        store.on_begin = None
        assert write
        joint.run(writes("inner"))

    store.on_begin = nest
    assert joint.run(writes("outer")) == "outer"
    assert actors(store) == ["inner", "outer"]
