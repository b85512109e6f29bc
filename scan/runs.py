"""Runs of characters of one kind within octets, whatever separates them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scan.guesses import Flags, Places

REACH = 5
"""At most so many octets lie between two characters of one number: quotes, brackets, NUL, a non-breaking space."""

_LETTER, _SEPARATOR = 0x20, 0x40


def _kinds() -> bytes:
    kinds = bytearray([_SEPARATOR] * 256)
    for octet in range(256):
        character = chr(octet)
        if octet < 128 and character.isalnum():
            kinds[octet] = int(character, 16) if character in "0123456789abcdefABCDEF" else _LETTER
    return bytes(kinds)


_KINDS = _kinds()


@dataclass(frozen=True, slots=True, repr=False)
class Runs:
    """Some runs, one behind the other: which of the characters (`index`) they are made of, how many of its run are
    `left` at each, itself included, and how many are behind it."""

    index: Places
    left: Places
    behind: Places

    @classmethod
    def of(cls, starts: Places, lengths: Places) -> Runs:
        """The runs that begin and are as long as that."""
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        count = np.arange(total)
        behind = count - np.repeat(ends - lengths, lengths)
        return cls(behind + np.repeat(starts, lengths), np.repeat(ends, lengths) - count, behind)


class Characters:
    """The ASCII letters and digits of some octets: where each stands, its value as a hex digit (above 15 for other
    letters), and where tokens, in which nothing lies between, begin and end."""

    def __init__(self, octets: bytes) -> None:
        marked = np.frombuffer(bytearray(octets.translate(_KINDS)), np.uint8)
        _drop_markers(octets, marked)
        self.at: Places = np.flatnonzero(marked < _SEPARATOR)
        self.value: NDArray[np.uint8] = marked[self.at]
        self.gap: Places = np.diff(self.at)
        self._octets = octets

    def __len__(self) -> int:
        return len(self.at)

    def signs(self, index: Places) -> Flags:
        """Whether a minus stands before each of these characters."""
        plain = np.frombuffer(self._octets, np.uint8)
        at = self.at[index]
        signs: Flags = (at > 0) & (plain[np.maximum(at - 1, 0)] == ord("-"))
        return signs

    def runs(self, base: int, least: int) -> Runs:
        """Runs of at least so many digits below `base`, at most `REACH` octets apart."""
        other = self.value >= base
        apart = self.gap > REACH + 1
        apart |= other[1:]
        apart |= other[:-1]
        return Runs.of(*long_runs(apart, len(self), least))

    def tokens(self) -> tuple[Places, Places]:
        """Where tokens begin, as indexes of characters, and how long they are."""
        return long_runs(self.gap > 1, len(self), 1)

    def token_begins(self, index: Places) -> Flags:
        """Whether a token begins with each of these characters."""
        begins: Flags = (index == 0) | (self.gap[np.maximum(index - 1, 0)] > 1) if len(self.gap) else index == 0
        return begins

    def token_ends(self, index: Places) -> Flags:
        """Whether a token ends with each of these characters."""
        last = len(self) - 1
        ends: Flags = (index == last) | (self.gap[np.minimum(index, last - 1)] > 1) if len(self.gap) else index == last
        return ends


def long_runs(apart: Flags, count: int, least: int) -> tuple[Places, Places]:
    """Where runs begin and how long they are, of `count` things that are or are not `apart` from the one before."""
    if not count:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    starts = np.concatenate(([0], np.flatnonzero(apart) + 1))
    lengths = np.diff(starts, append=count)
    chosen = lengths >= least
    return starts[chosen], lengths[chosen]


def _drop_markers(octets: bytes, marked: NDArray[Any]) -> None:
    """Have `0x`, `\\x`, `#x` and `\\u00` before digits be no characters."""
    if b"x" in octets or b"X" in octets:
        plain = np.frombuffer(octets, np.uint8)
        at = np.flatnonzero((plain | 0x20) == ord("x"))
        at = at[at > 0]
        before = plain[at - 1]
        # Within a word, 0 and x are digits of some other base.
        zero = (before == ord("0")) & ((at < 2) | (marked[at - 2] == _SEPARATOR))
        marker = zero | (before == ord("\\")) | (before == ord("#"))
        at, zero = at[marker], zero[marker]
        marked[at] = _SEPARATOR
        marked[at[zero] - 1] = _SEPARATOR
    if b"\\u00" in octets:
        plain = np.frombuffer(octets, np.uint8)
        at = np.flatnonzero(plain == ord("\\"))
        at = at[at < len(plain) - 5]
        at = at[(plain[at + 1] == ord("u")) & (plain[at + 2] == 48) & (plain[at + 3] == 48)]
        for step in (1, 2, 3):
            marked[at + step] = _SEPARATOR
