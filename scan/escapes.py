"""Escapes undone: octets as `%4A`, `=4A`, `\\x4a`, `\\112`, `&#74;`, as Latin-1 in UTF-8, in full width, in UTF-16."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scan.guesses import Flags, Places

_MANY = 2
_WITHIN = 64
"""So many escapes within so many octets could be a serial."""

_AROUND = 96
_SINGLE = {ord(letter): ord(octet) for letter, octet in zip("nrtbf\"'/0", "\n\r\t\b\f\"'/\0", strict=True)}

Octets = NDArray[np.uint8]


def _digit_values() -> Octets:
    values = np.full(256, 255, np.uint8)
    for digit in "0123456789abcdefABCDEF":
        values[ord(digit)] = int(digit, 16)
    return values


_DIGITS = _digit_values()
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
    edges = np.zeros(len(octets) + 1, np.int32)
    np.add.at(edges, np.maximum(at[close] - _AROUND, 0), 1)
    np.add.at(edges, np.minimum(at[close] + _AROUND, len(octets)), -1)
    kept = np.cumsum(edges)[:-1] > 0
    written = padded[: len(octets)].copy()
    for step in range(1, int(found.lengths.max())):
        gone = at[found.lengths > step] + step
        kept[gone[gone < len(kept)]] = False
    written[at] = found.values
    _single_escapes(padded[: len(octets)], written, kept, at)
    (places,) = np.nonzero(kept)
    yield written[places].tobytes(), places


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
        yield from _after_backslash(at, ahead, hex_at, chosen)
    if b"&#" in octets:
        at = np.flatnonzero((plain == ord("&")) & (padded[1 : len(octets) + 1] == ord("#")))
        good, values = hex_at(at, 3)
        yield chosen(at, good & (ahead(at, 2) | 0x20 == ord("x")) & (ahead(at, 5) == ord(";")), 6, values)
        for count in (1, 2, 3):
            digits = [ahead(at, 2 + step).astype(np.int32) - 48 for step in range(count)]
            number = sum(digit * 10 ** (count - 1 - step) for step, digit in enumerate(digits))
            good = np.logical_and.reduce([(digit >= 0) & (digit <= 9) for digit in digits]) & (number < 256)
            good &= ahead(at, 2 + count) == ord(";")
            yield chosen(at, good, 3 + count, np.asarray(number).astype(np.uint8))
    if b"\xc2" in octets or b"\xc3" in octets:
        at = np.flatnonzero(plain & 0xFE == 0xC2)
        more = ahead(at, 1)
        yield chosen(at, more & 0xC0 == 0x80, 2, ((plain[at] & 3) << 6 | more & 0x3F).astype(np.uint8))
    if b"\xef\xbc" in octets or b"\xef\xbd" in octets:
        at = np.flatnonzero(plain == 0xEF)
        number = (ahead(at, 1).astype(np.int32) & 0x3F) << 6 | ahead(at, 2) & 0x3F  # of U+F000 and on
        good = (number >= 0xF01) & (number <= 0xF5E) & (ahead(at, 1) & 0xC0 == 0x80)
        yield chosen(at, good, 3, (number - 0xF01 + 0x21).astype(np.uint8))


def _after_backslash(
    at: Places,
    ahead: Callable[[Places, int], Octets],
    hex_at: Callable[[Places, int], tuple[Flags, Octets]],
    chosen: Callable[[Places, Flags, int, Octets], _Escapes],
) -> Iterator[_Escapes]:
    letter = ahead(at, 1)
    good, values = hex_at(at, 2)
    yield chosen(at, good & (letter | 0x20 == ord("x")), 4, values)
    good, values = hex_at(at, 4)
    yield chosen(at, good & (letter == ord("u")) & (ahead(at, 2) == 48) & (ahead(at, 3) == 48), 6, values)
    digits = [ahead(at, step) - np.uint8(48) for step in (1, 2, 3)]
    good = (digits[0] <= 3) & (digits[1] <= 7) & (digits[2] <= 7)
    octal = (digits[0] & 3) << 6 | (digits[1] & 7) << 3 | digits[2] & 7
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
    starts = np.flatnonzero(np.diff(at, prepend=-2) > 1)
    nth = np.arange(len(at)) - np.repeat(starts, np.diff(starts, append=len(at)))
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
