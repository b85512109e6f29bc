"""Filing: every record comes into the ledger once, whatever fails, and then only two officers open its segment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.events import Act
from domain.provisions import ASKED_OCTETS, Channel
from provisions import filing as module
from provisions.entries import Entry, read_entries
from provisions.filing import YOUNG, Filing, file_due
from provisions.segment import HEADER, SLOT, Content, Sealed, digest_of, read_header
from provisions.tags import Subject, open_epoch, open_line, tag_of
from provisions.writer import SegmentWriter
from tests.support.authority import NOW, TurnedClock
from tests.support.memory import MemoryStore
from tests.support.people import serial_of
from tests.support.provisions import (
    ISSUER,
    MASTER,
    SEAL_KEYS,
    content_of,
    make_filing,
    make_provision,
    segments_in,
    write_segment,
)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def filing(tmp_path: Path, store: MemoryStore, clock: TurnedClock) -> Filing:
    return make_filing(tmp_path, store.begin, clock)


def entries(store: MemoryStore, asked: str | bytes, issuer: IssuerId = ISSUER) -> Iterator[Entry]:
    """What the ledger says about a certificate, by name, or a list."""
    octets = serial_of(asked).octets if isinstance(asked, str) else asked.ljust(ASKED_OCTETS, b"\0")
    subject: Subject = (issuer, octets)
    with store.begin(write=False) as work:
        for epoch, sealed in work.provisions.epochs().items():
            key = open_epoch(MASTER, epoch, sealed)
            for line in work.provisions.lines(epoch, [tag_of(key, subject)]):
                yield from read_entries(open_line(key, subject, line.sealed))


def filed(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.provisions"))


def test_records_come_into_the_ledger_under_whom_they_are_about(filing: Filing, store: MemoryStore) -> None:
    clock, folder = filing.clock, filing.folder
    write_segment(
        folder,
        clock,
        make_provision("one", evidence=b"evidence of it"),
        make_provision("two", purpose="tax"),
        make_provision("one", party=None, answered="revoked"),
        make_provision(b"13221", channel=Channel.CRL, answered="list"),
    )
    assert file_due(filing) == (1, 4)
    assert list(entries(store, "one")) == [
        Entry(NOW, 7, None, "log-in", Channel.OCSP, "good", b"evidence of "),
        Entry(NOW, None, None, "log-in", Channel.OCSP, "revoked", b""),
    ]
    assert list(entries(store, "two")) == [Entry(NOW, 7, None, "tax", Channel.OCSP, "good", b"")]
    assert [entry.channel for entry in entries(store, b"13221")] == [Channel.CRL]
    assert not list(entries(store, "three"))
    assert not list(entries(store, "one", IssuerId("signature-g2")))


def test_a_filed_segment_is_on_record_and_closed_for_all_but_two_officers(filing: Filing, store: MemoryStore) -> None:
    write_segment(filing.folder, filing.clock, make_provision("one"), make_provision("two"))
    file_due(filing)
    (path,) = filed(filing.folder)
    assert segments_in(filing.folder) == [path.parent]
    assert path.parent.name == "2027-04"
    (segment,) = store.tables.segments.values()
    octets = path.read_bytes()
    header = read_header(octets)
    assert header is not None
    assert header.filing is None
    assert len(content_of(path).records) == segment.records == segment.filed == 2
    assert segment.digest == digest_of(octets)
    assert len(octets) == HEADER + 5 * SLOT
    (event,) = [row.body for row in store.tables.audit.values()]
    assert f'"{Act.PROVISIONS_FILED.value}"' in event
    assert segment.name in event
    assert path.name == segment.name


def test_a_segment_with_a_living_writer_waits(filing: Filing, store: MemoryStore) -> None:
    writer = SegmentWriter(filing.folder, SEAL_KEYS, filing.clock, os.urandom, slots=64)
    writer(make_provision())
    assert file_due(filing) == (0, 0)
    writer.close()
    assert file_due(filing) == (1, 1)
    assert file_due(filing) == (0, 0)


def test_many_records_are_filed_in_steps_and_each_is_heard(filing: Filing, store: MemoryStore) -> None:
    heard: list[bytes] = []

    def hear(content: Content, rows: Sequence[Sealed]) -> None:
        heard.extend(row.asked for row in rows)

    write_segment(filing.folder, filing.clock, *(make_provision(f"{number % 7}") for number in range(25)))
    with patch.object(module, "STEP", 10):
        file_due(make_filing(filing.folder, store.begin, filing.clock, hear=hear))
    assert len(heard) == 25
    assert [len(list(entries(store, str(number)))) for number in range(8)] == [4, 4, 4, 4, 3, 3, 3, 0]


@pytest.mark.parametrize("fault", ["lost", "kept"])
@pytest.mark.parametrize("commit", [1, 2, 3, 4])
def test_a_crash_at_any_commit_puts_nothing_into_the_ledger_twice(
    commit: int, fault: str, filing: Filing, store: MemoryStore
) -> None:
    """Three steps and the closing of the segment."""
    write_segment(filing.folder, filing.clock, *(make_provision("one") for _ in range(25)))
    store.faults[commit] = fault  # type: ignore[assignment]
    with patch.object(module, "STEP", 10):
        with pytest.raises(Refusal):
            file_due(filing)
        file_due(filing)
    assert len(list(entries(store, "one"))) == 25
    assert len(filed(filing.folder)) == 1
    assert len([row for row in store.tables.audit.values() if Act.PROVISIONS_FILED.value in row.body]) == 1


@pytest.mark.parametrize("step", ["ftruncate", "pwrite", "fsync"])
def test_a_crash_after_the_last_commit_leaves_a_segment_that_is_closed_by_the_next_call(
    step: str, filing: Filing, store: MemoryStore
) -> None:
    write_segment(filing.folder, filing.clock, make_provision("one"))
    with patch.object(os, step, side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        file_due(filing)
    file_due(filing)
    assert len(list(entries(store, "one"))) == 1
    (path,) = filed(filing.folder)
    header = read_header(path.read_bytes())
    assert header is not None
    assert header.filing is None


def test_what_was_torn_by_a_kill_is_no_damage(filing: Filing, store: MemoryStore) -> None:
    write_segment(filing.folder, filing.clock, make_provision("one"), make_provision("two"))
    (path,) = segments_in(filing.folder)
    octets = bytearray(path.read_bytes())
    octets[HEADER + 4 * SLOT + 20 : HEADER + 5 * SLOT] = bytes(SLOT - 20)
    path.write_bytes(octets)
    file_due(filing)
    (segment,) = store.tables.segments.values()
    assert (segment.records, segment.damaged) == (1, 0)


def test_what_was_changed_before_it_was_filed_is_counted(filing: Filing, store: MemoryStore) -> None:
    write_segment(filing.folder, filing.clock, *(make_provision(f"{number}") for number in range(5)))
    (path,) = segments_in(filing.folder)
    octets = bytearray(path.read_bytes())
    octets[HEADER + 4 * SLOT] ^= 1
    octets[HEADER + 5 * SLOT : HEADER + 6 * SLOT] = bytes(SLOT)
    path.write_bytes(octets)
    file_due(filing)
    (segment,) = store.tables.segments.values()
    assert (segment.records, segment.damaged) == (3, 2)
    assert '"damaged":2' in next(iter(store.tables.audit.values())).body


def test_files_that_somebody_died_over_are_cleared_away_once_they_are_old(filing: Filing, clock: TurnedClock) -> None:
    path = filing.folder / "20270401T000000Z-00.provisions"
    path.write_bytes(bytes(HEADER + 10 * SLOT))
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    file_due(filing)
    assert path.exists()
    clock.forward(YOUNG + timedelta(seconds=1))
    file_due(filing)
    assert not path.exists()


def test_slots_without_a_header_stay_for_who_looks_into_it(filing: Filing, clock: TurnedClock) -> None:
    write_segment(filing.folder, clock, make_provision())
    (path,) = segments_in(filing.folder)
    path.write_bytes(bytes(HEADER) + path.read_bytes()[HEADER:])
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    clock.forward(YOUNG + timedelta(seconds=1))
    file_due(filing)
    assert path.exists()


def test_with_another_secret_nothing_is_filed_and_nothing_lost(filing: Filing, store: MemoryStore) -> None:
    write_segment(filing.folder, filing.clock, make_provision("one"))
    with pytest.raises(Refusal) as refused:
        file_due(make_filing(filing.folder, store.begin, filing.clock, master=bytes(32)))
    assert refused.value.code is Code.BAD_CONFIGURATION
    file_due(filing)
    assert len(list(entries(store, "one"))) == 1


def test_the_ledger_has_no_serial_in_clear_and_months_have_tags_of_their_own(
    filing: Filing, store: MemoryStore, clock: TurnedClock
) -> None:
    write_segment(filing.folder, clock, make_provision("one"))
    clock.forward(timedelta(days=31))
    write_segment(filing.folder, clock, make_provision("one", when=clock.now))
    file_due(filing)
    one, other = store.tables.lines.values()
    assert {one.epoch, other.epoch} == {"2027-04", "2027-05"}
    assert one.tag != other.tag
    serial = serial_of("one")
    for table in (store.tables.lines, store.tables.audit, store.tables.segments, store.tables.epochs):
        text = str(table)
        assert serial.octets.hex() not in text
        assert str(serial.octets)[2:-1] not in text
        assert str(serial.value) not in text
