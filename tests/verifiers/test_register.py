"""The register as the doors see it: kept while nobody changes it, and never longer."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from domain.errors import Code, Refusal
from domain.parties import Credential, Party, Role, Usage
from domain.ports import Begin, UnitOfWork
from domain.provisions import Channel, Provision
from domain.standings import Standing
from policies.admission import Admitted, Requestor
from store.register_mark import RegisterMark
from tests.support.authority import NOW, TurnedClock
from tests.support.memory import MemoryStore
from tests.support.stores import Store, digest_of, sqlite_store
from tests.support.verifiers import add_verifier, make_approval, make_gate
from verifiers.admit import named_provider, status_admission
from verifiers.register import Register

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
FINGERPRINT = digest_of("bank")
SIGNED = Requestor(signed_fingerprint=FINGERPRINT)


def equip(begin: Begin) -> Party:
    bank = add_verifier(begin, "bank")
    with begin() as work:
        work.parties.add_credential(Credential(FINGERPRINT, Usage.TLS, bank, NOW + DAY), NOW)
        work.commit()
    return bank


class Reads:
    """How often the store was asked."""

    def __init__(self, store: MemoryStore) -> None:
        self.count = 0
        store.on_begin = self

    def __call__(self, _write: bool) -> None:
        self.count += 1


def test_look_ups_are_kept_while_the_mark_stands_and_the_second_lasts() -> None:
    store, clock, marks = MemoryStore(), TurnedClock(NOW), [1]
    equip(store.begin)
    reads = Reads(store)
    register = Register(store.begin, lambda: marks[0], clock)
    first = register.credential(FINGERPRINT)
    assert register.credential(FINGERPRINT) is first
    assert reads.count == 1
    marks[0] = 2
    assert register.credential(FINGERPRINT) is not first
    clock.forward(SECOND)
    register.credential(FINGERPRINT)
    assert reads.count == 3


def test_nothing_is_kept_while_somebody_is_changing_the_register_and_strangers_never() -> None:
    store, clock, marks = MemoryStore(), TurnedClock(NOW), [None, 1]
    equip(store.begin)
    reads = Reads(store)
    register = Register(store.begin, lambda: marks[0], clock)
    for _ in range(2):
        register.credential(FINGERPRINT)
    assert reads.count == 2
    marks[0] = 1
    for _ in range(2):
        assert register.credential(bytes(32)) is None
        assert register.provider(Party(1, Role.VERIFIER, "x"), "nobody") is None
    assert reads.count == 6


def test_what_is_admitted_is_admitted_again_without_another_look_and_no_longer_than_a_second() -> None:
    store, clock = MemoryStore(), TurnedClock(NOW)
    bank = equip(store.begin)
    reads = Reads(store)
    admit = status_admission(Register(store.begin, lambda: 1, clock), "notified-verifiers", Channel.OCSP, make_gate())
    kind = bank.approvals[0].kind
    assert [admit(SIGNED, kind, NOW) for _ in range(3)] == [Admitted(bank, None, "contract")] * 3
    assert reads.count == 1
    with pytest.raises(Refusal):
        admit(SIGNED, kind, NOW + 2 * DAY)


def test_providers_are_those_behind_the_platform() -> None:
    store = MemoryStore()
    platform = add_verifier(store.begin, "platform", standing=Standing.PLATFORM_OPERATOR)
    shop = add_verifier(store.begin, "shop", standing=Standing.SERVICE_PROVIDER, behind=platform.id)
    other = add_verifier(store.begin, "other", standing=Standing.PLATFORM_OPERATOR)
    register = Register(store.begin, lambda: 1, TurnedClock(NOW))
    records: list[Provision] = []
    named = partial(named_provider, register, make_gate(records.append), TurnedClock(NOW))
    assert named(platform, "shop") == named(platform, "shop") == shop
    assert named(platform, None) is None
    strangers = ((other, "shop"), (platform, "nobody"), (platform, "other"))
    for party, name in strangers:
        with pytest.raises(Refusal) as refused:
            named(party, name)
        assert (refused.value.code, refused.value.facts["rule"]) == (Code.NOT_ADMITTED, "provider-unknown")
        assert refused.value.facts["source"]
    assert [row.party for row in records] == [party for party, _ in strangers]


# --- the mark, between processes -------------------------------------------------------------------------------------


def test_a_change_moves_the_mark_before_it_is_done(tmp_path: Path) -> None:
    mark, other = RegisterMark(tmp_path / "mark"), RegisterMark(tmp_path / "mark")
    before = mark.read()
    assert before is not None
    with other.changing():
        assert mark.read() is None
        with mark.changing():
            assert other.read() is None
        assert mark.read() is None or mark.read() != before
    assert mark.read() == other.read() == before + 2


def test_a_change_that_fails_moves_it_too(tmp_path: Path) -> None:
    mark = RegisterMark(tmp_path / "mark")
    before = mark.read()
    with pytest.raises(ValueError, match="no"), mark.changing():
        raise ValueError("no")
    assert mark.read() not in (None, before)


def test_after_a_process_that_died_in_a_change_nothing_is_kept_until_the_next_change(tmp_path: Path) -> None:
    mark = RegisterMark(tmp_path / "mark")
    before = mark.read()
    child = os.fork()
    if child == 0:
        with mark.changing():
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert mark.read() is None
    with mark.changing():
        pass
    assert mark.read() not in (None, before)


def test_a_mark_that_cannot_be_opened_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refusal) as refused:
        RegisterMark(tmp_path / "file" / "mark").read()
    assert refused.value.code is Code.STORE_UNAVAILABLE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with sqlite_store(tmp_path) as opened:
        yield opened


def test_a_commit_moves_the_mark_when_parties_changed_and_only_then(tmp_path: Path, store: Store) -> None:
    mark = RegisterMark(tmp_path / "mark")
    store.begin.register_changing = mark.changing  # type: ignore[attr-defined]
    bank = equip(store.begin)
    seen = mark.read()
    with store.begin() as work:
        work.lists.lease("name", "holder", NOW, NOW + DAY)
        work.commit()
    assert mark.read() == seen
    with store.begin() as work:
        work.parties.approve(bank.id, make_approval(withdrawn_at=NOW))
    assert mark.read() == seen
    changes: tuple[Callable[[UnitOfWork], None], ...] = (
        lambda work: work.parties.approve(bank.id, make_approval(withdrawn_at=NOW)),
        lambda work: work.parties.withdraw(FINGERPRINT, NOW),
        lambda work: work.parties.suspend(bank.id, NOW),
        lambda work: work.parties.classify(bank.id, Standing.COURT, None),
    )
    for change in changes:
        seen = mark.read()
        with store.begin() as work:
            change(work)
            work.commit()
        assert mark.read() not in (None, seen)
