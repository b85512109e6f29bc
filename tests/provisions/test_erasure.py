"""Erasure: what was kept long enough is gone from disk, and copies of the ledger open no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from config.rules import load_retention
from domain.errors import Refusal
from domain.events import Act
from policies.retention import Records
from provisions import erasure as module
from provisions.erasure import count_due, erase_provisions
from provisions.filing import Filing, file_due
from provisions.segment import HEADER
from provisions.tags import open_epoch, open_line
from tests.support.authority import TurnedClock
from tests.support.memory import MemoryStore
from tests.support.people import serial_of
from tests.support.provisions import ISSUER, MASTER, make_filing, make_provision, write_segment

RULE = load_retention()[Records.PROVISIONS]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def filing(tmp_path: Path, store: MemoryStore, clock: TurnedClock) -> Filing:
    """Two segments, of April and of May 2027."""
    filing = make_filing(tmp_path, store.begin, clock)
    write_segment(tmp_path, clock, make_provision("one"))
    clock.forward(timedelta(days=31))
    write_segment(tmp_path, clock, make_provision("one", when=clock.now))
    file_due(filing)
    return filing


def files(filing: Filing) -> list[Path]:
    return sorted(filing.folder.glob("*/*.provisions"))


def erase(filing: Filing) -> dict[str, int]:
    return dict(erase_provisions(filing, RULE, "publisher"))


def test_nothing_is_erased_before_its_time(filing: Filing, clock: TurnedClock, store: MemoryStore) -> None:
    clock.now = datetime(2030, 3, 31, 15, tzinfo=UTC)
    assert (count_due(filing, RULE), erase(filing)) == (0, {})
    assert len(files(filing)) == len(store.tables.lines) == 2


def test_three_years_after_the_hand_over_the_file_is_gone_and_then_the_month(
    filing: Filing, clock: TurnedClock, store: MemoryStore
) -> None:
    clock.now = datetime(2030, 4, 2, 15, tzinfo=UTC)
    assert count_due(filing, RULE) == 1
    assert erase(filing) == {"segments": 1}
    assert [path.parent.name for path in files(filing)] == ["2027-05"]
    assert len(store.tables.lines) == 2
    clock.now = datetime(2030, 5, 1, 15, tzinfo=UTC)
    assert erase(filing) == {"months": 1, "lines": 1}
    assert list(store.tables.epochs) == ["2027-05"]
    told = [row.body for row in store.tables.audit.values()]
    assert sum(Act.PROVISIONS_ERASED.value in body for body in told) == 1
    assert sum(Act.LEDGER_ERASED.value in body for body in told) == 1


def test_a_copy_of_a_line_opens_no_more(filing: Filing, clock: TurnedClock, store: MemoryStore) -> None:
    copy, _ = store.tables.lines.values()
    subject = (ISSUER, serial_of("one").octets)
    key = open_epoch(MASTER, copy.epoch, store.tables.epochs[copy.epoch])
    assert open_line(key, subject, copy.sealed)
    clock.now = datetime(2030, 5, 1, 15, tzinfo=UTC)
    erase(filing)
    for epoch, sealed in store.tables.epochs.items():
        with pytest.raises(ValueError, match="not sealed for this subject"):
            open_line(open_epoch(MASTER, epoch, sealed), subject, copy.sealed)


def test_what_opens_a_segment_is_gone_before_the_file_is(filing: Filing, clock: TurnedClock) -> None:
    clock.now = datetime(2030, 4, 2, 15, tzinfo=UTC)
    path = files(filing)[0]
    with patch.object(Path, "unlink", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        erase(filing)
    assert path.read_bytes()[:HEADER] == bytes(HEADER)


@pytest.mark.parametrize("fault", ["lost", "kept"])
def test_after_a_crash_the_next_call_goes_on(
    fault: str, filing: Filing, clock: TurnedClock, store: MemoryStore
) -> None:
    clock.now = datetime(2031, 1, 1, tzinfo=UTC)
    store.faults[store.commits + 1] = fault  # type: ignore[assignment]
    with pytest.raises(Refusal):
        erase(filing)
    erase(filing)
    assert files(filing) == []
    assert store.tables.lines == {}
    assert all(segment.erased_at == clock.now for segment in store.tables.segments.values())
    told = [row.body for row in store.tables.audit.values()]
    assert sum(Act.PROVISIONS_ERASED.value in body for body in told) == 2
    assert erase(filing) == {}


def test_a_little_at_a_time(filing: Filing, clock: TurnedClock) -> None:
    clock.now = datetime(2031, 1, 1, tzinfo=UTC)
    with patch.object(module, "BATCH", 1):
        assert erase_provisions(filing, RULE, "publisher", 1)["segments"] == 1
    assert len(files(filing)) == 1
