"""Ribbons: what is put in comes out, one by one and in masses, and contradictions are told."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.placement import WIDTH, Places
from filters.ribbon import Ribbon, Unsolvable, octets_for, solve


def places_of(chance: Random, count: int) -> Places:
    fractions = [chance.randrange(1 << 32) for _ in range(count)]
    low = [chance.randrange(1 << 64) | 1 for _ in range(count)]
    high = [chance.randrange(1 << 64) for _ in range(count)]
    return Places(*(np.array(column, np.uint64) for column in (fractions, low, high)))


def parity(ribbon: Ribbon, places: Places, which: int, column: int) -> int:
    """What a row gives, reckoned with integers and by the definition alone."""
    start = int(places.fractions[which]) * (ribbon.length - WIDTH + 1) >> 32
    unknowns = int.from_bytes(ribbon.columns[column], "little") >> start
    row = int(places.high[which]) << 64 | int(places.low[which])
    return (row & unknowns).bit_count() & 1


@given(seed=st.integers(0, 1 << 32), count=st.integers(0, 300))
def test_values_come_out_as_they_were_put_in(seed: int, count: int) -> None:
    chance = Random(seed)
    places = places_of(chance, count)
    values = [chance.randrange(2) for _ in range(count)]
    length = WIDTH + count + count // 8
    ribbon = solve(places, values, length, 1, chance.randbytes(length))
    assert [parity(ribbon, places, which, 0) for which in range(count)] == values
    assert ribbon.zero(places).tolist() == [value == 0 for value in values]


@given(seed=st.integers(0, 1 << 32), count=st.integers(1, 300), columns=st.integers(0, 9))
def test_zeros_can_always_be_had_and_others_are_zero_by_chance(seed: int, count: int, columns: int) -> None:
    chance = Random(seed)
    places, strangers = places_of(chance, count), places_of(chance, 500)
    length = WIDTH + count
    ribbon = solve(places, None, length, columns, chance.randbytes(columns * length))
    assert ribbon.zero(places).all()
    for which in range(0, 500, 50):
        expected = all(parity(ribbon, strangers, which, column) == 0 for column in range(columns))
        assert bool(ribbon.zero(strangers)[which]) is expected
    assert ribbon.zero(strangers).sum() <= 500 / (1 << columns) * 2 + 30


def test_rows_that_contradict_each_other_are_told() -> None:
    places = places_of(Random(1), 1)
    twice = Places(*(np.concatenate([part, part]) for part in (places.fractions, places.low, places.high)))
    assert solve(twice, [1, 1], 200, 1, bytes(200)).zero(twice).tolist() == [False, False]
    with pytest.raises(Unsolvable):
        solve(twice, [0, 1], 200, 1, bytes(200))


@pytest.mark.parametrize("start", [0, 1, 63, 64, 65, 127, 128, 500])
def test_windows_at_the_borders_of_words_are_read_whole(start: int) -> None:
    length = 1024
    fraction = ((start << 32) + (1 << 31)) // (length - WIDTH + 1)
    bits = Random(start).randbytes(octets_for(length))
    ribbon = Ribbon(length, (bits,))
    places = Places(np.array([fraction], np.uint64), np.array([2**64 - 1], np.uint64), np.array([2**64 - 1], np.uint64))
    assert int(places.starts(length)[0]) == start
    window = int.from_bytes(bits, "little") >> start & (1 << WIDTH) - 1
    assert bool(ribbon.zero(places)[0]) is (window.bit_count() % 2 == 0)


@pytest.mark.parametrize("length", [0, WIDTH - 1, 4096])
def test_columns_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match="as many bits"):
        Ribbon(length, (bytes(octets_for(WIDTH)),))
