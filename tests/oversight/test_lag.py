"""The report of lags: exact percentiles of each stage, by group, of what was committed in a period."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.revocation import RevocationCause
from oversight.lag import Grouping, LagRow, Spread, Stage, lags_to_json, report_lags, spread_of
from tests.support.house import HOUR, MINUTE, House

DAY = timedelta(days=1)


def report(house: House, by: Grouping = Grouping.NOTHING, days: int = 30) -> list[LagRow]:
    return report_lags(house.begin, house.clock.now - days * DAY, house.clock.now + MINUTE, by)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=300))
def test_percentiles_are_those_of_the_sorted_lags(lags: list[int]) -> None:
    ordered = sorted(lags)
    half, nearly_all = (ordered[ceil(len(lags) * part / 100) - 1] for part in (50, 99))
    assert spread_of(Counter(lags)) == Spread(len(lags), half, nearly_all, ordered[-1])


def test_nothing_is_no_row(house: House) -> None:
    assert report(house) == []


def test_a_life_is_measured(lived: House) -> None:
    (row,) = report(lived)
    # A signing certificate; two pairs held, the card's and the phone's, and both lost; each list a minute later.
    assert (row.group, row.waiting) == ("all", 0)
    assert row.certificates == row.spreads[Stage.LIST].count
    assert row.spreads[Stage.COMMIT] == row.spreads[Stage.OCSP] == Spread(row.certificates, 0, 0, 0)
    assert row.spreads[Stage.LIST] == row.spreads[Stage.ALL] == Spread(row.certificates, 60, 60, 60)
    by_cause = {row.group: row.certificates for row in report(lived, Grouping.CAUSE)}
    assert sum(by_cause.values()) == row.certificates
    assert set(by_cause) == {"holder-request", "temporary-stop", "card-lost"}
    assert by_cause["holder-request"] == 1
    assert [row.group for row in report(lived, Grouping.MUNICIPALITY)] == ["132217"]


def test_what_waits_is_counted_and_measured_later(house: House) -> None:
    house.issue(1)
    house.revoke(1)
    (row,) = report(house)
    assert (row.certificates, row.waiting, Stage.LIST in row.spreads) == (2, 2, False)
    house.clock.forward(HOUR)
    house.publish()
    (row,) = report(house)
    assert (row.waiting, row.spreads[Stage.LIST]) == (0, Spread(2, 3660, 3660, 3660))


def test_periods_and_days_are_those_of_the_commit_in_japan(house: House) -> None:
    house.issue(1)
    house.issue(2, house.requests("ec"))
    house.revoke(1)
    house.clock.forward(DAY)
    house.revoke(2)
    house.publish()
    groups = [(row.group, row.certificates) for row in report(house, Grouping.DAY)]
    assert groups == [("2027-04-01", 2), ("2027-04-02", 2)]
    assert [(row.group, row.certificates) for row in report(house, Grouping.MONTH)] == [("2027-04", 4)]
    (late,) = report_lags(house.begin, house.clock.now - HOUR, house.clock.now, Grouping.DAY)
    assert (late.group, late.spreads[Stage.LIST].longest) == ("2027-04-02", 60)


@pytest.mark.parametrize("by", Grouping)
def test_every_grouping_adds_up(lived: House, by: Grouping) -> None:
    (whole,) = report(lived)
    assert sum(row.certificates for row in report(lived, by)) == whole.certificates


def test_json_has_every_figure(lived: House) -> None:
    (said,) = lags_to_json(report(lived, Grouping.NOTHING))
    assert said["group"] == "all"
    assert said["stages"] == {
        stage.value: {"count": said["certificates"], "p50": lag, "p99": lag, "max": lag}
        for stage, lag in zip(Stage, (0, 0, 60, 60), strict=True)
    }


def test_a_mass_of_them_is_no_mass_of_rows(house: House) -> None:
    house.issue(1)
    house.issue(2, house.requests("ec"))
    house.revoke(1, RevocationCause.TEMPORARY_STOP)
    with house.begin(write=False) as work:
        rows = list(work.changes.between(house.clock.now - DAY, house.clock.now + DAY))
    assert len(rows) == 2, "one for each series"
