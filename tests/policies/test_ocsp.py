"""Rules of OCSP answers: contradictions, times, ages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.certificates import Validity
from domain.status import Word
from policies.ocsp import OcspPolicy

NOW = datetime(2027, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
RESPONDER = Validity(NOW - HOUR, NOW + timedelta(days=30))


def test_the_policy_as_delivered_is_usable_and_closed_to_strangers() -> None:
    policy = OcspPolicy()
    assert policy.faults() == ()
    assert (policy.access, policy.never_issued) == ("notified-verifiers", "unknown")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        pytest.param({"access": "anybody"}, "access", id="an unknown access"),
        pytest.param({"never_issued": "good"}, "never_issued", id="good for what was never issued"),
        pytest.param(
            {"answer_lifetime": 59 * SECOND, "revoked_max_age": SECOND}, "answer_lifetime", id="under a minute"
        ),
        pytest.param({"answer_lifetime": timedelta(days=7, seconds=1)}, "answer_lifetime", id="over a week"),
        pytest.param({"revoked_max_age": -SECOND}, "revoked_max_age", id="a negative age"),
        pytest.param({"revoked_max_age": HOUR + SECOND}, "revoked_max_age", id="an age beyond the life"),
        pytest.param({"max_cert_ids": 0}, "max_cert_ids", id="no certificates"),
        pytest.param({"max_cert_ids": 65}, "max_cert_ids", id="more than fit a request"),
        pytest.param({"backdate": -SECOND}, "backdate", id="answers from the future"),
        pytest.param({"backdate": HOUR}, "backdate", id="answers as old as they may get"),
        pytest.param({"ready": -SECOND}, "ready", id="ready for less than nothing"),
        pytest.param({"ready": HOUR - timedelta(minutes=10)}, "ready", id="ready for too long"),
        pytest.param({"backdate": timedelta(microseconds=1)}, "whole seconds", id="fractions of a second"),
    ],
)
def test_a_contradiction_is_named_by_its_place(change: dict[str, Any], place: str) -> None:
    (fault,) = replace(OcspPolicy(), **change).faults()
    assert place in fault


def test_all_contradictions_are_told_at_once() -> None:
    assert len(replace(OcspPolicy(), max_cert_ids=0, backdate=HOUR).faults()) == 2


@pytest.mark.parametrize(
    ("backdate", "now", "period"),
    [
        pytest.param(0 * HOUR, NOW, Validity(NOW, NOW + HOUR - SECOND), id="an hour counts its last second"),
        pytest.param(
            timedelta(minutes=5), NOW, Validity(NOW - timedelta(minutes=5), NOW + HOUR - SECOND), id="dated back"
        ),
        pytest.param(
            timedelta(minutes=5),
            RESPONDER.not_before,
            Validity(RESPONDER.not_before, RESPONDER.not_before + HOUR - SECOND),
            id="not before the responder certificate",
        ),
        pytest.param(
            0 * HOUR,
            RESPONDER.not_after - 10 * SECOND,
            Validity(RESPONDER.not_after - 10 * SECOND, RESPONDER.not_after),
            id="not beyond the responder certificate",
        ),
        pytest.param(
            0 * HOUR,
            RESPONDER.not_after,
            Validity(RESPONDER.not_after, RESPONDER.not_after),
            id="one second in its last",
        ),
    ],
)
def test_period(backdate: timedelta, now: datetime, period: Validity) -> None:
    assert OcspPolicy(backdate=backdate).period(now, RESPONDER) == period


@pytest.mark.parametrize(
    ("word", "remaining", "age"),
    [
        ("good", HOUR, 300),
        ("good", 8 * 60 * SECOND, 240),
        ("good", SECOND, 0),
        ("revoked", HOUR, 60),
        ("unknown", HOUR, 60),
        ("revoked", 30 * SECOND, 15),
        ("good", 0 * HOUR, 0),
    ],
)
def test_max_age(word: Word, remaining: timedelta, age: int) -> None:
    assert OcspPolicy().max_age(word, remaining) == age


@settings(deadline=None)
@given(
    lifetime=st.integers(60, 604_800),
    backdate=st.integers(0, 59),
    into=st.integers(0, 31 * 86_400),
    word=st.sampled_from(["good", "revoked", "unknown"]),
)
def test_no_answer_leaves_its_certificate_and_no_cache_outlives_an_answer(
    lifetime: int, backdate: int, into: int, word: Word
) -> None:
    policy = OcspPolicy(answer_lifetime=lifetime * SECOND, revoked_max_age=SECOND, backdate=backdate * SECOND)
    now = min(RESPONDER.not_before + into * SECOND, RESPONDER.not_after)
    period = policy.period(now, RESPONDER)
    assert RESPONDER.not_before <= period.not_before <= now <= period.not_after <= RESPONDER.not_after
    age = policy.max_age(word, period.not_after - now)
    assert now + 2 * age * SECOND <= period.not_after
