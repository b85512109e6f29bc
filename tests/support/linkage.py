"""The linkage game: two verifiers put their complete databases together and try to match residents.

A player gets the rows of both, shuffled, and for some residents the true match, and says for each of the other rows of
the first database which row of the second is the same person. Its score is how many it gets right; chance is what
guessing without looking would get.

    python -m tests.support.linkage

prints what event times join (docs/handles.md has the figures).
"""

from __future__ import annotations

import base64
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.certificates import Kind
from domain.handles import HandleKeyRecord, Line, Recipient
from policies.news import SPREAD, due_at
from verifiers.handles import HandleKey, HandleKeys, HandleRing

START = datetime(2027, 4, 1, tzinfo=UTC)
_SECRETS = {1: b"1" * 32, 2: b"2" * 32}

Row = tuple[str, ...]
"""What a database has of a resident: texts in columns."""
Player = Callable[[Sequence[Row], Sequence[Row], Mapping[int, int]], Mapping[int, int]]
"""Rows of both databases and known matches by place; for places of the first, places of the second."""
Describe = Callable[[Recipient, int], Row]
"""The row by which a recipient knows the resident of that number."""


def make_keys(*used: int) -> HandleKeys:
    records = {
        number: HandleKeyRecord(number, HandleKey(_SECRETS[number]).check, START, START) for number in used or (1,)
    }
    return HandleKeys(HandleRing(lambda: _SECRETS), records)


def by_handle(keys: HandleKeys, *kinds: Kind) -> Describe:
    """Handles of these kinds under every generation in use: what a database holds that forgets nothing."""

    def describe(recipient: Recipient, resident: int) -> Row:
        return tuple(
            keys.make(Line(resident, kind), recipient, generation)
            for kind in kinds or (Kind.SIGNATURE,)
            for generation in keys.readable
        )

    return describe


@dataclass
class Game:
    """Both databases, the truth, and which of it the player is told."""

    first: list[Row]
    second: list[Row]
    truth: dict[int, int]
    known: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        describe: Describe,
        recipients: tuple[Recipient, Recipient],
        *,
        common: int,
        own: int,
        known: int,
        seed: int = 1,
    ) -> Game:
        """`common` residents are customers of both, `own` of each alone; the player knows `known` matches."""
        chance = random.Random(seed)
        people = chance.sample(range(1, 10 * (common + 2 * own)), common + 2 * own)
        first, second = people[: common + own], [*people[:common], *people[common + own :]]
        chance.shuffle(first)
        chance.shuffle(second)
        places = {person: place for place, person in enumerate(second)}
        truth = {place: places[person] for place, person in enumerate(first) if person in places}
        told = dict(chance.sample(sorted(truth.items()), known))
        one, other = recipients
        rows = [describe(one, person) for person in first]
        return cls(rows, [describe(other, person) for person in second], truth, told)

    def play(self, player: Player) -> int:
        """How many matches the player gets right that it was not told."""
        said = player(self.first, self.second, self.known)
        return sum(said.get(place) == other for place, other in self.truth.items() if place not in self.known)

    @property
    def chance(self) -> float:
        """What guessing gets, on the average."""
        return (len(self.truth) - len(self.known)) / (len(self.second) - len(self.known))


def octets_of(row: Row) -> bytes:
    """All that is behind the generation's number, as octets; of other texts those of the texts."""
    parts = [text.partition("-")[2] for text in row]
    if any(len(part) != 40 for part in parts):
        return "".join(row).encode("latin-1")
    return b"".join(base64.b32decode(part.upper()) for part in parts)


def same_text(first: Sequence[Row], second: Sequence[Row], known: Mapping[int, int]) -> dict[int, int]:
    """Match what has a column in common."""
    seen = {text: place for place, row in enumerate(second) for text in row}
    return {place: seen[text] for place, row in enumerate(first) for text in row if text in seen}


def same_part(first: Sequence[Row], second: Sequence[Row], known: Mapping[int, int]) -> dict[int, int]:
    """Match what has six characters at one place in common, or anywhere, if nothing else has."""
    seen = defaultdict(set)
    for place, row in enumerate(second):
        for text in row:
            for start in range(len(text) - 5):
                seen[text[start : start + 6]].add(place)
    votes: dict[int, Counter[int]] = defaultdict(Counter)
    for place, row in enumerate(first):
        for text in row:
            for start in range(len(text) - 5):
                for other in seen.get(text[start : start + 6], ()):
                    votes[place][other] += 1
    return {place: found.most_common(1)[0][0] for place, found in votes.items()}


def same_rank(first: Sequence[Row], second: Sequence[Row], known: Mapping[int, int]) -> dict[int, int]:
    """Sort both and lay them beside each other: for schemes that keep the order."""
    orders = [
        [place for _, place in sorted(zip(map(octets_of, rows), range(len(rows)), strict=True))]
        for rows in (first, second)
    ]
    scale = len(second) / len(first)
    return {place: orders[1][int(rank * scale)] for rank, place in enumerate(orders[0])}


def same_mask(first: Sequence[Row], second: Sequence[Row], known: Mapping[int, int]) -> dict[int, int]:
    """Learn from known matches what is added (exclusive or) at each octet, and undo it."""
    pairs = [(octets_of(first[a]), octets_of(second[b])) for a, b in known.items()]
    width = min(len(octets_of(row)) for row in (*first, *second))
    mask = bytes(Counter(a[i] ^ b[i] for a, b in pairs).most_common(1)[0][0] for i in range(width))
    seen = {octets_of(row)[:width]: place for place, row in enumerate(second)}
    found = {}
    for place, row in enumerate(first):
        guess = bytes(x ^ m for x, m in zip(octets_of(row), mask, strict=False))
        if guess in seen:
            found[place] = seen[guess]
    return found


