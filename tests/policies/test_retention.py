"""How long records are kept: the table, and the days on which that is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.rules import load_retention
from policies.retention import Records, RetentionRule
from policies.retention import load_retention as load
from policies.tables import TableFaults
from policies.validity import end_of_day

SECOND = timedelta(seconds=1)
RULES = load_retention()
ROW: Mapping[str, object] = {
    "records": "revocations",
    "title_ja": "失効情報",
    "title_en": "revocations",
    "basis": "expiry",
    "years": 0,
    "source": "law",
    "verified": True,
}


def rule(years: int | None) -> RetentionRule:
    return RetentionRule(Records.CERTIFICATES, "発行記録", "issuance records", years, "law", True)


def test_the_law_is_in_the_table() -> None:
    years = {records: row.years for records, row in RULES.items()}
    assert years == dict.fromkeys(Records) | {Records.REVOCATIONS: 0, Records.CERTIFICATES: 10, Records.PROVISIONS: 3}
    assert {row.records: row.days for row in RULES.values() if row.days} == {Records.ASKED: 62, Records.NEWS: 90}
    assert RULES[Records.SUBSCRIPTIONS].words == "not erased by itself"
    assert all("unverified" in row.source or "choice" in row.source for row in RULES.values() if not row.verified)


@pytest.mark.parametrize(
    ("expired", "kept"),
    [
        pytest.param(date(2032, 2, 17), date(2042, 2, 17), id="to the same day ten years later"),
        pytest.param(date(2031, 12, 31), date(2041, 12, 31), id="from new year's day on"),
        pytest.param(date(2032, 2, 28), date(2042, 2, 28), id="from a leap day to the last of February"),
        pytest.param(date(2032, 2, 29), date(2042, 2, 28), id="from 1 March after a leap day"),
        pytest.param(date(2026, 2, 28), date(2036, 2, 29), id="from 1 March, to a leap day"),
    ],
)
def test_issuance_records_are_kept_for_ten_years_from_the_day_after(expired: date, kept: date) -> None:
    assert RULES[Records.CERTIFICATES].kept_until(end_of_day(expired)) == end_of_day(kept)


def test_revocation_records_are_kept_to_the_last_second() -> None:
    ends = end_of_day(date(2032, 2, 17))
    assert RULES[Records.REVOCATIONS].kept_until(ends) == ends
    assert RULES[Records.REVOCATIONS].over_before(ends) == ends


@given(
    st.dates(date(2020, 1, 1), date(2080, 1, 1))
    | st.sampled_from([date(y, m, d) for y in range(2024, 2064, 4) for m, d in ((2, 28), (2, 29), (3, 1))]),
    st.sampled_from([0, 1, 4, 10]),
    st.integers(-3, 3),
    st.sampled_from([-1, 0, 1]),
)
def test_what_is_over_is_what_ended_before_one_moment(expired: date, years: int, days: int, seconds: int) -> None:
    ends = end_of_day(expired)
    until = rule(years).kept_until(ends)
    now = until + timedelta(days=days, seconds=seconds)
    assert (ends < rule(years).over_before(now)) is (until < now)


def test_a_rule_without_years_ends_nothing() -> None:
    now = datetime(2027, 4, 1, tzinfo=UTC)
    assert max(rule(None).days_before(now), rule(None).over_before(now)) < datetime(1873, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="nothing says"):
        rule(None).kept_until(now)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param({"years": -1}, "want a whole number", id="negative years"),
        pytest.param({"years": True}, "want a whole number", id="a flag for years"),
        pytest.param({"years": "10"}, "want a whole number", id="years as a text"),
        pytest.param({"basis": "none"}, "none without", id="years that count from nothing"),
        pytest.param({"basis": "day"}, "want a whole number of days", id="a day without days"),
        pytest.param({"days": 7}, "days: want", id="days beside years"),
        pytest.param({"basis": "day", "days": 0}, "days: want", id="no days"),
        pytest.param({"basis": "death"}, "want one of", id="a basis nobody knows"),
        pytest.param({"basis": "hand-over"}, "revocations are erased by expiry", id="a basis of others"),
        pytest.param({"records": "residents"}, "residents are not erased by themselves", id="what nobody erases"),
        pytest.param({"records": "cards"}, "want one of", id="records nobody knows"),
        pytest.param({"source": ""}, "want a text", id="no source"),
        pytest.param({"extra": 1}, "misspelt", id="a key nobody knows"),
    ],
)
def test_a_wrong_row_is_told(change: dict[str, object], fault: str) -> None:
    with pytest.raises(TableFaults, match=fault):
        load({"retention": [{**ROW, **change}]})


def test_missing_and_double_rows_are_told() -> None:
    with pytest.raises(TableFaults, match="certificates has no row"):
        load({"retention": [ROW]})
    with pytest.raises(TableFaults, match="stand twice"):
        load({"retention": [ROW, ROW]})
