"""An application that stops anywhere goes on with the same certificates, whoever takes it up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
from cryptography import x509

from ca.authority import Authority
from ca.completion import issued_by, resume
from ca.issue import issue
from ca.revoke import revoke_resident
from domain import der
from domain.applications import IssuedPair
from domain.certificates import CertificateState, Kind
from domain.errors import Code, Refusal
from domain.events import Act
from domain.people import ResidentState
from domain.signing import assemble
from domain.status import UNKNOWN
from tests.support.authority import (
    NOW,
    TurnedClock,
    add_resident,
    make_application,
    make_authority,
    make_generation,
    make_issuer,
    make_revocation,
    stored_profile,
)
from tests.support.memory import MemoryStore
from tests.support.requests import make_pair
from tests.support.residents import attributes
from tests.support.signers import WrappedSigner, authority_signer


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def authority(store: MemoryStore) -> Authority:
    made = make_authority(store)
    add_resident(made)
    return made


def with_signers(authority: Authority, **behaviour: bool) -> Authority:
    """The same authority over RSA keys that misbehave."""
    generations = (
        make_generation(Kind.SIGNATURE, signer=authority_signer("signature", "g1")),
        make_generation(
            Kind.AUTHENTICATION, signer=WrappedSigner(authority_signer("authentication", "g1"), **behaviour)
        ),
    )
    return replace(authority, generations=generations)


def interrupted(authority: Authority) -> None:
    """An application of which the first certificate is signed, the second is not, and neither is recorded."""
    with pytest.raises(Refusal) as refusal:
        issue(with_signers(authority, away=True), make_application())
    assert refusal.value.code is Code.SIGNER_UNAVAILABLE


def check_everything(store: MemoryStore) -> None:
    """Rows, certificates, applications and trail agree with each other, and no serial is known outside of its row."""
    tables = store.tables
    for row in tables.certificates.values():
        if row.state is CertificateState.RESERVED:
            assert store.status_of(row.issuer, row.serial) == UNKNOWN
            assert tables.applications[row.application_id].issued_at is None
            continue
        certificate = x509.load_der_x509_certificate(row.der)
        certificate.verify_directly_issued_by(x509.load_der_x509_certificate(make_issuer(row.kind).certificate))
        assert certificate.serial_number == row.serial.value
        assert tables.applications[row.application_id].issued_at is not None
    for act, states in ((Act.RESERVED, set(CertificateState)), (Act.ISSUED, {CertificateState.ISSUED})):
        said = [row for row in tables.audit.values() if act.value in row.body]
        assert len(said) == sum(row.state in states for row in tables.certificates.values())


def test_an_interrupted_application_leaves_reserved_rows_and_nothing_else(
    authority: Authority, store: MemoryStore
) -> None:
    interrupted(authority)
    assert [row.state for row in store.tables.certificates.values()] == [CertificateState.RESERVED] * 2
    check_everything(store)


def test_a_repeat_completes_it_with_the_reserved_serials(authority: Authority, store: MemoryStore) -> None:
    interrupted(authority)
    reserved = {row.kind: row.der for row in store.tables.certificates.values()}
    pair = issue(authority, make_application())
    assert pair.repeated
    assert len(store.tables.certificates) == 2
    for kind, tbs in reserved.items():
        assert x509.load_der_x509_certificate(pair.certificates[kind]).tbs_certificate_bytes == tbs
    check_everything(store)


def test_an_application_that_was_completed_since_it_was_looked_up_is_not_completed_again(
    authority: Authority, store: MemoryStore
) -> None:
    interrupted(authority)
    unfinished = store.tables.applications[1]
    pair = issue(authority, make_application())
    assert resume(authority, unfinished, NOW) == pair.certificates
    check_everything(store)


def test_a_repeat_gives_what_the_first_try_would_have_given(authority: Authority) -> None:
    undisturbed = make_authority()
    add_resident(undisturbed)
    wanted = issue(undisturbed, make_application())
    interrupted(authority)
    pair = issue(authority, make_application())
    assert (pair.certificates, pair.substituted) == (wanted.certificates, wanted.substituted)


def test_another_application_waits_for_the_unfinished_one(authority: Authority) -> None:
    interrupted(authority)
    with pytest.raises(Refusal, match="its own idempotency key") as refusal:
        issue(authority, make_application(key="another", requests=make_pair(number=1)))
    assert refusal.value.code is Code.IN_PROGRESS


def test_it_is_completed_although_the_resident_changed_meanwhile(authority: Authority, store: MemoryStore) -> None:
    """Nothing is decided anew: the change revokes what was reserved, and status tells so from the first moment."""
    interrupted(authority)
    revoke_resident(authority, make_revocation())
    add_resident(authority, items=attributes(name="霧島　蒼"), state=ResidentState.DEAD)
    assert set(issue(authority, make_application()).certificates) == set(Kind)
    assert {store.status_of(*name).word for name in store.tables.certificates} == {"revoked"}
    check_everything(store)


def test_a_revoked_reservation_makes_room_before_it_is_completed(authority: Authority, store: MemoryStore) -> None:
    interrupted(authority)
    revoke_resident(authority, make_revocation())
    issue(authority, make_application(key="another", requests=make_pair(number=1)))
    issue(authority, make_application())
    assert len([row for row in store.tables.certificates.values() if row.ended_at is None]) == 2
    check_everything(store)


@pytest.mark.parametrize(
    ("commit", "fault"),
    [
        pytest.param(2, "lost", id="the-reservation-is-lost"),
        pytest.param(3, "lost", id="the-completion-is-lost"),
        pytest.param(3, "kept", id="the-completion-is-kept-and-nobody-heard"),
    ],
)
def test_a_failing_commit_and_a_repeat_give_one_pair(
    authority: Authority, store: MemoryStore, commit: int, fault: Literal["lost", "kept"]
) -> None:
    """Commit 1 put the resident on record. After the failure nobody knows whether the commit happened."""
    store.faults[commit] = fault
    with pytest.raises(Refusal) as refusal:
        issue(authority, make_application())
    assert refusal.value.code is Code.STORE_UNAVAILABLE
    check_everything(store)
    pair = issue(authority, make_application())
    assert {row.kind: row.der for row in store.tables.certificates.values()} == pair.certificates
    check_everything(store)


def test_a_reservation_that_was_kept_although_its_commit_failed_is_found_and_completed(
    authority: Authority, store: MemoryStore
) -> None:
    store.faults[2] = "kept"
    assert set(issue(authority, make_application()).certificates) == set(Kind)
    assert len(store.tables.certificates) == 2
    check_everything(store)


def test_a_process_killed_while_signing_leaves_what_a_repeat_completes(
    authority: Authority, store: MemoryStore
) -> None:
    class Killed(BaseException):
        pass

    class Killing(WrappedSigner):
        def sign(self, message: bytes | memoryview) -> bytes:
            raise Killed

    generations = (
        make_generation(signer=Killing(authority_signer("signature", "g1"))),
        make_generation(Kind.AUTHENTICATION),
    )
    with pytest.raises(Killed):
        issue(replace(authority, generations=generations), make_application())
    check_everything(store)
    assert issue(authority, make_application()).repeated
    check_everything(store)


def test_a_damaged_signature_is_not_recorded(authority: Authority, store: MemoryStore) -> None:
    with pytest.raises(Refusal) as refusal:
        issue(with_signers(authority, damaged=True), make_application())
    assert refusal.value.code is Code.SIGNER_UNAVAILABLE
    assert {row.state for row in store.tables.certificates.values()} == {CertificateState.RESERVED}
    assert issue(authority, make_application()).repeated
    check_everything(store)


def test_who_is_overtaken_gives_out_what_is_on_record(authority: Authority, store: MemoryStore) -> None:
    """Between signing and recording, somebody else completes the same application with other signatures."""
    overtaking: list[IssuedPair] = []

    class Overtaken(WrappedSigner):
        def sign(self, message: bytes | memoryview) -> bytes:
            if not overtaking:
                overtaking.append(issue(authority, make_application()))
            return super().sign(message)

    generations = (
        make_generation(signer=Overtaken(authority_signer("signature", "g1"))),
        make_generation(Kind.AUTHENTICATION),
    )
    pair = issue(replace(authority, generations=generations), make_application())
    assert pair.certificates == overtaking[0].certificates
    assert len(store.tables.certificates) == 2
    check_everything(store)


# What two applications do to each other


def test_an_application_that_comes_in_twice_at_once_is_one(authority: Authority, store: MemoryStore) -> None:
    """The second finds the first reserved and not yet signed, and both are answered alike."""
    answers: list[IssuedPair] = []

    def twice(write: bool) -> None:
        if write:
            store.on_begin = None
            answers.append(issue(authority, make_application()))

    store.on_begin = twice
    answers.append(issue(authority, make_application()))
    assert answers[0].certificates == answers[1].certificates
    assert [answer.repeated for answer in answers] == [False, True]
    check_everything(store)


def test_an_authentication_certificate_exchanged_since_the_first_look_counts(
    authority: Authority, store: MemoryStore
) -> None:
    issue(authority, make_application())
    signing = frozenset({Kind.SIGNATURE})
    revoke_resident(authority, make_revocation(kinds=signing))

    def exchange(write: bool) -> None:
        if not write:
            return
        store.on_begin = None
        revoke_resident(authority, make_revocation(key="both"))
        issue(authority, make_application(key="new card", requests=make_pair(number=1)))
        revoke_resident(authority, make_revocation(key="signing again", kinds=signing))

    store.on_begin = exchange
    alone = make_application(key="alone", requests={Kind.SIGNATURE: make_pair(number=2)[Kind.SIGNATURE]})
    certificates = issue(authority, alone).certificates
    assert set(certificates) == {Kind.SIGNATURE}
    again = x509.load_der_x509_certificate(certificates[Kind.SIGNATURE])
    rows = store.tables.certificates.values()
    (beside,) = [row for row in rows if row.kind is Kind.AUTHENTICATION and not row.ended_at]
    assert again.not_valid_after_utc == beside.validity.not_after


# What comes out of storage is judged again


def altered(store: MemoryStore, kind: Kind, **changes: object) -> None:
    for name, row in store.tables.certificates.items():
        if row.kind is kind:
            store.tables.certificates[name] = replace(row, **changes)  # type: ignore[arg-type]


def resume_refused(authority: Authority, store: MemoryStore) -> Code:
    with pytest.raises(Refusal) as refusal:
        resume(authority, store.tables.applications[1], NOW)
    assert {row.state for row in store.tables.certificates.values()} == {CertificateState.RESERVED}
    return refusal.value.code


def reserved_tbs(store: MemoryStore, kind: Kind) -> bytes:
    return next(row.der for row in store.tables.certificates.values() if row.kind is kind)


def test_the_octets_of_another_certificate_are_not_signed(authority: Authority, store: MemoryStore) -> None:
    interrupted(authority)
    altered(store, Kind.SIGNATURE, der=reserved_tbs(store, Kind.AUTHENTICATION))
    assert resume_refused(authority, store) is Code.LINT


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda tbs: b"", id="nothing"),
        pytest.param(lambda tbs: tbs[:-1], id="a-missing-octet"),
        pytest.param(lambda tbs: tbs.replace(der.boolean(True), der.boolean(False)), id="no-longer-critical"),
        pytest.param(lambda tbs: tbs.replace(b"320101", b"310101").replace(b"311103", b"321103"), id="a-longer-life"),
        pytest.param(lambda tbs: assemble(tbs, b"", b""), id="a-certificate-already"),
    ],
)
def test_altered_octets_are_not_signed(authority: Authority, store: MemoryStore, change: object) -> None:
    interrupted(authority)
    tbs = reserved_tbs(store, Kind.SIGNATURE)
    assert callable(change)
    assert change(tbs) != tbs
    altered(store, Kind.SIGNATURE, der=change(tbs))
    assert resume_refused(authority, store) is Code.LINT


def test_a_key_that_is_not_the_recorded_one_is_not_certified(authority: Authority, store: MemoryStore) -> None:
    interrupted(authority)
    altered(store, Kind.SIGNATURE, spki_digest=bytes(32))
    assert resume_refused(authority, store) is Code.LINT


def test_a_profile_changed_meanwhile_stops_the_completion(authority: Authority, store: MemoryStore) -> None:
    interrupted(authority)
    general = make_generation(profile=stored_profile("signature-rsa2048-general"))
    changed = replace(authority, generations=(general, make_generation(Kind.AUTHENTICATION)))
    assert resume_refused(changed, store) is Code.BAD_CONFIGURATION


def test_a_retired_generation_finishes_what_it_began(authority: Authority, store: MemoryStore) -> None:
    interrupted(authority)
    retired = tuple(
        replace(generation, issuing=generation.label == "g2") for generation in make_authority().generations
    )
    later = replace(authority, generations=retired, clock=TurnedClock(NOW + timedelta(days=1)))
    assert set(issue(later, make_application()).certificates) == set(Kind)
    check_everything(store)


def test_a_closed_application_without_its_certificates_is_no_answer(authority: Authority, store: MemoryStore) -> None:
    interrupted(authority)
    with authority.begin(write=False) as work, pytest.raises(RuntimeError, match="recorded as issued"):
        issued_by(work, 1)
