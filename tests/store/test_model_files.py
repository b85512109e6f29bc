"""The files of a status model: taken away under those who read them, they are of no use a moment later."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from domain.errors import Code, Refusal
from domain.status import UNKNOWN
from store.base import Records, write_base
from store.model import StatusModel
from tests.support.modelled import ISSUER, OTHER, SECOND, Node
from tests.support.people import serial_of
from tests.support.stores import Store

Take = Callable[[Node], None]


def removed(node: Node) -> None:
    shutil.rmtree(node.folder / "model")


def moved(node: Node) -> None:
    (node.folder / "model").rename(node.folder / "elsewhere")


def emptied(node: Node) -> None:
    for path in (node.folder / "model").iterdir():
        path.unlink()


@pytest.fixture
def node(store: Store, tmp_path: Path) -> Iterator[Node]:
    node = Node(store, tmp_path / "node")
    yield node
    node.close()


@pytest.mark.parametrize("take", [removed, moved, emptied])
def test_what_was_taken_away_is_asked_no_longer_than_a_moment(node: Node, take: Take) -> None:
    record = node.issue("holder")
    node.build()
    assert node.word() == "good"
    take(node)
    node.clock.forward(SECOND)
    with pytest.raises(Refusal):
        node.word()
    node.revoke(record)
    assert node.lookup.status_of(ISSUER, serial_of("holder")).word == "revoked"
    assert node.follower.make() == 1
    assert node.word() == "revoked"


def test_others_may_have_made_another_one_meanwhile(node: Node) -> None:
    """Its bases and its issuers have numbers of their own."""
    record, other = node.issue("holder"), node.issue("other", issuer=OTHER)
    node.build()
    assert [node.word(), node.word("other", OTHER)] == ["good", "good"]
    removed(node)
    another = Node(node.store, node.folder)
    another.model.marks[OTHER]
    another.revoke(other)
    another.revoke(record)
    another.follower.make()
    another.close()
    node.clock.forward(SECOND)
    assert [node.word(), node.word("other", OTHER)] == ["revoked", "revoked"]
    assert node.lookup.status_of(OTHER, serial_of("holder")) == UNKNOWN


def test_a_base_made_for_what_was_taken_away_is_not_swapped_in(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    record = node.issue("holder")

    def slowly(path: Path, blocks: Iterable[Records], now: int) -> int:
        count = write_base(path, blocks, now)
        removed(node)
        return count

    with monkeypatch.context() as patch:
        patch.setattr("store.model.write_base", slowly)
        with pytest.raises(Refusal) as refused:
            node.build()
    assert refused.value.code is Code.STORE_UNAVAILABLE
    assert node.lookup.status_of(ISSUER, record.serial).word == "good"
    assert node.follower.make() == 1
    assert node.word() == "good"


def test_a_model_whose_base_alone_was_taken_away_is_made_anew(node: Node) -> None:
    node.issue("holder")
    node.build()
    for path in (node.folder / "model").glob("base-*"):
        path.unlink()
    reader = StatusModel(node.folder / "model")
    node.model.close()
    assert reader.sizes() == (0, 0)
    reader.refresh()
    assert reader.state() is None
    reader.close()
    assert node.follower.make() == 1
    assert node.word() == "good"


def test_a_thread_that_follows_makes_what_was_taken_away_anew(node: Node) -> None:
    node.issue("holder")
    stop = threading.Event()
    thread = threading.Thread(target=node.follower.run, args=(timedelta(milliseconds=5), stop))
    thread.start()
    try:
        _wait(lambda: node.word() == "good")
        for take in (removed, moved, emptied):
            take(node)
            _wait(lambda: len(list((node.folder / "model").glob("base-*"))) == 1 and node.word() == "good")
        shutil.rmtree(node.folder)
        _wait(lambda: node.word() == "good" and (node.folder / "follower.lock").exists())
    finally:
        stop.set()
        thread.join(timeout=30)
    assert not thread.is_alive()


def test_an_issuer_whose_number_was_never_committed_has_none(node: Node) -> None:
    files = node.model._open()
    with files.environment.begin(write=True) as transaction:
        assert files.mark(transaction, "somebody") == 1
        transaction.abort()
    assert node.model.marks["another"] == 1
    assert files.mark_of("somebody") is None


def _wait(done: Callable[[], bool]) -> None:
    patience = threading.Event()
    for _ in range(4000):
        with suppress(Refusal, OSError):
            if done():
                return
        patience.wait(0.01)
    raise AssertionError("it did not happen")
