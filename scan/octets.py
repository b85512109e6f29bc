"""Serials as they are, octet by octet, in either order: in DER, in files of records, in memory that was written out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from domain.serial import OCTETS
from scan.digest import HALF, Part
from scan.guesses import Guesses, Places, Words

_PLAIN, _NEVER, _MORE, _TWO, _THREE, _FOUR = range(6)


def _classes() -> bytes:
    classes = bytearray(256)
    for octet in range(256):
        if octet < 0x20 or octet == 0x7F or octet in (0xC0, 0xC1) or octet > 0xF4:
            classes[octet] = _PLAIN if octet in b"\t\n\r" else _NEVER
        elif octet >= 0x80:
            classes[octet] = _MORE if octet < 0xC0 else _TWO if octet < 0xE0 else _THREE if octet < 0xF0 else _FOUR
    return bytes(classes)


_CLASSES = _classes()


def raw_guesses(octets: bytes) -> Iterator[Guesses]:
    """Every place where octets are that are no text: of 16 random ones, one in a hundred thousand is all UTF-8."""
    odd = no_text(octets)
    if not len(odd):
        return
    padded = np.frombuffer(octets + bytes(OCTETS), np.uint8)
    near = np.zeros(len(octets) + OCTETS + 1, np.int32)
    np.add.at(near, np.maximum(odd - OCTETS + 1, 0), 1)
    np.add.at(near, odd + 1, -1)
    here = np.cumsum(near)[: len(octets)] > 0
    tops = padded & 0xC0 == 0x40
    (at,) = np.nonzero(here & tops[: len(octets)])
    yield Guesses(
        "octets", Part.FIRST, _words(padded, at, ">u8"), at, lambda some: _words(padded, at[some] + HALF, ">u8")
    )
    (back,) = np.nonzero(here & tops[OCTETS - 1 : OCTETS - 1 + len(octets)])
    turned = _words(padded, back + HALF, "<u8")
    yield Guesses("octets, last first", Part.FIRST, turned, back, lambda some: _words(padded, back[some], "<u8"))


def no_text(octets: bytes) -> Places:
    """Where octets are that UTF-8 text does not have there."""
    marked = np.frombuffer(octets.translate(_CLASSES), np.uint8)
    if not marked.any():
        return np.zeros(0, np.intp)
    more = np.zeros(len(marked) + 3, np.bool_)
    more[1:-2] |= marked >= _TWO
    more[2:-1] |= marked >= _THREE
    more[3:] |= marked >= _FOUR
    return np.flatnonzero((marked == _NEVER) | ((marked == _MORE) != more[: len(marked)]))


def _words(padded: NDArray[np.uint8], at: Places, kind: str) -> Words:
    windows = np.lib.stride_tricks.sliding_window_view(padded, HALF)
    return windows[at].reshape(-1).view(kind).astype(np.uint64)
