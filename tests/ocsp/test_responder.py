"""The responder: any octets in, an answer out."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.x509 import ocsp

from domain import der
from domain.certificates import IssuerId, Kind
from domain.errors import Code, Refusal
from domain.parties import Party, Role
from domain.provisions import Channel, Provision
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from domain.status import GOOD, UNKNOWN, CertificateStatus
from ocsp.responder import ERRORS, LANES_LAST, Responder, answer
from ocsp.response import ErrorStatus, OcspAnswer, error_response
from policies.admission import Admitted, Requestor
from policies.ocsp import OcspPolicy
from tests.ocsp.judges import judged_by_asn1crypto, judged_by_cryptography
from tests.support.authority import NOW, make_issuer, make_responder_certificate
from tests.support.people import serial_of
from tests.support.responder import (
    GENERATIONS,
    HASH_OIDS,
    NULL,
    OPEN,
    Statuses,
    Unhurried,
    make_cert_id,
    make_extension,
    make_ocsp_request,
    make_responder,
    make_responder_key,
    make_tbs_request,
    sign_ocsp_request,
)
from tests.support.signers import WrappedSigner, responder_signer

ISSUER = make_issuer()
REVOKED_AT = datetime(2027, 3, 9, 1, 2, 3, tzinfo=UTC)
SERIALS = {word: serial_of(word) for word in ("good", "revoked", "held", "unspecified")}
STATUSES = {
    (ISSUER.id, SERIALS["good"]): GOOD,
    (ISSUER.id, SERIALS["revoked"]): CertificateStatus("revoked", REVOKED_AT, CrlReason.KEY_COMPROMISE),
    (ISSUER.id, SERIALS["held"]): CertificateStatus("revoked", REVOKED_AT, CrlReason.CERTIFICATE_HOLD),
    (ISSUER.id, SERIALS["unspecified"]): CertificateStatus("revoked", REVOKED_AT, CrlReason.UNSPECIFIED),
}
CERT_ID = make_cert_id(SERIALS["good"])
REQUEST = make_ocsp_request(CERT_ID)
NONCE = bytes(range(32))


def single(reply: OcspAnswer) -> ocsp.OCSPSingleResponse:
    """The one status in a good answer, as cryptography reads it."""
    (found,) = judged_by_cryptography(reply.der, ISSUER).responses
    return found


def is_error(reply: OcspAnswer, status: ErrorStatus) -> bool:
    """Whether it is that unsigned error, never to be stored."""
    return reply == OcspAnswer(error_response(status), status.name.lower().replace("_", "-"))


# --- what is said of a certificate -----------------------------------------------------------------------------------


def test_good() -> None:
    reply = answer(make_responder(STATUSES), REQUEST)
    status = single(reply)
    assert (reply.outcome, status.certificate_status) == ("good", ocsp.OCSPCertStatus.GOOD)
    assert (status.serial_number, status.revocation_time_utc) == (SERIALS["good"].value, None)


@pytest.mark.parametrize("reason", [reason for reason in CrlReason if reason])
def test_revoked_for_each_reason(reason: CrlReason) -> None:
    statuses = {(ISSUER.id, SERIALS["good"]): CertificateStatus("revoked", REVOKED_AT, reason)}
    reply = answer(make_responder(statuses), REQUEST)
    status = single(reply)
    assert (reply.outcome, status.certificate_status) == ("revoked", ocsp.OCSPCertStatus.REVOKED)
    assert status.revocation_time_utc == REVOKED_AT
    assert status.revocation_reason is not None
    assert status.revocation_reason.name.upper() == reason.name


def test_revoked_without_a_reason_to_tell() -> None:
    status = single(answer(make_responder(STATUSES), make_ocsp_request(make_cert_id(SERIALS["unspecified"]))))
    assert (status.revocation_time_utc, status.revocation_reason) == (REVOKED_AT, None)


@pytest.mark.parametrize(
    "serial", [serial_of("never issued"), 5, -1, 0, 2**160], ids=["like ours", "5", "-1", "0", "huge"]
)
def test_unknown_without_issuance(serial: SerialNumber | int) -> None:
    reply = answer(make_responder(STATUSES), make_ocsp_request(make_cert_id(serial)))
    (status,) = judged_by_asn1crypto(reply.der).response_data["responses"]
    assert (reply.outcome, status["cert_status"].name) == ("unknown", "unknown")
    assert judged_by_asn1crypto(reply.der).response_data["response_extensions"].native is None


@pytest.mark.parametrize("serial", [serial_of("never issued"), 5], ids=["like ours", "5"])
def test_never_issued_may_be_called_revoked(serial: SerialNumber | int) -> None:
    """RFC 6960 §2.2: on hold since 1970, with the extension that explains it."""
    responder = make_responder(STATUSES, policy=replace(OPEN, never_issued="revoked"))
    reply = answer(responder, make_ocsp_request(make_cert_id(serial)))
    data = judged_by_asn1crypto(reply.der).response_data
    assert reply.outcome == "revoked"
    assert data["responses"][0]["cert_status"].native == {
        "revocation_time": datetime(1970, 1, 1, tzinfo=UTC),
        "revocation_reason": "certificate_hold",
    }
    (extension,) = data["response_extensions"]
    assert (extension["extn_id"].native, extension["critical"].native) == ("extended_revoke", False)
    assert extension["extn_value"].contents == NULL


def test_a_real_revocation_does_not_carry_the_extension() -> None:
    responder = make_responder(STATUSES, policy=replace(OPEN, never_issued="revoked"))
    reply = answer(responder, make_ocsp_request(make_cert_id(SERIALS["held"])))
    assert judged_by_asn1crypto(reply.der).response_data["response_extensions"].native is None


def test_several_certificates_are_answered_in_their_order() -> None:
    cert_ids = [make_cert_id(SERIALS[word], algorithm=name) for word, name in zip(SERIALS, HASH_OIDS, strict=True)]
    cert_ids.append(make_cert_id(serial_of("never issued")))
    reply = answer(make_responder(STATUSES), make_ocsp_request(*cert_ids, nonce=NONCE))
    responses = judged_by_asn1crypto(reply.der).response_data["responses"]
    assert [response["cert_id"].dump() for response in responses] == cert_ids
    assert [response["cert_status"].name for response in responses] == ["good", *["revoked"] * 3, "unknown"]
    assert reply.outcome == "mixed"
    assert len(list(judged_by_cryptography(reply.der, ISSUER).responses)) == 5


def test_several_certificates_of_one_status_are_counted_as_it() -> None:
    request = make_ocsp_request(CERT_ID, make_cert_id(SERIALS["good"], algorithm="sha256"))
    assert answer(make_responder(STATUSES), request).outcome == "good"


# --- the form of an answer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", HASH_OIDS)
@pytest.mark.parametrize("parameters", [pytest.param(NULL, id="null"), pytest.param(b"", id="absent")])
@pytest.mark.parametrize(("kind", "generation"), GENERATIONS, ids=lambda value: getattr(value, "value", value))
def test_the_certid_is_repeated_as_received(kind: Kind, generation: str, algorithm: str, parameters: bytes) -> None:
    issuer = make_issuer(kind, generation)
    cert_id = make_cert_id(SERIALS["good"], issuer, algorithm, parameters)
    responder = make_responder({(issuer.id, SERIALS["good"]): GOOD})
    for _ in ("read", "recalled"):
        reply = answer(responder, make_ocsp_request(cert_id, nonce=NONCE))
        (response,) = judged_by_asn1crypto(reply.der).response_data["responses"]
        assert response["cert_id"].dump() == cert_id
        assert judged_by_cryptography(reply.der, issuer).certificate_status is ocsp.OCSPCertStatus.GOOD


@pytest.mark.parametrize("length", [1, 16, 23, 32, 128])
def test_a_nonce_is_echoed_and_such_an_answer_never_stored(length: int) -> None:
    responder = make_responder(STATUSES)
    for nonce in (bytes(length), bytes([255]) * length):
        reply = answer(responder, make_ocsp_request(CERT_ID, nonce=nonce))
        assert judged_by_asn1crypto(reply.der).nonce_value.native == nonce
        assert reply.max_age == 0


@pytest.mark.parametrize("length", [0, 129])
def test_a_nonce_of_another_size_is_malformed(length: int) -> None:
    reply = answer(make_responder(STATUSES), make_ocsp_request(CERT_ID, nonce=bytes(length)))
    assert is_error(reply, ErrorStatus.MALFORMED_REQUEST)


def test_recalled_requests_get_the_octets_that_read_ones_get() -> None:
    """The signer is deterministic, so whole answers can be compared."""
    for word, nonce in [(word, nonce) for word in SERIALS for nonce in (None, NONCE)]:
        request = make_ocsp_request(make_cert_id(SERIALS[word]), nonce=nonce)
        used = make_responder(STATUSES)
        other = make_ocsp_request(make_cert_id(serial_of("other")), nonce=nonce and bytes(32))
        assert answer(used, other).outcome == "unknown"
        assert answer(used, request) == answer(make_responder(STATUSES), request)


def test_answers_of_one_second_share_nothing_they_should_not() -> None:
    responder = make_responder(STATUSES)
    replies = [answer(responder, make_ocsp_request(make_cert_id(serial))) for serial in SERIALS.values()]
    again = [answer(responder, make_ocsp_request(make_cert_id(serial))) for serial in SERIALS.values()]
    assert replies == again
    assert [single(reply).serial_number for reply in replies] == [serial.value for serial in SERIALS.values()]


def test_answers_of_a_tenth_of_a_second_share_its_clock_and_its_admissions_but_not_the_status() -> None:
    """Each look-up is one of its own: what is revoked meanwhile is not good any more."""
    statuses, moments, admissions = Statuses(dict(STATUSES)), [NOW], list[Requestor]()
    steady = 10**9

    def admit(requestor: Requestor, kind: Kind, now: datetime) -> Admitted:
        admissions.append(requestor)
        return Admitted()

    responder = make_responder(lookup=statuses, clock=lambda: moments[-1], admit=admit, steady=lambda: steady)
    first = [answer(responder, REQUEST) for _ in range(3)]
    seen = len(admissions)
    moments.append(NOW + timedelta(seconds=1))
    steady += LANES_LAST
    assert answer(responder, REQUEST) == first[-1]
    assert len(admissions) == seen
    statuses.known[ISSUER.id, SERIALS["good"]] = CertificateStatus("revoked", NOW, CrlReason.KEY_COMPROMISE)
    assert answer(responder, REQUEST).outcome == "revoked"
    steady += 1
    assert answer(responder, REQUEST).produced_at == moments[-1]
    assert len(admissions) == seen + 1


def test_status_is_asked_for_no_longer_than_it_is_used() -> None:
    asked = list[int]()

    class Bounded(Statuses):
        def good_at(self, issuer: IssuerId, now: datetime, until: int) -> Callable[[bytes], bool]:
            asked.append(until)
            return super().good_at(issuer, now, until)

    responder = make_responder(lookup=Bounded(dict(STATUSES)), steady=lambda: 7)
    for _ in range(3):
        answer(responder, REQUEST)
    assert asked == [7 + LANES_LAST]


# --- times -----------------------------------------------------------------------------------------------------------


def test_times_come_from_one_reading_of_the_clock() -> None:
    readings: list[datetime] = []

    def clock() -> datetime:
        readings.append(NOW + timedelta(seconds=len(readings)))
        return readings[-1]

    responder = make_responder(STATUSES, clock=clock)
    for _ in range(3):
        before = len(readings)
        reply = answer(responder, REQUEST)
        (now,) = readings[before:]
        response = judged_by_cryptography(reply.der, ISSUER)
        assert response.produced_at_utc == response.this_update_utc == reply.produced_at == now
        assert response.next_update_utc == reply.next_update == now + timedelta(minutes=59, seconds=59)


def test_answers_do_not_outlive_the_responder_certificate() -> None:
    validity = make_responder_key().validity
    now = validity.not_after - timedelta(seconds=10)
    reply = answer(make_responder(STATUSES, clock=lambda: now), REQUEST)
    assert reply.next_update == validity.not_after
    assert reply.max_age == 5
    assert single(reply).next_update_utc == validity.not_after


def test_the_last_second_of_the_responder_certificate_is_still_good_for_an_answer() -> None:
    validity = make_responder_key().validity
    reply = answer(make_responder(STATUSES, clock=lambda: validity.not_after), REQUEST)
    assert (reply.outcome, reply.max_age, reply.next_update) == ("good", 0, validity.not_after)


@pytest.mark.parametrize("seconds", [-1, 1], ids=["before it begins", "after it ended"])
def test_without_a_valid_responder_certificate_nothing_is_signed(
    seconds: int, caplog: pytest.LogCaptureFixture
) -> None:
    validity = make_responder_key().validity
    now = (validity.not_before if seconds < 0 else validity.not_after) + timedelta(seconds=seconds)
    signer = WrappedSigner(responder_signer("signature", "g1"))
    key = replace(make_responder_key(), signer=signer)
    reply = answer(make_responder(STATUSES, keys=[key], clock=lambda: now), REQUEST)
    assert is_error(reply, ErrorStatus.TRY_LATER)
    assert signer.signed == []
    assert "the responder certificate of signature-g1 is not valid" in caplog.text


def test_answers_may_be_dated_back_but_not_before_the_responder_certificate() -> None:
    policy = replace(OPEN, backdate=timedelta(minutes=5))
    begin = make_responder_key().validity.not_before
    now = [begin]
    responder = make_responder(STATUSES, policy=policy, clock=lambda: now[0])
    for minutes, this_update in [(2, 0), (5, 0), (60, 55)]:
        now[0] = begin + timedelta(minutes=minutes)
        response = judged_by_cryptography(answer(responder, REQUEST).der, ISSUER)
        assert response.this_update_utc == begin + timedelta(minutes=this_update)
        assert response.produced_at_utc == now[0]


def test_what_is_not_good_is_kept_for_a_shorter_time() -> None:
    responder = make_responder(STATUSES)
    ages = {word: answer(responder, make_ocsp_request(make_cert_id(SERIALS[word]))).max_age for word in SERIALS}
    assert ages == {"good": 300, "revoked": 60, "held": 60, "unspecified": 60}
    assert answer(responder, make_ocsp_request(make_cert_id(5))).max_age == 60
    assert answer(responder, make_ocsp_request(CERT_ID, make_cert_id(5))).max_age == 60


@pytest.mark.parametrize(("policy", "shared"), [(OPEN, True), (OcspPolicy(), False)], ids=["open", "verifiers only"])
def test_shared_caches_get_answers_only_where_everybody_may_ask(policy: OcspPolicy, shared: bool) -> None:
    assert answer(make_responder(STATUSES, policy=policy), REQUEST).shared is shared


# --- who asks --------------------------------------------------------------------------------------------------------

PROVIDER = Party(2, Role.VERIFIER, "shop", kinds=frozenset(Kind))
VERIFIER = Party(1, Role.VERIFIER, "verifier", kinds=frozenset(Kind))
CALLER = Requestor(VERIFIER)
CERTIFICATE = make_responder_certificate(Kind.AUTHENTICATION)
SIGNED = sign_ocsp_request(
    make_tbs_request(CERT_ID, nonce=NONCE), responder_signer("authentication", "g1").key, CERTIFICATE
)


class Gate:
    """An `Admit` callable that keeps whom it saw, and may refuse."""

    def __init__(self, refusal: Code | None = None) -> None:
        self.refusal = refusal
        self.seen: list[tuple[Requestor, Kind, datetime]] = []

    def __call__(self, requestor: Requestor, kind: Kind, now: datetime) -> Admitted:
        self.seen.append((requestor, kind, now))
        if self.refusal is not None:
            raise Refusal(self.refusal, "no")
        return Admitted(VERIFIER, PROVIDER, "log-in")


@pytest.mark.parametrize("kind", Kind)
def test_admission_hears_who_asks_about_which_kind_and_when(kind: Kind) -> None:
    gate = Gate()
    responder = make_responder(admit=gate, policy=OcspPolicy())
    request = make_ocsp_request(make_cert_id(SERIALS["good"], make_issuer(kind)))
    for _ in ("read", "recalled"):
        answer(responder, request, CALLER)
    answer(responder, request)
    assert gate.seen == [(Requestor(VERIFIER), kind, NOW)] * 2 + [(Requestor(), kind, NOW)]


def test_admission_hears_whose_key_signed() -> None:
    gate = Gate()
    reply = answer(make_responder(STATUSES, admit=gate, policy=OcspPolicy()), SIGNED, CALLER)
    assert reply.outcome == "good"
    assert judged_by_asn1crypto(reply.der).nonce_value.native == NONCE
    assert gate.seen == [(Requestor(None, sha256(CERTIFICATE).digest()), Kind.SIGNATURE, NOW)]


def test_a_tampered_signed_request_is_unauthorized_before_admission() -> None:
    gate = Gate()
    tampered = SIGNED.replace(NONCE, bytes(32))
    reply = answer(make_responder(STATUSES, admit=gate, policy=OcspPolicy()), tampered, CALLER)
    assert is_error(reply, ErrorStatus.UNAUTHORIZED)
    assert gate.seen == []


def test_signatures_are_checked_even_where_everybody_may_ask() -> None:
    responder = make_responder(STATUSES)
    assert answer(responder, SIGNED).outcome == "good"
    assert is_error(answer(responder, SIGNED.replace(NONCE, bytes(32))), ErrorStatus.UNAUTHORIZED)


@pytest.mark.parametrize("code", [Code.UNKNOWN_CALLER, Code.NOT_ADMITTED])
def test_who_is_not_admitted_learns_nothing(code: Code) -> None:
    lookup = Statuses(dict(STATUSES))
    responder = make_responder(lookup=lookup, admit=Gate(code), policy=OcspPolicy())
    for serial in (SERIALS["good"], serial_of("never issued")):
        assert is_error(answer(responder, make_ocsp_request(make_cert_id(serial)), CALLER), ErrorStatus.UNAUTHORIZED)
    assert lookup.asked == []


# --- errors ----------------------------------------------------------------------------------------------------------


def unauthorized() -> dict[str, bytes]:
    issuer = make_issuer()
    stranger = replace(issuer, subject=make_issuer(Kind.AUTHENTICATION).subject)
    newer = replace(issuer, public_key=issuer.public_key[::-1])
    return {
        "a foreign issuer": make_ocsp_request(make_cert_id(5, replace(stranger, public_key=b"key"))),
        "our key under another name": make_ocsp_request(make_cert_id(SERIALS["good"], stranger)),
        "our name with another key": make_ocsp_request(make_cert_id(SERIALS["good"], newer)),
        "two issuers": make_ocsp_request(CERT_ID, make_cert_id(SERIALS["good"], make_issuer(Kind.AUTHENTICATION))),
        "two generations": make_ocsp_request(CERT_ID, make_cert_id(SERIALS["good"], make_issuer(generation="g2"))),
        "one of ours and a foreign one": make_ocsp_request(CERT_ID, make_cert_id(5, newer)),
    }


@pytest.mark.parametrize("case", unauthorized())
def test_other_issuers_are_unauthorized(case: str) -> None:
    assert is_error(answer(make_responder(STATUSES), unauthorized()[case]), ErrorStatus.UNAUTHORIZED)


def test_a_generation_without_responder_key_is_foreign() -> None:
    responder = make_responder(STATUSES, keys=[make_responder_key(generation="g2")])
    assert is_error(answer(responder, REQUEST), ErrorStatus.UNAUTHORIZED)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        REQUEST + b"\x00",
        b"\x30\x80" + REQUEST[2:] + b"\x00\x00",
        random.Random(1).randbytes(1_048_576),
        make_ocsp_request(*[CERT_ID] * 33),
        der.sequence(make_tbs_request(CERT_ID, extensions=(make_extension("2.999.7", b"", critical=True),))),
    ],
    ids=[
        "nothing",
        "trailing octets",
        "BER",
        "a megabyte of garbage",
        "33 certificates",
        "an unknown critical extension",
    ],
)
def test_what_is_no_request_is_malformed(octets: bytes) -> None:
    assert is_error(answer(make_responder(STATUSES), octets), ErrorStatus.MALFORMED_REQUEST)


class Failing(Unhurried):
    """A `StatusLookup` that raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def status_of(self, issuer: IssuerId, serial: SerialNumber) -> CertificateStatus:
        raise self.error


