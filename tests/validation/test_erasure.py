"""Validations are erased when their time is over, and a consent never becomes good again by it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import Code, Refusal
from tests.support.consents import SoftwareCard
from tests.support.house import House
from validation.answer import validate
from validation.erasure import erase_over
from validation.parts import Validation


def test_nothing_is_erased_before_its_time(validation: Validation, house: House, card: SoftwareCard) -> None:
    validate(validation, card.request())
    house.clock.forward(timedelta(days=7))
    assert erase_over(house.begin, house.clock, "publisher:test") == 0
    house.clock.forward(timedelta(seconds=1))
    assert erase_over(house.begin, house.clock, "publisher:test") == 1
    assert erase_over(house.begin, house.clock, "publisher:test") == 0
    with house.begin(write=False) as work:
        assert "validations-erased" in [*work.audit.rows()][-1].body


def test_a_consent_whose_use_is_forgotten_has_expired(validation: Validation, house: House, card: SoftwareCard) -> None:
    request = card.request()
    validate(validation, request)
    house.clock.forward(timedelta(days=8))
    erase_over(house.begin, house.clock, "publisher:test")
    with pytest.raises(Refusal) as told:
        validate(validation, request)
    assert told.value.code is Code.CONSENT_EXPIRED
