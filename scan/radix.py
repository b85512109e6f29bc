"""Serials as words in other bases: base 32 in its alphabets, 36, 58, 62, octal, binary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits

import numpy as np
from numpy.typing import NDArray

from scan.digest import Part
from scan.guesses import Guesses, Places, Words, serial_like
from scan.runs import Characters

_NONE = 0xFF
_AT_ONCE = 5
"""So many digits in any of the bases are a number below 2³²."""

_LOW_32, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)


@dataclass(frozen=True, slots=True)
class Base:
    """An alphabet, the lengths of serials in it, and how many bits are filled up behind the number."""

    form: str
    alphabet: str
    lengths: tuple[int, ...]
    filled: int = 0
    one_case: bool = False

    @property
    def values(self) -> bytes:
        """The value of each octet."""
        values = bytearray([_NONE] * 256)
        for value, character in enumerate(self.alphabet):
            for written in {character.lower(), character.upper()} if self.one_case else {character}:
                values[ord(written)] = value
        return bytes(values)


BASES = (
    Base("base32", ascii_uppercase + "234567", (26,), 2, one_case=True),
    Base("base32, digits first", digits + ascii_uppercase[:22], (26,), 2, one_case=True),
    Base("base32 of Crockford", "0123456789ABCDEFGHJKMNPQRSTVWXYZ", (26,), one_case=True),
    Base("base36", digits + ascii_uppercase, (24, 25), one_case=True),
    Base("base58", "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", (21, 22)),
    Base("base62", digits + ascii_uppercase + ascii_lowercase, (21, 22)),
    Base("base62, small letters first", digits + ascii_lowercase + ascii_uppercase, (21, 22)),
    Base("octal", digits[:8], (42, 43)),
    Base("binary", "01", (127, 128)),
)
_TABLES = tuple(np.frombuffer(base.values, np.uint8) for base in BASES)


def radix_guesses(octets: bytes, text: Characters) -> Iterator[Guesses]:
    """Tokens that are as long as a serial is in one of these bases, and hold nothing else."""
    starts, lengths = text.tokens()
    plain = np.frombuffer(octets, np.uint8)
    for length in sorted({length for base in BASES for length in base.lengths}):
        begins = text.at[starts[lengths == length]]
        if not len(begins):
            continue
        written = np.lib.stride_tricks.sliding_window_view(plain, length)[begins]
        for base, values in zip(BASES, _TABLES, strict=True):
            if length in base.lengths:
                yield _read(base, values[written], begins)


def _read(base: Base, read: NDArray[np.uint8], begins: Places) -> Guesses:
    good = (read < _NONE).all(axis=1)
    read, begins = read[good].astype(np.uint64), begins[good]
    first, last = np.zeros(len(read), np.uint64), np.zeros(len(read), np.uint64)
    size, columns = np.uint64(len(base.alphabet)), read.T[: -1 if base.filled else None]
    for start in range(0, len(columns), _AT_ONCE):
        several, times = columns[start], size
        for column in columns[start + 1 : start + _AT_ONCE]:
            several, times = several * size + column, times * size
        first, last = _grown(first, last, times, several)
    if base.filled:
        bits = np.uint64(5 - base.filled)
        first = first << bits | last >> (np.uint64(64) - bits)
        last = last << bits | read.T[-1] >> np.uint64(base.filled)
    chosen = serial_like(first)
    first, last, begins = first[chosen], last[chosen], begins[chosen]
    return Guesses(base.form, Part.FIRST, first, begins, lambda some: last[some])


def _grown(first: Words, last: Words, size: np.uint64, digit: Words) -> tuple[Words, Words]:
    """Both words, times the base, and a digit more, both below 2³²."""
    low = (last & _LOW_32) * size + digit
    high = (last >> _32) * size + (low >> _32)
    return first * size + (high >> _32), high << _32 | low & _LOW_32
