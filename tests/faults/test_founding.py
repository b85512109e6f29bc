"""The founding of an authority, killed at each durable step: there is none until there is a whole one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.faults import MINUTE, NOW, Forks, State, act


def test_a_killed_founding_leaves_no_authority_and_is_repeated_in_the_same_place(
    forks: Forks, new_state: Callable[[str], State], engine: str, subtests: pytest.Subtests
) -> None:
    elsewhere, state = new_state(engine), new_state(engine)
    found = act("found", url=state.url)
    steps = forks.run(elsewhere, act("found", url=elsewhere.url), now=NOW).steps
    # Files are the same ones on PostgreSQL.
    places = [last for last, step in enumerate(steps) if engine == "sqlite" or step == "commit"]
    for last in places:
        with subtests.test(killed_before=steps[last]):
            assert forks.run(state, found, now=NOW, last=last).killed
            assert not state.path.exists()
    assert forks.run(state, found, now=NOW + MINUTE).told == [{}]
    published, judged = forks.run(state, act("publish"), act("judge"), now=NOW + 2 * MINUTE).told
    assert len(published["published"]) == 4
    assert judged["faults"] == judged["notes"] == []


@pytest.mark.postgresql
def test_a_database_elsewhere_that_was_founded_for_nothing_is_not_founded_again(
    forks: Forks, new_state: Callable[[str], State]
) -> None:
    elsewhere, state = new_state("postgresql"), new_state("postgresql")
    steps = forks.run(elsewhere, act("found", url=elsewhere.url), now=NOW).steps
    assert forks.run(state, act("found", url=state.url), now=NOW, last=len(steps) - 1).killed
    assert not state.path.exists()
    (again,) = forks.run(state, act("found", url=state.url), now=NOW).told
    assert again["refusal"] == "bad-configuration"
    assert "give each one a database of its own" in again["detail"]
    assert not state.path.exists()


def test_a_founding_killed_after_the_last_step_is_complete(forks: Forks, new_state: Callable[[str], State]) -> None:
    elsewhere, state = new_state("sqlite"), new_state("sqlite")
    steps = forks.run(elsewhere, act("found", url=elsewhere.url), now=NOW).steps
    assert forks.run(state, act("found", url=state.url), now=NOW, last=len(steps)).killed
    assert forks.run(state, act("judge"), now=NOW + MINUTE).told[0]["faults"] == []
    again = forks.run(state, act("found", url=state.url), now=NOW).told[0]
    assert again["refusal"] == "bad-configuration"
    assert "will not be touched" in again["detail"]
