"""The numbers of issuance: a table with a source in each row."""

from __future__ import annotations

from typing import Any

import pytest

from policies.issuance import IssuanceRule, load_issuance, waits_for_delivery
from policies.tables import TableFaults
from tests.support.profiles import parsed

RULES = load_issuance(parsed("law/issuance.toml"))


def content(name: str, changes: dict[str, object]) -> dict[str, Any]:
    """The shipped table with a row changed."""
    document: dict[str, Any] = parsed("law/issuance.toml")
    for row in document["rule"]:
        if row["rule"] == name:
            row.update(changes)
    return document


@pytest.mark.parametrize(
    ("alone", "replaces", "waits"),
    [
        pytest.param(False, False, False, id="first certificates are live at once"),
        pytest.param(True, False, False, id="so is a signing certificate that comes alone"),
        pytest.param(False, True, True, id="a renewal waits"),
        pytest.param(True, True, True, id="a signing certificate renewed alone waits, too"),
    ],
)
def test_what_waits_for_its_delivery(alone: bool, replaces: bool, waits: bool) -> None:
    assert waits_for_delivery(RULES, alone=alone, replaces=replaces) is waits


def test_every_row_says_what_its_number_is_and_where_it_is_written() -> None:
    assert set(RULES) == set(IssuanceRule)
    assert all(row.meaning and row.source and row.title_ja for row in RULES.values())
    assert all(row.verified == ("unverified" not in row.source) for row in RULES.values())


@pytest.mark.parametrize(
    ("rule", "changes", "fault"),
    [
        pytest.param("first-issue", {"value": 3}, "rule 1: value: want a number from 1 to 2", id="three steps"),
        pytest.param("first-issue", {"value": True}, "rule 1: value: want a number from 1 to 2", id="no number"),
        pytest.param("replacement", {"value": 1}, "rule 3: value: want a number from 2 to 2", id="renewal in one step"),
        pytest.param("addition", {"rule": "first-issue"}, "rule 2: this rule stands twice", id="a rule twice"),
        pytest.param("addition", {"rule": "gift"}, "rule 2: rule: want one of", id="an unknown rule"),
        pytest.param("addition", {"source": ""}, "rule 2: source: want a text", id="no source"),
    ],
)
def test_faults_of_the_table_are_named(rule: str, changes: dict[str, object], fault: str) -> None:
    with pytest.raises(TableFaults) as faults:
        load_issuance(content(rule, changes))
    assert [found for found in faults.value.faults if found.startswith(fault)] != []


def test_a_rule_without_a_row_is_missed() -> None:
    document: dict[str, Any] = parsed("law/issuance.toml")
    del document["rule"][0]
    with pytest.raises(TableFaults, match="first-issue has no row"):
        load_issuance(document)
