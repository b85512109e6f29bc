"""What a list changes against the one before, whole or in pieces, and what may not disappear from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crl.diff import Comparison, ListDifference, refuse_shrinking, refuse_turning
from crl.earlier import Earlier
from crl.entries import encode_rows
from crl.rows import Rows
from domain.der import DerError
from domain.errors import Code, Refusal
from domain.revocation import CrlReason, Revocation
from domain.serial import SerialNumber
from tests.support.lists import NOW, make_revocation, rows_of

FIRST, SECOND, THIRD = sorted((make_revocation(f"holder {n}") for n in range(3)), key=lambda row: row.serial)
HELD = replace(SECOND, reason=CrlReason.CERTIFICATE_HOLD)
HOUR = timedelta(hours=1)
LONGEST = 51
"""Octets of an entry."""


def pieces(revocations: Sequence[Revocation], size: int) -> Iterator[Rows]:
    rows = rows_of(revocations)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def difference(
    before: Sequence[Revocation],
    after: Sequence[Revocation],
    *,
    old: int = 0,
    sizes: tuple[int, int] = (9, 9),
    skipping: bool = True,
) -> ListDifference:
    earlier = Earlier(encode_rows(rows_of(before)), block=sizes[0] * LONGEST)
    comparison = Comparison(earlier, old)
    for rows in pieces(after, sizes[1]):
        if not skipping or not earlier.skip(encode_rows(rows)):
            comparison.feed(rows)
    return comparison.result()


def test_what_appears_disappears_and_changes_is_told() -> None:
    found = difference([FIRST, HELD], [SECOND, THIRD])
    assert (found.added, found.changed, found.turned) == (1, 1, {})
    assert found.removed == {FIRST.serial.octets: said(FIRST)}


def said(revocation: Revocation) -> tuple[int, CrlReason]:
    return int(revocation.revoked_at.timestamp()), revocation.reason


def test_a_hold_may_become_final_and_keeps_its_time() -> None:
    found = difference([FIRST, HELD], [FIRST, SECOND])
    assert (found.changed, found.turned) == (1, {})
    refuse_turning(found)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(SECOND, HELD, id="a-revocation-that-would-become-a-hold"),
        pytest.param(SECOND, replace(SECOND, reason=CrlReason.UNSPECIFIED), id="another-reason"),
        pytest.param(SECOND, replace(SECOND, revoked_at=SECOND.revoked_at + HOUR), id="another-time"),
        pytest.param(HELD, replace(HELD, revoked_at=HELD.revoked_at + HOUR), id="a-hold-of-another-time"),
        pytest.param(HELD, replace(SECOND, revoked_at=HELD.revoked_at + HOUR), id="a-hold-that-becomes-final-later"),
    ],
)
def test_nothing_else_may_change_unexplained(before: Revocation, after: Revocation) -> None:
    found = difference([FIRST, before], [FIRST, after])
    assert found.turned == {SECOND.serial.octets: said(before)}
    with pytest.raises(Refusal) as caught:
        refuse_turning(found)
    assert (caught.value.code, caught.value.facts) == (Code.WOULD_SHRINK, {"turned": 1})
    assert str(SECOND.serial.value) not in str(caught.value)
    refuse_turning(found, {SECOND.serial.octets})


def test_another_time_is_a_change() -> None:
    assert difference([FIRST], [replace(FIRST, revoked_at=FIRST.revoked_at + HOUR)]).changed == 1


def test_without_an_earlier_list_everything_is_new() -> None:
    found = difference([], [FIRST, SECOND])
    assert (found.added, found.changed, found.removed) == (2, 0, {})


def test_what_is_new_and_old_is_counted_apart() -> None:
    old = replace(SECOND, revoked_at=NOW - 9 * HOUR)
    found = difference([FIRST], [FIRST, old, THIRD], old=int((NOW - 8 * HOUR).timestamp()))
    assert (found.added, found.added_old) == (2, 1)


SERIALS = st.integers(0, 40).map(lambda n: SerialNumber.of(bytes([0x40, n]) + bytes(14)))
REASONS = st.sampled_from([CrlReason.SUPERSEDED, CrlReason.CERTIFICATE_HOLD])
LISTS = st.dictionaries(SERIALS, REASONS)
SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@given(before=LISTS, after=LISTS, sizes=SIZES, skipping=st.booleans())
def test_however_the_lists_come_in_pieces_the_difference_is_that_of_two_mappings(
    before: dict[SerialNumber, CrlReason], after: dict[SerialNumber, CrlReason], sizes: tuple[int, int], skipping: bool
) -> None:
    found = difference(
        [make_revocation(serial, reason) for serial, reason in before.items()],
        [make_revocation(serial, reason) for serial, reason in after.items()],
        sizes=sizes,
        skipping=skipping,
    )
    assert found.added == len(after.keys() - before.keys())
    assert found.changed == sum(after[serial] != reason for serial, reason in before.items() if serial in after)
    assert {s: reason for s, (_, reason) in found.removed.items()} == {
        s.octets: reason for s, reason in before.items() if s not in after
    }
    softened = {s.octets for s, reason in before.items() if after.get(s) == CrlReason.CERTIFICATE_HOLD != reason}
    assert found.turned.keys() == softened


def test_what_is_the_same_octet_for_octet_is_passed_over_unread() -> None:
    entries = encode_rows(rows_of([FIRST, SECOND, THIRD]))
    earlier = Earlier(entries)
    assert not earlier.skip(encode_rows(rows_of([SECOND])))
    assert earlier.skip(encode_rows(rows_of([FIRST])))
    found = earlier.up_to(SECOND.serial.octets)
    assert found is not None
    assert found.serials.tolist() == [SECOND.serial.octets]
    assert earlier.skip(encode_rows(rows_of([THIRD])))
    assert earlier.up_to(None) is None
    assert not earlier.skip(entries)


def test_of_damaged_entries_those_before_the_damage_are_given_if_that_is_enough() -> None:
    damaged = encode_rows(rows_of([FIRST])) + b"\x30" * 50
    enough = Earlier(damaged, whole=False, block=LONGEST)
    assert enough.skip(encode_rows(rows_of([FIRST])))
    assert enough.up_to(None) is None
    whole = Earlier(damaged, block=LONGEST)
    assert whole.up_to(FIRST.serial.octets) is not None
    with pytest.raises(DerError):
        whole.up_to(None)


def test_an_explained_entry_may_leave() -> None:
    found = difference([FIRST, SECOND], [SECOND])
    refuse_shrinking(found, {FIRST.serial.octets})
    assert set(found.removed) == {FIRST.serial.octets}


def test_an_unexplained_entry_may_not() -> None:
    found = difference([FIRST, SECOND, THIRD], [SECOND])
    with pytest.raises(Refusal) as caught:
        refuse_shrinking(found, {FIRST.serial.octets})
    assert caught.value.code is Code.WOULD_SHRINK
    assert caught.value.facts == {"unexplained": 1, "removed": 2}
    assert "1 of 2 disappearing entries" in caught.value.detail
    assert str(THIRD.serial.value) not in str(caught.value)


def test_serials_are_not_in_its_repr() -> None:
    assert repr(FIRST.serial.octets) not in repr(difference([FIRST], [SECOND]))
