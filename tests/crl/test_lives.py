"""Lives of lists: who watches hears before one runs out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from crl.lives import list_gauges, share_used
from domain.certificates import IssuerId
from domain.gauges import Gauge
from domain.lists import ListRecord, ListState, Scope, ScopeRecord
from policies.crl import CrlPolicy
from tests.support.authority import NOW
from tests.support.lists import ELSEWHERE, SCOPE

ISSUER, OTHER = IssuerId("signature-g1"), IssuerId("authentication-g1")
POLICY = CrlPolicy(timedelta(hours=48), timedelta(hours=24), timedelta(minutes=5))


def record(issuer: IssuerId, made_at: datetime | None, *, wanted: int = 3, covers: int = 3) -> ScopeRecord:
    scope = Scope(issuer, SCOPE.municipality)
    if made_at is None:
        return ScopeRecord(scope, wanted, None)
    window = POLICY.window(made_at)
    return ScopeRecord(scope, wanted, ListRecord(scope, 1, *window, ListState.PUBLISHED, covers, published_at=made_at))


def values(gauges: tuple[Gauge, ...]) -> dict[str, dict[str, float]]:
    return {gauge.name: {labels[0][1]: value for labels, value in gauge.values} for gauge in gauges}


def test_the_oldest_list_of_an_issuer_counts() -> None:
    old, new = NOW - timedelta(hours=12), NOW - timedelta(hours=1)
    found = values(list_gauges([record(ISSUER, new), record(ISSUER, old), record(OTHER, new)], NOW, frozenset()))
    used = found["jpki_list_validity_used"]
    assert used[ISSUER] == pytest.approx(12 / 48, abs=0.01)
    assert used[OTHER] == pytest.approx(1 / 48, abs=0.01)
    assert found["jpki_lists_overdue"] == {ISSUER: 0, OTHER: 0}


def test_a_list_past_half_of_its_life_is_an_alarm_and_so_is_one_never_published() -> None:
    records = [record(ISSUER, NOW - timedelta(hours=25)), record(ISSUER, None), record(OTHER, NOW)]
    found = values(list_gauges(records, NOW, frozenset()))
    assert found["jpki_lists_overdue"] == {ISSUER: 2, OTHER: 0}
    assert found["jpki_list_validity_used"][ISSUER] == float("inf")


def test_the_policy_has_the_next_list_made_before_there_is_an_alarm() -> None:
    standing = record(ISSUER, NOW)
    assert standing.published is not None
    moments = [NOW + timedelta(minutes=minute) for minute in range(48 * 60)]
    due = next(moment for moment in moments if POLICY.is_due(standing, moment))
    alarm = next(moment for moment in moments if share_used(standing.published, moment) > 0.5)
    assert alarm - due > timedelta(hours=1)


def test_changes_that_wait_are_counted() -> None:
    records = [record(ISSUER, NOW, wanted=7, covers=4), record(ISSUER, None, wanted=2), record(OTHER, NOW)]
    assert values(list_gauges(records, NOW, frozenset()))["jpki_list_changes_waiting"] == {ISSUER: 5, OTHER: 0}


def test_an_issuer_that_has_ended_has_no_alarm() -> None:
    found = list_gauges([record(ISSUER, NOW - timedelta(days=9))], NOW, frozenset({ISSUER}))
    assert [gauge.values for gauge in found] == [(), (), ()]


def test_scopes_are_told_apart_by_issuer_only() -> None:
    elsewhere = ScopeRecord(ELSEWHERE, 0, None)
    (used, *_) = list_gauges([elsewhere, record(ISSUER, NOW)], NOW, frozenset())
    assert {name for labels, _ in used.values for name, _ in labels} == {"issuer"}
