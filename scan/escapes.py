"""Escapes undone: octets as `%4A`, `=4A`, `\\x4a`, `\\112`, `&#74;`, after backslashes, in full width, in UTF-16."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits

import numpy as np
from numpy.typing import NDArray

from domain.serial import OCTETS
from scan.guesses import Flags, Places
from scan.octets import no_text

_MANY = 2
_WITHIN = 64
"""So many escapes within so many octets could be a serial."""

_AROUND = 96
_WRITTEN = 2 * OCTETS
"""A serial with a backslash before each of its octets."""

_SINGLE = {ord(letter): ord(octet) for letter, octet in zip("nrtbf\"'/0Z", "\n\r\t\b\f\"'/\0\x1a", strict=True)}

Octets = NDArray[np.uint8]


def _digit_values() -> Octets:
    values = np.full(256, 255, np.uint8)
    for digit in "0123456789abcdefABCDEF":
        values[ord(digit)] = int(digit, 16)
    return values


def _wide_values(alphabets: dict[int, str]) -> Octets:
    values = np.zeros(256, np.uint8)
    for first, alphabet in alphabets.items():
        values[first : first + len(alphabet)] = np.frombuffer(alphabet.encode(), np.uint8)
    return values


_DIGITS = _digit_values()
_WIDE = {
    0x82: _wide_values({0x4F: digits, 0x60: ascii_uppercase, 0x81: ascii_lowercase}),
    0xA3: _wide_values({0xB0: digits, 0xC1: ascii_uppercase, 0xE1: ascii_lowercase}),
}
"""The octet before each letter in full width in Shift_JIS and in EUC-JP, and letters by the octet behind it."""

_MARKERS = bytes.maketrans(b"%=\\&\xc2\xc3\xef", b"\x01" * 7)


@dataclass(frozen=True, slots=True, repr=False)
class _Escapes:
    """Where escapes begin, how long each is, and for what octet it stands."""

    at: Places
    lengths: Places
    values: Octets


def views(octets: bytes) -> Iterator[tuple[bytes, Places]]:
    """The octets as they are meant where many are escaped, each with its place in what was escaped."""
    if octets.count(0) * 8 > len(octets):
        plain = np.frombuffer(octets, np.uint8)
        at = np.flatnonzero(plain)
        yield plain[at].tobytes(), at
    yield from _between_octets(octets)
    padded = np.frombuffer(octets + bytes(16), np.uint8)
    found = _merged(list(_escapes(octets, padded)))
    if found is None:
        return
    at, close = found.at, np.zeros(len(found.at), np.bool_)
    (first,) = np.nonzero(at[_MANY - 1 :] - at[: 1 - _MANY] <= _WITHIN)
    if not len(first):
        return
    for step in range(_MANY):
        close[first + step] = True
    # Whatever is around groups of escapes is kept, undone; all else is dropped.
    kept = _around(at[close], _AROUND, len(octets))
    written = padded[: len(octets)].copy()
    for step in range(1, int(found.lengths.max())):
        gone = at[found.lengths > step] + step
        kept[gone[gone < len(kept)]] = False
    written[at] = found.values
    _single_escapes(padded[: len(octets)], written, kept, at)
    (places,) = np.nonzero(kept)
    yield written[places].tobytes(), places


def _between_octets(octets: bytes) -> Iterator[tuple[bytes, Places]]:
    """What is around backslashes between octets that are no text, as MySQL dumps them."""
    if b"\\" not in octets or not len(odd := no_text(octets)):
        return
    plain = np.frombuffer(octets, np.uint8)
    at = np.flatnonzero(plain == ord("\\"))
    at = at[np.searchsorted(odd, at + _WRITTEN) > np.searchsorted(odd, at - _WRITTEN)]
    written, kept = plain.copy(), _around(at, _WRITTEN, len(octets))
    _single_escapes(plain, written, kept, at[:0])
    (places,) = np.nonzero(kept)
    if len(at):
        yield written[places].tobytes(), places


def _around(at: Places, reach: int, size: int) -> Flags:
    """Which of so many octets are within reach of some of these places, in order."""
    edges = np.bincount(np.maximum(at - reach, 0), minlength=size + 1)
    edges -= np.bincount(np.minimum(at + reach, size), minlength=size + 1)
    return np.cumsum(edges)[:-1] > 0


def _escapes(octets: bytes, padded: Octets) -> Iterator[_Escapes]:
    def ahead(at: Places, step: int) -> Octets:
        return padded[at + step]

    def hex_at(at: Places, step: int) -> tuple[Flags, Octets]:
        high, low = _DIGITS[ahead(at, step)], _DIGITS[ahead(at, step + 1)]
        return (high < 16) & (low < 16), ((high & 15) << 4 | low & 15).astype(np.uint8)

    def chosen(at: Places, good: Flags, length: int, values: Octets) -> _Escapes:
        return _Escapes(at[good], np.full(int(good.sum()), length), values[good])

    plain = padded[: len(octets)]
    for marker in b"%=":
        if marker in octets:
            at = np.flatnonzero(plain == marker)
            good, values = hex_at(at, 1)
            yield chosen(at, good, 3, values)
    if b"\\" in octets:
        at = np.flatnonzero(plain == ord("\\"))
        yield from _after_backslash(padded, at, ahead, hex_at, chosen)
    if b"&#" in octets:
        at = np.flatnonzero((plain == ord("&")) & (padded[1 : len(octets) + 1] == ord("#")))
        yield from _numbers(padded, at, 2, 10, ";")
        yield from _numbers(padded, at[ahead(at, 2) | 0x20 == ord("x")], 3, 16, ";")
    if b"\xc2" in octets or b"\xc3" in octets:
        at = np.flatnonzero(plain & 0xFE == 0xC2)
        more = ahead(at, 1)
        yield chosen(at, more & 0xC0 == 0x80, 2, ((plain[at] & 3) << 6 | more & 0x3F).astype(np.uint8))
    if b"\xef\xbc" in octets or b"\xef\xbd" in octets:
        at = np.flatnonzero(plain == 0xEF)
        number = (ahead(at, 1).astype(np.int32) & 0x3F) << 6 | ahead(at, 2) & 0x3F  # of U+F000 and on
        good = (number >= 0xF01) & (number <= 0xF5E) & (ahead(at, 1) & 0xC0 == 0x80)
        yield chosen(at, good, 3, (number - 0xF01 + 0x21).astype(np.uint8))
    for marker, meant in _WIDE.items():
        if marker in octets:
            at = np.flatnonzero(plain == marker)
            at = at[(ahead(at, 2) == marker) | (padded[at - 2] == marker)]  # one alone is within another character
            at = at[meant[ahead(at, 1)] > 0]
            at = at[_nth_of_row(at) % 2 == 0]  # the second octet may be the marker, too
            yield chosen(at, at >= 0, 2, meant[ahead(at, 1)])


def _numbers(padded: Octets, at: Places, start: int, base: int, close: str) -> Iterator[_Escapes]:
    """Octets as numbers of one to four digits, so far behind each place, and closed."""
    for count in range(1, 5):
        read = [_DIGITS[padded[at + start + step]].astype(np.int32) for step in range(count)]
        number = np.asarray(sum(digit * base ** (count - 1 - step) for step, digit in enumerate(read)))
        good = np.logical_and.reduce([digit < base for digit in read]) & (number < 256)
        good &= padded[at + start + count] == ord(close)
        yield _Escapes(at[good], np.full(int(good.sum()), start + count + 1), number[good].astype(np.uint8))


def _after_backslash(
    padded: Octets,
    at: Places,
    ahead: Callable[[Places, int], Octets],
    hex_at: Callable[[Places, int], tuple[Flags, Octets]],
    chosen: Callable[[Places, Flags, int, Octets], _Escapes],
) -> Iterator[_Escapes]:
    letter = ahead(at, 1)
    good, values = hex_at(at, 2)
    yield chosen(at, good & (letter | 0x20 == ord("x")), 4, values)
    yield from _numbers(padded, at[(letter == ord("u")) & (ahead(at, 2) == ord("{"))], 3, 16, "}")
    good, values = hex_at(at, 4)
    yield chosen(at, good & (letter == ord("u")) & (ahead(at, 2) == 48) & (ahead(at, 3) == 48), 6, values)
    high, middle, low = (ahead(at, step) - np.uint8(48) for step in (1, 2, 3))
    good = (high <= 3) & (middle <= 7) & (low <= 7)
    octal = (high & 3) << 6 | (middle & 7) << 3 | low & 7
    yield chosen(at, good, 4, octal.astype(np.uint8))


def _merged(found: list[_Escapes]) -> _Escapes | None:
    found = [escapes for escapes in found if len(escapes.at)]
    if not found:
        return None
    at = np.concatenate([escapes.at for escapes in found])
    order = np.argsort(at, kind="stable")
    lengths = np.concatenate([escapes.lengths for escapes in found])[order]
    return _Escapes(at[order], lengths, np.concatenate([escapes.values for escapes in found])[order])


def _single_escapes(plain: Octets, written: Octets, kept: Flags, escapes: Places) -> None:
    """Undo `\\n` and the like, and doubled backslashes, where anything is kept."""
    at = np.flatnonzero((plain == ord("\\")) & kept)
    if not len(at):
        return
    # Of a row of backslashes every second one is an escape; one before an escape that was undone belongs to it.
    nth = _nth_of_row(at)
    known = np.zeros(len(plain) + 1, np.bool_)
    known[escapes] = True
    follows = np.append(plain, 0)[at + 1]
    for letter, octet in _SINGLE.items():
        some = at[(follows == letter) & (nth % 2 == 0) & ~known[at]]
        some = some[kept[np.minimum(some + 1, len(kept) - 1)]]
        written[some] = octet
        kept[some + 1] = False
    pair = (follows == ord("\\")) & (nth % 2 == 0)
    kept[at[pair]] = False


def _nth_of_row(at: Places) -> Places:
    """Of places side by side each one's number, from 0."""
    starts = np.flatnonzero(np.diff(at, prepend=-2) > 1)
    nth: Places = np.arange(len(at)) - np.repeat(starts, np.diff(starts, append=len(at)))
    return nth
