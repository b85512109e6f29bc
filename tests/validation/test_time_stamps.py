"""Signing times: claimed by the signer, or proven by a time stamp; and neither changes what is valid now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.revocation import RevocationCause
from domain.validations import Format, Reason
from tests.support.authority import NOW
from tests.support.consents import SoftwareCard
from tests.support.house import House
from tests.support.signed import signed_pdf
from tests.support.stamps import stamp_authority, stamper
from validation.answer import validate
from validation.examine import examine
from validation.finding import Examination, Finding, SigningTime
from validation.parts import Validation
from validation.pdf_signature import find_pdf

HOUR = timedelta(hours=1)


@pytest.fixture
def believing(validation: Validation) -> Validation:
    """Time stamps of one authority are believed."""

    def read(examination: Examination) -> Finding:
        return find_pdf(examination, [stamp_authority("stamps")])

    return replace(validation, examine=lambda examination: examine(read, examination))


def found(validation: Validation, card: SoftwareCard, pdf: bytes, at: datetime = NOW) -> tuple[object, ...]:
    request = card.request(
        format=Format.PDF, document=pdf, signature=None, made_at=at, good_until=at + timedelta(minutes=1)
    )
    content = validate(validation, request).content
    return content.reasons, content.signing_time


def test_a_time_stamp_of_a_trusted_authority_proves_the_time(
    believing: Validation, house: House, card: SoftwareCard
) -> None:
    house.clock.forward(2 * HOUR)
    pdf = signed_pdf(card, timestamper=stamper("stamps", NOW + HOUR))
    assert found(believing, card, pdf, house.clock.now) == ((), SigningTime(NOW + HOUR, proven=True, good_then=True))


def test_a_certificate_that_was_good_then_and_is_revoked_now_is_not_valid(
    believing: Validation, house: House, card: SoftwareCard
) -> None:
    pdf = signed_pdf(card, timestamper=stamper("stamps", NOW))
    house.clock.forward(HOUR)
    house.revoke(1, RevocationCause.HOLDER_REQUEST)
    told = found(believing, card, pdf, house.clock.now)
    assert told == ((Reason.CERTIFICATE_REVOKED,), SigningTime(NOW, proven=True, good_then=True))


@pytest.mark.parametrize("hours", [-1, 1], ids=["before its validity", "after its revocation"])
def test_a_certificate_that_was_not_good_then(
    believing: Validation, house: House, card: SoftwareCard, hours: int
) -> None:
    house.revoke(1, RevocationCause.HOLDER_REQUEST)
    house.clock.forward(2 * HOUR)
    pdf = signed_pdf(card, timestamper=stamper("stamps", NOW + hours * HOUR))
    _, time = found(believing, card, pdf, house.clock.now)
    assert time == SigningTime(NOW + hours * HOUR, proven=True, good_then=False)


def test_a_time_stamp_of_anybody_else_proves_nothing(believing: Validation, card: SoftwareCard) -> None:
    _, time = found(believing, card, signed_pdf(card, timestamper=stamper("others", NOW)))
    assert isinstance(time, SigningTime)
    assert (time.proven, time.good_then) == (False, None)


def test_without_trusted_authorities_every_time_is_a_claim(validation: Validation, card: SoftwareCard) -> None:
    _, time = found(validation, card, signed_pdf(card, timestamper=stamper("stamps", NOW)))
    assert isinstance(time, SigningTime)
    assert not time.proven
