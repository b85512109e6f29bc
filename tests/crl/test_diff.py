"""What a list changes, and that nothing leaves it without an explanation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crl.diff import difference, refuse_shrinking
from crl.entries import encode_entries
from crl.read import read_list
from domain.errors import Code, Refusal
from domain.revocation import CrlReason
from tests.support.lists import make_list, make_revocation

FIRST, SECOND, THIRD = (make_revocation(label) for label in ("first", "second", "third"))
HELD = replace(SECOND, reason=CrlReason.CERTIFICATE_HOLD)


def test_what_appears_disappears_and_changes_is_told_apart() -> None:
    found = difference(read_list(make_list([FIRST, HELD])), encode_entries([SECOND, THIRD]))
    assert found.added == {THIRD.serial.octets}
    assert found.removed == {FIRST.serial.octets}
    assert found.changed == {SECOND.serial.octets}


def test_without_an_earlier_list_everything_is_new() -> None:
    found = difference(None, encode_entries([FIRST, SECOND]))
    assert found.added == {FIRST.serial.octets, SECOND.serial.octets}
    assert not found.removed | found.changed


def test_an_explained_entry_may_leave() -> None:
    found = difference(read_list(make_list([FIRST, SECOND])), encode_entries([SECOND]))
    refuse_shrinking(found, {FIRST.serial.octets})
    assert found.removed == {FIRST.serial.octets}


def test_an_unexplained_entry_may_not() -> None:
    found = difference(read_list(make_list([FIRST, SECOND, THIRD])), encode_entries([SECOND]))
    with pytest.raises(Refusal) as caught:
        refuse_shrinking(found, {FIRST.serial.octets})
    assert caught.value.code is Code.WOULD_SHRINK
    assert caught.value.facts == {"unexplained": 1, "removed": 2}
    assert "1 of 2 disappearing entries" in caught.value.detail
    assert str(THIRD.serial.value) not in str(caught.value)


def test_serials_are_not_in_its_repr() -> None:
    assert repr(FIRST.serial.octets) not in repr(difference(None, encode_entries([FIRST])))
