"""What callers ask for at once is done together, and none of them fails for another's sake."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from ca.joint import MOST, JointWork
from domain.errors import Code, Refusal


class Work:
    """Doubles numbers; refuses 3 and breaks at 13. The first group waits until it may go on."""

    def __init__(self, *, held: bool = False) -> None:
        self.groups: list[list[int]] = []
        self.at_work, self.go_on = threading.Event(), threading.Event()
        if not held:
            self.go_on.set()

    def __call__(self, asked: Sequence[int]) -> list[int | Refusal]:
        self.groups.append(list(asked))
        self.at_work.set()
        assert self.go_on.wait(60)
        if 13 in asked:
            raise ZeroDivisionError
        return [Refusal(Code.LIVE_PAIR, "as the records say") if number == 3 else 2 * number for number in asked]


def run_beside(joint: JointWork[int, int], work: Work, numbers: Sequence[int]) -> list[int | str]:
    """What each is given that comes while another is at work, in their order; or what it raises."""

    def run(number: int) -> int | str:
        try:
            return joint.run(number, work)
        except Exception as error:
            return type(error).__name__

    with ThreadPoolExecutor(len(numbers) + 1) as threads:
        first = threads.submit(run, 1)
        assert work.at_work.wait(60)
        others = []
        for count, number in enumerate(numbers, start=1):
            others.append(threads.submit(run, number))
            while len(joint._waiting) < count:
                threading.Event().wait(0.001)
        work.go_on.set()
        assert first.result(60) == 2
        return [other.result(60) for other in others]


def test_who_finds_nobody_at_work_is_served_alone_and_at_once() -> None:
    joint, work = JointWork[int, int](), Work()
    assert [joint.run(number, work) for number in (1, 2)] == [2, 4]
    assert work.groups == [[1], [2]]


def test_who_comes_while_another_works_goes_with_those_who_came_too() -> None:
    work = Work(held=True)
    assert run_beside(JointWork(), work, [5, 6, 7]) == [10, 12, 14]
    assert work.groups == [[1], [5, 6, 7]]


def test_those_who_were_served_together_and_come_again_are_served_together_again() -> None:
    joint, work = JointWork[int, int](company=60), Work(held=True)

    def come_again(number: int) -> int:
        return joint.run(joint.run(number, work), work)

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(joint.run, 1, work)
        assert work.at_work.wait(60)
        others = [threads.submit(come_again, number) for number in (5, 6)]
        while len(joint._waiting) < len(others):
            threading.Event().wait(0.001)
        work.go_on.set()
        assert first.result(60) == 2
        assert [other.result(60) for other in others] == [20, 24]
    assert [sorted(group) for group in work.groups] == [[1], [5, 6], [10, 12]]


def test_who_comes_alone_after_others_is_not_kept_waiting_for_them() -> None:
    joint, work = JointWork[int, int](company=0.001), Work(held=True)
    run_beside(joint, work, [5, 6, 7])
    assert joint.run(8, work) == 16
    assert work.groups == [[1], [5, 6, 7], [8]]


def test_a_refusal_is_for_whom_it_is() -> None:
    work = Work(held=True)
    assert run_beside(JointWork(), work, [5, 3, 7]) == [10, "Refusal", 14]
    assert work.groups == [[1], [5, 3, 7]]


def test_a_bug_takes_nothing_from_the_others() -> None:
    joint, work = JointWork[int, int](), Work(held=True)
    assert run_beside(joint, work, [5, 13, 7]) == [10, "ZeroDivisionError", 14]
    assert work.groups == [[1], [5, 13, 7], [5], [13], [7]]
    assert joint.run(4, work) == 8


def test_whoever_ends_the_process_ends_it_for_all() -> None:
    joint = JointWork[int, int]()

    def leave(asked: Sequence[int]) -> list[int | Refusal]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        joint.run(1, leave)
    assert joint.run(4, Work()) == 8


def test_many_callers_at_once_are_all_served_once() -> None:
    joint, work = JointWork[int, int](), Work()
    numbers = range(100, 300)
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda number: joint.run(number, work), numbers))
    assert given == [2 * number for number in numbers]
    assert sorted(number for group in work.groups for number in group) == list(numbers)
    assert max(map(len, work.groups)) <= MOST


def test_who_is_called_from_within_does_not_wait_for_itself() -> None:
    joint, inner = JointWork[int, int](), Work()

    def outer(asked: Sequence[int]) -> list[int | Refusal]:
        return [joint.run(number, inner) for number in asked]

    assert joint.run(4, outer) == 8
