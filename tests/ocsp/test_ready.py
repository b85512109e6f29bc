"""Ready answers: as good as signed ones, given only while the certificate is good, and bounded."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from cryptography.x509 import ocsp

from domain.certificates import Kind
from domain.revocation import CrlReason
from domain.status import GOOD, CertificateStatus
from ocsp.ready import ReadyAnswer, ReadyAnswers
from ocsp.responder import Responder, answer
from tests.ocsp.judges import judged_by_asn1crypto, judged_by_cryptography
from tests.support.authority import NOW, make_issuer
from tests.support.people import serial_of
from tests.support.responder import Statuses, make_cert_id, make_ocsp_request, make_responder, make_responder_key
from tests.support.signers import WrappedSigner, responder_signer

ISSUER = make_issuer()
LIFE = timedelta(minutes=2)
SERIAL = serial_of("asked about often")
REQUEST = make_ocsp_request(make_cert_id(SERIAL))


class House:
    """A responder with ready answers, a clock to turn and a count of what was signed."""

    def __init__(self) -> None:
        self.now = NOW
        self.statuses = Statuses({(ISSUER.id, SERIAL): GOOD})
        self._signer = WrappedSigner(responder_signer(Kind.SIGNATURE.value, "g1"))
        key = replace(make_responder_key(), signer=self._signer)
        responder = make_responder(lookup=self.statuses, clock=lambda: self.now, keys=[key])
        self.responder: Responder = replace(responder, ready=ReadyAnswers(LIFE, 100))
        answer(self.responder, make_ocsp_request(make_cert_id(serial_of("another"))))  # the form of requests is learnt
        answer(self.responder, make_ocsp_request(make_cert_id(serial_of("another")), nonce=bytes(32)))
        self._signer.signed.clear()

    @property
    def signed(self) -> int:
        return len(self._signer.signed)

    def ask(self, request: bytes = REQUEST) -> ocsp.OCSPResponse:
        reply = answer(self.responder, request)
        judged_by_asn1crypto(reply.der)
        return judged_by_cryptography(reply.der, ISSUER)


def test_what_was_signed_is_given_again() -> None:
    house = House()
    first = answer(house.responder, REQUEST)
    house.now += timedelta(seconds=1)
    again = answer(house.responder, REQUEST)
    assert again == first
    assert house.signed == 1


def test_after_its_life_an_answer_is_signed_anew() -> None:
    house = House()
    house.ask()
    house.now += LIFE
    assert house.ask().produced_at_utc == house.now
    assert house.signed == 2


def test_an_answer_from_the_future_is_not_given() -> None:
    house = House()
    house.now += timedelta(seconds=1)
    house.ask()
    house.now -= timedelta(seconds=1)
    assert house.ask().produced_at_utc == house.now


def test_a_revocation_ends_it_at_once_and_a_release_does_not_bring_back_what_is_too_old() -> None:
    house = House()
    house.ask()
    house.statuses.known[ISSUER.id, SERIAL] = CertificateStatus("revoked", NOW, CrlReason.CERTIFICATE_HOLD)
    assert house.ask().certificate_status is ocsp.OCSPCertStatus.REVOKED
    house.statuses.known[ISSUER.id, SERIAL] = GOOD
    house.now += LIFE
    assert house.ask().produced_at_utc == house.now


def test_an_answer_with_a_nonce_is_always_signed() -> None:
    house = House()
    house.ask()
    nonced = house.ask(make_ocsp_request(make_cert_id(SERIAL), nonce=bytes(range(32))))
    assert nonced.extensions
    assert house.signed == 2


def test_caches_may_keep_it_no_longer_than_its_remaining_life_allows() -> None:
    house = House()
    fresh = answer(house.responder, REQUEST)
    house.now += LIFE - timedelta(seconds=1)
    aged = answer(house.responder, REQUEST)
    assert fresh.next_update is not None
    assert aged.max_age <= (fresh.next_update - house.now).total_seconds() / 2


def test_no_more_are_kept_than_was_said() -> None:
    ready = ReadyAnswers(LIFE, 100)
    for number in range(1000):
        ready.keep(number.to_bytes(4), ReadyAnswer(b"", NOW, NOW))
    kept = [number for number in range(1000) if ready.find(number.to_bytes(4), NOW)]
    assert 50 <= len(kept) <= 100
    assert kept[-1] == 999


def test_one_that_is_not_there_is_not_found() -> None:
    assert ReadyAnswers(LIFE, 100).find(b"", datetime.max.replace(tzinfo=NOW.tzinfo)) is None
