"""Admission as it is in force: changed by two officers, and from then on in every process, without a new start."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from config import admission
from config.admission import AdmissionInForce
from config.law import KIND, content_of, law_acts, replay_change, shipped_texts
from config.traffic import Doors
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.ports import UnitOfWork
from domain.proposals import Proposal, Voice
from policies.admission import Inquiry
from store.faults import DatabaseBug
from store.register_mark import RegisterMark
from tests.support.authority import NOW
from tests.support.memory import MemoryStore
from tests.support.officers import AOI, KEN, Officer, make_board, proposed, register
from tests.support.stores import Store, sqlite_store
from tests.support.verifiers import make_verifier
from verifiers.proposals import Board, confirm

OPEN = 'access = ["open"]'
ANYBODY = Inquiry("open", None, Kind.SIGNATURE, NOW)
BANK = Inquiry("notified-verifiers", make_verifier("bank", id_=1), Kind.SIGNATURE, NOW)


class Node:
    """A store, its mark, and officers: aoi and ken."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.begin, self.mark = store.begin, RegisterMark(folder / "mark")
        store.begin.register_changing = self.mark.changing  # type: ignore[attr-defined]
        register(store.begin, AOI, KEN)
        self.board: Board = make_board(store.begin, *law_acts())

    def worker(self) -> AdmissionInForce:
        return AdmissionInForce(self.begin, self.mark.read)

    def proposal(self, before: str, after: str) -> Proposal:
        """That by which officer aoi would have other rows."""
        text = shipped_texts()["admission"].replace(before, after)
        texts, done = replay_change(self.begin, "admission", text, NOW, Doors({}, {}))
        return proposed(self.board, AOI, KIND, content_of(texts, "admission", text, done))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with sqlite_store(tmp_path) as store:
        yield Node(store, tmp_path)


def confirmed(node: Node, proposal: Proposal, officer: Officer = KEN) -> Proposal:
    return confirm(node.board, proposal.id, proposal.digest, officer.says("confirm", proposal))


def test_a_change_counts_from_the_next_request_on_in_every_process_of_the_node(node: Node) -> None:
    workers = [node.worker() for _ in range(3)]
    before = [worker() for worker in workers]
    assert all(worker() is rules for worker, rules in zip(workers, before, strict=True))
    proposal = node.proposal(OPEN, OPEN + '\nchannel = ["crl"]')
    assert [worker().status.decide(ANYBODY).id for worker in workers] == ["open-to-all"] * 3
    confirmed(node, proposal)
    assert [worker().status.decide(ANYBODY).id for worker in workers] == ["caller-unknown"] * 3
    assert {worker().status.decide(BANK).id for worker in workers} == {"notified-verifier"}


def test_another_node_hears_of_it_by_itself(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "EVERY", 0.01)
    other = AdmissionInForce(node.begin, lambda: 1)
    assert other().status.decide(ANYBODY).id == "open-to-all"
    other.keep()
    confirmed(node, node.proposal(OPEN, OPEN + '\nchannel = ["crl"]'))
    rest = Event()
    assert any(other().status.decide(ANYBODY).id == "caller-unknown" or rest.wait(0.02) for _ in range(1500))


def test_whatever_goes_wrong_the_next_look_is_made(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the thread that looks, what other nodes' officers confirmed would never count here."""
    monkeypatch.setattr(admission, "EVERY", 0.01)
    broken = [True]

    def begin(*, write: bool = True, lasting: bool = True) -> UnitOfWork:
        if broken and broken.pop():
            raise DatabaseBug("the database refused a statement")
        return node.begin(write=write, lasting=lasting)

    other = AdmissionInForce(begin, lambda: 1)
    other.keep()
    confirmed(node, node.proposal(OPEN, OPEN + '\nchannel = ["crl"]'))
    rest = Event()
    while broken:
        rest.wait(0.01)
    assert any(other().status.decide(ANYBODY).id == "caller-unknown" or rest.wait(0.02) for _ in range(1500))


def test_a_handshake_changes_no_rule(node: Node) -> None:
    """What is read from then on must prove itself. What one person could try is in tests/verifiers/test_alone.py."""
    worker, proposal = node.worker(), node.proposal(OPEN, OPEN + '\nchannel = ["crl"]')
    with pytest.raises(Refusal) as refused:
        confirm(node.board, proposal.id, proposal.digest, Voice(KEN.fingerprint))
    assert refused.value.code is Code.NOT_ADMITTED
    assert worker().status.decide(ANYBODY).id == "open-to-all"


def test_two_officers_do_not_let_strangers_in(node: Node) -> None:
    with pytest.raises(Refusal) as refused:
        node.proposal('caller = ["unknown"]', 'caller = ["unknown"]\nkind = ["signature"]')
    assert refused.value.code is Code.MALFORMED
    assert "notified-verifier would admit, and no table may: " in refused.value.detail


def test_a_table_that_was_changed_in_the_database_admits_nobody(node: Node, tmp_path: Path) -> None:
    worker, late = node.worker(), AdmissionInForce(node.begin, lambda: 1)
    confirmed(node, node.proposal(OPEN, OPEN + '\nchannel = ["crl"]'))
    assert worker().status.decide(ANYBODY).id == "caller-unknown"
    (file,) = tmp_path.glob("*.db")
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE proposals SET content = replace(content, 'crl', 'ocsp')")
        database.commit()
    with pytest.raises(Refusal) as refused:
        late()
    assert refused.value.code is Code.BAD_CONFIGURATION


def test_while_the_database_is_away_what_is_known_counts() -> None:
    store, marks = MemoryStore(), [1]
    away = False

    def begin(write: bool) -> None:
        if away:
            raise Refusal(Code.STORE_UNAVAILABLE, "away")

    store.on_begin = begin
    worker, fresh = (AdmissionInForce(store.begin, lambda: marks[0]) for _ in range(2))
    known = worker()
    away = True
    assert worker() is known
    marks[0] = 2
    assert worker() is known
    with pytest.raises(Refusal):
        fresh()
