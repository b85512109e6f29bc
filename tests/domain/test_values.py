"""Small values that defend their own meaning: validity, periods of parties, names of lists, holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.certificates import IssuerId, Kind, Validity
from domain.lists import Scope
from domain.parties import LOCAL_OPERATOR, Credential, Party, Role, Usage
from domain.people import MunicipalityCode
from domain.revocation import CrlReason, Revocation, RevocationCause
from tests.support.people import serial_of

NOW = datetime(2027, 4, 1, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
VALIDITY = Validity(NOW, NOW + DAY)


def test_both_ends_belong_to_a_validity() -> None:
    assert VALIDITY.covers(NOW)
    assert VALIDITY.covers(NOW + DAY)
    assert not VALIDITY.covers(NOW - SECOND)
    assert not VALIDITY.covers(NOW + DAY + SECOND)


def test_a_validity_has_ended_after_its_last_second() -> None:
    assert not VALIDITY.ended(NOW - DAY)
    assert not VALIDITY.ended(NOW + DAY)
    assert VALIDITY.ended(NOW + DAY + SECOND)


@pytest.mark.parametrize(
    ("begins", "ends", "why"),
    [
        pytest.param(NOW.replace(tzinfo=None), NOW, "aware", id="a naive beginning"),
        pytest.param(NOW, NOW.replace(microsecond=1) + DAY, "whole seconds", id="a fraction at the end"),
        pytest.param(NOW, NOW - SECOND, "ends before it begins", id="the end before the beginning"),
    ],
)
def test_a_validity_that_is_none_is_refused(begins: datetime, ends: datetime, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Validity(begins, ends)


def party(**changes: Any) -> Party:
    return Party(1, Role.VERIFIER, "bank", None, frozenset(Kind), **changes)


@pytest.mark.parametrize(
    ("who", "in_force"),
    [
        pytest.param(party(), True, id="without an end"),
        pytest.param(party(in_force_until=NOW), True, id="in the last second of the period"),
        pytest.param(party(in_force_until=NOW - SECOND), False, id="after the period"),
        pytest.param(party(suspended_at=NOW + DAY), False, id="suspended, whatever the clock says"),
        pytest.param(LOCAL_OPERATOR, True, id="the terminal"),
    ],
)
def test_a_party_is_in_force(who: Party, in_force: bool) -> None:
    assert who.in_force(NOW) is in_force
    assert Credential(b"", Usage.TLS, who, NOW + DAY).usable(NOW) is in_force


def test_a_credential_ends_with_its_certificate_or_when_it_is_withdrawn() -> None:
    assert Credential(b"", Usage.TLS, party(), NOW).usable(NOW)
    assert not Credential(b"", Usage.TLS, party(), NOW - SECOND).usable(NOW)
    assert not Credential(b"", Usage.TLS, party(), NOW + DAY, withdrawn_at=NOW).usable(NOW)


def test_parties_are_told_by_role_and_name() -> None:
    assert party().label == "verifier:bank"
    assert LOCAL_OPERATOR.label == "operator:terminal"


def test_lists_are_named_by_issuer_and_area() -> None:
    assert Scope(IssuerId("signature-g1"), MunicipalityCode("132217")).path == "signature-g1/13221.crl"
    assert Scope(IssuerId("signature-g1"), None).path == "signature-g1/ca.crl"


@pytest.mark.parametrize("reason", CrlReason)
def test_only_the_reason_of_a_hold_is_a_hold(reason: CrlReason) -> None:
    revocation = Revocation(
        IssuerId("signature-g1"),
        serial_of("any"),
        MunicipalityCode("132217"),
        RevocationCause.TEMPORARY_STOP,
        reason,
        NOW,
        NOW + DAY,
    )
    assert revocation.on_hold is (reason is CrlReason.CERTIFICATE_HOLD)


def test_reasons_have_the_numbers_of_rfc_5280() -> None:
    assert {reason.name: reason.value for reason in CrlReason} == {
        "UNSPECIFIED": 0,
        "KEY_COMPROMISE": 1,
        "CA_COMPROMISE": 2,
        "AFFILIATION_CHANGED": 3,
        "SUPERSEDED": 4,
        "CESSATION_OF_OPERATION": 5,
        "CERTIFICATE_HOLD": 6,
    }
