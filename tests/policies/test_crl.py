"""When lists begin, end and are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.certificates import IssuerId
from domain.lists import ListRecord, ListState, Scope, ScopeRecord
from domain.people import MunicipalityCode
from policies.crl import CrlPolicy

NOW = datetime(2027, 4, 1, tzinfo=UTC)
DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
SCOPE = Scope(IssuerId("signature-g1"), MunicipalityCode("132217"))


def make_policy(
    lifetime: timedelta = 2 * DAY, interval: timedelta = DAY, backdate: timedelta = 5 * MINUTE
) -> CrlPolicy:
    return CrlPolicy(lifetime, interval, backdate)


def record_of(policy: CrlPolicy, made_at: datetime, *, covers: int = 3, wanted: int = 3) -> ScopeRecord:
    """A scope whose newest list was made then, under that policy."""
    this_update, next_update = policy.window(made_at)
    published = ListRecord(SCOPE, 1, this_update, next_update, ListState.PUBLISHED, covers)
    return ScopeRecord(SCOPE, wanted, published)


def test_a_list_begins_before_its_making_and_includes_the_last_second_of_its_lifetime() -> None:
    this_update, next_update = make_policy().window(NOW)
    assert this_update == NOW - 5 * MINUTE
    assert next_update == NOW - 5 * MINUTE + 2 * DAY - SECOND


def test_a_scope_without_a_list_is_due() -> None:
    assert make_policy().is_due(ScopeRecord(SCOPE, 0, None), NOW)


@pytest.mark.parametrize(
    ("age", "wanted", "due"),
    [
        pytest.param(SECOND, 3, False, id="a-new-list-without-changes-is-left-alone"),
        pytest.param(SECOND, 4, True, id="a-change-makes-a-new-list-due"),
        pytest.param(DAY - 5 * MINUTE - SECOND, 3, False, id="not-due-just-before-the-interval-has-passed"),
        pytest.param(DAY - 5 * MINUTE, 3, True, id="due-when-the-interval-has-passed-since-it-begins"),
        pytest.param(3 * DAY, 3, True, id="due-when-it-has-ended"),
    ],
)
def test_when_a_list_is_due(age: timedelta, wanted: int, due: bool) -> None:
    policy = make_policy(lifetime=3 * DAY)
    assert policy.is_due(record_of(policy, NOW - age, wanted=wanted), NOW) is due


def test_the_next_list_is_there_before_half_of_the_life_is_gone() -> None:
    older = record_of(make_policy(lifetime=4 * HOUR, interval=HOUR, backdate=0 * HOUR), NOW)
    assert not make_policy().is_due(older, NOW + HOUR)
    assert make_policy().is_due(older, NOW + 2 * HOUR - 12 * MINUTE)


def test_a_clock_before_the_newest_list_is_behind() -> None:
    policy = make_policy()
    record = record_of(policy, NOW)
    assert policy.is_behind(record, NOW - 5 * MINUTE - SECOND)
    assert not policy.is_behind(record, NOW - 5 * MINUTE)
    assert not policy.is_behind(ScopeRecord(SCOPE, 0, None), NOW)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        pytest.param(make_policy(), [], id="two-days-renewed-daily-is-sound"),
        pytest.param(make_policy(lifetime=DAY), ["lists end before the next"], id="no-longer-than-the-interval"),
        pytest.param(make_policy(lifetime=DAY + 5 * MINUTE), ["lists end before"], id="eaten-up-by-the-backdate"),
        pytest.param(make_policy(interval=0 * DAY), ["interval must be"], id="no-interval"),
        pytest.param(make_policy(backdate=-MINUTE), ["backdate must not"], id="a-backdate-into-the-future"),
        pytest.param(make_policy(interval=timedelta(milliseconds=1500)), ["whole seconds"], id="fractions"),
        pytest.param(
            make_policy(lifetime=-DAY, interval=0 * DAY, backdate=-MINUTE),
            ["interval", "backdate", "lists end"],
            id="all-faults-are-named-at-once",
        ),
    ],
)
def test_faults(policy: CrlPolicy, words: list[str]) -> None:
    faults = policy.faults()
    assert len(faults) == len(words)
    assert all(word in fault for word, fault in zip(words, faults, strict=True))


@given(
    lifetime=st.integers(1, 10**6),
    interval=st.integers(1, 10**6),
    backdate=st.integers(0, 10**5),
    age=st.integers(0, 10**9),
)
def test_a_sound_policy_makes_the_next_list_due_before_the_last_has_ended(
    lifetime: int, interval: int, backdate: int, age: int
) -> None:
    policy = CrlPolicy(lifetime * SECOND, interval * SECOND, backdate * SECOND)
    moment = NOW + age * SECOND
    assume(not policy.faults())
    record = record_of(policy, moment)
    assert record.published
    assert policy.is_due(record, record.published.next_update)
    assert record.published.next_update > moment
