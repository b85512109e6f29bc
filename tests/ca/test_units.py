"""Steps of several applications share a transaction, and none of them fails for another's sake."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from ca.units import run_step, run_steps
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
    assert run_steps(store.begin, [writes("one"), writes("two")]) == ["one", "two"]
    assert (actors(store), store.commits) == (["one", "two"], 1)


def test_a_refused_step_is_alone_in_its_refusal(store: MemoryStore) -> None:
    outcomes = run_steps(store.begin, [writes("one"), refuses, writes("two")])
    assert [outcome if isinstance(outcome, str) else outcome.code for outcome in outcomes] == [
        "one",
        Code.LIVE_PAIR,
        "two",
    ]
    assert actors(store) == ["one", "two"]


def test_a_refusal_given_back_costs_the_others_nothing(store: MemoryStore) -> None:
    def gives_back(work: UnitOfWork) -> Refusal:
        return Refusal(Code.LIVE_PAIR, "as the records say")

    (refusal,) = run_steps(store.begin, [gives_back])
    assert isinstance(refusal, Refusal)
    assert store.commits == 0
    assert run_steps(store.begin, [writes("one"), gives_back])[0] == "one"
    assert (actors(store), store.commits) == (["one"], 1)


def test_one_step_raises_what_it_is_refused_with(store: MemoryStore) -> None:
    with pytest.raises(Refusal, match="as the database says"):
        run_step(store.begin, refuses)
    assert store.commits == 0


def test_a_bug_in_one_step_takes_nothing_from_the_others(store: MemoryStore) -> None:
    with pytest.raises(ZeroDivisionError):
        run_steps(store.begin, [writes("one"), breaks, writes("two")])
    assert actors(store) == ["one", "two"]
    assert run_step(store.begin, writes("three")) == "three"


def test_an_outage_is_told_to_all_and_tried_by_none_again(store: MemoryStore) -> None:
    store.faults[1] = "lost"
    outcomes = run_steps(store.begin, [writes("one"), writes("two")])
    assert all(isinstance(outcome, Refusal) and outcome.code is Code.STORE_UNAVAILABLE for outcome in outcomes)
    assert outcomes[0] is not outcomes[1]
    assert (actors(store), store.commits) == ([], 1)


def test_no_steps_take_no_transaction(store: MemoryStore) -> None:
    store.on_begin = lambda write: pytest.fail("a transaction was begun")
    assert run_steps(store.begin, []) == []
