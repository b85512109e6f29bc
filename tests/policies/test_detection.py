"""The rules of detection as data: whole, sourced, and refused with every fault told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from config.rules import load_detection
from domain.detection import Grade
from policies.detection import NAMES, Measures, judge
from policies.detection import load_detection as load
from policies.tables import TableFaults

ROW: Mapping[str, object] = {
    "id": "polled",
    "grade": "justify",
    "requests": 100,
    "polls": 3.0,
    "title_ja": "反復",
    "title_en": "polled",
    "source": "law",
    "verified": False,
}
QUIET = Measures(**dict.fromkeys(NAMES, 0.0))


def measured(**changes: float) -> Measures:
    return Measures(**{**dict.fromkeys(NAMES, 0.0), **changes})


def test_the_shipped_rules_have_sources_and_never_block_by_themselves() -> None:
    rules = load_detection().values()
    assert len(rules) >= 8
    assert all(rule.source and rule.title_ja and rule.title_en for rule in rules)
    assert {rule.grade for rule in rules} == {Grade.NOTE, Grade.JUSTIFY, Grade.TRY_LATER}


def test_a_rule_holds_when_there_are_enough_questions_and_every_measure_is_reached() -> None:
    rules = load({"rule": [{**ROW, "bare": 0.5}]})
    assert list(judge(measured(requests=100, polls=3, bare=0.5), rules)) == [rules["polled"]]
    for day in (QUIET, measured(requests=99, polls=3, bare=1), measured(requests=100, polls=2.9, bare=1)):
        assert list(judge(day, rules)) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"grade": "block"}, "grade: want one of note, justify, try-later", id="a rule that blocks"),
        pytest.param({"requests": 0}, "requests: want a whole number", id="no least number"),
        pytest.param({"polls": "many"}, "want at least one measure", id="a word for a number"),
        pytest.param({"polls": -1}, "want at least one measure", id="less than nothing"),
        pytest.param({"poles": 3}, "poles: nobody knows this key", id="misspelt"),
        pytest.param({"source": ""}, "source: want a text", id="no source"),
    ],
)
def test_a_wrong_rule_is_refused(changes: Mapping[str, object], why: str) -> None:
    with pytest.raises(TableFaults, match=why):
        load({"rule": [{**ROW, **changes}]})


def test_a_rule_without_measures_and_one_that_stands_twice_are_refused() -> None:
    with pytest.raises(TableFaults, match="want at least one measure"):
        load({"rule": [{key: value for key, value in ROW.items() if key != "polls"}]})
    with pytest.raises(TableFaults, match="stands twice"):
        load({"rule": [ROW, ROW]})
