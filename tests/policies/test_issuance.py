"""The numbers of issuance: a table with a source in each row."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from domain.birth import BirthDate
from domain.certificates import Kind
from domain.errors import Code, Refusal
from policies.issuance import (
    IssuanceRule,
    load_issuance,
    require_card_life,
    require_no_ward,
    steps_rule,
    waits_for_delivery,
)
from policies.tables import TableFaults
from tests.support.profiles import parsed

TODAY = date(2027, 4, 1)
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
    assert waits_for_delivery(RULES, steps_rule(alone=alone, replaces=replaces)) is waits


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


@pytest.mark.parametrize(
    ("born", "latest"),
    [
        pytest.param("1988-11-03", "2036-11-03", id="the tenth birthday from today"),
        pytest.param("1988-04-01", "2037-04-01", id="a birthday today does not count"),
        pytest.param("1988-03-31", "2037-03-31", id="nor does yesterday's"),
        pytest.param("2009-04-01", "2037-04-01", id="who turns 18 today is of age"),
        pytest.param("2009-04-02", "2031-04-02", id="who turns 18 tomorrow is a minor, whose fifth it is"),
        pytest.param("2020-06-05", "2031-06-05", id="a child's fifth birthday"),
        pytest.param("2027-04-01", "2032-04-01", id="a newborn's"),
        pytest.param("2000-02-29", "2037-03-01", id="born on 29 February, at the latest in the common year"),
        pytest.param("1988-XX-XX", "2037-04-01", id="where the birthday is not known, the latest that it can be"),
        pytest.param("XXXX-XX-XX", "2037-04-01", id="where nothing is known"),
        pytest.param("1988-05-XX", "2036-05-31", id="where the day is not known, the last of the month"),
    ],
)
def test_a_card_ends_on_a_birthday_at_the_latest(born: str, latest: str) -> None:
    require_last(born, latest, TODAY)


@pytest.mark.parametrize(
    ("born", "today", "latest"),
    [
        pytest.param("1988-03-01", "2028-02-29", "2037-03-01", id="a birthday tomorrow is the first of ten"),
        pytest.param("1988-02-28", "2028-02-29", "2038-02-28", id="one yesterday is none"),
        pytest.param("2000-02-29", "2028-02-29", "2038-03-01", id="nor is one on the day itself"),
        pytest.param("2000-02-29", "2027-02-28", "2037-02-28", id="the day before 29 February may be a birthday"),
    ],
)
def test_a_card_of_the_last_of_february_ends_on_a_birthday_too(born: str, today: str, latest: str) -> None:
    require_last(born, latest, date.fromisoformat(today))


def require_last(born: str, latest: str, today: date) -> None:
    birth_date, last = BirthDate.read(born), date.fromisoformat(latest)
    require_card_life(RULES, birth_date, last, today)
    with pytest.raises(Refusal) as refusal:
        require_card_life(RULES, birth_date, last + timedelta(days=1), today)
    assert (refusal.value.code, refusal.value.pointer) == (Code.CARD_LIFE, "/card/expires_on")
    assert born not in refusal.value.detail


def test_wards_get_no_signing_certificate_unless_the_table_says_so() -> None:
    require_no_ward(RULES, {Kind.AUTHENTICATION})
    with pytest.raises(Refusal) as refusal:
        require_no_ward(RULES, set(Kind))
    assert refusal.value.code is Code.UNDER_GUARDIANSHIP
    require_no_ward(load_issuance(content("wards", {"value": 1})), set(Kind))
