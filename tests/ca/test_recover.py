"""Interrupted applications are completed by a sweep, forward and once."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ca.authority import Authority
from ca.issue import issue
from ca.recover import finish_unfinished
from domain.applications import IssuanceApplication
from domain.certificates import CertificateState, Kind
from domain.errors import Code, Refusal
from tests.support.authority import (
    NOW,
    TurnedClock,
    add_resident,
    make_application,
    make_authority,
    make_generation,
)
from tests.support.memory import MemoryStore
from tests.support.requests import make_pair
from tests.support.residents import resident_code
from tests.support.signers import WrappedSigner, authority_signer

SOON = NOW + timedelta(minutes=10)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def authority(store: MemoryStore) -> Authority:
    """An authority with two interrupted applications and a finished one."""
    made = make_authority(store)
    for number in (1, 2, 3):
        add_resident(made, resident_code(number))
    away = without_key(made)
    for number in (1, 2):
        with pytest.raises(Refusal):
            issue(away, application(number))
    issue(made, application(3))
    return replace(made, clock=TurnedClock(SOON))


def application(number: int) -> IssuanceApplication:
    return make_application(
        key=f"application {number}", resident_code=resident_code(number), requests=make_pair(number=number)
    )


def without_key(authority: Authority) -> Authority:
    signer = WrappedSigner(authority_signer("signature", "g1"), away=True)
    return replace(authority, generations=(make_generation(signer=signer), make_generation(Kind.AUTHENTICATION)))


def states(store: MemoryStore) -> list[CertificateState]:
    return [row.state for row in store.tables.certificates.values()]


def test_all_interrupted_applications_are_completed(authority: Authority, store: MemoryStore) -> None:
    assert finish_unfinished(authority, SOON) == 2
    assert states(store) == [CertificateState.ISSUED] * 6
    assert finish_unfinished(authority, SOON) == 0


def test_the_applicant_is_answered_afterwards_as_if_nothing_had_happened(authority: Authority) -> None:
    finish_unfinished(authority, SOON)
    answered = issue(authority, application(1))
    assert answered.repeated
    assert set(answered.certificates) == set(Kind)


@pytest.mark.parametrize(("before", "count"), [(NOW, 0), (NOW + timedelta(seconds=1), 2)])
def test_applications_that_are_being_worked_on_are_left_alone(
    authority: Authority, before: datetime, count: int
) -> None:
    assert finish_unfinished(authority, before) == count


def test_the_trail_tells_that_they_were_taken_up_again(authority: Authority, store: MemoryStore) -> None:
    finish_unfinished(authority, SOON)
    resumed = [row.body for row in store.tables.audit.values() if '"resumed":true' in row.body]
    assert len(resumed) == 4
    assert all("municipality:kiyose" in body for body in resumed)


def test_one_that_cannot_be_completed_does_not_stop_the_others(
    authority: Authority, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    for name, row in store.tables.certificates.items():
        if row.application_id == 1:
            store.tables.certificates[name] = replace(row, der=b"junk")
    with caplog.at_level(logging.ERROR):
        assert finish_unfinished(authority, SOON) == 1
    assert "application 1 cannot be completed" in caplog.text
    assert "junk" not in caplog.text


def test_an_absent_key_store_ends_the_sweep(authority: Authority, store: MemoryStore) -> None:
    with pytest.raises(Refusal) as refusal:
        finish_unfinished(without_key(authority), SOON)
    assert refusal.value.code is Code.SIGNER_UNAVAILABLE
    assert states(store).count(CertificateState.RESERVED) == 4
