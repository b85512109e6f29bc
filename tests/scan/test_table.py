"""Tables of digests know all that is in them, and err as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan.table import DigestTable, Words


def digests_of(seed: int, count: int) -> Words:
    return np.random.default_rng(seed).integers(0, 2**64, (count, 2), np.uint64)


@given(st.integers(0, 300), st.integers(0, 2**32))
def test_everything_in_a_table_is_found(count: int, seed: int) -> None:
    digests = digests_of(seed, count)
    table = DigestTable.of(digests, 24)
    assert len(table) == count
    assert table.contains(digests).all()


@pytest.mark.parametrize("count", [0, 1, 4, 5, 1000, 4096, 100_000])
def test_others_are_not(count: int) -> None:
    table = DigestTable.of(digests_of(1, count), 32)
    assert not table.contains(digests_of(2, 100_000)).any()


def test_a_table_errs_as_often_as_it_says() -> None:
    table = DigestTable.of(digests_of(3, 50_000), 8)
    wrong = int(table.contains(digests_of(4, 1_000_000)).sum())
    assert wrong == pytest.approx(table.chance * 1_000_000, rel=0.1)


@pytest.mark.parametrize("count", [1000, 100_000, 1_000_000])
def test_an_entry_takes_few_octets(count: int) -> None:
    table = DigestTable.of(digests_of(5, count), 24)
    octets = table.bitmap.nbytes + table.starts.nbytes + table.remainders.nbytes
    assert octets <= 8.2 * count