@pytest.mark.parametrize("code", [Code.BUSY, Code.STORE_UNAVAILABLE])
def test_while_the_store_is_away_the_client_shall_try_later(code: Code) -> None:
    reply = answer(make_responder(lookup=Failing(Refusal(code, "later"))), REQUEST)
    assert is_error(reply, ErrorStatus.TRY_LATER)


def test_while_the_signer_is_away_the_client_shall_try_later() -> None:
    key = replace(make_responder_key(), signer=WrappedSigner(responder_signer("signature", "g1"), away=True))
    assert is_error(answer(make_responder(STATUSES, keys=[key]), REQUEST), ErrorStatus.TRY_LATER)


def test_a_bug_is_an_internal_error_and_its_log_tells_the_place_but_nothing_of_the_person(
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = f"row of {SERIALS['good'].value} 黒桐　幹也"
    with caplog.at_level(logging.DEBUG):
        reply = answer(make_responder(lookup=Failing(KeyError(secret))), REQUEST)
    assert is_error(reply, ErrorStatus.INTERNAL_ERROR)
    assert "KeyError at responder.py:" in caplog.text
    assert "test_responder.py" in caplog.text
    assert str(SERIALS["good"].value) not in caplog.text
    assert "黒桐" not in caplog.text


@pytest.mark.parametrize("code", Code)
def test_every_refusal_has_its_error(code: Code) -> None:
    expected = ERRORS.get(code, ErrorStatus.INTERNAL_ERROR)
    assert is_error(answer(make_responder(lookup=Failing(Refusal(code, "no"))), REQUEST), expected)


def test_random_octets_never_make_an_internal_error() -> None:
    chance = random.Random(2)
    responder = make_responder(STATUSES, policy=OcspPolicy())
    for _ in range(2000):
        octets = bytearray(chance.choice((REQUEST, SIGNED)))
        for _ in range(chance.choice((1, 2, 8))):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        assert answer(responder, bytes(octets)).outcome in ("good", "unknown", "malformed-request", "unauthorized")


# --- the bundle ------------------------------------------------------------------------------------------------------


def test_two_keys_for_one_issuer_name_and_key_are_refused() -> None:
    key = make_responder_key()
    twin = replace(key, issuer=replace(key.issuer, id=IssuerId("twin")))
    with pytest.raises(Refusal) as refusal:
        make_responder(keys=[key, twin])
    assert refusal.value.code is Code.BAD_CONFIGURATION


def test_a_responder_shows_no_status_in_its_text() -> None:
    responder = make_responder({(ISSUER.id, SERIALS["good"]): UNKNOWN})
    assert isinstance(responder, Responder)
    assert str(SERIALS["good"].value) not in repr(responder)


# --- what is put on record -------------------------------------------------------------------------------------------


def told_of(request: bytes, **parts: Any) -> list[Provision]:
    told: list[Provision] = []
    answer(make_responder(STATUSES, record=told.append, **parts), request, CALLER)
    return told


def test_each_certificate_that_is_answered_about_is_put_on_record_as_it_was_answered() -> None:
    request = make_ocsp_request(*(make_cert_id(SERIALS[name]) for name in ("good", "revoked")), make_cert_id(5))
    told = told_of(request, admit=Gate(), policy=OcspPolicy())
    who = (NOW, VERIFIER, PROVIDER, "log-in", make_issuer().id, Channel.OCSP)
    assert told == [
        Provision(*who, SERIALS["good"].octets, "good"),
        Provision(*who, SERIALS["revoked"].octets, "revoked"),
        Provision(*who, (5).to_bytes(16), "unknown"),
    ]


@pytest.mark.parametrize(
    ("serial", "asked"),
    [
        pytest.param(1 << 158, b"", id="longer than any of ours"),
        pytest.param(-1, b"", id="negative"),
        pytest.param((1 << 128) - 1, b"\xff" * 16, id="as long as ours"),
    ],
)
def test_a_number_that_cannot_be_a_serial_of_ours_is_put_on_record_too(serial: int, asked: bytes) -> None:
    told = told_of(make_ocsp_request(make_cert_id(serial)))
    assert [(provision.asked, provision.answered) for provision in told] == [(asked, "unknown")]


def test_a_nonce_of_32_octets_is_evidence_of_a_transaction_and_no_other_is() -> None:
    for octets, evidence in ((32, bytes(32)), (16, b""), (33, b"")):
        request = make_ocsp_request(make_cert_id(SERIALS["good"]), nonce=bytes(octets))
        assert [provision.evidence for provision in told_of(request)] == [evidence]
    assert [provision.evidence for provision in told_of(make_ocsp_request(make_cert_id(SERIALS["good"])))] == [b""]


def test_what_is_refused_is_not_put_on_record() -> None:
    request = make_ocsp_request(make_cert_id(SERIALS["good"]))
    assert told_of(request, admit=Gate(Code.NOT_ADMITTED), policy=OcspPolicy()) == []


def test_without_room_for_a_record_the_verifier_is_told_to_try_later() -> None:
    def refuse(provision: Provision) -> None:
        raise Refusal(Code.STORE_UNAVAILABLE, "no room")

    reply = answer(make_responder(STATUSES, record=refuse), make_ocsp_request(make_cert_id(SERIALS["good"])))
    assert is_error(reply, ErrorStatus.TRY_LATER)
