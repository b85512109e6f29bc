"""Entries: every shape in the words of two other libraries, the order, and nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from asn1crypto import crl as asn1_crl
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from crl.entries import encode_rows
from domain import der
from domain.revocation import CrlReason, Revocation
from domain.serial import SerialNumber
from tests.support.lists import encode_entries, make_list, make_revocation, rows_of

JST = timezone(timedelta(hours=9))

# As the three sources of names write them: ours, cryptography's, asn1crypto's.
FLAGS = {
    CrlReason.KEY_COMPROMISE: (x509.ReasonFlags.key_compromise, "key_compromise"),
    CrlReason.CA_COMPROMISE: (x509.ReasonFlags.ca_compromise, "ca_compromise"),
    CrlReason.AFFILIATION_CHANGED: (x509.ReasonFlags.affiliation_changed, "affiliation_changed"),
    CrlReason.SUPERSEDED: (x509.ReasonFlags.superseded, "superseded"),
    CrlReason.CESSATION_OF_OPERATION: (x509.ReasonFlags.cessation_of_operation, "cessation_of_operation"),
    CrlReason.CERTIFICATE_HOLD: (x509.ReasonFlags.certificate_hold, "certificate_hold"),
}

MOMENTS = [
    pytest.param(datetime(2027, 4, 1, 9, 5, 7, tzinfo=UTC), 0x17, id="an-ordinary-day"),
    pytest.param(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), 0x17, id="the-last-second-of-UTCTime"),
    pytest.param(datetime(2050, 1, 1, tzinfo=UTC), 0x18, id="the-first-second-of-GeneralizedTime"),
    pytest.param(datetime(2050, 1, 1, 8, 59, 59, tzinfo=JST), 0x17, id="2050-in-Japan-is-2049-in-UTC"),
]


@pytest.mark.parametrize(("moment", "tag"), MOMENTS)
@pytest.mark.parametrize("reason", CrlReason)
def test_cryptography_reads_what_was_meant(reason: CrlReason, moment: datetime, tag: int) -> None:
    revocation = make_revocation(reason=reason, revoked_at=moment)
    (entry,) = x509.load_der_x509_crl(make_list([revocation]))
    assert entry.serial_number == revocation.serial.value
    assert entry.revocation_date_utc == moment
    if reason is CrlReason.UNSPECIFIED:
        assert list(entry.extensions) == []
    else:
        (extension,) = entry.extensions
        assert isinstance(extension.value, x509.CRLReason)
        assert (extension.value.reason, extension.critical) == (FLAGS[reason][0], False)


@pytest.mark.parametrize(("moment", "tag"), MOMENTS)
@pytest.mark.parametrize("reason", CrlReason)
def test_asn1crypto_writes_the_same_octets(reason: CrlReason, moment: datetime, tag: int) -> None:
    revocation = make_revocation(reason=reason, revoked_at=moment)
    utc = moment.astimezone(UTC)
    time = asn1_crl.Time({"utc_time" if tag == 0x17 else "general_time": utc})
    fields = {"user_certificate": revocation.serial.value, "revocation_date": time}
    if reason is not CrlReason.UNSPECIFIED:
        extension = {"extn_id": "crl_reason", "extn_value": asn1_crl.CRLReason(FLAGS[reason][1])}
        fields["crl_entry_extensions"] = [extension]
    expected = asn1_crl.RevokedCertificate(fields).dump()
    (entry,) = encode_entries([revocation])
    assert entry == expected
    assert entry[20] == tag


def test_every_reason_is_judged() -> None:
    assert set(FLAGS) | {CrlReason.UNSPECIFIED} == set(CrlReason)


def test_no_revocations_give_no_entries() -> None:
    assert encode_rows(rows_of([])) == b""


@pytest.mark.parametrize("year", [1969, 2200])
def test_times_that_no_revocation_can_have_are_refused(year: int) -> None:
    with pytest.raises(ValueError, match="from 1970 to 2199"):
        encode_entries([make_revocation(revoked_at=datetime(year, 6, 1, tzinfo=UTC))])


SERIALS = st.binary(min_size=16, max_size=16).map(SerialNumber.drawn_from)
TIMES = st.integers(0, 40 * 366 * 86400).map(lambda seconds: datetime(2027, 1, 1, tzinfo=UTC) + timedelta(0, seconds))
REVOCATIONS = st.builds(
    lambda serial, reason, moment: make_revocation(serial, reason, revoked_at=moment),
    SERIALS,
    st.sampled_from(CrlReason),
    TIMES,
)


@given(st.lists(REVOCATIONS, unique_by=lambda revocation: revocation.serial))
def test_many_entries_are_the_entries_of_each_side_by_side(revocations: list[Revocation]) -> None:
    octets = encode_rows(rows_of(revocations))
    assert octets == b"".join(encode_entries(revocations))
    parsed = asn1_crl.RevokedCertificates.load(der.sequence(octets), strict=True)
    expected = sorted((row.serial.value, row.revoked_at) for row in revocations)
    assert [(entry["user_certificate"].native, entry["revocation_date"].native) for entry in parsed] == expected
