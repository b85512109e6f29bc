"""Two processes over one authority: one stands still at any of its steps while the other acts, or both act at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.acts import Facts
from tests.support.faults import MINUTE, SETTLED, Act, Forks, State, act
from tests.support.steps import SHARED

LATER = act("wait", minutes=3)
"""By then another publisher may work, and an application counts as interrupted."""

PASSING = {"busy", "in-progress"}
"""Refusals after which the same request is repeated."""


@dataclass(frozen=True)
class Overlap:
    """What the one and the other were told, what was found then, what each was told when it asked again later, and what
    was found in the end, when everything was published. `known` are the serials there were before."""

    known: set[str]
    one: Facts
    other: Facts
    then: Facts
    one_again: Facts
    other_again: Facts
    end: Facts

    @property
    def new(self) -> list[Facts]:
        return [row for row in self.end["certificates"] if row["serial"] not in self.known]


Check = Callable[[Overlap], None]


def one_pair(overlap: Overlap) -> None:
    """One of two applications got a pair, and kept it; the other one is told of it."""
    again = (overlap.one_again, overlap.other_again)
    assert sorted(row["kind"] for row in overlap.new) == ["authentication", "signature"]
    assert {(row["status"], row["live"]) for row in overlap.new} == {("good", True)}
    assert [answer.get("refusal") for answer in again].count("live-pair") == 1
    for first, second in ((overlap.one, overlap.one_again), (overlap.other, overlap.other_again)):
        assert first.get("refusal") in {None, "live-pair", *PASSING}
        if "certificates" in first:
            assert second["certificates"] == first["certificates"]


def same_answer(overlap: Overlap) -> None:
    """Everybody got the same answer who got one."""
    answers = [overlap.one, overlap.other, overlap.one_again, overlap.other_again]
    for key in ("certificates", "receipt"):
        assert len({str(answer[key]) for answer in answers if key in answer}) <= 1
    assert len(overlap.new) in (0, 2)
    assert {answer.get("refusal") for answer in answers} <= {None, *PASSING}
    assert "refusal" not in overlap.one_again
    assert "refusal" not in overlap.other_again


def all_revoked(overlap: Overlap) -> None:
    """Whatever was given out to the resident before the revocation is revoked."""
    assert overlap.one.get("refusal") in {None, "no-live-certificate", *PASSING}
    assert overlap.other.get("refusal") in {None, "no-live-certificate", *PASSING}
    assert "revoked" in overlap.other_again
    for row in overlap.new:
        assert row["status"] == "revoked" or "certificates" not in overlap.one


def lists_in_order(overlap: Overlap) -> None:
    """No number was used twice and nobody put an older list over a newer one."""
    published = [answer.get("published", {}) for answer in (overlap.one, overlap.other, overlap.one_again)]
    for path, row in overlap.end["lists"].items():
        numbers = [answer[path] for answer in published if path in answer]
        assert len(set(numbers)) == len(numbers)
        assert row["file"] == row["numbers"][-1]
        assert row["digest"]


def nothing_taken_back(overlap: Overlap) -> None:
    """What was on a list that was published stays on the list."""
    lists_in_order(overlap)
    for path in overlap.other.get("published", {}):
        assert overlap.then["lists"][path]["entries"] == overlap.end["lists"][path]["entries"] == 3


ISSUE = act("issue", number=1, key="one")
REVOKE = act("revoke", number=2, key="one")
MOVE = act("move", number=3, notice_id="one", sequence=2)
REISSUE = act("issue", number=4, key="one", alone=True, moved=True)
PENDING = act("revoke", number=5, key="before")
PUBLISH = act("publish", only="signature-g2/13221")


@dataclass(frozen=True)
class Case:
    """The act that stands still, what is done meanwhile, and what must hold then; and what is done before both."""

    one: Act
    other: tuple[Act, ...]
    check: Check
    before: tuple[Act, ...] = ()


CASES = [
    pytest.param(Case(ISSUE, (act("issue", number=1, key="other"),), one_pair), id="two-applications-for-one-resident"),
    pytest.param(Case(ISSUE, (ISSUE,), same_answer), id="an-application-and-its-repeat"),
    pytest.param(Case(ISSUE, (LATER, act("finish")), same_answer), id="an-application-and-recovery"),
    pytest.param(Case(REISSUE, (act("revoke", number=4, key="other"),), all_revoked), id="a-re-issue-and-a-revocation"),
    pytest.param(Case(REVOKE, (REVOKE,), same_answer), id="a-revocation-and-its-repeat"),
    pytest.param(Case(MOVE, (MOVE,), same_answer), id="a-notice-and-its-repeat"),
    pytest.param(Case(PUBLISH, (PUBLISH,), lists_in_order, (PENDING,)), id="two-publishers"),
    pytest.param(
        Case(PUBLISH, (LATER, REVOKE, PUBLISH), nothing_taken_back, (PENDING,)),
        id="a-publisher-that-slept-too-long-and-its-successor",
    ),
    pytest.param(Case(PUBLISH, (REVOKE,), lists_in_order, (PENDING,)), id="a-publisher-and-a-revocation"),
]


@pytest.mark.parametrize("case", CASES)
def test_whatever_happens_while_one_stands_still(
    case: Case, forks: Forks, settled: State, spoilt: Path, subtests: pytest.Subtests
) -> None:
    with settled.copied(spoilt) as state:
        forks.run(state, *case.before, now=SETTLED)
        steps = forks.run(state, case.one, now=SETTLED + MINUTE, kinds=SHARED).steps
    for last, step in enumerate(steps):
        with subtests.test(before=f"{last}: {step}"):
            case.check(overlap(case, forks, settled, spoilt, last))


def overlap(case: Case, forks: Forks, settled: State, path: Path, last: int) -> Overlap:
    with settled.copied(path) as state:
        before = forks.run(state, *case.before, act("judge"), now=SETTLED).told[-1]
        outcomes = forks.meanwhile(state, case.one, *case.other, now=SETTLED + MINUTE, last=last)
        again = (LATER, case.one, case.other[-1], LATER, act("publish"), act("judge"))
        then, _, one_again, other_again, *_, end = forks.run(
            state, act("judge"), *again, now=SETTLED + (5 if LATER in case.other else 2) * MINUTE
        ).told
        assert then["faults"] == end["faults"] == end["notes"] == []
        known = {row["serial"] for row in before["certificates"]}
        return Overlap(known, outcomes[0].told[0], outcomes[1].told[-1], then, one_again, other_again, end)


def test_two_publishers_at_once_publish_each_list_once(forks: Forks, settled: State, spoilt: Path) -> None:
    with settled.copied(spoilt) as state:
        for number, minutes in ((2, 0), (3, 20), (5, 40)):
            now = SETTLED + minutes * MINUTE
            forks.run(state, act("revoke", number=number, key=f"round {number}"), now=now)
            outcomes = forks.together(state, act("publish"), act("publish"), now=now + MINUTE)
            told = [outcome.told[0] for outcome in outcomes]
            assert {answer.get("refusal") for answer in told} <= {None, "busy"}
            published = [path for answer in told for path in answer.get("published", {})]
            assert sorted(published) == ["authentication-g2/13221.crl", "signature-g2/13221.crl"]
            assert not any(answer.get("refused") for answer in told)
            (judged,) = forks.run(state, act("judge"), now=now + 2 * MINUTE).told
            assert judged["faults"] == judged["notes"] == []


def test_processes_that_issue_for_one_resident_at_once_make_one_pair(
    forks: Forks, settled: State, spoilt: Path
) -> None:
    with settled.copied(spoilt) as state:
        newcomers = [7, 8, 9]
        forks.run(state, act("load", numbers=newcomers), now=SETTLED)
        for number in newcomers:
            applications = [
                act("issue", number=number, key=f"{number} from {who}") for who in ("one", "other", "third")
            ]
            told = [outcome.told[0] for outcome in forks.together(state, *applications, now=SETTLED)]
            assert sum("certificates" in answer for answer in told) == 1
            assert {answer.get("refusal") for answer in told} <= {None, "in-progress", "live-pair"}
            again = forks.run(state, *applications, now=SETTLED + MINUTE).told
            assert sorted(answer.get("refusal", "") for answer in again) == ["", "live-pair", "live-pair"]
        (judged,) = forks.run(state, act("judge"), now=SETTLED + 2 * MINUTE).told
        assert judged["faults"] == judged["notes"] == []
        for number in newcomers:
            live = [row["kind"] for row in judged["certificates"] if row["resident"] == number and row["live"]]
            assert sorted(live) == ["authentication", "signature"]


def test_one_application_from_many_threads_and_processes_at_once_gets_one_answer(
    forks: Forks, settled: State, spoilt: Path
) -> None:
    with settled.copied(spoilt) as state:
        at_once = act("issue at once", number=1, key="one", threads=8)
        outcomes = forks.together(state, at_once, at_once, now=SETTLED)
        answers = [answer for outcome in outcomes for answer in outcome.told[0]["answers"]]
        assert len(answers) == 16
        assert answers == [answers[0]] * 16
        (judged,) = forks.run(state, act("judge"), now=SETTLED + MINUTE).told
        assert judged["faults"] == judged["notes"] == []
        found = {row["kind"]: [row["serial"], row["sha256"]] for row in judged["certificates"] if row["resident"] == 1}
        assert found == answers[0]
