"""Whole lives of certificates: over SQL, with applications at the same moment, and in any order of events."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ca.authority import Authority
from ca.deliver import report_delivery, withdraw_overdue
from ca.issue import issue
from ca.recover import finish_unfinished
from ca.revoke import RevocationRequest, revoke_resident
from domain.applications import DeliveryReport, HandOver, IssuanceApplication
from domain.birth import BirthDate
from domain.certificates import Carrier, CertificateState, Kind
from domain.errors import Code, Refusal
from domain.revocation import RevocationCause
from tests.support.authority import (
    CARD,
    KIYOSE_CITY,
    TurnedClock,
    add_resident,
    make_application,
    make_authority,
    make_generation,
    make_revocation,
)
from tests.support.memory import MemoryStore
from tests.support.requests import make_pair, make_request
from tests.support.residents import attributes, resident_code
from tests.support.signers import WrappedSigner, authority_signer
from tests.support.stores import Store, sqlite_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with sqlite_store(tmp_path) as made:
        yield made


@pytest.fixture
def authority(store: Store) -> Authority:
    made = make_authority(begin=store.begin)
    add_resident(made)
    return made


def words(authority: Authority, store: Store) -> list[str]:
    """Status of every certificate, oldest first."""
    with authority.begin(write=False) as work:
        rows = sorted(work.certificates.all(), key=lambda row: (row.application_id, row.kind.value))
    return [store.status.status_of(row.issuer, row.serial).word for row in rows]


def test_a_pair_is_issued_held_revoked_and_followed_by_another(authority: Authority, store: Store) -> None:
    first = issue(authority, make_application())
    assert words(authority, store) == ["good", "good"]
    revoke_resident(authority, make_revocation(key="hold", cause=RevocationCause.TEMPORARY_STOP))
    assert words(authority, store) == ["revoked", "revoked"]
    revoke_resident(authority, make_revocation(cause=RevocationCause.KEY_REPORT))
    second = issue(authority, make_application(key="application 2", requests=make_pair(number=1)))
    assert words(authority, store) == ["revoked", "revoked", "good", "good"]
    assert issue(authority, make_application()).certificates == first.certificates
    assert second.certificates.keys() == first.certificates.keys()


def test_an_interrupted_application_is_recovered(authority: Authority, store: Store) -> None:
    away = WrappedSigner(authority_signer("signature", "g1"), away=True)
    without_key = replace(authority, generations=(make_generation(signer=away), make_generation(Kind.AUTHENTICATION)))
    with pytest.raises(Refusal):
        issue(without_key, make_application())
    assert words(authority, store) == ["unknown", "unknown"]
    assert finish_unfinished(authority, authority.clock() + timedelta(minutes=1)) == 1
    assert words(authority, store) == ["good", "good"]
    assert issue(authority, make_application()).repeated


def test_one_application_sent_eight_times_at_once_is_answered_eight_times_alike(authority: Authority) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: issue(authority, make_application()), range(8)))
    assert all(answer.certificates == answers[0].certificates for answer in answers)
    assert {answer.application_id for answer in answers} == {answers[0].application_id}
    assert sum(not answer.repeated for answer in answers) == 1


def outcome(authority: Authority, application: IssuanceApplication) -> Code | None:
    try:
        issue(authority, application)
    except Refusal as refusal:
        return refusal.code
    return None


def revocation(authority: Authority, request: RevocationRequest) -> Code | None:
    try:
        revoke_resident(authority, request)
    except Refusal as refusal:
        return refusal.code
    return None


def test_of_six_applications_at_once_one_wins(authority: Authority, store: Store) -> None:
    applications = [make_application(key=f"counter {n}", requests=make_pair(number=n)) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda application: outcome(authority, application), applications))
    assert outcomes.count(None) == 1
    assert set(outcomes) <= {None, Code.LIVE_PAIR, Code.IN_PROGRESS}
    assert words(authority, store) == ["good", "good"]


def test_a_key_sent_for_two_people_at_once_is_certified_for_one(authority: Authority, store: Store) -> None:
    for number in range(2, 6):
        add_resident(authority, resident_code(number))
    applications = [make_application(key=f"of {n}", resident_code=resident_code(n)) for n in range(2, 6)]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda application: outcome(authority, application), applications))
    assert sorted(outcomes, key=str) == sorted([None, *[Code.KEY_USED_BEFORE] * 3], key=str)
    assert words(authority, store) == ["good", "good"]


class Life(RuleBasedStateMachine):
    """One resident, and everything that can happen to their certificates, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.clock = MemoryStore(), TurnedClock()
        self.authority = make_authority(self.store, clock=self.clock)
        self.keys = self.requests = 0
        self.ever_revoked: set[object] = set()
        add_resident(self.authority, items=attributes(birth_date=BirthDate(2012, 6, 1)))

    def key(self) -> bytes:
        """A request for a key that was never used."""
        self.keys += 1
        return make_request(key=ec.derive_private_key(self.keys, ec.SECP384R1()))

    @rule(
        kinds=st.sampled_from([frozenset(Kind), frozenset({Kind.SIGNATURE}), frozenset({Kind.AUTHENTICATION})]),
        carrier=st.sampled_from(Carrier),
        card_years=st.integers(1, 6),
        interrupted=st.booleans(),
    )
    def apply(self, kinds: frozenset[Kind], carrier: Carrier, card_years: int, interrupted: bool) -> None:
        self.requests += 1
        application = make_application(
            key=f"application {self.requests}",
            attributes=attributes(birth_date=BirthDate(2012, 6, 1)),
            requests={kind: self.key() for kind in Kind if kind in kinds},
            card=replace(CARD, expires_on=date(2027 + card_years, 4, 1)),
            carrier=carrier,
        )
        authority = self.authority
        if interrupted:
            away = WrappedSigner(authority_signer("signature", "g2"), away=True)
            peer = make_generation(Kind.AUTHENTICATION, "g2")
            authority = replace(authority, generations=(make_generation(label="g2", signer=away), peer))
        code = outcome(authority, application)
        assert code in {
            None,
            Code.LIVE_PAIR,
            Code.IN_PROGRESS,
            Code.NO_LIVE_CERTIFICATE,
            Code.UNDER_AGE,
            Code.MALFORMED,
            Code.CARD_EXPIRED,
            Code.CARD_LIFE,
            Code.BAD_PROOF,
            Code.SIGNER_UNAVAILABLE,
        }

    @rule(
        cause=st.sampled_from(
            [RevocationCause.HOLDER_REQUEST, RevocationCause.KEY_REPORT, RevocationCause.TEMPORARY_STOP]
        ),
        kinds=st.sampled_from([None, frozenset({Kind.SIGNATURE}), frozenset({Kind.AUTHENTICATION})]),
    )
    def revoke(self, cause: RevocationCause, kinds: frozenset[Kind] | None) -> None:
        self.requests += 1
        request = make_revocation(key=f"revocation {self.requests}", cause=cause, kinds=kinds)
        assert revocation(self.authority, request) in {None, Code.NO_LIVE_CERTIFICATE, Code.CAUSE_NOT_ALLOWED}

    @rule(number=st.integers(1, 12), handed_over=st.booleans())
    def report(self, number: int, handed_over: bool) -> None:
        outcome = HandOver.DELIVERED if handed_over else HandOver.REFUSED
        report = DeliveryReport(KIYOSE_CITY, KIYOSE_CITY.label, f"application {number}", outcome)
        try:
            receipt = report_delivery(self.authority, report)
        except Refusal as refusal:
            assert refusal.code in {  # noqa: PT017
                Code.NOT_FOUND,
                Code.IN_PROGRESS,
                Code.NOT_PENDING,
                Code.IDEMPOTENCY_MISMATCH,
            }
        else:
            assert bool(receipt.live) is handed_over

    @rule(days=st.integers(1, 60))
    def withdraw(self, days: int) -> None:
        before = self.clock.now - timedelta(days=days)
        withdraw_overdue(self.authority, before, "publisher:test")
        assert not any(
            row.pending and row.ended_at is None and row.reserved_at < before and row.state is CertificateState.ISSUED
            for row in self.store.tables.certificates.values()
        )

    @rule(days=st.integers(1, 700))
    def wait(self, days: int) -> None:
        self.clock.forward(timedelta(days=days))

    @rule()
    def recover(self) -> None:
        finish_unfinished(self.authority, self.clock.now + timedelta(seconds=1))
        assert all(row.state is CertificateState.ISSUED for row in self.store.tables.certificates.values())

    @invariant()
    def one_live_certificate_of_a_kind_and_carrier(self) -> None:
        rows = [row for row in self.store.tables.certificates.values() if row.ended_at is None]
        live = [(row.kind, row.carrier, row.pending) for row in rows]
        assert len(live) == len(set(live))

    @invariant()
    def what_is_followed_has_ended_when_the_next_is_live(self) -> None:
        rows = {(row.application_id, row.kind): row for row in self.store.tables.certificates.values()}
        for row in rows.values():
            if row.predecessor is not None:
                old = rows[row.predecessor, row.kind]
                assert (old.carrier, old.pending) == (row.carrier, False)
                assert row.pending or old.ended_at is not None

    @invariant()
    def a_signing_certificate_ends_with_its_authentication_certificate_at_the_latest(self) -> None:
        for row in self.store.tables.certificates.values():
            pair = [
                other for other in self.store.tables.certificates.values() if other.application_id == row.application_id
            ]
            ends = {other.kind: other.validity.not_after for other in pair}
            assert ends.get(Kind.SIGNATURE, row.validity.not_before) <= ends.get(
                Kind.AUTHENTICATION, row.validity.not_after
            )

    @invariant()
    def what_was_revoked_stays_revoked(self) -> None:
        revoked = {name for name, row in self.store.tables.revocations.items() if not row.on_hold}
        assert self.ever_revoked <= revoked
        self.ever_revoked |= revoked
        for name in revoked:
            assert self.store.tables.certificates[name].ended_at is not None
            assert self.store.status_of(*name).word != "good"

    @invariant()
    def every_application_is_whole(self) -> None:
        for application in self.store.tables.applications.values():
            states = {
                row.state for row in self.store.tables.certificates.values() if row.application_id == application.id
            }
            assert states == {CertificateState.RESERVED if application.issued_at is None else CertificateState.ISSUED}


Life.TestCase.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
TestLife = Life.TestCase
