"""The search of some octets for serials, written in any way, with a filter and without a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from scan.container import ScanFilter
from scan.digest import Digester, Part
from scan.digits import decimal_guesses, hex_guesses, octet_lists, texts_in_hex
from scan.escapes import views
from scan.guesses import Guesses, Places, Words
from scan.octets import raw_guesses
from scan.radix import radix_guesses
from scan.runs import Characters
from scan.sixbits import SixBits, base64_guesses, texts_within

_DEEPEST = 2
"""Escapes within base64 within escapes: no further."""


class Trace(Enum):
    """What was found: the whole serial, its first or last half, its hash; ALIKE: what the filter does not know."""

    WHOLE = "whole"
    FIRST = "first-half"
    LAST = "last-half"
    HASH = "hash"
    SALTED = "salted-hash"
    ALIKE = "alike"


_ALONE = {Part.FIRST: Trace.FIRST, Part.LAST: Trace.LAST, Part.HASH: Trace.HASH, Part.SALTED: Trace.SALTED}


@dataclass(frozen=True, slots=True, repr=False)
class Hits:
    """Places where the same trace was found in the same form. `who` tells different serials apart, under the key."""

    trace: Trace
    form: str
    at: Places
    who: Words


@dataclass(slots=True)
class Found:
    """All hits of a search, and how many numbers were asked for."""

    hits: list[Hits] = field(default_factory=list)
    tried: Counter[Trace] = field(default_factory=Counter)


class Search:
    """A filter and its key at work. It keeps nothing of what it looks at but places and keyed digests."""

    def __init__(self, filter_: ScanFilter, key: bytes) -> None:
        self._tables = filter_.tables
        self._digester = Digester(key, filter_.label.salt)

    def look(self, octets: bytes) -> Found:
        """Everything in these octets that the filter knows."""
        found = Found()
        self._look(octets, np.arange(len(octets)), found, 0)
        return found

    def knows(self, text: str) -> bool:
        """Whether there is a whole serial in a text, such as the name of a file."""
        return any(hits.trace is Trace.WHOLE for hits in self.look(text.encode("utf-8", "surrogateescape")).hits)

    def _look(self, octets: bytes, places: Places, found: Found, depth: int) -> None:
        text, packed = Characters(octets), SixBits(octets)
        for guesses in _guesses(octets, text, packed):
            self._ask(guesses, octets, places, found)
        if depth < _DEEPEST:
            for inner, at in _views(octets, text, packed):
                self._look(inner, places[at], found, depth + 1)

    def _ask(self, guesses: Guesses, octets: bytes, places: Places, found: Found) -> None:
        alone = _ALONE[guesses.part]
        found.tried[alone] += len(guesses.values)
        digests = self._digester.digests(guesses.part, guesses.values)
        (known,) = np.nonzero(self._tables[guesses.part].contains(digests))
        if not len(known):
            return
        who, at = digests[known, 0], guesses.at[known]
        if guesses.other is None:
            found.hits.append(Hits(alone, guesses.form, places[at], who))
            return
        other = Part.LAST if guesses.part is Part.FIRST else Part.FIRST
        whole = self._tables[other].contains(self._digester.digests(other, guesses.other(known)))
        if guesses.part is Part.FIRST and whole.any():
            der = _is_der(octets, at[whole]) if guesses.form == "octets" else np.zeros(int(whole.sum()), np.bool_)
            for form, chosen in ((guesses.form, ~der), ("DER integer", der)):
                if chosen.any():
                    found.hits.append(Hits(Trace.WHOLE, form, places[at[whole][chosen]], who[whole][chosen]))
        if not whole.all():
            found.hits.append(Hits(alone, guesses.form, places[at[~whole]], who[~whole]))


def _guesses(octets: bytes, text: Characters, packed: SixBits) -> Iterator[Guesses]:
    yield from hex_guesses(text)
    yield from decimal_guesses(text)
    yield from radix_guesses(octets, text)
    yield from base64_guesses(packed)
    yield from raw_guesses(octets)


def _views(octets: bytes, text: Characters, packed: SixBits) -> Iterator[tuple[bytes, Places]]:
    yield from views(octets)
    yield from octet_lists(text)
    yield from texts_in_hex(text)
    yield from texts_within(packed)


def _is_der(octets: bytes, at: Places) -> NDArray[np.bool_]:
    """Whether tag and length of an INTEGER of 16 octets stand before."""
    return np.array([octets[max(place - 2, 0) : place] == b"\x02\x10" for place in at.tolist()], np.bool_)
