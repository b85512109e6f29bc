"""Shares: two of three officers have the key, one has nothing."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Code, Refusal
from provisions.shares import Share, join, read_share, split, write_share

octets32 = st.binary(min_size=32, max_size=32)


@given(private=octets32, random=octets32)
def test_any_two_shares_give_the_key(private: bytes, random: bytes) -> None:
    shares = [read_share(write_share(share)) for share in split(private, random)]
    assert {join(one, other) for one, other in permutations(shares, 2)} == {private}


@given(share=st.integers(0, 255), number=st.integers(1, 3))
def test_one_share_fits_every_key_alike(share: int, number: int) -> None:
    """Octet by octet: whatever the key is, exactly one slope gives this share."""
    for key in range(256):
        fitting = [
            slope for slope in range(256) if list(split(bytes((key,)), bytes((slope,))))[number - 1].octets[0] == share
        ]
        assert len(fitting) == 1
        if key == 8:
            break


def test_two_copies_of_one_share_give_nothing() -> None:
    one, *_ = split(bytes(32), bytes(range(32)))
    with pytest.raises(Refusal) as refused:
        join(one, one)
    assert refused.value.code is Code.MALFORMED


def test_a_share_of_another_key_does_not_give_the_key() -> None:
    one, _, _ = split(bytes(32), bytes(range(32)))
    _, other, _ = split(bytes(32), bytes(range(1, 33)))
    assert join(one, other) != bytes(32)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("jpki-unlocking-share 1 00 00000000", id="too short"),
        pytest.param(f"jpki-unlocking-share 1 {'zz' * 32} 00000000", id="no hex"),
        pytest.param(write_share(Share(1, bytes(32))).replace("share 1", "share 2"), id="another number"),
        pytest.param(write_share(Share(4, bytes(32))), id="a number that no officer has"),
        pytest.param(write_share(Share(1, bytes(32))).replace("00000", "00001", 1), id="a slip of the pen"),
    ],
)
def test_what_was_copied_wrong_is_no_share(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_share(text)
    assert refused.value.code is Code.MALFORMED


def test_a_share_prints_nothing_of_itself() -> None:
    assert "170" not in repr(Share(1, bytes((170,)) * 32))
    assert "\\xaa" not in repr(Share(1, bytes((170,)) * 32))
