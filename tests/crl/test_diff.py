"""What a list changes against the one before, whole or in pieces, and what may not disappear from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crl.diff import Comparison, ListDifference, refuse_shrinking
from crl.rows import Rows
from domain.errors import Code, Refusal
from domain.revocation import CrlReason, Revocation
from domain.serial import SerialNumber
from tests.support.lists import NOW, make_revocation, rows_of

FIRST, SECOND, THIRD = sorted((make_revocation(f"holder {n}") for n in range(3)), key=lambda row: row.serial)
HELD = replace(SECOND, reason=CrlReason.CERTIFICATE_HOLD)
HOUR = timedelta(hours=1)


def pieces(revocations: Sequence[Revocation], size: int) -> Iterator[Rows]:
    rows = rows_of(revocations)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def difference(
    before: Sequence[Revocation], after: Sequence[Revocation], *, old: int = 0, sizes: tuple[int, int] = (9, 9)
) -> ListDifference:
    comparison = Comparison(pieces(before, sizes[0]), old)
    for rows in pieces(after, sizes[1]):
        comparison.feed(rows)
    return comparison.result()


def test_what_appears_disappears_and_changes_is_told() -> None:
    found = difference([FIRST, HELD], [SECOND, THIRD])
    assert (found.added, found.changed, found.softened) == (1, 1, 0)
    assert found.removed == {FIRST.serial.octets: FIRST.reason}


def test_a_revocation_that_became_a_hold_is_told() -> None:
    assert difference([FIRST, SECOND], [FIRST, HELD]).softened == 1
    assert difference([FIRST, HELD], [FIRST, SECOND]).softened == 0


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


@given(before=LISTS, after=LISTS, sizes=SIZES)
def test_however_the_lists_come_in_pieces_the_difference_is_that_of_two_mappings(
    before: dict[SerialNumber, CrlReason], after: dict[SerialNumber, CrlReason], sizes: tuple[int, int]
) -> None:
    found = difference(
        [make_revocation(serial, reason) for serial, reason in before.items()],
        [make_revocation(serial, reason) for serial, reason in after.items()],
        sizes=sizes,
    )
    assert found.added == len(after.keys() - before.keys())
    assert found.changed == sum(after[serial] != reason for serial, reason in before.items() if serial in after)
    assert found.removed == {s.octets: reason for s, reason in before.items() if s not in after}


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
