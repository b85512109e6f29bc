"""Disks that are full, or may only be read, from some step of an act on: it is refused or finished, nothing is wrong
afterwards, and a repeat with room again finishes what was begun."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.faults.conftest import Prepare
from tests.faults.test_kills import (
    ISSUE,
    LATER,
    Case,
    Course,
    batched,
    judge,
    massed,
    places,
    published,
    renewed,
    revoked,
)
from tests.support.acts import Facts
from tests.support.faults import MINUTE, NOW, SETTLED, Forks, State, act, settle

REFUSED = {"store-unavailable", "no-disk", "signer-unavailable", "in-progress"}


def filed(course: Course) -> None:
    """Each record is in the ledger once."""
    assert course.repeated["ledger"] == 3


CASES = [
    pytest.param(ISSUE, id="the-api-issues"),
    pytest.param(
        Case(act("revoke", number=2, key="killed"), revoked(2, "signature", "authentication")), id="and-revokes"
    ),
    pytest.param(
        Case(act("publish"), published, before=(act("revoke", number=5, key="before"),)), id="the-publisher-publishes"
    ),
    pytest.param(Case(act("renew"), renewed), id="the-publisher-renews"),
    pytest.param(Case(act("file"), filed, before=(act("tell", count=3),)), id="the-publisher-files-records"),
    pytest.param(
        Case(act("batch", numbers=[1, 2, 7]), batched, before=(act("load", numbers=[1, 7]),)),
        id="a-batch-is-worked-off",
    ),
    pytest.param(Case(act("mass", act="issuer-key"), massed), id="a-mass-event-runs"),
]


@pytest.fixture
def settled(prepared: Callable[[str, Prepare, datetime], State]) -> State:
    """Over SQLite, whose file lies on the same disk."""
    return prepared("sqlite", settle, NOW)


@pytest.mark.parametrize("fault", ["full", "read-only"])
@pytest.mark.parametrize("case", CASES)
def test_a_disk_that_fails_leaves_nothing_wrong_and_a_repeat_finishes(
    case: Case, fault: str, forks: Forks, settled: State, spoilt: Path, subtests: pytest.Subtests
) -> None:
    commits = [place for place in places(forks, settled, spoilt, case) if place[1].startswith("commit")]
    for last, step in {commits[0], commits[-1]} if fault == "full" else [(-1, "the beginning")]:
        with subtests.test(from_step=step):
            course = run(forks, settled, spoilt, case, last, fault)
            assert course.answer is None or last == commits[-1][0], "nothing failed"
            judge(case, course)


def run(forks: Forks, settled: State, path: Path, case: Case, last: int, fault: str) -> Course:
    """Do the act on a disk that fails from step `last` on, look, repeat it, and look again after a publication."""
    with settled.copied(path) as state:
        before = forks.run(state, *case.before, act("judge"), now=SETTLED).told[-1]
        told = forks.run(state, case.act, now=SETTLED + MINUTE, last=last, fault=fault).told[0]
        acts = (act("judge"), LATER, case.again or case.act, LATER, act("publish"), act("judge"))
        after, _, repeated, _, _, end = forks.run(state, *acts, now=SETTLED + 2 * MINUTE).told
        return Course(before, answer_in(told), after, repeated, end)


def answer_in(told: Facts) -> Facts | None:
    """None when it was refused, which must be because of the disk."""
    codes = {told["refusal"]} if "refusal" in told else set((told.get("refused") or {}).values())
    assert codes <= REFUSED, told
    return None if codes else told
