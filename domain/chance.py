"""Chance: whether so many finds may well be none."""

from __future__ import annotations

from math import exp, lgamma, log

RARELY = 1e-3


def by_chance(count: int, expected: float, rarely: float = RARELY) -> bool:
    """Whether so many may well be chance: that many or more in more than one case of a thousand (Poisson), or as
    `rarely` says."""
    if count == 0 or expected == 0:
        return count == 0
    # By logarithms: where hundreds are expected, the chance of none is too small for a float.
    rate = log(expected)
    below = sum(exp(number * rate - expected - lgamma(number + 1)) for number in range(count))
    return bool(1 - below > rarely)
