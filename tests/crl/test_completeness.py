"""Completeness: whatever way a list is wrong, it is not published, and the one before stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crl.entries import encode_rows
from crl.files import read_current
from crl.publish import publish_due
from crl.publisher import Publisher
from crl.read import read_list
from crl.rows import Rows
from domain.errors import Code
from domain.lists import Scope
from domain.revocation import CrlReason, Revocation, RevocationBlock
from domain.serial import SerialNumber
from store.revocations import _COLUMNS as _LISTED
from store.tables import revocations
from tests.support.authority import TurnedClock
from tests.support.blocks import block_of
from tests.support.lists import DAY, SCOPE, entries_of, make_publisher, make_revocation, record_revocation, rows_of
from tests.support.memory import MemoryStore
from tests.support.memory_revocations import Revocations
from tests.support.stores import sqlite_store

STANDING = sorted((make_revocation(f"holder {n}") for n in range(4)), key=lambda row: row.serial)
FOREIGN = make_revocation("never recorded")
LAST = replace(FOREIGN, serial=SerialNumber.of(b"\x7f" + b"\xff" * 15))
HELD = replace(STANDING[1], reason=CrlReason.CERTIFICATE_HOLD)
LATER = replace(STANDING[1], revoked_at=STANDING[1].revoked_at + timedelta(seconds=1))

Wrong = Callable[[Rows], bytes]


def kept(*places: int) -> Wrong:
    return lambda rows: encode_rows(rows[np.array(places)])


def instead(*others: object) -> Wrong:
    return lambda _: encode_rows(rows_of([*STANDING[:1], *others, *STANDING[2:]]))  # type: ignore[list-item]


WRONG = [
    pytest.param(kept(1, 2, 3), id="the first is missing"),
    pytest.param(kept(0, 1, 2), id="the last is missing"),
    pytest.param(kept(0, 3), id="two in the middle are missing"),
    pytest.param(lambda _: b"", id="all are missing"),
    pytest.param(kept(0, 1, 1, 2, 3), id="one stands twice"),
    pytest.param(kept(0, 2, 1, 3), id="two stand in each other's place"),
    pytest.param(instead(STANDING[1], FOREIGN), id="one that nobody revoked is on it"),
    pytest.param(instead(FOREIGN), id="another stands in its place"),
    pytest.param(instead(HELD), id="a revocation is softened into a hold"),
    pytest.param(instead(LATER), id="a time is another"),
    pytest.param(lambda rows: encode_rows(rows)[:-1], id="the last octet is cut off"),
    pytest.param(lambda rows: encode_rows(rows).replace(b"\x02\x10", b"\x02\x0f", 1), id="a length is wrong"),
]


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def publisher(store: MemoryStore, clock: TurnedClock, tmp_path: Path) -> Publisher:
    for revocation in STANDING:
        record_revocation(store.begin, revocation)
    return make_publisher(store.begin, tmp_path / "crl", clock)


def listed(publisher: Publisher) -> set[bytes] | None:
    octets = read_current(publisher.directory, SCOPE)
    return None if octets is None else set(entries_of(read_list(octets)))


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("first", [True, False], ids=["as the first list", "as the next list"])
def test_a_wrong_list_is_not_published(
    first: bool, wrong: Wrong, publisher: Publisher, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = None
    if not first:
        assert len(publish_due(publisher).published) == 1
        before = read_current(publisher.directory, SCOPE)
        clock.forward(DAY)
    with monkeypatch.context() as planted:
        planted.setattr("crl.content.encode_rows", wrong)
        report = publish_due(publisher)
    (refused,) = (refusal.code for _, refusal in report.refused)
    # What is cut off at the end has been seen to vanish before anything else was looked at.
    assert refused is Code.LINT or (refused is Code.WOULD_SHRINK and not first)
    assert read_current(publisher.directory, SCOPE) == before
    assert len(publish_due(publisher).published) == 1
    assert listed(publisher) == {row.serial.octets for row in STANDING}


def of_the_query(change: Callable[[list[Revocation]], list[Revocation]]) -> Callable[..., Iterator[RevocationBlock]]:
    """A reader whose query gives this instead of the scope's rows."""

    def blocks_of(rows: Revocations, scope: Scope, since: datetime | None) -> Iterator[RevocationBlock]:
        found = change(list(rows.for_scope(scope, since)))
        return iter([block_of(found)] if found else [])

    return blocks_of


def filtered_wrongly(rows: Revocations, scope: Scope, _since: datetime | None) -> Iterator[RevocationBlock]:
    found = [row for row in rows.for_scope(scope, None) if row.not_after > STANDING[0].not_after]
    return iter([block_of(found)] if found else [])


