"""Building a filter: which of all issued certificates are revoked, exactly, in little more than the fewest bits.

Source of the two steps: Schanck, "Clubcards for the WebPKI: smaller certificate revocation tests in theory and
practice" (2025), after CRLite (2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.ports import RandomSource
from filters.placement import CHANCE_OCTETS, WIDTH, Placement, Places, salt_of
from filters.ribbon import Ribbon, Unsolvable, solve

SALT_OCTETS = 2 * CHANCE_OCTETS
_ROOM = 1.03
"""Unknowns for each row: with rows of 128 bits, systems of millions of rows can nearly always be solved with these."""

_TRIES = 20
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, repr=False)
class RevocationFilter:
    """Two ribbons under one salt. `first` is zero for every certificate that is in the set, and for few others;
    `second` is zero for those of them that are in the set."""

    salt: bytes
    first: Ribbon
    second: Ribbon

    def contains(self, placement: Placement, serials: bytes | memoryview) -> NDArray[np.bool_]:
        """For each of the serials (16 octets each, side by side) whether its certificate is in the set. The answer for
        one that was not issued when the filter was built says nothing. `placement` is that of the class's key and
        `salt`."""
        first, second = placement.places(serials)
        found = self.first.zero(first)
        candidates = np.flatnonzero(found)
        found[candidates] = self.second.zero(second[candidates])
        return found

    @property
    def octets(self) -> int:
        """How long the bits of both are."""
        return sum(len(column) for ribbon in (self.first, self.second) for column in ribbon.columns)


def build_filter(
    key: bytes, members: bytes | memoryview, others: bytes | memoryview, random: RandomSource
) -> RevocationFilter:
    """The filter of the set whose serials are `members`, among these and the `others`: 16 octets each, side by side,
    each once. It is asked for every one of them before it is given out; RuntimeError if an answer is wrong."""
    for _ in range(_TRIES):
        salt = salt_of(key, random(CHANCE_OCTETS))
        try:
            found = _attempt(Placement(key, salt), salt, members, others, random)
        except Unsolvable:
            continue
        _prove(found, Placement(key, salt), members, others)
        return found
    raise RuntimeError("no salt led to a filter; is a serial both inside and outside?")


def _attempt(
    placement: Placement, salt: bytes, members: bytes | memoryview, others: bytes | memoryview, random: RandomSource
) -> RevocationFilter:
    first_in, second_in = placement.places(members)
    columns = _columns(len(members), len(others))
    length = _length(len(first_in))
    first = solve(first_in, None, length, columns, random(columns * ((length + 7) // 8)))
    passed: list[Places] = []
    for start in range(0, len(others), _BLOCK * 16):
        first_out, second_out = placement.places(memoryview(others)[start : start + _BLOCK * 16])
        passed.append(second_out[first.zero(first_out)])
    rows = [second_in, *passed]
    joined = Places(*(np.concatenate([getattr(part, name) for part in rows]) for name in ("fractions", "low", "high")))
    values = np.ones(len(joined), np.uint8)
    values[: len(second_in)] = 0
    length = _length(len(joined))
    second = solve(joined, values.tolist(), length, 1, random((length + 7) // 8))
    return RevocationFilter(salt, first, second)


def _columns(members: int, others: int) -> int:
    """How many columns the first ribbon has: a column costs a bit for each member and halves what of the others passes
    to the second, where each costs a bit."""
    if not members or others <= members:
        return 0
    return max(0, round(math.log2(others / members * math.log(2))))


def _length(rows: int) -> int:
    return WIDTH + math.ceil(rows * _ROOM)


def _prove(
    found: RevocationFilter, placement: Placement, members: bytes | memoryview, others: bytes | memoryview
) -> None:
    for serials, expected in ((members, True), (others, False)):
        for start in range(0, len(serials), _BLOCK * 16):
            answers = found.contains(placement, memoryview(serials)[start : start + _BLOCK * 16])
            if not (answers == expected).all():
                raise RuntimeError("the filter gives a wrong answer; it must not be used")
