"""Linear equations over bits, each about few neighbouring unknowns: solved once, asked often.

Source of the method: Dillinger and Walzer, "Ribbon filter: practically smaller than Bloom and Xor" (2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filters.placement import WIDTH, Places, Words

_MASK = (1 << WIDTH) - 1
_WORD = 64


class Unsolvable(ValueError):
    """Two rows contradict each other: other places are needed, or more unknowns."""


@dataclass(frozen=True, slots=True, repr=False)
class Ribbon:
    """A solution: `length` unknowns for each of some columns, as bits, the first in the lowest bit of the first
    octet."""

    length: int
    columns: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if self.length < WIDTH or any(len(column) != octets_for(self.length) for column in self.columns):
            raise ValueError("a ribbon's columns have as many bits as it has unknowns")

    def zero(self, places: Places) -> NDArray[np.bool_]:
        """For each place whether its row gives 0 in every column."""
        starts = places.starts(self.length)
        found = np.zeros(len(places), np.uint64)
        for column in self.columns:
            found |= _parities(column, starts, places)
        zeros: NDArray[np.bool_] = found == 0
        return zeros


def octets_for(length: int) -> int:
    """Octets of a column: whole words, and one for reading beyond the end."""
    return (length // _WORD + 2) * 8


def solve(places: Places, values: Sequence[int] | None, length: int, columns: int, noise: bytes) -> Ribbon:
    """A ribbon that gives `values` (one bit each, in a single column), or zeros in each of `columns` when there are
    none.

    Unknowns that no row determines are taken from `noise`, which has an octet for each eight unknowns of each column:
    so that other places give zeros by chance only. Raises Unsolvable; zeros can always be had.
    """
    rows, results = _eliminate(places, values, length)
    size = (length + 7) // 8
    chances = [int.from_bytes(noise[n * size : (n + 1) * size], "little") for n in range(columns)]
    return Ribbon(length, tuple(_substitute(rows, results, length, chance) for chance in chances))


def _eliminate(places: Places, values: Sequence[int] | None, length: int) -> tuple[list[int], bytearray]:
    """Rows in echelon form by the position of their first coefficient (0 where there is none), and their values."""
    rows, results = [0] * length, bytearray(length)
    starts = places.starts(length)
    order = np.argsort(starts, kind="stable")  # neighbours one after the other: fewer steps each
    ordered = places[order]
    given = [0] * len(order) if values is None else np.asarray(values, np.uint8)[order].tolist()
    columns = (starts[order].tolist(), ordered.low.tolist(), ordered.high.tolist(), given)
    for position, low, high, value in zip(*columns, strict=True):
        row = high << _WORD | low
        while taken := rows[position]:
            row ^= taken
            value ^= results[position]
            if not row:
                break
            zeros = (row & -row).bit_length() - 1
            row >>= zeros
            position += zeros
        else:
            rows[position] = row
            results[position] = value
            continue
        if value:
            raise Unsolvable("two rows contradict each other")
    return rows, results


def _substitute(rows: list[int], results: bytearray, length: int, chance: int) -> bytes:
    """One column of the solution, from the last unknown to the first."""
    window, bits = 0, bytearray(length)
    free = chance.to_bytes((length + 7) // 8, "little")
    for position in range(length - 1, -1, -1):
        row = rows[position]
        window = window << 1 & _MASK
        if row:
            bit = (row & window).bit_count() & 1 ^ results[position]
        else:
            bit = free[position >> 3] >> (position & 7) & 1
        window |= bit
        bits[position] = bit
    packed = np.packbits(np.frombuffer(bits, np.uint8), bitorder="little").tobytes()
    return packed.ljust(octets_for(length), b"\x00")


def _parities(column: bytes, starts: NDArray[np.int64], places: Places) -> Words:
    """The parity of coefficients and unknowns, for each place."""
    words = np.frombuffer(column + bytes(16), "<u8").astype(np.uint64, copy=False)
    index, shift = starts >> 6, (starts & 63).astype(np.uint64)
    back = (np.uint64(_WORD) - shift) & np.uint64(63)
    first, second, third = words[index], words[index + 1], words[index + 2]
    # A shift by 64 is none: where the window begins with a word, nothing of the next belongs to it.
    whole = shift == 0
    low = np.where(whole, first, first >> shift | second << back)
    high = np.where(whole, second, second >> shift | third << back)
    mixed = low & places.low ^ high & places.high
    parity: Words = np.bitwise_count(mixed).astype(np.uint64) & np.uint64(1)
    return parity
