"""The status model: it says what the database says or nothing, at once after a revocation, in every process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import lmdb
import pytest

from domain.certificates import CertificateRecord, IssuerId
from domain.errors import Code, Refusal
from domain.holds import Release
from domain.revocation import CrlReason
from domain.status import UNKNOWN
from store.base import Records, write_base
from store.faults import DatabaseBug
from store.feed import START
from store.follower import StatusFollower
from store.model import Overtaken, StatusModel
from store.model_status import ModelStatusLookup
from tests.support.modelled import ISSUER, MAX_AGE, OTHER, SECOND, Node, Silent
from tests.support.people import serial_of
from tests.support.stores import Store, add_certificate, revocation_of


@pytest.fixture
def node(store: Store, tmp_path: Path) -> Iterator[Node]:
    node = Node(store, tmp_path)
    yield node
    node.close()


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
    assert node.build() == 3
    for label in records:
        said = node.alone.status_of(ISSUER, serial_of(label))
        assert said == node.store.status.status_of(ISSUER, serial_of(label))
    assert node.lookup.status_of(ISSUER, serial_of("reserved")) == UNKNOWN


def test_a_revocation_is_in_the_model_when_it_returns(node: Node) -> None:
    record = node.issue("holder")
    node.build()
    assert node.word() == "good"
    node.revoke(record)
    assert node.word() == "revoked"


def test_a_release_is_in_the_model_when_it_returns(node: Node) -> None:
    record = node.issue("holder")
    node.build()
    node.revoke(record, CrlReason.CERTIFICATE_HOLD)
    assert node.word() == "revoked"
    held_at = revocation_of(record).revoked_at
    with node.begin() as work:
        work.holds.release(Release(record.issuer, record.serial, held_at, held_at + SECOND), "receipt")
        work.commit()
    assert node.word() == "good"


def test_a_new_certificate_is_looked_for_in_the_database_until_the_model_has_it(node: Node) -> None:
    node.build()
    node.issue("holder")
    with pytest.raises(Refusal):
        node.word()
    assert node.lookup.status_of(ISSUER, serial_of("holder")).word == "good"
    node.follower.follow()
    assert node.word() == "good"


def test_issuers_are_told_apart(node: Node) -> None:
    node.issue("holder")
    node.issue("other", issuer=OTHER)
    node.build()
    assert node.word("other", OTHER) == "good"
    assert node.lookup.status_of(OTHER, serial_of("holder")) == UNKNOWN
    assert node.lookup.status_of(IssuerId("nobody"), serial_of("holder")) == UNKNOWN


def test_an_issuer_that_another_process_met_first_is_known(node: Node) -> None:
    node.build()
    second = StatusModel(node.folder / "model-of-the-same-file")
    second.close()
    node.issue("holder")
    node.follower.follow()
    node.model._open()._issuers.clear()
    assert node.word() == "good"


def test_a_model_that_was_not_compared_for_long_is_not_believed(node: Node) -> None:
    node.issue("holder")
    node.build()
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
    node.build()
    assert node.word() == "revoked"
    node.clock.forward(record.validity.not_after - node.clock() + SECOND)
    node.follower.follow()
    with pytest.raises(Refusal):
        node.word()


def test_what_was_read_before_another_process_wrote_is_read_again(node: Node) -> None:
    record = node.issue("holder")
    node.build()
    seen = node.model.state()
    assert seen is not None
    old = node.feed.after(START, 9)
    assert old is not None
    node.revoke(record)
    with pytest.raises(Overtaken):
        node.model.apply(seen, old.rows, seen.position, None)
    assert node.word() == "revoked"


def test_quick_questions_end_before_the_model_is_too_old(node: Node) -> None:
    """Who may ask until later than a model is believed is told nothing by it; a newer comparison counts at once."""
    node.issue("holder")
    node.build()
    holder, now, oldest = serial_of("holder").octets, node.clock(), node.steady() + int(MAX_AGE.total_seconds()) * 10**9
    within, beyond = (node.alone.good_at(ISSUER, now, oldest + late) for late in (0, 1))
    assert within(holder)
    assert not beyond(holder)
    node.clock.forward(timedelta(seconds=1))
    node.follower.follow()
    assert beyond(holder)
    state = node.model.state()
    assert state
    node.model.forget(state)
    assert not within(holder)


def test_an_older_database_has_the_model_made_anew(node: Node) -> None:
    node.issue("holder")
    node.build()
    state = node.model.state()
    assert state is not None
    node.model.apply(state, [], replace(state.position, sequence=99), None)
    assert node.word() == "good"
    assert not node.follower.follow()
    with pytest.raises(Refusal):
        node.word()
    node.follower.make()
    assert node.word() == "good"


def test_another_past_with_as_many_changes_has_the_model_made_anew(node: Node) -> None:
    node.issue("holder")
    node.build()
    state = node.model.state()
    assert state is not None
    node.model.apply(state, [], replace(state.position, link=b"anything"), None)
    assert not node.follower.follow()
    with pytest.raises(Refusal):
        node.word()


def test_a_model_that_is_behind_what_is_kept_is_made_anew(node: Node) -> None:
    record = node.issue("holder")
    node.build()
    node.begin.on_change = lambda: None
    for number in range(5):
        node.issue(f"holder {number}")
    node.revoke(record)
    with node.begin() as work:
        assert work.status_changes.prune(3, kept=2) == 3
        assert work.status_changes.prune(9, kept=2) == 2
        assert work.status_changes.prune(9, kept=2) == 0
        work.commit()
    assert not node.follower.follow()
    assert node.lookup.status_of(ISSUER, serial_of("holder")).word == "revoked"
    assert node.follower.make() == 6
    assert node.word() == "revoked"
    assert node.word("holder 4") == "good"


def test_nothing_is_pruned_of_a_feed_that_is_short_or_empty(node: Node) -> None:
    with node.begin() as work:
        assert work.status_changes.prune(9) == 0
    node.issue("holder")
    with node.begin() as work:
        assert work.status_changes.prune(9) == 0


def test_a_new_base_says_what_the_old_one_and_the_changes_said(node: Node) -> None:
    records = [node.issue(f"holder {number}") for number in range(20)]
    node.build()
    for record in records[:5]:
        node.revoke(record)
    records += [node.issue(f"new {number}") for number in range(5)]
    node.follower.follow()
    assert node.model.sizes() == (20, 10)
    assert node.model.merge(int(node.clock().timestamp()), node.steady())
    assert node.model.sizes() == (25, 0)
    for record in records:
        asked = record.issuer, record.serial
        assert node.alone.status_of(*asked) == node.store.status.status_of(*asked)


def test_what_has_ended_leaves_the_model_with_the_next_base(node: Node) -> None:
    record = node.issue("holder")
    node.issue("later", validity=replace(record.validity, not_after=record.validity.not_after + 9 * SECOND))
    node.build()
    node.revoke(record)
    node.clock.forward(record.validity.not_after - node.clock() + SECOND)
    assert node.follower.make() == 1
    assert node.model.sizes() == (1, 0)
    assert node.word("later") == "good"


def test_a_revocation_while_a_base_is_made_stays(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    record = node.issue("holder")
    node.build()
    node.issue("another")
    node.follower.follow()

    def slowly(path: Path, blocks: Iterable[Records], now: int) -> int:
        count = write_base(path, blocks, now)
        node.revoke(record)
        return count

    monkeypatch.setattr("store.model.write_base", slowly)
    assert node.model.merge(int(node.clock().timestamp()), node.steady())
    assert node.model.sizes() == (2, 1)
    assert node.word() == "revoked"
    assert node.word("another") == "good"


def test_a_model_goes_on_while_it_is_made_anew_from_the_database(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model alone is asked all the time: revocations count while the new one is made, and in the new one."""
    records = {label: node.issue(label) for label in ("early", "meanwhile", "good")}
    node.build()
    node.issue("new")
    node.follower.follow()

    def slowly(path: Path, blocks: Iterable[Records], now: int) -> int:
        node.revoke(records["early"])
        count = write_base(path, blocks, now)
        node.revoke(records["meanwhile"])
        assert [node.word(label) for label in (*records, "new")] == ["revoked", "revoked", "good", "good"]
        return count

    monkeypatch.setattr("store.model.write_base", slowly)
    before = node.model.state()
    node.follower.make(anew=True)
    after = node.model.state()
    assert before
    assert after
    assert after.base > before.base
    assert after.checked_at >= before.checked_at
    assert [node.word(label) for label in (*records, "new")] == ["revoked", "revoked", "good", "good"]
    assert len(list((node.folder / "model").glob("base-*"))) == 1


