"""What was found in one place, put together from its pieces and judged: finds, and not chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.chance import by_chance
from scan.digest import Part
from scan.guesses import Places, Words
from scan.search import Found, Hits, Trace
from scan.table import DigestTable

RARELY = 1e-4
"""A find that is no whole serial is told when chance would make as many in fewer than one place of ten thousand."""

NEAR = 192
"""Half a serial within so many octets of a whole one is that one, seen in another way."""

SHOWN = 3
_PARTS = {Trace.FIRST: Part.FIRST, Trace.LAST: Part.LAST, Trace.HASH: Part.HASH, Trace.SALTED: Part.SALTED}


@dataclass(frozen=True, slots=True, eq=False)
class Find:
    """A trace in a form at one place: where each is, as octets of a file or rows of a table, and of `who`."""

    trace: Trace
    form: str
    at: Places
    who: Words

    @property
    def hits(self) -> int:
        """In how many rows, or how often in a file."""
        return len(np.unique(self.at))

    @property
    def different(self) -> int:
        """Of how many different serials."""
        return len(np.unique(self.who))

    @property
    def first(self) -> tuple[int, ...]:
        """Where the first ones are."""
        return tuple(np.unique(self.at)[:SHOWN].tolist())

    def where(self, chosen: NDArray[np.bool_]) -> Find:
        """A part of it."""
        return Find(self.trace, self.form, self.at[chosen], self.who[chosen])


@dataclass(slots=True)
class Tally:
    """Hits by trace and form. In columns of tables `at` is a row, in files an octet (`rows` is false)."""

    rows: bool
    hits: dict[tuple[Trace, str], list[tuple[Places, Words]]] = field(default_factory=dict)
    tried: Counter[Trace] = field(default_factory=Counter)

    def add(self, found: Found, low: int, high: int, base: int) -> None:
        """Take hits from `low` up to and without `high`; the octet at `low` has the place `base`."""
        self.tried += found.tried
        for hits in found.hits:
            chosen = (hits.at >= low) & (hits.at < high)
            self._put(hits, hits.at[chosen] - low + base, hits.who[chosen])

    def add_rows(self, found: Found, starts: Places, base: int) -> None:
        """Take all hits in a block of rows which begin there; the first is row number `base`."""
        self.tried += found.tried
        for hits in found.hits:
            self._put(hits, np.searchsorted(starts, hits.at, "right") - 1 + base, hits.who)

    def _put(self, hits: Hits, at: Places, who: Words) -> None:
        if len(at):
            self.hits.setdefault((hits.trace, hits.form), []).append((at, who))

    def merge(self, other: Tally) -> None:
        """Take all of another tally of the same place."""
        self.tried += other.tried
        for key, pieces in other.hits.items():
            self.hits.setdefault(key, []).extend(pieces)

    def finds(self, tables: Mapping[Part, DigestTable]) -> list[Find]:
        """What is more than chance."""
        whole = self._whole()
        found = []
        kept: dict[tuple[Trace, str], tuple[Places, Words]] = {}
        for (trace, form), pieces in self.hits.items():
            at, who = _each_once(np.concatenate([at for at, _ in pieces]), np.concatenate([who for _, who in pieces]))
            if trace in (Trace.FIRST, Trace.LAST):
                apart = ~_near(at, whole, 0 if self.rows else NEAR)
                at, who = at[apart], who[apart]
            kept[trace, form] = at, who
        for (trace, form), (at, who) in kept.items():
            alike = sum(len(other) for (each, _), (other, _) in kept.items() if each is trace)
            chance = 0.0 if trace is Trace.WHOLE else self.tried[trace] * tables[_PARTS[trace]].chance
            if by_chance(alike, chance, RARELY) or not len(at):
                continue
            found.append(Find(trace, form, at, who))
        return sorted(found, key=lambda find: (list(Trace).index(find.trace), find.form))

    def _whole(self) -> Places:
        """Where whole serials are."""
        pieces = [at for (trace, _), some in self.hits.items() if trace is Trace.WHOLE for at, _ in some]
        return np.unique(np.concatenate(pieces)) if pieces else np.zeros(0, np.intp)


def _each_once(at: Places, who: Words) -> tuple[Places, Words]:
    order = np.lexsort((who, at))
    at, who = at[order], who[order]
    new = np.ones(len(at), np.bool_)
    new[1:] = (np.diff(at) > 0) | (who[1:] != who[:-1])
    return at[new], who[new]


def _near(at: Places, others: Places, reach: int) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = np.searchsorted(others, at + reach, "right") > np.searchsorted(others, at - reach, "left")
    return near
