"""Admission to status: the register joined to the table, and to a whole responder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR, Role, Usage
from domain.ports import UnitOfWork
from domain.provisions import Channel
from domain.status import GOOD
from ocsp.responder import answer
from policies.admission import NOBODY, Admit, Requestor
from policies.ocsp import Access, OcspPolicy
from tests.support.authority import make_issuer
from tests.support.memory import MemoryStore
from tests.support.people import serial_of
from tests.support.responder import (
    make_cert_id,
    make_ocsp_request,
    make_responder,
    make_tbs_request,
    sign_ocsp_request,
)
from tests.support.signers import stored_keys
from tests.support.verifiers import make_approval, make_gate, make_register, make_verifier
from tests.verifiers.certificates import LIFE, NOT_BEFORE, make_credential_certificate
from verifiers.admit import status_admission
from verifiers.registry import add_credential, find_party, withdraw

NOW = datetime(2027, 4, 1, tzinfo=UTC)
VERIFIER = make_verifier("platform", Kind.SIGNATURE)
KEY = stored_keys("responders-p256")[0]
CERTIFICATE = make_credential_certificate()
FINGERPRINT = hashlib.sha256(CERTIFICATE).digest()
SIGNED = Requestor(signed_fingerprint=FINGERPRINT)
SERIAL = serial_of("asked about")


@pytest.fixture
def store() -> MemoryStore:
    """A store with a verifier of signatures and its credential."""
    store = MemoryStore()
    with store.begin() as work:
        party = work.parties.add(VERIFIER, NOW)
        add_credential(work, party, CERTIFICATE, Usage.OCSP_REQUEST, NOW, party)
        work.commit()
    return store


def admission_of(store: MemoryStore, access: Access = "notified-verifiers") -> Admit:
    return status_admission(make_register(store.begin), access, Channel.OCSP, make_gate())


def refusal_of(
    store: MemoryStore, requestor: Requestor, kind: Kind = Kind.SIGNATURE, now: datetime = NOW
) -> Code | None:
    try:
        admission_of(store)(requestor, kind, now)
    except Refusal as refusal:
        return refusal.code
    return None


def test_a_registered_signature_is_admitted(store: MemoryStore) -> None:
    assert refusal_of(store, SIGNED) is None


def test_the_party_of_the_connection_is_admitted_without_a_look_at_the_register(store: MemoryStore) -> None:
    begun: list[bool] = []
    store.on_begin = begun.append
    assert refusal_of(store, Requestor(tls=VERIFIER)) is None
    assert begun == []


def test_a_tls_credential_may_sign_too(store: MemoryStore) -> None:
    other = make_credential_certificate("tls")
    with store.begin() as work:
        party = find_party(work, Role.VERIFIER, "platform")
        add_credential(work, party, other, Usage.TLS, NOW, party)
        work.commit()
    assert refusal_of(store, Requestor(signed_fingerprint=hashlib.sha256(other).digest())) is None


@pytest.mark.parametrize(
    ("requestor", "kind", "now", "code"),
    [
        pytest.param(NOBODY, Kind.SIGNATURE, NOW, Code.UNKNOWN_CALLER, id="nobody"),
        pytest.param(
            Requestor(signed_fingerprint=bytes(32)),
            Kind.SIGNATURE,
            NOW,
            Code.UNKNOWN_CALLER,
            id="an unregistered signer",
        ),
        pytest.param(
            Requestor(VERIFIER, bytes(32)),
            Kind.SIGNATURE,
            NOW,
            Code.UNKNOWN_CALLER,
            id="an unregistered signer over a verifier's connection",
        ),
        pytest.param(SIGNED, Kind.AUTHENTICATION, NOW, Code.NOT_ADMITTED, id="a signer asking about the other kind"),
        pytest.param(
            Requestor(VERIFIER), Kind.AUTHENTICATION, NOW, Code.NOT_ADMITTED, id="a caller asking about the other kind"
        ),
        pytest.param(
            SIGNED,
            Kind.SIGNATURE,
            NOT_BEFORE + LIFE + timedelta(seconds=1),
            Code.UNKNOWN_CALLER,
            id="a signer whose certificate expired",
        ),
        pytest.param(
            Requestor(replace(VERIFIER, suspended_at=NOW)),
            Kind.SIGNATURE,
            NOW,
            Code.NOT_ADMITTED,
            id="a suspended caller",
        ),
    ],
)
def test_anybody_else_is_refused(
    store: MemoryStore, requestor: Requestor, kind: Kind, now: datetime, code: Code
) -> None:
    assert refusal_of(store, requestor, kind, now) is code


ENDINGS: dict[str, Callable[[UnitOfWork], None]] = {
    "withdrawal": lambda work: withdraw(work, FINGERPRINT, NOW, LOCAL_OPERATOR),
    "suspension": lambda work: work.parties.suspend(find_party(work, Role.VERIFIER, "platform").id, NOW),
    "end of the approval": lambda work: work.parties.approve(
        find_party(work, Role.VERIFIER, "platform").id, make_approval(withdrawn_at=NOW)
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending_counts_from_the_next_request_on(store: MemoryStore, ending: str) -> None:
    issuer = make_issuer()
    policy = OcspPolicy()
    responder = make_responder({(issuer.id, SERIAL): GOOD}, policy=policy, admit=admission_of(store))
    request = sign_ocsp_request(make_tbs_request(make_cert_id(SERIAL)), KEY, CERTIFICATE)
    assert answer(responder, request).outcome == "good"
    with store.begin() as work:
        ENDINGS[ending](work)
        work.commit()
    assert answer(responder, request).outcome == "unauthorized"


def test_a_strangers_signature_and_no_signature_are_unauthorized(store: MemoryStore) -> None:
    policy = OcspPolicy()
    responder = make_responder(policy=policy, admit=admission_of(store))
    tbs = make_tbs_request(make_cert_id(SERIAL))
    assert answer(responder, sign_ocsp_request(tbs, KEY, make_credential_certificate("twin"))).outcome == "unauthorized"
    assert answer(responder, make_ocsp_request(make_cert_id(SERIAL))).outcome == "unauthorized"


def test_where_status_is_open_nobody_is_looked_up(store: MemoryStore) -> None:
    responder = make_responder(admit=admission_of(store, "open"))
    begun: list[bool] = []
    store.on_begin = begun.append
    assert answer(responder, make_ocsp_request(make_cert_id(SERIAL))).outcome == "unknown"
    assert begun == []


def test_while_the_register_is_away_the_client_shall_try_later(store: MemoryStore) -> None:
    def away(write: bool) -> None:
        raise Refusal(Code.STORE_UNAVAILABLE, "the store is away; try again")

    store.on_begin = away
    policy = OcspPolicy()
    responder = make_responder(policy=policy, admit=admission_of(store))
    request = sign_ocsp_request(make_tbs_request(make_cert_id(SERIAL)), KEY, CERTIFICATE)
    assert answer(responder, request).outcome == "try-later"
