"""Publication: what is due gets a list, what would be wrong gets none, and one scope's trouble is nobody else's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from crl.files import read_current
from crl.publish import PublicationReport, publish_due
from crl.publisher import LEASE, LEASE_LIFE, Publisher
from crl.read import read_list
from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.holds import Release
from domain.lists import ListState, Scope
from domain.people import MunicipalityCode
from domain.revocation import CrlReason, Revocation
from tests.support.authority import KIYOSE, TurnedClock
from tests.support.lists import (
    AUTHORITY_SCOPE,
    DAY,
    ELSEWHERE,
    G1,
    G2,
    ISSUERS,
    NOW,
    POLICY,
    SCOPE,
    SIGNERS,
    entries_of,
    make_publisher,
    make_revocation,
    record_revocation,
)
from tests.support.memory import MemoryStore
from tests.support.signers import WrappedSigner

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
HOLDER = make_revocation("holder")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def store() -> MemoryStore:
    """A store where one scope is in use and has no revocations."""
    store = MemoryStore()
    use(store, SCOPE)
    return store


@pytest.fixture
def publisher(store: MemoryStore, clock: TurnedClock, tmp_path: Path) -> Publisher:
    return make_publisher(store.begin, tmp_path / "crl", clock)


def use(store: MemoryStore, *scopes: Scope) -> None:
    with store.begin() as work:
        for scope in scopes:
            work.lists.register(scope)
        work.commit()


def listed(publisher: Publisher, scope: Scope = SCOPE) -> dict[bytes, CrlReason]:
    """Serial octets and reasons on the published list, whose signature is verified on the way."""
    octets = read_current(publisher.directory, scope)
    assert octets is not None
    issuer = x509.load_der_x509_certificate(ISSUERS[scope.issuer].certificate)
    assert x509.load_der_x509_crl(octets).is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    return {serial: reason for serial, (_, reason) in entries_of(read_list(octets)).items()}


def reasons_of(*revocations: Revocation) -> dict[bytes, CrlReason]:
    return {revocation.serial.octets: revocation.reason for revocation in revocations}


def numbers(report: PublicationReport) -> dict[Scope, int]:
    return {record.scope: record.number for record in report.published}


def codes(report: PublicationReport) -> dict[Scope, Code]:
    return {scope: refusal.code for scope, refusal in report.refused}


def test_a_scope_in_use_gets_its_first_list_even_without_entries(publisher: Publisher, store: MemoryStore) -> None:
    report = publish_due(publisher)
    (record,) = report.published
    octets = read_current(publisher.directory, SCOPE)
    assert octets is not None
    assert listed(publisher) == {}
    assert (record.number, record.state, record.entries) == (1, ListState.PUBLISHED, 0)
    assert (record.this_update, record.next_update) == POLICY.window(NOW)
    assert record.digest == hashlib.sha256(octets).digest()
    with store.begin(write=False) as work:
        known = work.lists.scope(SCOPE)
    assert known is not None
    assert known.published == record
    assert (report.unchanged, report.refused) == (0, ())


def test_a_revocation_is_on_the_next_list_and_then_nothing_is_due(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock
) -> None:
    publish_due(publisher)
    record_revocation(store.begin, HOLDER)
    clock.forward(MINUTE)
    assert numbers(publish_due(publisher)) == {SCOPE: 2}
    assert listed(publisher) == reasons_of(HOLDER)
    clock.forward(MINUTE)
    assert publish_due(publisher) == PublicationReport((), 1, ())


def test_nothing_due_is_nothing_written(publisher: Publisher, store: MemoryStore) -> None:
    publish_due(publisher)
    commits = store.commits
    publish_due(publisher)
    assert store.commits == commits


def test_only_scopes_that_changed_are_signed_again(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock
) -> None:
    signer = WrappedSigner(SIGNERS[G1])
    publisher = replace(publisher, signers={G1: signer})
    use(store, ELSEWHERE, AUTHORITY_SCOPE)
    publish_due(publisher)
    record_revocation(store.begin, HOLDER)
    clock.forward(MINUTE)
    report = publish_due(publisher)
    assert numbers(report) == {SCOPE: 2}
    assert report.unchanged == 2
    assert len(signer.signed) == 4


def test_lists_are_renewed_when_the_interval_has_passed(publisher: Publisher, clock: TurnedClock) -> None:
    publish_due(publisher)
    clock.forward(DAY)
    assert numbers(publish_due(publisher)) == {SCOPE: 2}


def test_force_renews_a_list_that_is_not_due(publisher: Publisher, clock: TurnedClock) -> None:
    publish_due(publisher)
    clock.forward(MINUTE)
    assert numbers(publish_due(publisher, force=True)) == {SCOPE: 2}


def test_a_file_that_is_gone_is_made_anew(publisher: Publisher, clock: TurnedClock) -> None:
    publish_due(publisher)
    (publisher.directory / SCOPE.path).unlink()
    clock.forward(MINUTE)
    assert numbers(publish_due(publisher)) == {SCOPE: 2}
    assert listed(publisher) == {}


def test_each_scope_has_numbers_of_its_own(publisher: Publisher, store: MemoryStore, clock: TurnedClock) -> None:
    publish_due(publisher)
    clock.forward(MINUTE)
    other_generation = Scope(G2, KIYOSE.code)
    use(store, other_generation, AUTHORITY_SCOPE)
    assert numbers(publish_due(publisher, force=True)) == {SCOPE: 2, other_generation: 1, AUTHORITY_SCOPE: 1}
    assert listed(publisher, other_generation) == listed(publisher, AUTHORITY_SCOPE) == {}


def test_only_the_scopes_asked_for_are_published(publisher: Publisher, store: MemoryStore) -> None:
    use(store, ELSEWHERE)
    assert numbers(publish_due(publisher, scopes=[ELSEWHERE])) == {ELSEWHERE: 1}
    assert read_current(publisher.directory, SCOPE) is None


def test_progress_is_told_per_scope_that_is_due(publisher: Publisher, store: MemoryStore) -> None:
    publish_due(publisher)
    use(store, ELSEWHERE, AUTHORITY_SCOPE)
    told: list[tuple[int, int]] = []
    publish_due(publisher, on_progress=lambda done, due: told.append((done, due)))
    assert told == [(1, 2), (2, 2)]


def test_a_hold_is_listed_as_one_and_keeps_its_time_when_it_becomes_a_revocation(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock
) -> None:
    held = replace(HOLDER, reason=CrlReason.CERTIFICATE_HOLD)
    record_revocation(store.begin, held)
    publish_due(publisher)
    assert listed(publisher) == reasons_of(held)
    record_revocation(store.begin, HOLDER)
    clock.forward(MINUTE)
    publish_due(publisher)
    assert listed(publisher) == reasons_of(HOLDER)


def test_an_expired_certificate_stays_for_one_list_after_its_expiry(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock
) -> None:
    short = make_revocation("short", not_after=NOW + timedelta(hours=30))
    record_revocation(store.begin, short, HOLDER)
    seen = []
    for _ in range(4):
        publish_due(publisher)
        seen.append(short.serial.octets in listed(publisher))
        clock.forward(DAY)
    # Lists of hour 0, 24, 48 and 72; that of hour 48 is the first after the expiry.
    assert seen == [True, True, True, False]
    assert listed(publisher) == reasons_of(HOLDER)


def test_each_list_leaves_three_audit_rows_without_a_serial(publisher: Publisher, store: MemoryStore) -> None:
    record_revocation(store.begin, HOLDER)
    (record,) = publish_due(publisher).published
    rows = [json.loads(row.body) for row in store.tables.audit.values()]
    assert [row["act"] for row in rows] == ["crl-reserved", "crl-signed", "crl-published"]
    facts = [row["facts"] for row in rows]
    assert {row["actor"] for row in rows} == {"publisher:first"}
    assert {(fact["list"], fact["number"]) for fact in facts} == {(SCOPE.path, 1)}
    assert record.digest is not None
    assert (facts[1]["sha256"], facts[1]["key"]) == (record.digest.hex(), SIGNERS[G1].key_id)
    assert (facts[1]["entries"], facts[1]["added"], facts[1]["removed"], facts[1]["changed"]) == (1, 1, 0, 0)
    assert HOLDER.serial.octets.hex() not in str(rows)


def test_an_issuer_that_has_expired_signs_no_more(publisher: Publisher, clock: TurnedClock) -> None:
    publish_due(publisher)
    clock.now = ISSUERS[G1].validity.not_after + SECOND
    assert publish_due(publisher, force=True) == PublicationReport((), 1, ())


def lose_revocations(publisher: Publisher, store: MemoryStore) -> None:
    store.tables.revocations.clear()


def forget_lists(publisher: Publisher, store: MemoryStore) -> None:
    store.tables.lists.clear()


def turn_back(publisher: Publisher, store: MemoryStore) -> None:
    for name, row in store.tables.revocations.items():
        store.tables.revocations[name] = replace(row, reason=CrlReason.CERTIFICATE_HOLD)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        pytest.param(turn_back, Code.WOULD_SHRINK, id="a-revocation-became-a-hold-again"),
        pytest.param(lose_revocations, Code.WOULD_SHRINK, id="revocations-were-lost"),
        pytest.param(forget_lists, Code.OUT_OF_ORDER, id="the-database-is-older-than-the-files"),
    ],
)
def test_a_database_that_lost_something_cannot_overwrite_the_published_list(
    trouble: Callable[[Publisher, MemoryStore], None],
    code: Code,
    publisher: Publisher,
    store: MemoryStore,
    clock: TurnedClock,
) -> None:
    record_revocation(store.begin, HOLDER)
    use(store, ELSEWHERE)
    publish_due(publisher, scopes=[SCOPE])
    trouble(publisher, store)
    spent = len(store.tables.lists)
    clock.forward(DAY)
    report = publish_due(publisher)
    assert codes(report) == {SCOPE: code}
    assert numbers(report) == {ELSEWHERE: 1}
    assert listed(publisher) == reasons_of(HOLDER)
    assert len(store.tables.lists) == spent + 1, "no number was spent on what is refused"
    # The operator's way out, when there is nothing to restore.
    (publisher.directory / SCOPE.path).rename(publisher.directory / "old.crl")
    clock.forward(MINUTE)
    assert SCOPE in numbers(publish_due(publisher))


HELD = replace(HOLDER, reason=CrlReason.CERTIFICATE_HOLD)


def lift(store: MemoryStore, hold: Revocation) -> None:
    release = Release(hold.issuer, hold.serial, hold.revoked_at, hold.revoked_at + MINUTE)
    with store.begin() as work:
        work.holds.release(release, "found")
        work.commit()


def test_a_lifted_hold_leaves_the_list(publisher: Publisher, store: MemoryStore, clock: TurnedClock) -> None:
    record_revocation(store.begin, HELD)
    publish_due(publisher)
    lift(store, HELD)
    clock.forward(MINUTE)
    assert numbers(publish_due(publisher)) == {SCOPE: 2}
    assert listed(publisher) == {}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"reason": CrlReason.KEY_COMPROMISE}, id="a-revocation"),
        pytest.param({"revoked_at": HELD.revoked_at - MINUTE}, id="another-hold"),
    ],
)
def test_a_release_explains_its_own_entry_and_no_other(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock, changes: dict[str, Any]
) -> None:
    """The list says something else than the hold that was lifted: it must not lose the entry."""
    listed_as = replace(HELD, **changes)
    record_revocation(store.begin, listed_as)
    publish_due(publisher)
    store.tables.revocations[HELD.issuer, HELD.serial] = HELD
    lift(store, HELD)
    clock.forward(MINUTE)
    assert codes(publish_due(publisher)) == {SCOPE: Code.WOULD_SHRINK}
    assert listed(publisher) == reasons_of(listed_as)


@pytest.mark.parametrize("final", [False, True], ids=["held-again", "revoked"])
def test_between_two_lists_a_hold_may_be_lifted_and_something_else_follow(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock, final: bool
) -> None:
    record_revocation(store.begin, HELD)
    publish_due(publisher)
    lift(store, HELD)
    later = replace(HOLDER if final else HELD, revoked_at=HELD.revoked_at + 5 * MINUTE)
    with store.begin() as work:
        work.revocations.put(later, "receipt", later.revoked_at)
        work.commit()
    clock.forward(MINUTE)
    assert numbers(publish_due(publisher)) == {SCOPE: 2}
    assert listed(publisher) == reasons_of(later)


def test_a_damaged_file_is_replaced(publisher: Publisher, clock: TurnedClock) -> None:
    publish_due(publisher)
    (publisher.directory / SCOPE.path).write_bytes(b"damaged")
    clock.forward(DAY)
    assert numbers(publish_due(publisher)) == {SCOPE: 2}
    assert listed(publisher) == {}


def test_a_clock_that_is_behind_is_refused_scope_by_scope(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock
) -> None:
    publish_due(publisher)
    use(store, ELSEWHERE)
    clock.forward(-DAY)
    report = publish_due(publisher)
    assert codes(report) == {SCOPE: Code.CLOCK_BEHIND}
    assert numbers(report) == {ELSEWHERE: 1}


def test_a_signer_that_is_away_is_asked_once_and_other_issuers_go_on(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock
) -> None:
    other_generation = Scope(G2, KIYOSE.code)
    use(store, ELSEWHERE, other_generation)
    report = publish_due(replace(publisher, signers={**SIGNERS, G1: WrappedSigner(SIGNERS[G1], away=True)}))
    assert codes(report) == {SCOPE: Code.SIGNER_UNAVAILABLE, ELSEWHERE: Code.SIGNER_UNAVAILABLE}
    assert numbers(report) == {other_generation: 1}
    clock.forward(MINUTE)
    # The first scope's number was spent when the signer was found away; for the second it was not asked again.
    assert numbers(publish_due(publisher)) == {ELSEWHERE: 2, SCOPE: 1}


def test_a_signature_that_does_not_verify_is_not_published(publisher: Publisher) -> None:
    damaged = WrappedSigner(SIGNERS[G1], damaged=True)
    report = publish_due(replace(publisher, signers={G1: damaged}))
    assert codes(report) == {SCOPE: Code.SIGNER_UNAVAILABLE}
    assert read_current(publisher.directory, SCOPE) is None


NOWHERE = Scope(G1, MunicipalityCode.of_area("13212"))


@pytest.mark.parametrize(
    ("scope", "used", "code"),
    [
        pytest.param(ELSEWHERE, False, Code.NOT_FOUND, id="a-scope-not-in-use"),
        pytest.param(Scope(IssuerId("signature-g9"), KIYOSE.code), True, Code.BAD_CONFIGURATION, id="unknown-issuer"),
        pytest.param(NOWHERE, True, Code.BAD_CONFIGURATION, id="a-municipality-not-in-the-table"),
    ],
)
def test_scopes_that_cannot_have_a_list_are_refused_by_name(
    scope: Scope, used: bool, code: Code, publisher: Publisher, store: MemoryStore
) -> None:
    if used:
        use(store, scope)
    report = publish_due(publisher, scopes=[scope, SCOPE])
    assert codes(report) == {scope: code}
    assert numbers(report) == {SCOPE: 1}
    assert not [record for record in store.tables.lists.values() if record.scope == scope]


def test_a_folder_that_cannot_be_written_stops_no_other_scope(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock
) -> None:
    other_generation = Scope(G2, KIYOSE.code)
    use(store, other_generation)
    in_the_way = publisher.directory / G1
    in_the_way.parent.mkdir()
    in_the_way.touch()
    report = publish_due(publisher)
    assert codes(report) == {SCOPE: Code.STORE_UNAVAILABLE}
    assert numbers(report) == {other_generation: 1}
    in_the_way.unlink()
    clock.forward(MINUTE)
    assert SCOPE in numbers(publish_due(publisher))


def test_a_store_that_is_away_ends_the_run(publisher: Publisher, store: MemoryStore) -> None:
    store.faults[store.commits + 2] = "lost"
    with pytest.raises(Refusal) as caught:
        publish_due(publisher)
    assert caught.value.code is Code.STORE_UNAVAILABLE


def take_lease(store: MemoryStore, until_after: timedelta) -> None:
    with store.begin() as work:
        assert work.lists.lease(LEASE, "second", NOW, NOW + until_after)
        work.commit()


def test_a_second_publisher_is_told_to_wait(publisher: Publisher, store: MemoryStore) -> None:
    take_lease(store, MINUTE)
    with pytest.raises(Refusal) as caught:
        publish_due(publisher)
    assert caught.value.code is Code.BUSY
    assert read_current(publisher.directory, SCOPE) is None


def test_the_lease_of_a_publisher_that_died_runs_out(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock
) -> None:
    take_lease(store, LEASE_LIFE)
    clock.forward(LEASE_LIFE)
    assert numbers(publish_due(publisher)) == {SCOPE: 1}


def test_the_lease_is_given_back_also_after_trouble(publisher: Publisher, store: MemoryStore) -> None:
    def stumble(done: int, due: int) -> None:
        raise RuntimeError("a bug in the caller")

    with pytest.raises(RuntimeError):
        publish_due(publisher, on_progress=stumble)
    assert {holder for holder, *_ in store.tables.leases.values()} == {""}
    publish_due(publisher, force=True, scopes=[ELSEWHERE])
    assert {holder for holder, *_ in store.tables.leases.values()} == {""}


class Slow(WrappedSigner):
    """A signer that takes its time, while another publisher tries to get a run of its own."""

    def __init__(self, other: Publisher, clock: TurnedClock, takes: timedelta) -> None:
        super().__init__(SIGNERS[G1])
        self.outcomes: list[PublicationReport | Refusal] = []
        self._other = other
        self._clock = clock
        self._takes = takes

    def sign_digest(self, digest: bytes) -> bytes:
        self._clock.forward(self._takes)
        try:
            self.outcomes.append(publish_due(self._other))
        except Refusal as refusal:
            self.outcomes.append(refusal)
        return super().sign_digest(digest)


def test_the_lease_is_extended_with_every_list(publisher: Publisher, store: MemoryStore, clock: TurnedClock) -> None:
    use(store, ELSEWHERE, AUTHORITY_SCOPE)
    slow = Slow(replace(publisher, holder="second"), clock, LEASE_LIFE - SECOND)
    report = publish_due(replace(publisher, signers={G1: slow}))
    assert len(report.published) == 3
    assert [outcome.code for outcome in slow.outcomes if isinstance(outcome, Refusal)] == 3 * [Code.BUSY]


def test_a_publisher_that_overslept_cannot_put_an_older_list_over_a_newer_one(
    publisher: Publisher, clock: TurnedClock
) -> None:
    slow = Slow(replace(publisher, holder="second"), clock, LEASE_LIFE)
    report = publish_due(replace(publisher, signers={G1: slow}))
    assert codes(report) == {SCOPE: Code.BUSY}
    (other,) = slow.outcomes
    assert isinstance(other, PublicationReport)
    assert numbers(other) == {SCOPE: 2}
    octets = read_current(publisher.directory, SCOPE)
    assert octets is not None
    assert read_list(octets).number == 2


def test_a_publisher_that_overslept_before_its_number_makes_no_list_of_what_it_knew_then(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock
) -> None:
    units = iter(range(100))

    def oversleep(write: bool) -> None:
        # The first unit that writes takes the lease, the second reserves the number.
        if write and next(units) == 1:
            clock.forward(LEASE_LIFE)
            record_revocation(store.begin, HOLDER)
            publish_due(replace(publisher, holder="second"))

    store.on_begin = oversleep
    assert codes(publish_due(publisher)) == {SCOPE: Code.BUSY}
    assert listed(publisher) == reasons_of(HOLDER)
