"""A turn: waited for while another has it, and for nothing else."""

from __future__ import annotations

from unittest.mock import Mock, patch

import pytest

from cli.turn import in_turn
from domain.errors import Code, Refusal

BUSY = Refusal(Code.BUSY, "another publisher is at work")


def test_a_turn_that_another_has_is_waited_for() -> None:
    with patch("cli.turn.sleep") as slept:
        assert in_turn(Mock(side_effect=[BUSY, BUSY, "done"])) == "done"
    assert slept.call_count == 2


def test_one_that_never_comes_is_refused_in_the_end() -> None:
    with patch("cli.turn.sleep"), pytest.raises(Refusal) as refused:
        in_turn(Mock(side_effect=BUSY))
    assert refused.value.code is Code.BUSY


def test_any_other_refusal_is_heard_at_once() -> None:
    with patch("cli.turn.sleep") as slept, pytest.raises(Refusal) as refused:
        in_turn(Mock(side_effect=Refusal(Code.CLOCK_BEHIND, "the clock went back")))
    assert (refused.value.code, slept.call_count) == (Code.CLOCK_BEHIND, 0)
