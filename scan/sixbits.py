"""Serials and hashes in base64, in either alphabet, beginning anywhere in it; texts within it."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_letters, digits

import numpy as np
from numpy.typing import NDArray

from scan.digest import Part
from scan.guesses import Guesses, Places, Words, picked, serial_like
from scan.runs import Runs

HALF = 11
"""Characters that hold eight octets, and two bits more."""

WHOLE = 22
WHOLE_THREES = 12
_OTHER = 0xFF
_INDENT = 12
_ESCAPED = tuple(
    (escape % digits, meant)
    for meant, written in ((b"+", (b"2B", b"2b")), (b"/", (b"2F", b"2f")))
    for digits in written
    for escape in (b"%%%s", b"\\u00%s")
)


def _values() -> bytes:
    values = bytearray([_OTHER] * 256)
    order = ascii_letters[26:] + ascii_letters[:26] + digits
    for value, character in enumerate(order):
        values[ord(character)] = value
    for plus, slash in ("+/", "-_"):
        values[ord(plus)], values[ord(slash)] = 62, 63
    return bytes(values)


_VALUES = _values()


class SixBits:
    """The runs of base64 in some octets that are long enough to hold half a serial: `value` of each character, where it
    stands (`at`), and their `runs`."""

    def __init__(self, octets: bytes) -> None:
        if b"\\" in octets:  # as JSON writes slashes and the ends of lines
            octets = octets.replace(b"\\/", b"\n/").replace(b"\\n", b"\n\n").replace(b"\\r", b"\n\n")
        if b"%2" in octets or b"\\u002" in octets:  # plus and slash, escaped
            for escaped, meant in _ESCAPED:
                octets = octets.replace(escaped, b"\n" * (len(escaped) - 1) + meant)
        plain = np.frombuffer(octets, np.uint8)
        marked = np.frombuffer(octets.translate(_VALUES), np.uint8)
        edges = np.flatnonzero(np.diff(marked < 64, prepend=False, append=False))
        starts, ends = edges[0::2], edges[1::2]
        joined = np.zeros(len(starts), np.bool_)
        if b"\n" in octets or b"\r" in octets:
            joined[1:] = _over_lines(plain, ends[:-1], starts[1:])
        lengths = ends - starts
        # A run over several lines counts as one: long lines, or short ones of which the whole is long enough.
        first = np.flatnonzero(~joined)
        whole = np.add.reduceat(lengths, first) if len(first) else lengths
        chosen = np.repeat(whole >= HALF, np.diff(first, append=len(starts)))
        pieces = Runs.of(starts[chosen], lengths[chosen])
        self.at: Places = pieces.index
        self.value: NDArray[np.uint8] = marked[pieces.index]
        long = whole[whole >= HALF]
        self.begins: Places = np.cumsum(long) - long
        self.runs = Runs.of(self.begins, long)


def _over_lines(plain: NDArray[np.uint8], ends: Places, starts: Places) -> NDArray[np.bool_]:
    """Whether nothing but the end of a line, and an indentation, lies between."""
    between = starts - ends
    joined: NDArray[np.bool_] = (between <= _INDENT) & ((plain[ends] == 10) | (plain[ends] == 13))
    for step in range(1, _INDENT):
        inside = joined & (step < between)
        if not inside.any():
            break
        octet = plain[np.minimum(ends + step, len(plain) - 1)]
        joined &= ~inside | (octet == 10) | (octet == 13) | (octet == 32) | (octet == 9)
    return joined


def base64_guesses(text: SixBits) -> Iterator[Guesses]:
    """First halves wherever they begin, two bits apart; halves and hashes alone where a run begins."""
    count = len(text.value) - HALF + 1
    if count <= 0:
        return
    value = text.value.astype(np.uint64)
    by_2 = value[:-1] << np.uint64(6) | value[1:]
    by_3 = by_2[:-1] << np.uint64(6) | value[2:]
    by_4 = by_2[:-2] << np.uint64(12) | by_2[2:]
    by_8 = by_4[:-4] << np.uint64(24) | by_4[4:]
    left = text.runs.left
    windows = {bits: by_8[:count] << np.uint64(16 + bits) | by_3[8:] >> np.uint64(2 - bits) for bits in (0, 2)}
    # From the fourth bit on, a half reaches into a twelfth character, or ends within the eleventh.
    four = by_8[:count] << np.uint64(20) | by_3[8 : 8 + count] << np.uint64(2)
    four[: count - 1] |= value[HALF : HALF + count - 1] >> np.uint64(4)
    windows[4] = four
    cased = _both_cases(text)
    for bits, words in windows.items():
        likely = serial_like(words) & (left[:count] >= WHOLE) & cased[:count]
        (chosen,) = np.nonzero(likely)
        yield _first(text, words, windows, chosen, bits)
    words = windows[0]
    alone = text.begins[left[text.begins] >= HALF]
    likely_alone = alone[serial_like(words[alone])]
    yield Guesses("base64", Part.FIRST, words[likely_alone], text.at[likely_alone])
    whole = alone[left[alone] >= WHOLE]
    turned = _second(windows, whole, 0, left).byteswap()
    yield Guesses(
        "base64, last octet first",
        Part.FIRST,
        turned,
        text.at[whole],
        lambda some: words[whole[some]].byteswap(),
    )
    for part in (Part.LAST, Part.HASH, Part.SALTED):
        yield Guesses("base64", part, words[alone], text.at[alone])
    # Behind octets that do not make threes, bits are filled up: none, four of two characters, two of three.
    lengths = left[text.begins]
    ends = (text.begins + lengths - WHOLE_THREES)[lengths >= WHOLE_THREES]
    filled = np.array([0, 0, 4, 2], np.uint64)[lengths[lengths >= WHOLE_THREES] % 4]
    closing = by_8[ends] << (np.uint64(24) - filled) | by_4[ends + 8] >> filled
    yield Guesses("base64", Part.LAST, closing, text.at[ends], lambda some: np.zeros(len(some), np.uint64))


def _first(text: SixBits, words: Words, windows: dict[int, Words], chosen: Places, bits: int) -> Guesses:
    return Guesses(
        "base64",
        Part.FIRST,
        words[chosen],
        text.at[chosen],
        lambda some: _second(windows, chosen[some], bits, text.runs.left),
    )


def _second(windows: dict[int, Words], at: Places, bits: int, left: Places) -> Words:
    """The 64 bits behind those 64: ten characters and four bits later."""
    characters, bits = divmod(64 + bits, 6)
    return picked(windows[bits], at + characters, left[at] >= characters + HALF)


def _both_cases(text: SixBits) -> NDArray[np.bool_]:
    """Whether capital and small letters come among the 22 characters from each on: they do in what is random."""
    found = np.ones(len(text.value), np.bool_)
    for low, high in ((0, 25), (26, 51)):
        letters = (text.value >= low) & (text.value <= high)
        before = np.zeros(len(letters) + WHOLE, np.int32)
        np.cumsum(letters, out=before[1 : len(letters) + 1])
        before[len(letters) + 1 :] = before[len(letters)]
        found &= before[WHOLE:] > before[:-WHOLE]
    return found


def texts_within(text: SixBits) -> Iterator[tuple[bytes, Places]]:
    """What runs of base64 hold where it is text, and where each octet of it stands."""
    lengths = text.runs.left[text.begins] if len(text.begins) else text.begins
    begins = text.begins[lengths >= 20]
    lengths = lengths[lengths >= 20] // 4 * 4
    quads = Runs.of(begins, lengths).index.reshape(-1, 4)
    if not len(quads):
        return
    value = text.value[quads].astype(np.uint32)
    word = value[:, 0] << 18 | value[:, 1] << 12 | value[:, 2] << 6 | value[:, 3]
    octets = np.stack([word >> 16, word >> 8 & 255, word & 255], axis=1).astype(np.uint8)
    readable = ((octets >= 32) & (octets < 127) | (octets == 10)).all(axis=1)
    edges = np.cumsum(lengths // 4) - lengths // 4
    share = np.add.reduceat(readable, edges, dtype=np.int64) * 4
    textual = np.repeat(share >= lengths * 3 // 4, lengths // 4)
    if textual.any():
        octets[~textual] = 0
        kept = textual | np.roll(textual, 1)
        places = np.repeat(text.at[quads[:, 0]], 3)
        mask = np.repeat(kept, 3)
        yield octets.reshape(-1)[mask].tobytes(), places[mask]
