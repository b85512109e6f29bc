"""The status model: it says what the database says or nothing, at once after a revocation, in every process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import lmdb
import pytest

from domain.certificates import CertificateRecord, IssuerId
from domain.errors import Code, Refusal
from domain.holds import Release
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from domain.status import UNKNOWN, CertificateStatus
from store.follower import ModelStatusLookup, StatusFollower
from store.model import Overtaken, StatusModel
from store.work import SqlBegin
from tests.support.authority import TurnedClock
from tests.support.people import serial_of
from tests.support.responder import Unhurried
from tests.support.stores import Store, add_certificate, revocation_of

ISSUER, OTHER = IssuerId("signature-g1"), IssuerId("authentication-g1")
MAX_AGE = timedelta(seconds=5)
SECOND = timedelta(seconds=1)


class Silent(Unhurried):
    """A source that must not be asked."""

    def status_of(self, issuer: IssuerId, serial: SerialNumber) -> CertificateStatus:
        raise Refusal(Code.STORE_UNAVAILABLE, "the database does not answer")


@dataclass
class Node:
    """A node's model beside a store; `begin` writes through."""

    store: Store
    folder: Path
    clock: TurnedClock = field(default_factory=TurnedClock)

    def __post_init__(self) -> None:
        assert isinstance(self.store.begin, SqlBegin)
        self.begin = self.store.begin
        self.model = StatusModel(self.folder / "model")
        self.follower = StatusFollower(self.model, self.begin, self.clock, self.folder / "lock")
        self.lookup = ModelStatusLookup(self.model, self.store.status, self.clock, MAX_AGE)
        self.alone = ModelStatusLookup(self.model, Silent(), self.clock, MAX_AGE)
        self.begin.on_change = self.follower.follow

    def issue(self, label: str, **changes: Any) -> CertificateRecord:
        record = add_certificate(self.begin, label, **changes)
        with self.begin() as work:
            work.certificates.complete([(record.issuer, record.serial, b"certificate")])
            work.commit()
        return record

    def revoke(self, record: CertificateRecord, reason: CrlReason = CrlReason.KEY_COMPROMISE) -> None:
        with self.begin() as work:
            work.revocations.put(revocation_of(record, reason=reason), "receipt", record.reserved_at)
            work.commit()

    def word(self, label: str = "holder", issuer: IssuerId = ISSUER) -> str:
        """What the model alone says."""
        quick = self.alone.good_at(issuer, self.clock())(serial_of(label).octets)
        word = self.alone.status_of(issuer, serial_of(label)).word
        assert quick == (word == "good")
        return word


@pytest.fixture
def node(store: Store, tmp_path: Path) -> Iterator[Node]:
    node = Node(store, tmp_path)
    yield node
    node.model.close()


def test_before_the_first_build_the_database_is_asked(node: Node) -> None:
    node.issue("holder")
    assert not node.follower.follow()
    assert node.lookup.status_of(ISSUER, serial_of("holder")).word == "good"
    with pytest.raises(Refusal):
        node.word()


def test_a_model_says_what_the_database_says(node: Node) -> None:
    records = {label: node.issue(label) for label in ("good", "revoked", "held")}
    add_certificate(node.begin, "reserved")
    node.revoke(records["revoked"])
    node.revoke(records["held"], CrlReason.CERTIFICATE_HOLD)
    assert node.follower.build() == 3
    for label in records:
        said = node.alone.status_of(ISSUER, serial_of(label))
        assert said == node.store.status.status_of(ISSUER, serial_of(label))
    assert node.lookup.status_of(ISSUER, serial_of("reserved")) == UNKNOWN


def test_a_revocation_is_in_the_model_when_it_returns(node: Node) -> None:
    record = node.issue("holder")
    node.follower.build()
    assert node.word() == "good"
    node.revoke(record)
    assert node.word() == "revoked"


def test_a_release_is_in_the_model_when_it_returns(node: Node) -> None:
    record = node.issue("holder")
    node.follower.build()
    node.revoke(record, CrlReason.CERTIFICATE_HOLD)
    assert node.word() == "revoked"
    held_at = revocation_of(record).revoked_at
    with node.begin() as work:
        work.holds.release(Release(record.issuer, record.serial, held_at, held_at + SECOND), "receipt")
        work.commit()
    assert node.word() == "good"


def test_a_new_certificate_is_looked_for_in_the_database_until_the_model_has_it(node: Node) -> None:
    node.follower.build()
    node.issue("holder")
    with pytest.raises(Refusal):
        node.word()
    assert node.lookup.status_of(ISSUER, serial_of("holder")).word == "good"
    node.follower.follow()
    assert node.word() == "good"


def test_issuers_are_told_apart(node: Node) -> None:
    node.issue("holder")
    node.issue("other", issuer=OTHER)
    node.follower.build()
    assert node.word("other", OTHER) == "good"
    assert node.lookup.status_of(OTHER, serial_of("holder")) == UNKNOWN
    assert node.lookup.status_of(IssuerId("nobody"), serial_of("holder")) == UNKNOWN


def test_an_issuer_that_another_process_met_first_is_known(node: Node) -> None:
    node.follower.build()
    second = StatusModel(node.folder / "model-of-the-same-file")
    second.close()
    node.issue("holder")
    node.follower.follow()
    node.model._issuers.clear()
    assert node.word() == "good"


def test_a_model_that_was_not_compared_for_long_is_not_believed(node: Node) -> None:
    node.issue("holder")
    node.follower.build()
    node.clock.forward(MAX_AGE)
    assert node.word() == "good"
    node.clock.forward(SECOND)
    with pytest.raises(Refusal) as caught:
        node.word()
    assert caught.value.code is Code.STORE_UNAVAILABLE
    assert node.lookup.status_of(ISSUER, serial_of("holder")).word == "good"
    node.follower.follow()
    assert node.word() == "good"


