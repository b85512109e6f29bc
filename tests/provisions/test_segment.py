"""Segments: whatever happens to the octets of one is seen when it is read."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Code, Refusal
from provisions.segment import HEADER, SLOT, Content, digest_of, open_key, read_content, read_header, wiped
from provisions.tags import filing_key
from provisions.writer import SegmentWriter
from tests.support.authority import NOW
from tests.support.provisions import MASTER, SEAL_KEYS, UNLOCKING, make_provision

NAMES = 3
RECORDS = 20
USED = NAMES + RECORDS


@pytest.fixture(scope="module")
def octets(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("segments")
    writer = SegmentWriter(folder, SEAL_KEYS, lambda: NOW, os.urandom, slots=32)
    for number in range(RECORDS):
        writer(make_provision(f"certificate {number}"))
    writer.close()
    (path,) = folder.iterdir()
    return path.read_bytes()


def read(octets: bytes) -> Content:
    header = read_header(octets)
    assert header is not None
    return read_content(octets, open_key(header.unlocking, UNLOCKING, header.id))


def at(slot: int) -> slice:
    return slice(HEADER + slot * SLOT, HEADER + (slot + 1) * SLOT)


def changed(octets: bytes, place: slice, by: bytes) -> bytes:
    copy = bytearray(octets)
    copy[place] = by
    return bytes(copy)


def test_a_whole_segment_has_all_records_and_no_damage(octets: bytes) -> None:
    content = read(octets)
    assert (len(content.records), content.used, content.damaged, content.torn) == (RECORDS, USED, (), False)


def test_both_keys_open_a_segment_and_no_other_does(octets: bytes) -> None:
    header = read_header(octets)
    assert header is not None
    assert header.filing is not None
    filing = filing_key(MASTER)
    assert open_key(header.filing, filing, header.id) == open_key(header.unlocking, UNLOCKING, header.id)
    for sealed, private, id_ in (
        (header.unlocking, filing, header.id),
        (header.unlocking, bytes(32), header.id),
        (header.unlocking, UNLOCKING, bytes(16)),
        (header.unlocking[:-1] + b"?", UNLOCKING, header.id),
    ):
        with pytest.raises(Refusal) as refused:
            open_key(sealed, private, id_)
        assert refused.value.code is Code.BAD_CONFIGURATION


def test_once_wiped_only_the_key_for_unlocking_opens_it_and_its_digest_is_the_same(octets: bytes) -> None:
    after = wiped(octets)
    header = read_header(after)
    assert header is not None
    assert header.filing is None
    assert len(read(after).records) == RECORDS
    assert digest_of(after) == digest_of(octets)
    assert len(after) == len(octets)


@given(slot=st.integers(0, USED - 2), place=st.integers(0, SLOT - 1), by=st.integers(1, 255))
def test_a_changed_slot_is_damaged(octets: bytes, slot: int, place: int, by: int) -> None:
    whole = octets[at(slot)]
    content = read(changed(octets, at(slot), changed(whole, slice(place, place + 1), bytes((whole[place] ^ by,)))))
    assert content.damaged == (slot,)
    assert not content.torn


@given(one=st.integers(0, USED - 1), other=st.integers(0, USED - 1))
def test_slots_that_change_places_are_damaged(octets: bytes, one: int, other: int) -> None:
    if one == other:
        return
    content = read(changed(changed(octets, at(one), octets[at(other)]), at(other), octets[at(one)]))
    assert content.torn == (max(one, other) == USED - 1)
    assert {*content.damaged, *([USED - 1] if content.torn else [])} == {one, other}


@given(slot=st.integers(0, USED - 2))
def test_an_emptied_slot_is_damaged(octets: bytes, slot: int) -> None:
    assert read(changed(octets, at(slot), bytes(SLOT))).damaged == (slot,)


@given(written=st.integers(1, SLOT - 1))
def test_a_last_slot_that_is_not_whole_is_torn_and_no_damage(octets: bytes, written: int) -> None:
    last = octets[at(USED - 1)][:written].ljust(SLOT, b"\0")
    content = read(changed(octets, at(USED - 1), last))
    assert (len(content.records), content.damaged) == (RECORDS - 1, ())
    assert content.torn == any(last)


@given(length=st.integers(0, HEADER - 1))
def test_a_file_without_a_whole_header_is_no_segment(octets: bytes, length: int) -> None:
    assert read_header(octets[:length]) is None
    assert read_header(bytes(HEADER)) is None


def test_the_digest_knows_every_octet(octets: bytes) -> None:
    assert digest_of(octets[:-1]) != digest_of(octets)
    assert digest_of(changed(octets, at(5), bytes(SLOT))) != digest_of(octets)
    assert digest_of(changed(octets, slice(20, 21), b"?")) != digest_of(octets)
