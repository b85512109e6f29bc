"""Serials written in hex or decimal digits, with or without separators, whole or in half; hashes in hex."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from scan.digest import HALF, Part
from scan.guesses import Guesses, Places, Words, picked, serial_like
from scan.runs import REACH, Characters, Runs, long_runs

HEX_HALF = 16
Other = Callable[[Places], Words]
Reorder = Callable[[Words], Words]
_TEN_19 = 10**19
_LOW_32 = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def hex_guesses(text: Characters) -> Iterator[Guesses]:
    """What is written in hex. Halves alone are looked for where a token begins or ends, hashes where one begins."""
    runs = text.runs(16, HEX_HALF)
    if len(runs.index) < HEX_HALF:
        return
    words: Words = text.value[runs.index].astype(np.uint64)
    for size in (1, 2, 4, 8):
        words = words[:-size] << np.uint64(4 * size) | words[size:]
    room = runs.left[: len(words)] >= HEX_HALF
    index, left, behind = runs.index[: len(words)], runs.left, runs.behind

    def after(at: Places) -> Words:
        return picked(words, at + HEX_HALF, left[at] >= 2 * HEX_HALF)

    def before(at: Places) -> Words:
        return picked(words, at - HEX_HALF, behind[at] >= HEX_HALF)

    (chosen,) = np.nonzero(room & serial_like(words))
    yield _guesses("hex", Part.FIRST, words, text.at[index[chosen]], chosen, after)
    (chosen,) = np.nonzero(room & (words & np.uint64(0xC0) == np.uint64(0x40)))
    turned, at = words[chosen].byteswap(), chosen
    yield Guesses(
        "hex, last octet first", Part.FIRST, turned, text.at[index[at]], lambda some: before(at[some]).byteswap()
    )
    ends = (left[HEX_HALF - 1 :] == 1) | text.token_ends(runs.index[HEX_HALF - 1 :])
    (chosen,) = np.nonzero(room & ends)
    yield _guesses("hex", Part.LAST, words, text.at[index[chosen]], chosen, before)
    (chosen,) = np.nonzero(room & ((behind[: len(words)] == 0) | text.token_begins(index)))
    for part in (Part.HASH, Part.SALTED):
        yield Guesses("hex", part, words[chosen], text.at[index[chosen]])
    for form, (one, other) in _ORDERS.items():
        yield _reordered(form, one, other, words, chosen, text.at[index[chosen]], after)


def _swapped(words: Words, bits: int) -> Words:
    """Neighbours of so many bits exchanged."""
    low = np.uint64(sum(((1 << bits) - 1) << place for place in range(0, 64, 2 * bits)))
    return words >> np.uint64(bits) & low | (words & low) << np.uint64(bits)


def _by_16(words: Words) -> Words:
    return _swapped(words, 8)


def _by_32(words: Words) -> Words:
    return _swapped(_swapped(words, 8), 16)


def _as_guid(words: Words) -> Words:
    """One number of 32 bits and two of 16, each with its last octet first."""
    high = np.uint64(0xFFFFFFFF << 32)
    return _by_32(words) & high | _by_16(words) & ~high


_ORDERS: dict[str, tuple[Reorder, Reorder]] = {
    "hex of a GUID": (_as_guid, lambda words: words),
    "hex, 16 bits turned": (_by_16, _by_16),
    "hex, 32 bits turned": (_by_32, _by_32),
}


def _reordered(
    form: str, first: Reorder, last: Reorder, words: Words, at: Places, places: Places, after: Other
) -> Guesses:
    turned = first(words[at])
    likely = serial_like(turned)
    turned, at, places = turned[likely], at[likely], places[likely]
    return Guesses(form, Part.FIRST, turned, places, lambda some: last(after(at[some])))


def texts_in_hex(text: Characters) -> Iterator[tuple[bytes, Places]]:
    """What is text, written in hex octet by octet, and where each octet of it stands."""
    starts, lengths = text.tokens()
    long = lengths >= 2 * HEX_HALF
    starts, lengths = starts[long], lengths[long] // 2 * 2
    high = Runs.of(starts, lengths).index[0::2]
    octets = text.value[high] << 4 | text.value[high + 1]
    readable = (text.value[high] < 8) & (text.value[high + 1] < 16) & (octets >= 0x20) & (octets < 0x7F)
    kept = np.zeros(0, np.bool_)
    if len(high):
        share = np.add.reduceat(readable, (np.cumsum(lengths) - lengths) // 2, dtype=np.int64)
        kept = np.repeat(share * 8 >= lengths * 3, lengths // 2)
    if kept.any():
        yield np.where(readable, octets, 10)[kept].astype(np.uint8).tobytes(), text.at[high[kept]]


def octet_lists(text: Characters) -> Iterator[tuple[bytes, Places]]:
    """Octets that are written as lists of numbers from 0 to 255, or from -128 to 127, and where each stands."""
    starts, lengths = text.tokens()
    short = np.flatnonzero(lengths <= 3)
    if len(short) < HALF:
        return
    starts, lengths = starts[short], lengths[short]
    values, good = np.zeros(len(starts), np.int32), np.ones(len(starts), np.bool_)
    for step in range(3):
        digit = text.value[np.minimum(starts + step, len(text) - 1)]
        within = step < lengths
        good &= ~within | (digit < 10)
        values = np.where(within, values * 10 + digit, values)
    begins, ends = text.at[starts], text.at[starts + lengths - 1]
    negative = text.signs(starts)
    good &= np.where(negative, values <= 128, values < 256)
    apart = ~(good[1:] & good[:-1] & (np.diff(short) == 1) & (begins[1:] - ends[:-1] <= REACH))
    index = Runs.of(*long_runs(apart, len(starts), HALF)).index
    if len(index):
        yield (np.where(negative, -values, values)[index] & 255).astype(np.uint8).tobytes(), begins[index]


def _guesses(form: str, part: Part, words: Words, places: Places, chosen: Places, other: Other) -> Guesses:
    return Guesses(form, part, words[chosen], places, lambda some: other(chosen[some]))


def decimal_guesses(text: Characters) -> Iterator[Guesses]:
    """What is written in decimal digits: serials have 38 or 39 of them, a half as a number of 64 bits 15 to 20."""
    runs = text.runs(10, 38)
    if len(runs.index) >= 38:
        digits = text.value[runs.index].astype(np.uint64)
        yield from (_whole(text, runs.index, runs.left, digits, 38), _whole(text, runs.index, runs.left, digits, 39))
    yield from _halves(text)


def _whole(text: Characters, index: Places, left: Places, digits: Words, length: int) -> Guesses:
    """Numbers without separators wherever they begin; with separators where a token begins."""
    by_19 = _joined(digits)
    count = max(0, len(digits) - length + 1)
    extra = length - 38
    likely = left[:count] >= length
    if extra:
        likely &= (digits[:count] == 1) & (digits[1 : count + 1] <= 7)
    else:
        likely &= digits[:count] * np.uint64(10) + digits[1 : count + 1] >= 85
    (at,) = np.nonzero(likely)
    together = text.at[index[at + length - 1]] - text.at[index[at]] == length - 1
    at = at[together | text.token_begins(index[at])]
    high = by_19[at + extra] + (digits[at] * np.uint64(_TEN_19) if extra else np.uint64(0))
    first, rest = _by_ten_19(high, by_19[at + extra + 19])
    chosen = serial_like(first)
    at, first, rest = at[chosen], first[chosen], rest[chosen]
    return Guesses("decimal", Part.FIRST, first, text.at[index[at]], lambda some: rest[some])


def _joined(digits: Words) -> Words:
    """The numbers of 19 digits that begin at each digit."""
    by_1 = digits
    by_2 = by_1[:-1] * np.uint64(10) + by_1[1:]
    by_4 = by_2[:-2] * np.uint64(10**2) + by_2[2:]
    by_8 = by_4[:-4] * np.uint64(10**4) + by_4[4:]
    by_16 = by_8[:-8] * np.uint64(10**8) + by_8[8:]
    by_18 = by_16[:-2] * np.uint64(10**2) + by_2[16:]
    return by_18[:-1] * np.uint64(10) + by_1[18:]


def _by_ten_19(high: Words, low: Words) -> tuple[Words, Words]:
    """The two words of high · 10¹⁹ + low."""
    factor_high, factor_low = np.uint64(_TEN_19 >> 32), np.uint64(_TEN_19 & 0xFFFFFFFF)
    top, bottom = high >> _32, high & _LOW_32
    lowest = bottom * factor_low
    middle = top * factor_low + (lowest >> _32)
    other = bottom * factor_high + (middle & _LOW_32)
    product = other << _32 | lowest & _LOW_32
    first = top * factor_high + (middle >> _32) + (other >> _32)
    rest = product + low
    return first + (rest < product), rest


def _halves(text: Characters) -> Iterator[Guesses]:
    """A half in a column of integers of 64 bits, with or without a sign."""
    starts, lengths = text.tokens()
    chosen = (lengths >= 15) & (lengths <= 20)
    starts, lengths = starts[chosen], lengths[chosen]
    values, good = np.zeros(len(starts), np.uint64), np.ones(len(starts), np.bool_)
    for step in range(20):
        within = step < lengths
        digit = text.value[np.minimum(starts + step, len(text) - 1)].astype(np.uint64) if len(starts) else values
        good &= ~within | (digit < 10)
        grown = values * np.uint64(10) + digit
        good &= ~within | (step < 19) | ((values <= (2**64 - 1) // 10) & (grown >= digit))
        values = np.where(within, grown, values)
    values, at = values[good], text.at[starts[good]]
    first = serial_like(values)
    yield Guesses("decimal of 64 bits", Part.FIRST, values[first], at[first])
    yield Guesses("decimal of 64 bits", Part.LAST, values, at)
    yield Guesses("decimal of 64 bits", Part.LAST, -values, at)