def test_a_model_that_knows_more_is_not_swapped_for_an_older_one(node: Node) -> None:
    record = node.issue("holder")
    node.build()
    before = node.model.state()
    assert before
    node.revoke(record)
    with pytest.raises(Overtaken):
        node.model.swap(before, ())
    assert node.word() == "revoked"


def test_a_model_made_where_none_was_is_compared_before_it_is_believed(node: Node) -> None:
    """Who revoked while there was none could not put it there."""
    record = node.issue("holder")
    node.build()
    state = node.model.state()
    assert state
    node.model.forget(state)
    node.revoke(record)
    node.model.swap(state, ())
    assert node.lookup.status_of(ISSUER, serial_of("holder")).word == "revoked"
    with pytest.raises(Refusal):
        node.word()
    node.follower.follow()
    assert node.word() == "revoked"


def test_a_clock_that_is_set_back_makes_nothing_believed_longer(node: Node) -> None:
    node.issue("holder")
    seconds = iter(range(0, 90, 3))
    lookup = ModelStatusLookup(node.model, Silent(), node.clock, lambda: next(seconds) * 10**9, MAX_AGE)
    follower = StatusFollower(node.model, node.feed, node.clock, lambda: 0, node.folder)
    follower.make()
    node.clock.forward(-999 * SECOND)
    assert lookup.status_of(ISSUER, serial_of("holder")).word == "good"
    assert lookup.status_of(ISSUER, serial_of("holder")).word == "good"
    with pytest.raises(Refusal):
        lookup.status_of(ISSUER, serial_of("holder"))


