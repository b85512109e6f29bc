"""The status of one serial."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.revocation import CrlReason
from domain.status import GOOD, UNKNOWN, CertificateStatus, good_until
from ocsp.status import NEVER_ISSUED, status_of
from policies.ocsp import NeverIssued
from tests.support.authority import NOW, make_issuer
from tests.support.people import serial_of
from tests.support.responder import Statuses

ISSUER = make_issuer().id
SERIAL = serial_of("issued")
REVOKED = CertificateStatus("revoked", datetime(2027, 3, 1, tzinfo=UTC), CrlReason.KEY_COMPROMISE)


@pytest.mark.parametrize("status", [GOOD, REVOKED], ids=["good", "revoked"])
@pytest.mark.parametrize("never_issued", ["unknown", "revoked"])
def test_what_was_issued_has_the_status_of_its_rows(status: CertificateStatus, never_issued: NeverIssued) -> None:
    assert status_of(Statuses({(ISSUER, SERIAL): status}), ISSUER, SERIAL.value, never_issued, NOW) is status


@pytest.mark.parametrize(("never_issued", "status"), [("unknown", UNKNOWN), ("revoked", NEVER_ISSUED)])
def test_what_was_never_issued_is_what_the_policy_says(never_issued: NeverIssued, status: CertificateStatus) -> None:
    assert status_of(Statuses(), ISSUER, SERIAL.value, never_issued, NOW) is status


def test_never_issued_means_on_hold_since_1970() -> None:
    assert (NEVER_ISSUED.word, NEVER_ISSUED.reason) == ("revoked", CrlReason.CERTIFICATE_HOLD)
    assert NEVER_ISSUED.revoked_at == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("serial", [0, -1, 1, 2**126 - 1, 2**127, 2**160])
def test_a_number_that_cannot_be_ours_is_not_looked_up(serial: int) -> None:
    lookup = Statuses()
    assert status_of(lookup, ISSUER, serial, "unknown", NOW) is UNKNOWN
    assert lookup.asked == []


@pytest.mark.parametrize(
    ("status", "seconds", "told"),
    [
        pytest.param(good_until(NOW), 0, GOOD, id="good in its last second"),
        pytest.param(good_until(NOW), 1, UNKNOWN, id="unknown after it"),
        pytest.param(REVOKED, 1, REVOKED, id="revoked as long as that is on record"),
    ],
)
@pytest.mark.parametrize("never_issued", ["unknown", "revoked"])
def test_after_its_end_no_certificate_is_good(
    status: CertificateStatus, seconds: int, told: CertificateStatus, never_issued: NeverIssued
) -> None:
    now = NOW + timedelta(seconds=seconds)
    assert status_of(Statuses({(ISSUER, SERIAL): status}), ISSUER, SERIAL.value, never_issued, now) == told
