"""Batches are worked off: each application once and for itself, whoever dies at it, fairly between municipalities."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal
from unittest.mock import patch

import pytest
from cryptography import x509

from ca.authority import Authority
from ca.batch_work import LEASE, Worker, erase_old, leave, work_off, work_round
from ca.batches import Batching, cancel_batch, progress_of, results_of, take_batch
from ca.course import Course
from ca.draft import draft_certificates
from ca.issue import issue
from domain.applications import IssuanceApplication
from domain.batches import ItemState
from domain.certificates import CertificateState, Kind
from domain.errors import Code, Refusal
from domain.parties import Party, Role
from policies.batches import BatchPolicy
from policies.queues import fairness
from tests.support.applications import as_line
from tests.support.authority import (
    KIYOSE,
    KIYOSE_CITY,
    SAPPORO,
    SAPPORO_CITY,
    TurnedClock,
    add_resident,
    make_application,
    make_authority,
    make_generation,
)
from tests.support.memory import MemoryStore
from tests.support.requests import make_pair
from tests.support.residents import resident_code
from tests.support.signers import WrappedSigner, authority_signer
from web.batches import read_line

FAULTS: tuple[Literal["lost", "kept"], ...] = ("lost", "kept")
NUMBERS = (1, 2, 3, 4, 5)

one_by_one_or_behind_each_other = pytest.mark.parametrize(
    "chunks", [pytest.param(1, id="chunk-by-chunk"), pytest.param(3, id="chunk-behind-chunk")]
)


def line(number: int, **changes: object) -> bytes:
    requests = make_pair(number=number % 6)
    return as_line(make_application(resident_code=resident_code(number), requests=requests), **changes)


FILE = b"".join(map(line, NUMBERS))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def authority(store: MemoryStore) -> Authority:
    made = make_authority(store)
    with made.begin() as work:
        work.parties.add(KIYOSE_CITY, made.clock())
        work.parties.add(SAPPORO_CITY, made.clock())
        work.commit()
    for number in NUMBERS:
        add_resident(made, resident_code(number))
    return made


@pytest.fixture
def worker(authority: Authority) -> Worker:
    return Worker(Batching(authority, BatchPolicy(chunk=2), read_line), 0, "first", chunks=1)


def take(worker: Worker, octets: bytes = FILE, caller: Party = KIYOSE_CITY, key: str = "the batch") -> int:
    return take_batch(worker.batching, caller, key, octets).batch.id


def states(worker: Worker, batch: int = 1) -> list[str]:
    return [result.item.state.value for result in results_of(worker.batching, KIYOSE_CITY, batch)]


def work_all(worker: Worker) -> int:
    total = 0
    while ended := work_round(worker):
        total += ended
    return total


def with_authority(worker: Worker, **changes: Any) -> Worker:
    batching = worker.batching
    return replace(worker, batching=replace(batching, authority=replace(batching.authority, **changes)))


def test_every_application_becomes_a_pair(worker: Worker, store: MemoryStore) -> None:
    take(worker)
    assert [work_off(worker) for _ in range(4)] == [2, 2, 1, 0]
    results = results_of(worker.batching, KIYOSE_CITY, 1)
    assert {result.item.state for result in results} == {ItemState.ISSUED}
    for number, result in zip(NUMBERS, results, strict=True):
        for kind in Kind:
            made = x509.load_der_x509_certificate(result.certificates[kind])
            request = x509.load_der_x509_csr(make_pair(number=number % 6)[kind])
            assert made.public_key() == request.public_key()
    batch = progress_of(worker.batching, KIYOSE_CITY, 1).batch
    assert (batch.open, batch.ended_at) == (0, worker.batching.authority.clock())
    assert {item.sealed for item in store.tables.items.values()} == {None}


def test_chunks_behind_each_other_take_one_transaction_each(worker: Worker, store: MemoryStore) -> None:
    take(worker)
    commits = store.commits
    assert work_off(replace(worker, chunks=3)) == 5
    # Taken up, three times together, then the last one recorded, and ended.
    assert store.commits - commits == 1 + 3 + 1 + 1
    assert states(worker) == ["issued"] * 5


def test_each_application_is_drafted_once_though_chunks_go_behind_each_other(worker: Worker) -> None:
    take(worker)
    with patch("ca.course.draft_certificates", wraps=draft_certificates) as drafts:
        assert work_off(replace(worker, chunks=8)) == 5
    assert drafts.call_count == 5
    assert states(worker) == ["issued"] * 5


def test_a_worker_looks_round_after_its_chunks(worker: Worker) -> None:
    take(worker)
    assert [work_off(replace(worker, chunks=2)) for _ in range(3)] == [4, 1, 0]


@one_by_one_or_behind_each_other
def test_a_bad_application_stops_no_other(worker: Worker, chunks: int) -> None:
    worker = replace(worker, chunks=chunks)
    issue(worker.batching.authority, make_application(resident_code=resident_code(2), requests=make_pair(number=0)))
    spoilt = [
        line(1),
        line(2),
        line(3).replace("霧島".encode(), "霧嶋".encode()),
        line(9),
        line(5).replace(b'"signature": "MII', b'"signature": "MIJ'),
        line(4),
    ]
    take(worker, b"".join(spoilt))
    assert work_all(worker) == 6
    results = results_of(worker.batching, KIYOSE_CITY, 1)
    assert [result.item.refusal.code if result.item.refusal else None for result in results] == [
        None,
        Code.LIVE_PAIR,
        Code.ITEMS_DIFFER,
        Code.UNKNOWN_RESIDENT,
        Code.MALFORMED,
        None,
    ]


@one_by_one_or_behind_each_other
def test_a_key_that_was_certified_before_is_found_among_others(worker: Worker, chunks: int) -> None:
    """The database refuses it in the middle of a shared transaction; the other application is not refused with it."""
    worker = replace(worker, chunks=chunks)
    take(worker, line(1) + line(2, requests=_requests(1)))
    assert work_all(worker) == 2
    assert states(worker) == ["issued", "refused"]


def _requests(number: int) -> object:
    return json.loads(line(number))["requests"]


@one_by_one_or_behind_each_other
def test_a_fault_of_ours_in_one_application_stops_no_other(
    worker: Worker, chunks: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    worker = replace(worker, chunks=chunks)

    def faulty(course: Course) -> None:
        if course.application.resident_code == resident_code(2):
            raise ZeroDivisionError("personal data")
        real(course)

    real = Course.sign
    monkeypatch.setattr(Course, "sign", faulty)
    take(worker)
    assert work_all(worker) == 5
    assert states(worker) == ["issued", "refused", "issued", "issued", "issued"]
    assert "ZeroDivisionError" in caplog.text
    assert "personal data" not in caplog.text


# Whoever dies at it


class Killed(BaseException):
    pass


def kill_at(worker: Worker, store: MemoryStore, step: int) -> None:
    """Work until the step (a transaction that begins, or a signature) of this number, counted from 0."""
    left = [step]

    def count(_: object = None) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    class Killing(WrappedSigner):
        def sign(self, message: bytes | memoryview) -> bytes:
            count()
            return super().sign(message)

    generations = tuple(make_generation(kind, signer=Killing(authority_signer(kind.value, "g1"))) for kind in Kind)
    store.on_begin = count
    try:
        work_all(with_authority(worker, generations=generations))
    except Killed:
        pass
    finally:
        store.on_begin = None


@one_by_one_or_behind_each_other
def test_who_is_killed_at_any_step_is_followed_by_another_that_issues_nothing_twice(
    store: MemoryStore, authority: Authority, worker: Worker, chunks: int
) -> None:
    worker = replace(worker, chunks=chunks)
    clock = authority.clock
    assert isinstance(clock, TurnedClock)
    take(worker)
    before = store.tables.copy()
    for step in range(45):
        store.tables = before.copy()
        kill_at(worker, store, step)
        reserved = {name: row.der for name, row in store.tables.certificates.items()}
        clock.forward(LEASE)
        work_all(replace(worker, holder=f"after {step}"))
        clock.forward(-LEASE)
        rows = store.tables.certificates
        assert states(worker) == ["issued"] * 5, step
        assert len(rows) == 10, step
        assert reserved.keys() <= rows.keys(), step
        assert {row.state for row in rows.values()} == {CertificateState.ISSUED}, step


@one_by_one_or_behind_each_other
def test_a_commit_that_failed_is_made_up_for(worker: Worker, chunks: int, store: MemoryStore) -> None:
    worker = replace(worker, chunks=chunks)
    take(worker, line(1) + line(2))
    before, commits = store.tables.copy(), store.commits
    for nth in range(1, 5):
        for fault in FAULTS:
            store.tables, store.commits = before.copy(), commits
            store.faults = {commits + nth: fault}
            with suppress(Refusal):
                work_all(worker)
            assert store.commits >= commits + nth
            work_all(worker)
            assert states(worker) == ["issued", "issued"], (nth, fault)
            assert len(store.tables.certificates) == 4, (nth, fault)


@pytest.mark.parametrize("slot", [pytest.param(0, id="in-its-slot"), pytest.param(3, id="in-another-slot")])
def test_a_dead_workers_slot_is_free_after_a_minute(worker: Worker, store: MemoryStore, slot: int) -> None:
    clock = worker.batching.authority.clock
    assert isinstance(clock, TurnedClock)
    take(worker)
    kill_at(worker, store, 3)
    assert states(worker)[:2] == ["begun", "begun"]
    other = replace(worker, slot=slot, holder="second")
    if slot:
        assert work_all(other) == 3
        assert states(worker) == ["begun", "begun", "issued", "issued", "issued"]
    else:
        with pytest.raises(Refusal, match="another worker has slot 0"):
            work_off(other)
    clock.forward(LEASE)
    work_all(other)
    assert states(worker) == ["issued"] * 5


def test_a_slot_that_was_left_is_free_at_once(worker: Worker) -> None:
    take(worker)
    work_off(worker)
    leave(worker)
    assert work_off(replace(worker, holder="second")) == 2


@pytest.mark.parametrize("faults", [{"away": True}, {"damaged": True}], ids=["away", "damaged"])
def test_applications_wait_for_a_signer_that_is_away(worker: Worker, faults: dict[str, bool]) -> None:
    generations = (
        make_generation(),
        make_generation(Kind.AUTHENTICATION, signer=WrappedSigner(authority_signer("authentication", "g1"), **faults)),
    )
    take(worker)
    with pytest.raises(Refusal) as refusal:
        work_off(with_authority(worker, generations=generations))
    assert refusal.value.code is Code.SIGNER_UNAVAILABLE
    assert states(worker) == ["begun", "begun", "waiting", "waiting", "waiting"]
    assert work_all(worker) == 5
    assert states(worker) == ["issued"] * 5


def test_an_outage_ends_what_goes_behind_each_other(worker: Worker) -> None:
    away = make_generation(
        Kind.AUTHENTICATION, signer=WrappedSigner(authority_signer("authentication", "g1"), away=True)
    )
    take(worker)
    with pytest.raises(Refusal) as refusal:
        work_off(replace(with_authority(worker, generations=(make_generation(), away)), chunks=2))
    assert refusal.value.code is Code.SIGNER_UNAVAILABLE
    assert states(worker) == ["begun", "begun", "begun", "begun", "waiting"]
    assert work_all(worker) == 5
    assert states(worker) == ["issued"] * 5


@one_by_one_or_behind_each_other
def test_what_was_issued_on_its_own_before_is_found_under_its_key(
    worker: Worker, chunks: int, store: MemoryStore
) -> None:
    worker = replace(worker, chunks=chunks)
    take(worker, line(1))
    members = read_line(line(1))
    pair = issue(worker.batching.authority, IssuanceApplication(caller=KIYOSE_CITY, **members))
    work_all(worker)
    (result,) = results_of(worker.batching, KIYOSE_CITY, 1)
    assert (result.item.application_id, result.certificates) == (pair.application_id, pair.certificates)
    assert len(store.tables.certificates) == 2


# Cancelling, suspending, erasing


def test_what_was_begun_is_finished_when_the_batch_is_cancelled(worker: Worker, store: MemoryStore) -> None:
    number = take(worker)
    kill_at(worker, store, 3)
    cancel_batch(worker.batching, KIYOSE_CITY, number)
    work_all(worker)
    assert states(worker) == ["issued", "issued", "cancelled", "cancelled", "cancelled"]
    batch = progress_of(worker.batching, KIYOSE_CITY, number).batch
    assert batch.ended_at is not None


def test_a_municipality_suspended_meanwhile_gets_nothing(worker: Worker) -> None:
    take(worker)
    with worker.batching.authority.begin() as work:
        work.parties.suspend(1, worker.batching.authority.clock() - timedelta(days=1))
        work.commit()
    work_all(worker)
    results = results_of(worker.batching, KIYOSE_CITY, 1)
    assert {result.item.refusal.code for result in results if result.item.refusal} == {Code.NOT_ADMITTED}
    assert len(results) == 5


def test_who_is_not_registered_any_more_gets_nothing(worker: Worker, store: MemoryStore) -> None:
    take(worker)
    store.tables.parties.clear()
    work_all(worker)
    assert states(worker) == ["refused"] * 5


def test_a_line_sealed_under_a_key_that_is_gone_is_refused_by_itself(worker: Worker, store: MemoryStore) -> None:
    take(worker)
    spoilt = store.tables.items[1, 2]
    store.tables.items[1, 2] = replace(spoilt, sealed=b"\x02" + (spoilt.sealed or b"")[1:])
    work_all(worker)
    assert states(worker) == ["issued", "refused", "issued", "issued", "issued"]


def test_results_are_erased_when_their_retention_is_over(worker: Worker, store: MemoryStore) -> None:
    clock = worker.batching.authority.clock
    assert isinstance(clock, TurnedClock)
    take(worker)
    work_all(worker)
    clock.forward(timedelta(days=30))
    assert erase_old(worker.batching) == 0
    clock.forward(timedelta(seconds=1))
    assert erase_old(worker.batching) == 1
    assert (store.tables.batches, store.tables.items) == ({}, {})
    assert len(store.tables.certificates) == 10


# Fairness


def crowd(worker: Worker, loads: dict[Party, int]) -> None:
    """Batches of residents nobody knows: they take their turn, and are refused quickly."""
    for place, (caller, count) in enumerate(loads.items(), start=1):
        assert caller.municipality is not None
        octets = b"".join(line(place * 1000 + n, municipality_code=caller.municipality.value) for n in range(count))
        take_batch(replace(worker.batching, policy=BatchPolicy()), caller, "the crowd", octets)


def served_by(worker: Worker, store: MemoryStore, rounds: int) -> Counter[str]:
    for _ in range(rounds):
        work_off(worker)
    return Counter(str(item.municipality) for item in store.tables.items.values() if item.state is ItemState.REFUSED)


@pytest.mark.parametrize("chunk", [1, 2, 7, 64])
def test_unequal_loads_are_served_alike(worker: Worker, store: MemoryStore, chunk: int) -> None:
    """One city sends twenty times as much as the others: until the smallest is done, all are served alike."""
    callers = [KIYOSE_CITY, SAPPORO_CITY]
    for area in ("13212", "27100", "40130"):
        code = next(code for code in worker.batching.authority.municipalities if code.area == area)
        with worker.batching.authority.begin() as work:
            callers.append(work.parties.add(Party(0, Role.MUNICIPALITY, area, code), worker.batching.authority.clock()))
            work.commit()
    loads = dict(zip(callers, (400, 20, 25, 30, 40), strict=True))
    crowd(worker, loads)
    policy = replace(worker.batching.policy, chunk=chunk)
    fair = replace(worker, batching=replace(worker.batching, policy=policy))
    served = served_by(fair, store, 100 // chunk)
    assert sum(served.values()) >= 64
    assert len(served) == 5
    assert fairness(served) >= 0.95
    work_all(fair)
    total = served_by(fair, store, 0)
    assert total == {str(caller.municipality): count for caller, count in loads.items()}


def test_the_order_of_arrival_is_kept_within_a_municipality(worker: Worker, store: MemoryStore) -> None:
    crowd(worker, {KIYOSE_CITY: 6, SAPPORO_CITY: 6})
    done: list[tuple[str, int]] = []
    for _ in range(6):
        work_off(worker)
        now = [i for i in store.tables.items.values() if i.state is ItemState.REFUSED]
        done += [key for item in now if (key := (str(item.municipality), item.line)) not in done]
    for place in (KIYOSE.code, SAPPORO.code):
        assert [number for name, number in done if name == str(place)] == [1, 2, 3, 4, 5, 6]