READERS = [
    pytest.param(of_the_query(lambda _: []), id="none come"),
    pytest.param(of_the_query(lambda rows: rows[:-1]), id="the last does not come"),
    pytest.param(of_the_query(lambda rows: [row for row in rows if row != STANDING[1]]), id="one does not come"),
    pytest.param(of_the_query(lambda rows: [*rows[:2], *rows[1:]]), id="one comes twice"),
    pytest.param(of_the_query(lambda rows: [rows[0], HELD, *rows[2:]]), id="one comes as a hold"),
    pytest.param(of_the_query(lambda rows: [rows[0], LATER, *rows[2:]]), id="one comes with another time"),
    pytest.param(of_the_query(lambda rows: [*rows, LAST]), id="one comes that is not there"),
    pytest.param(of_the_query(lambda rows: [*rows[:3], LAST]), id="another comes in its place"),
    pytest.param(filtered_wrongly, id="the filter compares wrongly"),
]


@pytest.mark.parametrize("deltas", [False, True], ids=["complete", "with delta lists"])
@pytest.mark.parametrize("reader", READERS)
def test_a_list_of_what_a_faulty_query_gives_is_not_published(
    reader: Any, deltas: bool, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = replace(publisher, policy=replace(publisher.policy, deltas=deltas))
    with monkeypatch.context() as planted:
        planted.setattr("tests.support.memory_revocations.Revocations.blocks_of", reader)
        report = publish_due(publisher)
    assert [refusal.code for _, refusal in report.refused] == [Code.LINT]
    assert read_current(publisher.directory, SCOPE) is None
    assert len(publish_due(publisher).published) == 1
    assert listed(publisher) == {row.serial.octets for row in STANDING}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(_LISTED.where(revocations.c.reason != CrlReason.SUPERSEDED), id="a reason is left out"),
        pytest.param(_LISTED.where(revocations.c.not_after > STANDING[0].not_after), id="the end is compared wrongly"),
        pytest.param(_LISTED.limit(2), id="some are left out"),
        pytest.param(
            _LISTED.with_only_columns(revocations.c.serial, revocations.c.not_after, revocations.c.reason),
            id="another column is read",
        ),
    ],
)
def test_a_faulty_query_of_a_real_database_publishes_nothing(
    wrong: Any, clock: TurnedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite_store(tmp_path) as store:
        publisher = make_publisher(store.begin, tmp_path / "crl", clock)
        for revocation in (*STANDING, make_revocation("superseded", CrlReason.SUPERSEDED)):
            record_revocation(store.begin, revocation)
        with monkeypatch.context() as planted:
            planted.setattr("store.revocations._COLUMNS", wrong)
            report = publish_due(publisher)
        assert [refusal.code for _, refusal in report.refused] == [Code.LINT]
        assert read_current(publisher.directory, SCOPE) is None
        assert len(publish_due(publisher).published) == 1


def test_what_an_old_view_shows_is_not_published(publisher: Publisher, store: MemoryStore, clock: TurnedClock) -> None:
    old = store.begin(write=False)
    with old:
        record_revocation(store.begin, FOREIGN)
        clock.forward(DAY)

        def begin(*, write: bool = True, lasting: bool = True) -> Any:
            return store.begin(write=write, lasting=lasting) if write else nullcontext(old)

        report = publish_due(replace(publisher, begin=begin))
    assert [refusal.code for _, refusal in report.refused] == [Code.LINT]
    assert "older than a minute" in report.refused[0][1].detail
    assert read_current(publisher.directory, SCOPE) is None
    publish_due(publisher)
    assert listed(publisher) == {row.serial.octets for row in (*STANDING, FOREIGN)}


@pytest.mark.parametrize("lost", range(len(STANDING)))
def test_what_was_listed_does_not_vanish_unexplained(
    lost: int, publisher: Publisher, store: MemoryStore, clock: TurnedClock
) -> None:
    publish_due(publisher)
    before = read_current(publisher.directory, SCOPE)
    gone = {key: row for key, row in store.tables.revocations.items() if row.serial == STANDING[lost].serial}
    for key in gone:
        del store.tables.revocations[key]
    clock.forward(DAY)
    report = publish_due(publisher)
    assert [refusal.code for _, refusal in report.refused] == [Code.WOULD_SHRINK]
    assert read_current(publisher.directory, SCOPE) == before
    store.tables.revocations.update(gone)
    assert len(publish_due(publisher).published) == 1
