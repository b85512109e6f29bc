"""Guesses: numbers read out of octets, each of which could be a half of a serial or the beginning of its hash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scan.digest import Part

Words = NDArray[np.uint64]
Places = NDArray[np.intp]
Flags = NDArray[np.bool_]

TOP = np.uint64(62)
ONE = np.uint64(1)
"""The two highest bits of a serial are 01 (`domain.serial`)."""


@dataclass(frozen=True, slots=True, repr=False)
class Guesses:
    """`values` written in some `form`, found at these places of the octets that were looked at. `other` gives, for some
    of them by index, the other half of what would be the serial: 0 where there is no room for one."""

    form: str
    part: Part
    values: Words
    at: Places
    other: Callable[[Places], Words] | None = None


def serial_like(words: Words) -> Flags:
    """Which of the numbers could be first halves of serials."""
    likely: Flags = words >> TOP == ONE
    return likely


def picked(words: Words, at: Places, allowed: Flags) -> Words:
    """The words at these places, 0 where it is not allowed."""
    return np.where(allowed, words[np.where(allowed, at, 0)], np.uint64(0)) if len(words) else np.zeros(len(at), "u8")
