"""Reading lists back: what it says, and everything that is not ours refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from crl.read import read_list, read_tbs
from crl.scope import issuing_distribution_point
from domain import der, oids
from domain.der import DerError
from domain.revocation import CrlReason
from tests.support.lists import (
    EXPIRY,
    ISSUERS,
    NOW,
    POLICY,
    SCOPE,
    SIGNERS,
    encode_entries,
    entries_of,
    make_list,
    make_plan,
    make_revocation,
    make_tbs,
    point_of,
)

REVOKED = [make_revocation(reason.name, reason) for reason in CrlReason]
OCTETS = make_list(REVOKED)
SUBJECT = ISSUERS[SCOPE.issuer].subject
TBS = make_tbs(make_plan(), encode_entries(REVOKED))
ENTRIES = encode_entries(REVOKED)


def test_a_list_is_read_as_it_was_meant() -> None:
    found = read_list(OCTETS)
    issuer = ISSUERS[SCOPE.issuer]
    assert found.algorithm == SIGNERS[SCOPE.issuer].algorithm
    assert (found.issuer, found.authority_key) == (issuer.subject, issuer.key_identifier)
    assert (found.this_update, found.next_update) == POLICY.window(NOW)
    assert found.number == 7
    assert found.point == issuing_distribution_point(SCOPE, point_of(SCOPE))
    entries = entries_of(found)
    assert entries == {row.serial.octets: (row.revoked_at, row.reason) for row in REVOKED}
    assert list(entries) == sorted(entries)


def test_an_empty_list_is_read_as_empty() -> None:
    assert entries_of(read_list(make_list())) == {}


def test_serials_are_not_in_its_repr() -> None:
    assert REVOKED[0].serial.octets.hex() not in repr(read_list(OCTETS))
    assert repr(REVOKED[0].serial.octets) not in repr(read_list(OCTETS))


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), id="before-2050"),
        pytest.param(datetime(2050, 1, 1, tzinfo=UTC), id="from-2050"),
        pytest.param(datetime(2048, 2, 29, tzinfo=UTC), id="a-leap-day"),
    ],
)
def test_times_are_read_in_the_form_of_their_year(moment: datetime) -> None:
    (entry,) = entries_of(read_list(make_list([make_revocation(revoked_at=moment)]))).values()
    assert entry == (moment, CrlReason.AFFILIATION_CHANGED)


def swapped(old: bytes, new: bytes) -> Callable[[], bytes]:
    """The list with some octets replaced by as many others."""
    assert len(old) == len(new)
    assert old in TBS
    return lambda: TBS.replace(old, new, 1)


def with_entries(*entries: bytes) -> Callable[[], bytes]:
    return lambda: make_tbs(make_plan(), entries)


def entry(*parts: bytes) -> bytes:
    return der.sequence(*parts)


SERIAL = der.tlv(der.INTEGER, b"\x40" + bytes(15))
TIME = der.time(NOW)
CRITICAL = der.boolean(True)
REASON = der.oid(oids.CRL_REASON)


def reason_extension(value: bytes, critical: bytes = b"") -> bytes:
    return der.sequence(der.sequence(REASON, critical, der.octet_string(value)))


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param(lambda: b"", id="nothing"),
        pytest.param(lambda: TBS[:-1], id="cut-short"),
        pytest.param(lambda: TBS + b"\x00", id="followed-by-something"),
        pytest.param(swapped(b"\x02\x01\x01", b"\x02\x01\x00"), id="version-1"),
        pytest.param(swapped(SUBJECT, b"\x31" + SUBJECT[1:]), id="a-name-that-is-no-sequence"),
        pytest.param(swapped(der.oid(oids.CRL_NUMBER), der.oid("2.5.29.27")), id="a-delta-list-indicator"),
        pytest.param(
            swapped(der.oid(oids.ISSUING_DISTRIBUTION_POINT) + b"\x01\x01\xff", der.oid("2.5.29.28") + b"\x01\x01\x00"),
            id="critical-false-written-out",
        ),
        pytest.param(with_entries(b""), id="revokedCertificates-empty-but-there"),
        pytest.param(with_entries(*reversed(ENTRIES)), id="entries-out-of-order"),
        pytest.param(with_entries(ENTRIES[0], ENTRIES[0]), id="a-serial-twice"),
        pytest.param(with_entries(entry(der.integer(1), TIME)), id="a-serial-of-another-authority"),
        pytest.param(with_entries(entry(der.tlv(der.INTEGER, b"\x80" + bytes(15)), TIME)), id="a-negative-serial"),
        pytest.param(with_entries(entry(SERIAL, b"\x18\x0f20270401000000Z")), id="generalized-time-before-2050"),
        pytest.param(with_entries(entry(SERIAL, b"\x17\x0d500401000000Z")), id="a-time-of-1950"),
        pytest.param(with_entries(entry(SERIAL, b"\x17\x0d271301000000Z")), id="a-thirteenth-month"),
        pytest.param(with_entries(entry(SERIAL, b"\x17\x0b2704010000Z")), id="a-time-without-seconds"),
        pytest.param(with_entries(entry(SERIAL, b"\x17\x11270401000000+0900")), id="a-time-in-another-zone"),
        pytest.param(
            with_entries(entry(SERIAL, TIME, reason_extension(b"\x0a\x01\x00"))), id="unspecified-written-out"
        ),
        pytest.param(with_entries(entry(SERIAL, TIME, reason_extension(b"\x0a\x01\x08"))), id="removeFromCRL"),
        pytest.param(
            with_entries(entry(SERIAL, TIME, reason_extension(b"\x0a\x01\x01", CRITICAL))), id="critical-reason"
        ),
        pytest.param(with_entries(entry(SERIAL, TIME, der.sequence())), id="empty-entry-extensions"),
        pytest.param(with_entries(b"\x30\x22" + ENTRIES[0][2:]), id="an-entry-of-another-length"),
    ],
)
def test_what_this_authority_does_not_write_is_refused(spoilt: Callable[[], bytes]) -> None:
    with pytest.raises(DerError):
        list(read_tbs(spoilt()).rows())


AUTHORITY = x509.load_der_x509_certificate(ISSUERS[SCOPE.issuer].certificate)
WORDY_KEY = x509.AuthorityKeyIdentifier(bytes(20), [x509.DirectoryName(AUTHORITY.subject)], AUTHORITY.serial_number)
POINT = x509.load_der_x509_crl(OCTETS).extensions.get_extension_for_class(x509.IssuingDistributionPoint).value


@pytest.mark.parametrize(
    ("extensions", "words"),
    [
        pytest.param([], "six fields", id="without-extensions"),
        pytest.param([x509.CRLNumber(7)], "three extensions", id="a-number-only"),
        pytest.param([WORDY_KEY, x509.CRLNumber(7), POINT], "holds more than the key", id="a-wordy-key"),
    ],
)
def test_lists_with_other_extensions_are_refused(extensions: list[x509.ExtensionType], words: str) -> None:
    signer = SIGNERS[SCOPE.issuer]
    foreign = (
        x509.CertificateRevocationListBuilder().issuer_name(AUTHORITY.subject).last_update(NOW).next_update(EXPIRY)
    )
    for extension in extensions:
        foreign = foreign.add_extension(extension, critical=extension is POINT)
    octets = foreign.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(DerError, match=words):
        read_list(octets)


def test_different_algorithms_inside_and_outside_are_refused() -> None:
    tbs, signature = TBS, der.bit_string(b"signature")
    with pytest.raises(DerError, match="inside and outside differ"):
        read_list(der.sequence(tbs, SIGNERS[next(i for i in ISSUERS if i.endswith("g2"))].algorithm, signature))


def test_something_after_the_signature_is_refused() -> None:
    algorithm = SIGNERS[SCOPE.issuer].algorithm
    with pytest.raises(DerError, match="after the signature"):
        read_list(der.sequence(TBS, algorithm, der.bit_string(b"signature"), der.tlv(der.NULL, b"")))


def flipped(position: int, bit: int) -> bytes:
    spoilt = bytearray(OCTETS)
    spoilt[position] ^= 1 << bit
    return bytes(spoilt)


@given(position=st.integers(0, len(OCTETS) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_changes_what_is_read(position: int, bit: int) -> None:
    sound, before_signature = read_list(OCTETS), OCTETS.index(TBS) + len(TBS)
    try:
        found = read_list(flipped(position, bit))
        entries_of(found)
    except DerError:
        return
    assert found != sound or position > before_signature


FIRST = OCTETS.index(ENTRIES[0])
LAST = OCTETS.index(ENTRIES[-1]) + len(ENTRIES[-1]) - 1


@given(position=st.integers(FIRST, LAST), bit=st.integers(0, 7))
def test_entries_with_a_flipped_bit_are_refused_or_read_as_another_library_does(position: int, bit: int) -> None:
    try:
        read = entries_of(read_list(flipped(position, bit)))
        entries = [(int.from_bytes(serial), *entry) for serial, entry in read.items()]
    except DerError:
        return
    other = x509.load_der_x509_crl(flipped(position, bit))
    assert [(row.serial_number, row.revocation_date_utc) for row in other] == [entry[:2] for entry in entries]
