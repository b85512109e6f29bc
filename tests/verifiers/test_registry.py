"""The register of parties and credentials."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import Act
from domain.parties import LOCAL_OPERATOR, Party, Role, Usage
from domain.people import MunicipalityCode
from tests.support.memory import MemoryStore
from tests.support.requests import holder_key
from tests.support.signers import PrivateKey, stored_keys
from tests.verifiers.certificates import LIFE, NOT_BEFORE, make_credential_certificate
from verifiers.registry import add_credential, add_party, find_party, suspend, withdraw

NOW = datetime(2027, 4, 1, tzinfo=UTC)
VERIFIER = Party(0, Role.VERIFIER, "platform", kinds=frozenset(Kind), in_force_until=NOW + timedelta(days=100))
CERTIFICATE = make_credential_certificate()
FINGERPRINT = hashlib.sha256(CERTIFICATE).digest()
RSA_1024, RSA_3072, _, P256, P521, ED25519 = stored_keys("odd-keys")


@pytest.fixture
def store() -> MemoryStore:
    """A store with one verifier and its credential, and the audit rows of both."""
    store = MemoryStore()
    with store.begin() as work:
        party = add_party(work, VERIFIER, NOW, LOCAL_OPERATOR)
        add_credential(work, party, CERTIFICATE, Usage.OCSP_REQUEST, NOW, LOCAL_OPERATOR)
        work.commit()
    return store


def audited(store: MemoryStore) -> list[dict[str, object]]:
    return [json.loads(row.body) for row in store.begin(write=False).__enter__().audit.rows()]


def last_facts(store: MemoryStore) -> tuple[object, object, object]:
    body = audited(store)[-1]
    return body["act"], body["actor"], body["facts"]


# --- parties ---------------------------------------------------------------------------------------------------------


def test_a_verifier_is_added_with_its_audit_row(store: MemoryStore) -> None:
    with store.begin(write=False) as work:
        party = find_party(work, Role.VERIFIER, "platform")
    assert replace(party, id=0) == VERIFIER
    assert party.id != 0
    first = audited(store)[0]
    assert (first["act"], first["actor"]) == (Act.PARTY_ADDED.value, "operator:terminal")
    assert first["facts"] == {
        "party": "verifier:platform",
        "municipality": None,
        "kinds": ["authentication", "signature"],
        "in_force_until": "2027-07-10T00:00:00+00:00",
    }


def test_a_municipality_is_added_with_its_code() -> None:
    store = MemoryStore()
    with store.begin() as work:
        add_party(work, Party(0, Role.MUNICIPALITY, "132217", MunicipalityCode("132217")), NOW, LOCAL_OPERATOR)
        work.commit()
    (body,) = audited(store)
    assert body["facts"] == {
        "party": "municipality:132217",
        "municipality": "132217",
        "kinds": [],
        "in_force_until": None,
    }


@pytest.mark.parametrize(
    ("party", "pointer"),
    [
        pytest.param(replace(VERIFIER, name=""), "name", id="a verifier without name"),
        pytest.param(replace(VERIFIER, name=" \u3000"), "name", id="a name of spaces"),
        pytest.param(replace(VERIFIER, name="a\nb"), "name", id="a name of two lines"),
        pytest.param(replace(VERIFIER, kinds=frozenset()), "kinds", id="a verifier of nothing"),
        pytest.param(Party(0, Role.REGISTER, "r", kinds=frozenset(Kind)), "kinds", id="a register with kinds"),
        pytest.param(Party(0, Role.MUNICIPALITY, "m"), "municipality", id="a municipality without code"),
        pytest.param(
            replace(VERIFIER, municipality=MunicipalityCode("132217")), "municipality", id="a verifier with a code"
        ),
    ],
)
def test_parts_that_do_not_go_together_are_refused(party: Party, pointer: str) -> None:
    store = MemoryStore()
    with store.begin() as work, pytest.raises(Refusal) as refusal:
        add_party(work, party, NOW, LOCAL_OPERATOR)
    assert (refusal.value.code, refusal.value.pointer) == (Code.MALFORMED, pointer)


def test_a_name_is_taken_once_for_each_role(store: MemoryStore) -> None:
    with store.begin() as work, pytest.raises(Refusal) as refusal:
        add_party(work, VERIFIER, NOW, LOCAL_OPERATOR)
    assert refusal.value.code is Code.ALREADY_APPLIED


def test_an_unknown_party_is_not_found(store: MemoryStore) -> None:
    with store.begin(write=False) as work, pytest.raises(Refusal, match="no register named platform") as refusal:
        find_party(work, Role.REGISTER, "platform")
    assert refusal.value.code is Code.NOT_FOUND


def test_suspension_stops_the_party_and_its_credentials(store: MemoryStore) -> None:
    with store.begin() as work:
        suspend(work, find_party(work, Role.VERIFIER, "platform"), NOW, LOCAL_OPERATOR)
        work.commit()
    with store.begin(write=False) as work:
        credential = work.parties.credential(FINGERPRINT)
    assert credential is not None
    assert not credential.party.in_force(NOW)
    assert not credential.usable(NOW)
    assert last_facts(store) == (Act.PARTY_SUSPENDED.value, "operator:terminal", {"party": "verifier:platform"})


def test_a_suspended_party_is_not_suspended_again(store: MemoryStore) -> None:
    with store.begin() as work:
        suspend(work, find_party(work, Role.VERIFIER, "platform"), NOW, LOCAL_OPERATOR)
        with pytest.raises(Refusal) as refusal:
            suspend(work, find_party(work, Role.VERIFIER, "platform"), NOW, LOCAL_OPERATOR)
    assert refusal.value.code is Code.ALREADY_APPLIED


# --- credentials -----------------------------------------------------------------------------------------------------


def test_a_credential_is_added_with_its_audit_row(store: MemoryStore) -> None:
    with store.begin(write=False) as work:
        credential = work.parties.credential(FINGERPRINT)
    assert credential is not None
    assert (credential.usage, credential.not_after) == (Usage.OCSP_REQUEST, NOT_BEFORE + LIFE)
    assert (credential.certificate, credential.party.name) == (CERTIFICATE, "platform")
    assert credential.usable(NOW)
    assert last_facts(store) == (
        Act.CREDENTIAL_ADDED.value,
        "operator:terminal",
        {
            "party": "verifier:platform",
            "usage": "ocsp-request",
            "fingerprint": FINGERPRINT.hex(),
            "not_after": "2028-01-01T00:00:00+00:00",
        },
    )


@pytest.mark.parametrize(
    "key",
    [holder_key("rsa"), RSA_3072, P256, holder_key("ec"), P521],
    ids=["rsa-2048", "rsa-3072", "p256", "p384", "p521"],
)
def test_the_usual_keys_are_taken(store: MemoryStore, key: PrivateKey) -> None:
    with store.begin() as work:
        party = find_party(work, Role.VERIFIER, "platform")
        credential = add_credential(work, party, make_credential_certificate(key=key), Usage.TLS, NOW, LOCAL_OPERATOR)
    assert credential.usage is Usage.TLS


@pytest.mark.parametrize(
    "key", [RSA_1024, ED25519, ec.derive_private_key(7, ec.SECP256K1())], ids=["rsa-1024", "ed25519", "another curve"]
)
def test_other_keys_are_refused(store: MemoryStore, key: PrivateKey) -> None:
    with store.begin() as work:
        party = find_party(work, Role.VERIFIER, "platform")
        with pytest.raises(Refusal) as refusal:
            add_credential(work, party, make_credential_certificate(key=key), Usage.TLS, NOW, LOCAL_OPERATOR)
    assert (refusal.value.code, refusal.value.pointer) == (Code.BAD_KEY, "certificate")


@pytest.mark.parametrize(
    ("octets", "at"),
    [
        pytest.param(b"", NOW, id="nothing"),
        pytest.param(CERTIFICATE + b"\x00", NOW, id="trailing octets"),
        pytest.param(b"-----BEGIN CERTIFICATE-----", NOW, id="PEM"),
        pytest.param(
            make_credential_certificate("other"), NOT_BEFORE + LIFE + timedelta(seconds=1), id="an expired one"
        ),
    ],
)
def test_other_octets_are_refused(store: MemoryStore, octets: bytes, at: datetime) -> None:
    with store.begin() as work, pytest.raises(Refusal) as refusal:
        add_credential(work, find_party(work, Role.VERIFIER, "platform"), octets, Usage.TLS, at, LOCAL_OPERATOR)
    assert (refusal.value.code, refusal.value.pointer) == (Code.MALFORMED, "certificate")


def test_the_last_second_of_a_certificate_is_early_enough(store: MemoryStore) -> None:
    with store.begin() as work:
        party = find_party(work, Role.VERIFIER, "platform")
        octets = make_credential_certificate("other")
        credential = add_credential(work, party, octets, Usage.TLS, NOT_BEFORE + LIFE, LOCAL_OPERATOR)
    assert credential.not_after == NOT_BEFORE + LIFE


def test_a_certificate_speaks_for_one_party_once(store: MemoryStore) -> None:
    with store.begin() as work:
        other = add_party(work, replace(VERIFIER, name="other"), NOW, LOCAL_OPERATOR)
        with pytest.raises(Refusal) as refusal:
            add_credential(work, other, CERTIFICATE, Usage.TLS, NOW, LOCAL_OPERATOR)
    assert refusal.value.code is Code.ALREADY_APPLIED


def test_only_verifiers_sign_requests(store: MemoryStore) -> None:
    with store.begin() as work:
        party = add_party(work, Party(0, Role.REGISTER, "register"), NOW, LOCAL_OPERATOR)
        octets = make_credential_certificate("other")
        with pytest.raises(Refusal) as refusal:
            add_credential(work, party, octets, Usage.OCSP_REQUEST, NOW, LOCAL_OPERATOR)
    assert (refusal.value.code, refusal.value.pointer) == (Code.MALFORMED, "usage")


def test_a_withdrawn_credential_is_dead_and_stays_known(store: MemoryStore) -> None:
    with store.begin() as work:
        withdraw(work, FINGERPRINT, NOW, LOCAL_OPERATOR)
        work.commit()
    assert last_facts(store) == (
        Act.CREDENTIAL_WITHDRAWN.value,
        "operator:terminal",
        {"party": "verifier:platform", "usage": "ocsp-request", "fingerprint": FINGERPRINT.hex()},
    )
    with store.begin() as work:
        credential = work.parties.credential(FINGERPRINT)
        assert credential is not None
        assert not credential.usable(NOW)
        with pytest.raises(Refusal) as again:
            withdraw(work, FINGERPRINT, NOW, LOCAL_OPERATOR)
        with pytest.raises(Refusal) as anew:
            add_credential(work, credential.party, CERTIFICATE, Usage.TLS, NOW, LOCAL_OPERATOR)
    assert (again.value.code, anew.value.code) == (Code.ALREADY_APPLIED, Code.ALREADY_APPLIED)


def test_an_unknown_credential_is_not_found(store: MemoryStore) -> None:
    with store.begin() as work, pytest.raises(Refusal) as refusal:
        withdraw(work, bytes(32), NOW, LOCAL_OPERATOR)
    assert refusal.value.code is Code.NOT_FOUND


def test_nothing_is_kept_without_commit() -> None:
    store = MemoryStore()
    with store.begin() as work:
        add_party(work, VERIFIER, NOW, LOCAL_OPERATOR)
    assert audited(store) == []
    with store.begin(write=False) as work:
        assert work.parties.all() == []
