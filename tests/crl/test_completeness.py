"""Completeness: whatever way a list is wrong, it is not published, and the one before stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from crl.entries import encode_rows
from crl.files import read_current
from crl.publish import publish_due
from crl.publisher import Publisher
from crl.read import read_list
from crl.rows import Rows
from domain.errors import Code
from domain.revocation import CrlReason
from tests.support.authority import TurnedClock
from tests.support.lists import DAY, SCOPE, entries_of, make_publisher, make_revocation, record_revocation, rows_of
from tests.support.memory import MemoryStore

STANDING = sorted((make_revocation(f"holder {n}") for n in range(4)), key=lambda row: row.serial)
FOREIGN = make_revocation("never recorded")
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
