"""Provisions under inspection: whatever is done to a segment that was filed is found, and nothing else is."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from config.rules import load_retention
from domain.provisions import Segment
from oversight.reconcile import reconcile
from policies.retention import Records
from provisions.erasure import erase_provisions
from provisions.filing import Filing, file_due
from provisions.segment import HEADER, SLOT, wiped
from provisions.writer import SegmentWriter
from tests.support.house import House
from tests.support.memory import MemoryStore
from tests.support.provisions import SEAL_KEYS, make_filing, make_provision, write_segment


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def house(memory: MemoryStore, tmp_path: Path) -> House:
    return House(memory.begin, memory, tmp_path, lambda *_: True)


@pytest.fixture
def filing(house: House) -> Filing:
    """One segment with five records, filed."""
    filing = make_filing(house.directory / "provisions", house.begin, house.clock)
    write_segment(filing.folder, house.clock, *(make_provision(str(number)) for number in range(5)))
    file_due(filing)
    return filing


def faults(house: House) -> list[str]:
    return [found.text for found in reconcile(house.inspection()) if found.area in ("provisions", "audit")]


def segment_of(memory: MemoryStore) -> Segment:
    (segment,) = memory.tables.segments.values()
    return segment


def test_what_was_filed_and_what_is_open_is_no_fault(house: House, filing: Filing) -> None:
    writer = SegmentWriter(filing.folder, SEAL_KEYS, house.clock, os.urandom, slots=64)
    writer(make_provision())
    (filing.folder / "20270401T000000Z-aa.provisions").write_bytes(bytes(HEADER + SLOT))
    assert faults(house) == []
    writer.close()
    assert faults(house) == []


def change(place: int) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        octets = bytearray(path.read_bytes())
        octets[place] ^= 1
        path.write_bytes(octets)

    return act


@pytest.mark.parametrize(
    ("act", "why"),
    [
        pytest.param(change(HEADER + 4 * SLOT + 7), "was changed or cut after it was filed", id="a forged record"),
        pytest.param(change(20), "was changed or cut after it was filed", id="another header"),
        pytest.param(lambda path: os.truncate(path, HEADER + 4 * SLOT), "was changed or cut", id="the end cut off"),
        pytest.param(lambda path: os.truncate(path, 0), "was changed or cut after it was filed", id="emptied"),
        pytest.param(lambda path: path.unlink(), "is missing", id="taken away"),
        pytest.param(
            lambda path: path.rename(path.with_name("00.provisions")),
            "is missing",
            id="named otherwise",
        ),
    ],
)
def test_what_is_done_to_the_file_is_found(
    act: Callable[[Path], None], why: str, house: House, memory: MemoryStore, filing: Filing
) -> None:
    segment = segment_of(memory)
    act(filing.path(segment))
    found = faults(house)
    assert f"the segment {segment.name} {why}" in found[0]


def test_a_file_that_nobody_filed_is_found(house: House, memory: MemoryStore, filing: Filing) -> None:
    path = filing.path(segment_of(memory))
    path.with_name("20270401T000000Z-00.provisions").write_bytes(path.read_bytes())
    (found,) = faults(house)
    assert "and the database does not know it" in found


def test_what_is_done_before_filing_is_found_where_it_can_be(house: House, filing: Filing) -> None:
    write_segment(filing.folder, house.clock, *(make_provision(str(number)) for number in range(5)))
    (path,) = filing.folder.glob("*.provisions")
    whole = path.read_bytes()
    path.write_bytes(bytes(HEADER) + whole[HEADER:])
    assert "has records and nothing to open them with" in faults(house)[0]
    path.write_bytes(wiped(whole))
    assert "was closed before it was filed" in faults(house)[0]
    path.write_bytes(whole[: HEADER + 4 * SLOT] + whole[HEADER + 5 * SLOT :] + bytes(SLOT))
    file_due(filing)
    (found,) = faults(house)
    assert "had 2 records that did not open" in found


def test_a_row_that_somebody_changed_or_took_away_is_found(house: House, memory: MemoryStore, filing: Filing) -> None:
    id_, segment = next(iter(memory.tables.segments.items()))
    del memory.tables.segments[id_]
    first, second = faults(house)
    assert "and the database does not know it" in first
    assert "the audit trail tells of the segment" in second
    memory.tables.segments[id_] = Segment(
        id_, "node", segment.begun_at, segment.last_at, 4, 0, filed=4, digest=segment.digest
    )
    (found,) = faults(house)
    assert "differs from what the audit trail tells of it" in found


def test_segments_of_other_nodes_are_counted(house: House, filing: Filing) -> None:
    inspection = house.inspection(node="another", provisions=house.directory / "elsewhere")
    assert [found.text for found in reconcile(inspection) if found.area == "provisions"] == [
        "segments that lie on other nodes, to be checked there: 1"
    ]


def test_an_erasure_in_time_is_no_fault_and_one_half_done_is(house: House, memory: MemoryStore, filing: Filing) -> None:
    path = filing.path(segment_of(memory))
    octets = path.read_bytes()
    house.clock.forward(timedelta(days=4 * 366))
    erase_provisions(filing, load_retention()[Records.PROVISIONS], "publisher")
    assert not path.exists()
    assert [text for text in faults(house) if "segment" in text] == []
    path.write_bytes(octets)
    assert "was erased, and its file is there" in faults(house)[0]


@pytest.mark.parametrize("years", [0, 4], ids=["filed", "filed and erased"])
def test_what_others_do_meanwhile_is_no_fault(years: int, house: House, filing: Filing) -> None:
    """The database is looked at as of the beginning; files are as they are when their turn comes."""
    write_segment(filing.folder, house.clock, *(make_provision(str(number)) for number in range(5)))
    inspection, done = house.inspection(), Counter[str]()

    def act(*_: object) -> None:
        if not done:
            done["segments"] = file_due(filing)[0]
            house.clock.forward(timedelta(days=366 * years))
            done.update(erase_provisions(filing, load_retention()[Records.PROVISIONS], "publisher:test"))

    found = [found.text for found in reconcile(inspection, act) if found.area == "provisions"]
    assert (done["segments"], found) == (3 if years else 1, [])