def test_two_followers_do_not_build_at_once(node: Node) -> None:
    second = StatusFollower(node.model, node.feed, node.clock, node.steady, node.folder)
    with node.follower._held("maker") as mine, pytest.raises(Refusal) as caught:
        second.make()
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


def test_a_thread_goes_on_after_an_error_that_nobody_foresaw(
    node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    node.issue("holder")
    follow, errors = node.follower.follow, [DatabaseBug("the database refused a statement")]

    def unforeseen() -> bool:
        if errors:
            raise errors.pop()
        return follow()

    monkeypatch.setattr(node.follower, "follow", unforeseen)
    stop = threading.Event()
    thread = threading.Thread(target=node.follower.run, args=(timedelta(milliseconds=5), stop))
    thread.start()
    try:
        _wait(lambda: node.word() == "good")
    finally:
        stop.set()
        thread.join(timeout=30)
    assert [record.facts for record in caplog.records if hasattr(record, "facts")] == [{"why": "DatabaseBug"}]


def test_a_thread_that_may_write_nothing_goes_on_when_it_may_again(
    node: Node, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node.issue("holder")
    place = tmp_path / "place"
    place.write_bytes(b"")  # a file, so that no folder can be made below it
    follower, stop = (
        StatusFollower(node.model, node.feed, node.clock, node.steady, place / "follower"),
        threading.Event(),
    )
    with pytest.raises(Refusal) as caught:
        follower.make()
    assert caught.value.code is Code.STORE_UNAVAILABLE
    thread = threading.Thread(target=follower.run, args=(timedelta(milliseconds=5), stop))
    thread.start()
    try:
        _wait(lambda: "the status model stays behind" in caplog.text)
        place.unlink()
        _wait(lambda: node.word() == "good")
    finally:
        stop.set()
        thread.join(timeout=30)
    assert not thread.is_alive()


def test_many_changes_are_applied_in_parts(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.follower._LIMIT", 3)
    node.build()
    for number in range(7):
        node.issue(f"holder {number}")
    assert node.follower.follow()
    assert [node.word(f"holder {number}") for number in range(7)] == ["good"] * 7


def test_random_lives_are_told_alike_by_model_and_database(node: Node) -> None:
    chance, records = Random(11), list[CertificateRecord]()
    node.build()
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
            node.build()
        else:
            node.clock.forward(chance.randrange(9) * SECOND)
        for record in records:
            asked = record.issuer, record.serial
            assert node.lookup.status_of(*asked) == node.store.status.status_of(*asked)


def test_a_model_that_cannot_be_written_is_refused_and_not_believed_for_long(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = node.issue("holder")
    node.build()

    def full(*_: object, **__: object) -> None:
        raise lmdb.MapFullError("no room")

    monkeypatch.setattr(StatusModel, "apply", full)
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
    node.build()
    assert node.word() == "good"
    here, there = get_context("spawn").Pipe()
    arguments = (node.store.url, node.folder, record, there)
    process = get_context("spawn").Process(target=_revoke_elsewhere, args=arguments)
    process.start()
    assert here.poll(60)
    assert node.word() == "revoked"
    process.join(timeout=30)
    assert process.exitcode == 0


def _build_and_die(url: str, folder: Path) -> None:
    from tests.support.stores import sql_store

    with sql_store(url) as store:
        node = Node(store, folder)

        def dying(path: Path, blocks: Iterable[Records], now: int) -> int:
            write_base(path, blocks, now)
            os.kill(os.getpid(), signal.SIGKILL)
            return 0

        with patch("store.model.write_base", dying):
            node.model.merge(int(node.clock().timestamp()), node.steady())


def test_a_killed_build_leaves_the_model_as_it_was(node: Node) -> None:
    record = node.issue("holder")
    node.build()
    before = node.model.state()
    process = get_context("spawn").Process(target=_build_and_die, args=(node.store.url, node.folder))
    process.start()
    process.join(timeout=60)
    assert process.exitcode == -signal.SIGKILL
    assert node.model.state() == before
    assert node.word() == "good"
    node.revoke(record)
    assert node.model.merge(int(node.clock().timestamp()), node.steady())
    assert node.word() == "revoked"
    assert len(list((node.folder / "model").glob("base-*"))) == 1


def _wait(done: Callable[[], bool]) -> None:
    patience = threading.Event()
    for _ in range(2000):
        with suppress(Refusal):
            if done():
                return
        patience.wait(0.01)
    raise AssertionError("it did not happen")
