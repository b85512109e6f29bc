"""Whole answers before OpenSSL and pkilint."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.certificates import Kind
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from domain.status import GOOD, UNKNOWN, CertificateStatus
from ocsp.responder import answer
from policies.ocsp import OcspPolicy
from tests.ocsp.judges import judged_by_openssl
from tests.support.authority import make_issuer
from tests.support.linters import lint_answer
from tests.support.people import serial_of
from tests.support.responder import GENERATIONS, HASH_OIDS, OPEN, make_cert_id, make_ocsp_request, make_responder

SERIAL = serial_of("asked about")
REVOKED_AT = datetime(2027, 3, 9, 1, 2, 3, tzinfo=UTC)
NONCE = bytes(range(32))
CASES: dict[str, CertificateStatus] = {
    "good": GOOD,
    "revoked": CertificateStatus("revoked", REVOKED_AT, CrlReason.KEY_COMPROMISE),
    "held": CertificateStatus("revoked", REVOKED_AT, CrlReason.CERTIFICATE_HOLD),
    "revoked-without-reason": CertificateStatus("revoked", REVOKED_AT, CrlReason.UNSPECIFIED),
    "unknown": UNKNOWN,
}
PRINTED = {
    "good": "good\n\tThis Update: Apr  1 00:00:00 2027 GMT\n\tNext Update: Apr  1 00:59:59 2027 GMT\n",
    "revoked": "revoked\n\tThis Update: Apr  1 00:00:00 2027 GMT\n\tNext Update: Apr  1 00:59:59 2027 GMT\n"
    "\tReason: keyCompromise\n\tRevocation Time: Mar  9 01:02:03 2027 GMT",
    "held": "Reason: certificateHold",
    "revoked-without-reason": "Revocation Time: Mar  9 01:02:03 2027 GMT",
    "unknown": "unknown\n\tThis Update: Apr  1 00:00:00 2027 GMT\n",
}


def reply_to(
    request: bytes, status: CertificateStatus, kind: Kind, generation: str, policy: OcspPolicy = OPEN
) -> bytes:
    issuer = make_issuer(kind, generation)
    return answer(make_responder({(issuer.id, SERIAL): status}, policy=policy), request).der


@pytest.mark.interop
@pytest.mark.parametrize("trust", ["-CAfile", "-VAfile"])
@pytest.mark.parametrize("case", CASES)
def test_openssl_verifies_and_understands_the_answer(case: str, trust: str, tmp_path: Path) -> None:
    request = make_ocsp_request(make_cert_id(SERIAL), nonce=NONCE)
    octets = reply_to(request, CASES[case], Kind.SIGNATURE, "g1")
    printed = judged_by_openssl(tmp_path, octets, request, make_issuer(), SERIAL.value, trust)
    assert printed.count("Response verify OK") == 2
    assert f"{hex(SERIAL.value)}: {CASES[case].word}" in printed
    assert PRINTED[case] in printed
    assert "WARNING" not in printed


@pytest.mark.interop
@pytest.mark.parametrize(("kind", "generation"), GENERATIONS, ids=lambda value: getattr(value, "value", value))
@pytest.mark.parametrize("algorithm", HASH_OIDS)
def test_openssl_verifies_the_answers_of_every_responder(
    kind: Kind, generation: str, algorithm: str, tmp_path: Path
) -> None:
    issuer = make_issuer(kind, generation)
    request = make_ocsp_request(make_cert_id(SERIAL, issuer, algorithm))
    printed = judged_by_openssl(
        tmp_path, reply_to(request, GOOD, kind, generation), request, issuer, SERIAL.value, "-CAfile"
    )
    assert "Response verify OK" in printed
    # The tool looks the serial up by SHA-1; an answer that repeats another hash has no line of its own.
    assert (f"{hex(SERIAL.value)}: good" in printed) == (algorithm == "sha1")


@pytest.mark.interop
def test_openssl_notices_a_wrong_nonce(tmp_path: Path) -> None:
    asked, other = (make_ocsp_request(make_cert_id(SERIAL), nonce=nonce) for nonce in (NONCE, bytes(32)))
    octets = reply_to(asked, GOOD, Kind.SIGNATURE, "g1")
    assert "Nonce Verify error" in judged_by_openssl(tmp_path, octets, other, make_issuer(), SERIAL.value, "-CAfile")


def lint_cases() -> dict[str, tuple[bytes, CertificateStatus, OcspPolicy]]:
    plain = make_ocsp_request(make_cert_id(SERIAL))
    return {
        **{case: (plain, status, OPEN) for case, status in CASES.items()},
        "never-issued-called-revoked": (plain, UNKNOWN, OcspPolicy(access="open", never_issued="revoked")),
        "nonce": (make_ocsp_request(make_cert_id(SERIAL), nonce=NONCE), GOOD, OPEN),
        "sha-256": (make_ocsp_request(make_cert_id(SERIAL, algorithm="sha256")), GOOD, OPEN),
        "several": (make_ocsp_request(*[make_cert_id(SerialNumber(2**126 + n)) for n in range(8)]), GOOD, OPEN),
    }


@pytest.mark.parametrize(("kind", "generation"), GENERATIONS, ids=lambda value: getattr(value, "value", value))
@pytest.mark.parametrize("case", lint_cases())
def test_pkilint_finds_nothing(case: str, kind: Kind, generation: str) -> None:
    request, status, policy = lint_cases()[case]
    if (kind, generation) != (Kind.SIGNATURE, "g1"):
        request = make_ocsp_request(make_cert_id(SERIAL, make_issuer(kind, generation)))
    assert lint_answer(reply_to(request, status, kind, generation, policy)) == set()


def test_pkilint_would_find_something() -> None:
    octets = reply_to(make_ocsp_request(make_cert_id(SERIAL)), GOOD, Kind.SIGNATURE, "g1")
    backwards = octets.replace(b"20270401005959Z", b"20260401005959Z")
    assert lint_answer(backwards) == {"pkix.ocsp_negative_validity_period"}
