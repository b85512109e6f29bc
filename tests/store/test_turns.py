"""Turns: who asked first writes first, and nobody waits in vain while others come again and again."""

from __future__ import annotations

import threading
from itertools import count
from time import sleep

import pytest

from domain.errors import Code, Refusal
from store.turns import Turns
from tests.support.stores import Store, add_resident

PATIENCE = 60.0


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    turns, came, threads = Turns(PATIENCE), list[int](), []

    def ask(number: int) -> None:
        with turns.taken():
            came.append(number)

    with turns.taken():
        for number in range(5):
            threads.append(threading.Thread(target=ask, args=(number,)))
            threads[-1].start()
            while len(turns._waiting) <= number:
                sleep(0.001)
        assert came == []
    for thread in threads:
        thread.join(PATIENCE)
    assert came == list(range(5))


def test_who_waits_too_long_is_refused_and_leaves_the_others_their_turns() -> None:
    turns = Turns(0.01)
    with turns.taken():
        with pytest.raises(Refusal) as refused, turns.taken():
            pytest.fail("it is another one's turn")
        assert refused.value.code is Code.BUSY
    with turns.taken():
        assert not turns._waiting


def test_a_turn_that_ends_in_an_error_is_over() -> None:
    turns = Turns(0.01)
    with pytest.raises(LookupError), turns.taken():
        raise LookupError
    with turns.taken():
        assert not turns._waiting


def test_all_who_write_all_the_time_get_on(store: Store) -> None:
    """Each does its part while the others would take all there is."""
    parts, ready = dict.fromkeys(range(4), 0), threading.Barrier(4)

    def write(number: int) -> None:
        ready.wait(PATIENCE)
        for act in count():
            with store.begin() as work:
                add_resident(work, f"{number} {act}")
                work.commit()
            parts[number] += 1
            if min(parts.values()) >= 5:
                return

    threads = [threading.Thread(target=write, args=(number,)) for number in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert min(parts.values()) >= 5
    assert max(parts.values()) <= min(parts.values()) + 25
