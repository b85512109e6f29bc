"""What takes two, while processes are killed and officers collide: done once and whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.law import KIND
from tests.support.acts import Facts
from tests.support.faults import MINUTE, SETTLED, Forks, State, act
from tests.support.officer_acts import WITHDRAWAL
from verifiers.handle_rotation import SWITCH

KINDS = (WITHDRAWAL, KIND, SWITCH)
NOTHING: Facts = {"state": "open", "done": False, "told": 0}
ALL: Facts = {"state": "confirmed", "done": True, "told": 1}


def look(forks: Forks, state: State, kind: str) -> Facts:
    (told,) = forks.run(state, act("look", kind=kind), now=SETTLED + 2 * MINUTE).told
    return told


def test_a_confirmation_that_is_killed_is_whole_or_nothing(
    forks: Forks, settled: State, spoilt: Path, subtests: pytest.Subtests
) -> None:
    with settled.copied(spoilt) as state:
        assert forks.run(state, act("open office"), now=SETTLED).told == [{}]
        for kind in KINDS:
            with subtests.test(kind):
                by_ken = act("confirm", kind=kind, officer="ken")
                killed = forks.run(state, by_ken, now=SETTLED + MINUTE, last=0, kinds=("commit",))
                assert (killed.killed, killed.told) == (True, [])
                assert look(forks, state, kind) == NOTHING
                killed = forks.run(state, by_ken, now=SETTLED + MINUTE, last=1, kinds=("commit",))
                assert (killed.killed, killed.told) == (True, [{"state": "confirmed"}])
                assert look(forks, state, kind) == ALL
                again = forks.run(state, act("confirm", kind=kind, officer="rin"), now=SETTLED + MINUTE).told
                assert [one["refusal"] for one in again] == ["proposal-closed"]
                assert look(forks, state, kind) == ALL
        (found,) = forks.run(state, act("judge"), now=SETTLED + 2 * MINUTE).told
        assert found["faults"] == []


def test_of_two_that_confirm_at_the_same_moment_one_does_it(
    forks: Forks, settled: State, spoilt: Path, subtests: pytest.Subtests
) -> None:
    with settled.copied(spoilt) as state:
        assert forks.run(state, act("open office"), now=SETTLED).told == [{}]
        for kind in KINDS:
            with subtests.test(kind):
                both = [act("confirm", kind=kind, officer=name) for name in ("ken", "rin")]
                told = [outcome.told[0] for outcome in forks.together(state, *both, now=SETTLED + MINUTE)]
                assert sorted(str(one.get("state", one.get("refusal"))) for one in told) == [
                    "confirmed",
                    "proposal-closed",
                ]
                assert look(forks, state, kind) == ALL


def test_who_proposed_is_not_in_time_either(forks: Forks, settled: State, spoilt: Path) -> None:
    """Both at once: the proposer is refused whoever comes first, and the other does it."""
    with settled.copied(spoilt) as state:
        assert forks.run(state, act("open office"), now=SETTLED).told == [{}]
        both = [act("confirm", kind=WITHDRAWAL, officer=name) for name in ("aoi", "ken")]
        one, other = (outcome.told[0] for outcome in forks.together(state, *both, now=SETTLED + MINUTE))
        assert one["refusal"] in ("second-officer", "proposal-closed")
        assert other == {"state": "confirmed"}
        assert look(forks, state, WITHDRAWAL) == ALL
