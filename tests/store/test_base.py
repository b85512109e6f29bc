"""The base of a status model: what was put in last is found, nothing else is, and its file is what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.serial import OCTETS, SerialNumber
from store.base import ENTRY, GONE, NOT_REVOKED, RECORD, StatusBase, records, write_base

NOW = 1_800_000_000
GOOD = ENTRY.pack(1, NOW, 0, NOT_REVOKED)

serials = st.binary(min_size=OCTETS, max_size=OCTETS).map(lambda octets: SerialNumber.drawn_from(octets).octets)
entries = st.one_of(
    st.just(GONE),
    st.builds(ENTRY.pack, st.integers(1, 255), st.integers(NOW - 2, NOW + 2), st.integers(0, NOW), st.integers(0, 10)),
)


@given(st.lists(st.lists(st.tuples(serials, entries))), st.data())
@settings(max_examples=40)
def test_the_last_entry_of_each_serial_counts(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[list[tuple[bytes, bytes]]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("base") / "base"
    pairs = [pair for block in blocks for pair in block]
    if pairs:
        blocks.append([(data.draw(st.sampled_from(pairs))[0], data.draw(entries))])
        pairs += blocks[-1]
    last = dict(pairs)
    kept = {serial: entry for serial, entry in last.items() if entry != GONE and ENTRY.unpack(entry)[1] >= NOW}
    made = (records(b"".join(serial + entry for serial, entry in block)) for block in blocks)
    assert write_base(path, made, NOW) == len(kept)
    base = StatusBase(path)
    assert base.count == len(kept)
    assert {serial: base.find(serial) for serial in last} == {serial: kept.get(serial) for serial in last}
    again = b"".join(block.tobytes() for block in base.blocks())
    assert again == b"".join(serial + kept[serial] for serial in sorted(kept))


def test_many_are_found_and_their_neighbours_are_not(tmp_path: Path) -> None:
    chance = np.random.default_rng(7)
    made = np.zeros(100_000, RECORD)
    made["high"] = chance.integers(1 << 62, 1 << 63, len(made), np.uint64)
    made["low"] = chance.integers(0, 1 << 63, len(made), np.uint64)
    made["mark"], made["not_after"], made["reason"] = 1, NOW, NOT_REVOKED
    path = tmp_path / "base"
    assert write_base(path, np.array_split(made, 7), NOW) == len(made)
    base = StatusBase(path)
    for record in made[::101]:
        serial = record.tobytes()[:OCTETS]
        assert base.find(serial) == GOOD
        assert base.find(serial[:-1] + bytes((serial[-1] ^ 1,))) is None
    assert path.stat().st_size < 31 * len(made)
    assert path.stat().st_mode & 0o777 == 0o600


def test_octets_that_only_look_like_a_serial_are_passed_over(tmp_path: Path) -> None:
    first = bytes((0x40, 0, 0, 1)) + bytes(12)
    inside = first[8:] + ENTRY.pack(1, 0x40000001, 0, 0)[:8]
    serial = bytes((0x40, 0, 0, 0)) + inside[4:]
    base_path = tmp_path / "base"
    write_base(base_path, [records(first + GOOD + serial + GOOD)], NOW)
    assert StatusBase(base_path).find(inside) is None
    assert StatusBase(base_path).find(serial) == GOOD


def test_another_file_is_no_base(tmp_path: Path) -> None:
    path = tmp_path / "base"
    path.write_bytes(bytes(99))
    with pytest.raises(ValueError, match="no base"):
        StatusBase(path)
