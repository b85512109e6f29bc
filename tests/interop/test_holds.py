"""OpenSSL looks on while a phone is lost and found, and a card is lost for good: by lists and by OCSP, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca.hold import HoldRequest, place_hold
from ca.issue import issue
from ca.release import ReleaseRequest, release_hold
from ca.revoke import RevocationRequest, revoke_resident
from config.assemble import Services, assemble, system_clock, system_random
from config.initialise import initialise
from crl.publish import publish_due
from domain.certificates import Carrier, Kind
from domain.lists import Scope
from domain.parties import LOCAL_OPERATOR
from domain.revocation import Revocation, RevocationCause
from policies.admission import Requestor
from tests.support.acts import make_key, make_requests
from tests.support.authority import ITEMS_ON_RECORD, KIYOSE, RESIDENT, TurnedClock, add_resident, make_application
from tests.support.judges import openssl_ocsp, openssl_verify, run
from tests.support.proofs import proven
from tests.support.verifiers import make_verifier

pytestmark = pytest.mark.interop

BANK = Requestor(make_verifier("bank", id_=1))
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
PHONE, CARD = Carrier.MOBILE_DEVICE, Carrier.CARD
GOOD, HELD = ("OK", "verified, good"), ("certificate revoked", "verified, revoked certificateHold")


def revoked(reason: str) -> tuple[str, str]:
    return "certificate revoked", f"verified, revoked {reason}"


class Desk:
    """An authority whose resident has pairs on card and phone; certificates lie in `folder`."""

    def __init__(self, services: Services, clock: TurnedClock, folder: Path) -> None:
        self.services, self.clock, self.folder = services, clock, folder
        self._keys = 0
        add_resident(services.authority)
        for carrier in Carrier:
            self.issue(carrier, *Kind)
        self.step()

    def issue(self, carrier: Carrier, *kinds: Kind) -> None:
        self._keys += 1
        key = f"application {self._keys}"
        requests = make_requests(key, *kinds)
        application = make_application(caller=LOCAL_OPERATOR, key=key, requests=requests, carrier=carrier)
        if carrier is PHONE:
            application = proven(application, make_key("application 1"))
        made = issue(self.services.authority, application)
        for kind, der in made.certificates.items():
            pem = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
            (self.folder / f"{kind.value}.{carrier.value}.pem").write_bytes(pem)

    def step(self) -> None:
        """A minute later the publisher passes."""
        self.clock.forward(MINUTE)
        assert publish_due(self.services.publisher).refused == ()

    def verdicts(self, carrier: Carrier) -> dict[Kind, tuple[str, str]]:
        """What OpenSSL makes of the list, and of the answer to its question."""
        return {kind: self._judged(kind, self.folder / f"{kind.value}.{carrier.value}.pem") for kind in Kind}

    def _judged(self, kind: Kind, certificate: Path) -> tuple[str, str]:
        row = next(row for row in self.services.settings.issuers if row.kind is kind and row.generation == "g2")
        issuer = x509.load_der_x509_certificate(self.services.issuers[row.id].certificate)
        anchor, crl, request, answer = (self.folder / name for name in ("anchor", "list", "request", "answer"))
        anchor.write_bytes(issuer.public_bytes(Encoding.PEM))
        crl.write_bytes((self.services.settings.crl_directory / Scope(row.id, KIYOSE.code).path).read_bytes())
        question = ("-issuer", anchor, "-cert", certificate, "-CAfile", anchor, "-no_nonce")
        run("openssl", "ocsp", *question, "-reqout", request)
        answer.write_bytes(self.services.answer(request.read_bytes(), BANK).der)
        by_list = openssl_verify(certificate, "-crl_check", "-CRLfile", crl, "-CAfile", anchor)
        return by_list, openssl_ocsp("-respin", answer, *question)

    def hold(self, *carriers: Carrier) -> None:
        self._keys += 1
        who = RESIDENT if self._keys % 2 else ITEMS_ON_RECORD
        request = HoldRequest(LOCAL_OPERATOR, f"hold {self._keys}", who, frozenset(carriers) or None)
        place_hold(self.services.authority, request)
        self.step()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    now = system_clock()
    clock = TurnedClock(now - DAY)
    initialise(
        tmp_path / "state",
        api="127.0.0.1:0",
        status="127.0.0.1:0",
        template=None,
        clock=clock,
        random=system_random,
        on_step=lambda _step: None,
    )
    with closing(assemble(tmp_path / "state")) as services:
        services.clock = clock
        clock.now = now - 20 * MINUTE
        yield Desk(services, clock, tmp_path)


def test_a_phone_is_lost_and_found_and_a_card_is_lost_for_good(desk: Desk) -> None:
    everything = (PHONE, CARD)
    assert [desk.verdicts(carrier) for carrier in everything] == [dict.fromkeys(Kind, GOOD)] * 2
    desk.hold(PHONE)
    assert desk.verdicts(PHONE) == dict.fromkeys(Kind, HELD)
    assert desk.verdicts(CARD) == dict.fromkeys(Kind, GOOD)

    release_hold(desk.services.authority, ReleaseRequest(LOCAL_OPERATOR, "found", RESIDENT, PHONE))
    desk.step()
    assert desk.verdicts(PHONE) == {Kind.SIGNATURE: revoked("superseded"), Kind.AUTHENTICATION: GOOD}

    desk.issue(PHONE, Kind.SIGNATURE)
    assert desk.verdicts(PHONE) == dict.fromkeys(Kind, GOOD)

    desk.hold()
    assert [desk.verdicts(carrier) for carrier in everything] == [dict.fromkeys(Kind, HELD)] * 2
    request = RevocationRequest(LOCAL_OPERATOR, "lost", RESIDENT, RevocationCause.CARD_LOST)
    held_at = {row.revoked_at for row in _revocations(desk) if row.on_hold}
    revoke_resident(desk.services.authority, request)
    desk.step()
    assert desk.verdicts(CARD) == dict.fromkeys(Kind, revoked("keyCompromise"))
    assert desk.verdicts(PHONE) == dict.fromkeys(Kind, revoked("cessationOfOperation"))
    assert held_at <= {row.revoked_at for row in _revocations(desk)}


def _revocations(desk: Desk) -> list[Revocation]:
    with desk.services.begin(write=False) as work:
        return list(work.revocations.all())
