"""Chance: whether so many finds may well be none."""

from __future__ import annotations

from math import exp

RARELY = 1e-3


def by_chance(count: int, expected: float, rarely: float = RARELY) -> bool:
    """Whether so many may well be chance: that many or more in more than one case of a thousand (Poisson), or as
    `rarely` says."""
    term = below = exp(-expected)
    for number in range(1, count):
        term *= expected / number
        below += term
    return count == 0 or bool(1 - below > rarely)
