"""Segments that are filed, the ledger, the keys of its months, and challenges, on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import Code, Refusal
from domain.provisions import LedgerLine, Segment
from tests.support.stores import NOW, Store

HOUR = timedelta(hours=1)


def make_segment(number: int, **changes: object) -> Segment:
    begun = NOW + number * HOUR
    segment = Segment(bytes((number,)) * 16, "node", begun, begun + HOUR, 10, 0, filed=10, digest=bytes(32))
    return replace(segment, **changes)  # type: ignore[arg-type]


def put(store: Store, *segments: Segment) -> None:
    with store.begin() as work:
        for segment in segments:
            work.provisions.put_segment(segment)
        work.commit()


def test_segments_are_found_and_told_in_the_order_in_which_they_were_begun(any_store: Store) -> None:
    later, sooner = make_segment(2, digest=None, filed=4), make_segment(1, damaged=3, erased_at=NOW)
    put(any_store, later, sooner)
    with any_store.begin(write=False) as work:
        assert list(work.provisions.segments()) == [sooner, later]
        assert work.provisions.segment(later.id) == later
        assert work.provisions.segment(bytes(16)) is None


def test_a_segment_is_replaced_by_what_is_known_later(any_store: Store) -> None:
    begun = make_segment(1, filed=0, digest=None)
    filed = replace(begun, filed=10, digest=bytes(32))
    put(any_store, begun)
    put(any_store, filed)
    with any_store.begin(write=False) as work:
        assert list(work.provisions.segments()) == [filed]


def test_ended_are_those_of_the_node_that_are_filed_and_old_and_still_there(any_store: Store) -> None:
    old = [make_segment(number) for number in (3, 1, 2)]
    put(
        any_store,
        *old,
        make_segment(4, digest=None),
        make_segment(5, erased_at=NOW),
        make_segment(6, node="another"),
        make_segment(7, last_at=NOW + 9 * HOUR),
    )
    with any_store.begin(write=False) as work:
        assert list(work.provisions.ended("node", NOW + 9 * HOUR, 9)) == sorted(old, key=lambda row: row.begun_at)
        assert len(work.provisions.ended("node", NOW + 9 * HOUR, 2)) == 2
        assert not work.provisions.ended("node", NOW + 2 * HOUR, 9)


def test_lines_are_found_by_month_and_tag_in_the_order_in_which_they_came(any_store: Store) -> None:
    tag, other = b"t" * 16, b"o" * 16
    lines = [LedgerLine("2027-04", tag, b"1"), LedgerLine("2027-04", other, b"2"), LedgerLine("2027-04", tag, b"3")]
    with any_store.begin() as work:
        work.provisions.add_lines([])
        work.provisions.add_lines([*lines, LedgerLine("2027-05", tag, b"4")])
        work.commit()
    with any_store.begin(write=False) as work:
        assert [line.sealed for line in work.provisions.lines("2027-04", [tag])] == [b"1", b"3"]
        assert [line.sealed for line in work.provisions.lines("2027-04", [other, tag])] == [b"2", b"1", b"3"]
        assert not work.provisions.lines("2027-06", [tag])


def test_without_the_key_of_their_month_lines_are_erased(any_store: Store) -> None:
    with any_store.begin() as work:
        for epoch in ("2027-05", "2027-04"):
            work.provisions.put_epoch(epoch, epoch.encode())
            work.provisions.add_lines([LedgerLine(epoch, bytes(16), b"line")] * 3)
        assert work.provisions.erase_lines(9) == 0
        work.commit()
    with any_store.begin() as work:
        assert dict(work.provisions.epochs()) == {"2027-04": b"2027-04", "2027-05": b"2027-05"}
        work.provisions.erase_epoch("2027-04")
        assert [work.provisions.erase_lines(2) for _ in range(3)] == [2, 1, 0]
        work.commit()
    with any_store.begin(write=False) as work:
        assert list(work.provisions.epochs()) == ["2027-05"]
        assert len(work.provisions.lines("2027-05", [bytes(16)])) == 3
        assert not work.provisions.lines("2027-04", [bytes(16)])


def test_a_challenge_is_answered_once(any_store: Store) -> None:
    with any_store.begin() as work:
        work.provisions.spend(bytes(32), NOW)
        work.commit()
    with any_store.begin() as work, pytest.raises(Refusal) as refused:
        work.provisions.spend(bytes(32), NOW + HOUR)
    assert refused.value.code is Code.ALREADY_APPLIED