def test_a_certificate_that_has_ended_is_asked_of_the_database(node: Node) -> None:
    record = node.issue("holder")
    node.revoke(record)
    node.follower.build()
    assert node.word() == "revoked"
    node.clock.forward(record.validity.not_after - node.clock() + SECOND)
    node.follower.follow()
    with pytest.raises(Refusal):
        node.word()


def test_what_was_read_before_another_process_wrote_is_read_again(node: Node) -> None:
    record = node.issue("holder")
    node.follower.build()
    seen = node.model.state()
    assert seen is not None
    with node.begin(write=False) as work:
        old = [row for _, row in work.status_changes.after(0, 9)]
    node.revoke(record)
    with pytest.raises(Overtaken):
        node.model.apply(seen, old, seen.sequence, None)
    assert node.word() == "revoked"


def test_an_older_database_has_the_model_made_anew(node: Node) -> None:
    node.issue("holder")
    node.follower.build()
    state = node.model.state()
    assert state is not None
    node.model.apply(state, [], state.sequence + 99, None)
    assert not node.follower.follow()
    node.follower.build()
    assert node.word() == "good"


def test_two_followers_do_not_build_at_once(node: Node) -> None:
    second = StatusFollower(node.model, node.begin, node.clock, node.folder / "lock")
    with node.follower._held() as mine, pytest.raises(Refusal) as caught:
        second.build()
    assert mine
    assert caught.value.code is Code.BUSY


def test_a_thread_builds_and_then_follows(node: Node) -> None:
    node.issue("holder")
    stop = threading.Event()
    thread = threading.Thread(target=node.follower.run, args=(timedelta(milliseconds=5), stop))
    thread.start()
    try:
        _wait(lambda: node.word() == "good")
        node.begin.on_change = lambda: None
        node.issue("another")
        _wait(lambda: node.word("another") == "good")
    finally:
        stop.set()
        thread.join(timeout=30)
    assert not thread.is_alive()


def test_many_changes_are_applied_in_parts(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.follower._LIMIT", 3)
    node.follower.build()
    for number in range(7):
        node.issue(f"holder {number}")
    assert node.follower.follow()
    assert [node.word(f"holder {number}") for number in range(7)] == ["good"] * 7


def test_random_lives_are_told_alike_by_model_and_database(node: Node) -> None:
    chance, records = Random(11), list[CertificateRecord]()
    node.follower.build()
    for number in range(40):
        act = chance.choice(["issue", "issue", "revoke", "hold", "build", "wait"])
        if act == "issue":
            records.append(node.issue(f"holder {number}"))
        elif act in ("revoke", "hold") and records:
            with suppress(Refusal):
                node.revoke(
                    chance.choice(records), CrlReason.CERTIFICATE_HOLD if act == "hold" else CrlReason.SUPERSEDED
                )
        elif act == "build":
            node.follower.build()
        else:
            node.clock.forward(chance.randrange(9) * SECOND)
        for record in records:
            asked = record.issuer, record.serial
            assert node.lookup.status_of(*asked) == node.store.status.status_of(*asked)


def test_a_model_that_cannot_be_written_is_refused_and_not_believed_for_long(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = node.issue("holder")
    node.follower.build()

    def full(*_: object, **__: object) -> None:
        raise lmdb.MapFullError("no room")

    monkeypatch.setattr(StatusModel, "_put", full)
    with pytest.raises(Refusal) as caught:
        node.revoke(record)
    assert caught.value.code is Code.STORE_UNAVAILABLE
    monkeypatch.undo()
    node.follower.follow()
    assert node.word() == "revoked"


def _revoke_elsewhere(url: str, folder: Path, record: CertificateRecord, ready: Any) -> None:
    from tests.support.stores import sql_store

    with sql_store(url) as store:
        node = Node(store, folder)
        node.revoke(record)
        ready.send("revoked")


def test_a_revocation_by_one_process_is_told_by_another_when_it_returned(node: Node) -> None:
    record = node.issue("holder")
    node.follower.build()
    assert node.word() == "good"
    here, there = get_context("spawn").Pipe()
    arguments = (node.store.url, node.folder, record, there)
    process = get_context("spawn").Process(target=_revoke_elsewhere, args=arguments)
    process.start()
    assert here.poll(60)
    assert node.word() == "revoked"
    process.join(timeout=30)
    assert process.exitcode == 0


def _build_and_die(url: str, folder: Path, blocks: int) -> None:
    from tests.support.stores import sql_store

    with sql_store(url) as store:
        node = Node(store, folder)
        real = StatusModel._put

        def dying(self: StatusModel, *arguments: Any, **options: Any) -> None:
            nonlocal blocks
            real(self, *arguments, **options)
            blocks -= 1
            if not blocks:
                os.kill(os.getpid(), signal.SIGKILL)

        StatusModel._put = dying  # type: ignore[method-assign]
        node.follower.build()


def test_a_killed_build_leaves_the_model_as_it_was(node: Node) -> None:
    record = node.issue("holder")
    node.follower.build()
    before = node.model.state()
    process = get_context("spawn").Process(target=_build_and_die, args=(node.store.url, node.folder, 1))
    process.start()
    process.join(timeout=60)
    assert process.exitcode == -signal.SIGKILL
    assert node.model.state() == before
    assert node.word() == "good"
    node.revoke(record)
    assert node.follower.build() == 1
    assert node.word() == "revoked"


def _wait(done: Callable[[], bool]) -> None:
    patience = threading.Event()
    for _ in range(2000):
        with suppress(Refusal):
            if done():
                return
        patience.wait(0.01)
    raise AssertionError("it did not happen")
