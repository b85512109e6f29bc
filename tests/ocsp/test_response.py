"""Answers as octets, against other writers and readers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import ocsp as asn1
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import der, oids
from domain.certificates import Validity
from domain.revocation import CrlReason
from domain.status import GOOD, UNKNOWN, CertificateStatus
from ocsp.response import (
    ErrorStatus,
    certificate_status,
    error_response,
    produced_by,
    response_data,
    single_response,
    successful_response,
    update_times,
)
from tests.support.authority import NOW, make_responder_certificate
from tests.support.people import serial_of
from tests.support.responder import make_cert_id
from tests.support.signers import responder_signer

REVOKED_AT = datetime(2027, 3, 9, 1, 2, 3, tzinfo=UTC)
KEY_HASH = bytes(range(20))
PERIOD = Validity(NOW, NOW + timedelta(hours=1))
CERT_ID = make_cert_id(serial_of("asked about"))


@pytest.mark.parametrize("status", ErrorStatus)
def test_errors_are_read_as_such(status: ErrorStatus) -> None:
    octets = error_response(status)
    assert ocsp.load_der_ocsp_response(octets).response_status.name == status.name
    other = asn1.OCSPResponse.load(octets, strict=True)
    assert other["response_status"].contents == bytes((status,))
    assert other.dump(force=True) == octets


@pytest.mark.parametrize("status", [GOOD, UNKNOWN], ids=["good", "unknown"])
def test_good_and_unknown_are_empty(status: CertificateStatus) -> None:
    octets = certificate_status(status)
    assert asn1.CertStatus.load(octets, strict=True).name == status.word
    assert octets[1:] == b"\x00"


@pytest.mark.parametrize("reason", [reason for reason in CrlReason if reason])
def test_a_revocation_has_its_time_and_reason(reason: CrlReason) -> None:
    octets = certificate_status(CertificateStatus("revoked", REVOKED_AT, reason))
    judged = asn1.CertStatus.load(octets, strict=True)
    assert judged.native["revocation_time"] == REVOKED_AT
    assert int.from_bytes(judged.chosen["revocation_reason"].contents) == reason
    assert judged.dump(force=True) == octets


@pytest.mark.parametrize("reason", [None, CrlReason.UNSPECIFIED], ids=["untold", "unspecified"])
def test_an_unspecified_reason_is_left_out(reason: CrlReason | None) -> None:
    judged = asn1.CertStatus.load(certificate_status(CertificateStatus("revoked", REVOKED_AT, reason)), strict=True)
    assert judged.native == {"revocation_time": REVOKED_AT, "revocation_reason": None}


def test_a_revocation_without_time_is_a_bug() -> None:
    with pytest.raises(ValueError, match="needs its time"):
        certificate_status(CertificateStatus("revoked"))


STATUSES = st.sampled_from((GOOD, UNKNOWN)) | st.builds(
    CertificateStatus,
    st.just("revoked"),
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(  # noqa: DTZ001 - hypothesis wants naive bounds
        lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
    ),
    st.none() | st.sampled_from(CrlReason),
)


@settings(max_examples=50, deadline=None)
@given(
    asked=st.lists(st.tuples(st.integers(0, 2**127 - 1), STATUSES), min_size=1, max_size=4),
    nonce=st.none() | st.binary(min_size=1, max_size=128),
    extended=st.booleans(),
)
def test_any_answer_is_what_asn1crypto_would_write(
    asked: list[tuple[int, CertificateStatus]], nonce: bytes | None, extended: bool
) -> None:
    signature, certificate = bytes(71), make_responder_certificate()
    cert_ids = [make_cert_id(serial) for serial, _ in asked]
    times = update_times(PERIOD)
    singles = [single_response(cert_id, status, times) for cert_id, (_, status) in zip(cert_ids, asked, strict=True)]
    tbs = response_data(produced_by(KEY_HASH, NOW), b"".join(singles), nonce, extended)
    octets = successful_response(tbs, responder_signer("signature", "g1").algorithm, signature, certificate)

    response = asn1.OCSPResponse.load(octets, strict=True)
    basic = response.basic_ocsp_response
    data = basic["tbs_response_data"]
    assert data.dump() == tbs
    assert basic["signature"].native == signature
    assert [held.dump() for held in basic["certs"]] == [certificate]
    assert (data["responder_id"].native, data["produced_at"].native) == (KEY_HASH, NOW)
    assert [single["cert_id"].dump() for single in data["responses"]] == cert_ids
    assert [single["cert_status"].name for single in data["responses"]] == [status.word for _, status in asked]
    assert {(single["this_update"].native, single["next_update"].native) for single in data["responses"]} == {
        (PERIOD.not_before, PERIOD.not_after)
    }
    extensions = {extension["extn_id"].native: extension for extension in data["response_extensions"]}
    assert set(extensions) == {"nonce"} & {nonce and "nonce"} | {"extended_revoke"} & {extended and "extended_revoke"}
    if nonce is not None:
        assert extensions["nonce"]["extn_value"].parsed.native == nonce
    assert not any(extension["critical"].native for extension in extensions.values())
    # Written anew from what was read, part by part, the octets are the same.
    assert data.dump(force=True) == tbs
    assert asn1.OCSPResponse.load(octets).dump(force=True) == octets


@settings(deadline=None)
@given(*[st.integers(1, 300) | st.integers(65_000, 66_000)] * 3)
def test_any_lengths_are_framed_as_the_nested_structures_are(tbs: int, signature: int, certificate: int) -> None:
    algorithm = responder_signer("signature", "g1").algorithm
    data, bits, held = (der.octet_string(bytes(length)) for length in (tbs, signature, certificate))
    basic = der.sequence(data, algorithm, der.bit_string(bits), der.explicit(0, der.sequence(held)))
    inner = der.sequence(der.oid(oids.OCSP_BASIC), der.octet_string(basic))
    whole = der.sequence(der.tlv(der.ENUMERATED, b"\x00"), der.explicit(0, inner))
    assert successful_response(data, algorithm, bits, held) == whole
