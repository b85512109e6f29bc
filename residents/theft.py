"""A theft rehearsed: what somebody learns from a copy of the database who has no key, and some codes to look for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from residents.guessing import PREFIX, Guess, Shape, guess_keys, guess_salts, shape_of, tokens, unkeyed
from residents.leaks import Search, chunks, controls

GUESSED = 1000
"""Codes whose hashes are looked for."""
TRIED_KEYS = 100_000
"""Values of a key's size that are tried as keys."""
_SALTED_ROWS = 10_000
_FEW = 3

Value = tuple[str, str, object]
Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Loot:
    """What came of it. `hashes` are places in which a hash of a known code stands, `values` how many were looked at,
    `octets` how many of files."""

    codes: int
    values: int
    octets: int
    controls: dict[str, bool]
    search: Search
    hashed: int
    hashes: tuple[tuple[str, str], ...]
    guesses: tuple[Guess, ...]
    index: Shape
    sealed: Shape

    def faults(self) -> list[str]:
        """What should not be so, a sentence each, without any code."""
        found = [
            f"the search does not find {name} where it was planted" for name, well in self.controls.items() if not well
        ]
        found += [f"{n} known codes stand as {encoding} in {place}" for encoding, place, n in self.search.suspicious()]
        found += [f"{what} of a known code stands in {place}" for what, place in self.hashes]
        found += [f"{guess.what}: {guess.right} of {guess.tried} were right" for guess in self.guesses if guess.right]
        return found + self.index.faults("indexes") + self.sealed.faults("sealed values")


def rehearse_theft(
    codes: Sequence[str],
    values: Iterable[Value],
    files: Iterable[tuple[str, Iterable[bytes]]],
    on_progress: Progress = lambda _: None,
) -> Loot:
    """Look for the codes in every value and in the octets of every file (name, pieces), and try to get at others."""
    search = Search(frozenset(codes))
    wanted = {octets: what for code in codes[:GUESSED] for what, octets in unkeyed(code)}
    thief = _Thief(search, wanted)
    for number, value in enumerate(values, start=1):
        thief.see(*value)
        if number % 10_000 == 0:
            on_progress(number)
    size = 0
    for name, pieces in files:
        for piece in chunks(pieces):
            search.look(piece, name)
            size += len(piece)
    indexes = frozenset(thief.indexes)
    few = codes[:_FEW]
    guesses = (
        guess_keys(few, indexes, thief.keys),
        guess_salts(few, indexes, min(len(indexes), _SALTED_ROWS)),
    )
    return Loot(
        codes=len(search.known),
        values=thief.values,
        octets=size,
        controls=controls(codes[0] if codes else "00000000019"),
        search=search,
        hashed=len(wanted),
        hashes=tuple(sorted(thief.hashes)),
        guesses=guesses,
        index=shape_of(thief.indexes),
        sealed=shape_of(thief.sealed, skip=1),
    )


class _Thief:
    def __init__(self, search: Search, wanted: dict[bytes, str]) -> None:
        self._search, self._wanted = search, wanted
        self.values = 0
        self.indexes: list[bytes] = []
        self.sealed: list[bytes] = []
        self.keys: set[bytes] = set()
        self.hashes: set[tuple[str, str]] = set()

    def see(self, table: str, column: str, value: object) -> None:
        self.values += 1
        place = f"{table}.{column}"
        if isinstance(value, int):
            self._search.look_at_number(value, place)
            return
        octets = (
            bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode("utf-8", "surrogateescape")
        )
        if place == "residents.code_index":
            self.indexes.append(octets)
        elif place == "residents.code_sealed":
            self.sealed.append(octets)
        self._search.look(octets, place)
        for token in islice(tokens(octets), 64):
            if what := self._wanted.get(token[:PREFIX]):
                self.hashes.add((what, place))
            if len(token) == 32 and place != "residents.code_index" and len(self.keys) < TRIED_KEYS:
                self.keys.add(token)