def nearest(first: Sequence[Row], second: Sequence[Row], known: Mapping[int, int]) -> dict[int, int]:
    """Learn which bits of the one tell which bits of the other, predict a row of the second, and take the nearest."""
    width = 8 * min(len(octets_of(row)) for row in (*first, *second))
    ours, theirs = ([int.from_bytes(octets_of(row)[: width // 8]) for row in rows] for rows in (first, second))
    pairs = [(ours[a], theirs[b]) for a, b in known.items()]
    shifts = {shift: _agreement(pairs, shift, width) for shift in range(-16, 17)}
    best = max(shifts, key=lambda shift: abs(shifts[shift] - 0.5))
    flip = (1 << width) - 1 if shifts[best] < 0.5 else 0
    free = [place for place in range(len(second)) if place not in known.values()]
    found = {}
    for place in range(len(first)):
        if place not in known:
            guess = _turned(ours[place], best, width) ^ flip
            found[place] = min(((guess ^ theirs[other]).bit_count(), other) for other in free)[1]
    return found


def same_difference(first: Sequence[Row], second: Sequence[Row], known: Mapping[int, int]) -> dict[int, int]:
    """Where a row has several handles: match what lies between them (signing and authentication, old key and new)."""

    def differences(row: Row) -> tuple[bytes, ...]:
        parts = [octets_of((text,)) for text in row]
        return tuple(bytes(x ^ y for x, y in zip(parts[0], part, strict=False)) for part in parts[1:])

    seen = {differences(row): place for place, row in enumerate(second) if len(row) > 1}
    found = {place: seen.get(differences(row)) for place, row in enumerate(first) if len(row) > 1}
    return {place: other for place, other in found.items() if other is not None}


PLAYERS: dict[str, Player] = {
    "same-text": same_text,
    "same-part": same_part,
    "same-rank": same_rank,
    "same-mask": same_mask,
    "nearest": nearest,
    "same-difference": same_difference,
}


def _turned(value: int, shift: int, width: int) -> int:
    mask = (1 << width) - 1
    return (value << shift if shift >= 0 else value >> -shift) & mask


def _agreement(pairs: Sequence[tuple[int, int]], shift: int, width: int) -> float:
    equal = sum(width - (_turned(a, shift, width) ^ b).bit_count() for a, b in pairs)
    return equal / (width * len(pairs))


# What event times join


@dataclass(frozen=True)
class Joined:
    """Of the common residents with so many events, how many were matched, and how many there were."""

    events: int
    matched: int
    residents: int


Told = Callable[[datetime, random.Random], float]
"""When a verifier hears of an event, as it can compare: a number on its clock."""


def at_once(moment: datetime, _: random.Random) -> float:
    """To the second, as OCSP answers and lists say it."""
    return moment.timestamp()


def in_days(moment: datetime, _: random.Random) -> float:
    """All of a day together, on the next day."""
    return due_at(moment, 0).timestamp() // 86400


def spread(moment: datetime, chance: random.Random) -> float:
    """As news are told: on one of some days, another one for each verifier."""
    return due_at(moment, chance.getrandbits(62)).timestamp() // 86400


def join_on_times(
    told: Told, tolerance: float, *, customers: int, rate: float, years: float, seed: int = 1
) -> list[Joined]:
    """Play with the times alone: both verifiers have the same `customers` (the best case for joining), each of whom has
    `rate` events a year. A resident is matched when the history in the second database that fits best, of all that
    have as many events, is the true one; among equals one is drawn."""
    chance = random.Random(seed)
    histories = []
    for _ in range(customers):
        count = sum(chance.random() < rate / 12 for _ in range(int(12 * years)))
        histories.append(
            sorted(START + timedelta(seconds=chance.randrange(int(years * 31557600))) for _ in range(count))
        )
    sides = [[tuple(sorted(told(moment, chance) for moment in one)) for one in histories] for _ in range(2)]
    buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
    size = max(tolerance, 1.0)
    for place, history in enumerate(sides[1]):
        if history:
            buckets[len(history), int(history[0] // size)].append(place)
    results: dict[int, list[bool]] = defaultdict(list)
    for place, history in enumerate(sides[0]):
        if not history:
            continue
        slot = int(history[0] // size)
        near = [other for step in (-1, 0, 1) for other in buckets[len(history), slot + step]]
        scores = [(_fit(history, sides[1][other], tolerance), chance.random(), other) for other in near]
        results[len(history)].append(bool(scores) and max(scores)[2] == place)
    return [Joined(events, sum(found), len(found)) for events, found in sorted(results.items())]


def _fit(one: Sequence[float], other: Sequence[float], tolerance: float) -> float:
    """How likely these are two tellings of one history: differences of two even spreads are small more often."""
    likely = 1.0
    for a, b in zip(one, other, strict=True):
        likely *= max(0.0, 1 - abs(a - b) / (tolerance + 1))
    return likely


WAYS: dict[str, tuple[Told, float]] = {
    "to the second": (at_once, 0.0),
    "by day": (in_days, 0.0),
    f"within {SPREAD} days": (spread, SPREAD - 1.0),
}


def main() -> None:
    """Print how many of the common customers of two verifiers event times match."""
    customers, rate, years = 20_000, 0.25, 4.0
    print(f"{customers} customers of both, {rate} events a year each, {years:g} years")
    for name, (told, tolerance) in WAYS.items():
        rows = join_on_times(told, tolerance, customers=customers, rate=rate, years=years)
        print(name, *(f"{row.events}: {row.matched / row.residents:.1%}" for row in rows if row.events <= 4), sep="\t")


if __name__ == "__main__":
    main()
