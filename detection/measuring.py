"""Measuring: what a day's sketch says beside those of days before and of other verifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from statistics import median

from detection.sketch import Sketch
from policies.detection import Measures

Who = tuple[int, int]
"""Party and provider."""
Days = Mapping[Who, Sketch]

WINDOW = 7
"""Days that a day is compared with."""
ENOUGH = 40
"""Certificates of a sample that must be comparable before it is compared."""
_NIGHT = (15, 16, 17, 18, 19)
"""Midnight to five in Japan, in hours of UTC."""
_FIRST = 150
"""Certificates by which others are looked at first."""
_PEERS = 5
"""Verifiers with one purpose that make a season of it when all of them ask more."""
_SMALL = 200
"""A usual day counts as at least so many questions: who asks little may ask ten times as much."""


def days_before(day: date, days: Mapping[date, Days]) -> list[Days]:
    """The days of the window before `day`, the last one first, all under the key of its month."""
    found: list[Days] = []
    for earlier in (day - timedelta(days=step) for step in range(1, WINDOW + 1)):
        there = days.get(earlier, {})
        if earlier.month != day.month:
            there = {who: sketch.ahead for who, sketch in there.items() if sketch.ahead}
        if there:
            found.append(there)
    return found


def measure_day(today: Days, before: Sequence[Days]) -> dict[Who, Measures]:
    """The measures of every verifier's day; `before` are the days before it, the last one first (`days_before`).
    Who asked nothing has none."""
    today, *before = ({who: sketch for who, sketch in day.items() if sketch.requests} for day in (today, *before))
    growths = {who: _growth(sketch, [day[who] for day in before if who in day]) for who, sketch in today.items()}
    usual = _usual(today, growths)
    unions = _unions(before)
    return {
        who: _measures(
            sketch,
            [day.get(who) for day in before],
            growths[who] / usual.get(_purpose(sketch), usual[""]),
            _shared(who, today, unions),
        )
        for who, sketch in today.items()
    }


def _usual(today: Days, growths: Mapping[Who, float]) -> dict[str, float]:
    """How much more than usual was asked for each purpose that several verifiers have; "" is for all others."""
    by_purpose: dict[str, list[float]] = {"": []}
    for who, growth in growths.items():
        if growth:
            by_purpose.setdefault(_purpose(today[who]), []).append(growth)
            by_purpose[""].append(growth)
    several = {purpose: found for purpose, found in by_purpose.items() if len(found) >= _PEERS}
    return {"": 1.0, **{purpose: max(median(found), 1.0) for purpose, found in several.items()}}


def _purpose(sketch: Sketch) -> str:
    return sketch.purposes[0] if sketch.purposes else ""


def _measures(sketch: Sketch, own: Sequence[Sketch | None], surge: float, shared: float) -> Measures:
    distinct, sample = sketch.distinct, sketch.sample
    asked = sum(count for count, _ in sample.values())
    fanned = sum(1 for _, bits in sample.values() if bits.bit_count() >= 3)
    return Measures(
        requests=sketch.requests,
        distinct=distinct,
        bare=sketch.bare / sketch.requests,
        barer=_barer(sketch, [day for day in own if day is not None]),
        dead=sketch.dead / sketch.requests,
        polls=asked / len(sample),
        fanned=fanned / len(sample),
        returning=_returning(sketch, own),
        shared=shared,
        surge=surge,
        night=sum(sketch.hours[hour] for hour in _NIGHT) / sketch.requests,
    )


def _barer(sketch: Sketch, earlier: Sequence[Sketch]) -> float:
    if len(earlier) < 2:
        return 0.0
    return max(sketch.bare / sketch.requests - median(day.bare / day.requests for day in earlier), 0.0)


def _growth(sketch: Sketch, earlier: Sequence[Sketch]) -> float:
    """0 where nothing is known of earlier days."""
    if len(earlier) < 2:
        return 0.0
    return sketch.requests / max(median(day.requests for day in earlier), _SMALL)


def _returning(sketch: Sketch, own: Sequence[Sketch | None]) -> float:
    """The share of today's certificates that the verifier asked about on its last day, too."""
    last = next((day for day in own if day is not None), None)
    if last is None:
        return 0.0
    below = min(sketch.below, last.below)
    comparable = [digest for digest in sketch.sample if digest <= below]
    if len(comparable) < ENOUGH:
        return 0.0
    return sum(digest in last.sample for digest in comparable) / len(comparable)


def _unions(before: Sequence[Days]) -> dict[Who, tuple[int, set[int]]]:
    """For each verifier up to which digest its days before are comparable, and whom they were about."""
    unions: dict[Who, tuple[int, set[int]]] = {}
    for day in before:
        for who, sketch in day.items():
            below, union = unions.get(who, (sketch.below, set()))
            union.update(sketch.sample)
            unions[who] = (min(below, sketch.below), union)
    return unions


def _shared(who: Who, today: Days, unions: Mapping[Who, tuple[int, set[int]]]) -> float:
    """The greatest share of certificates, new to this verifier, that one other asked about before and not today, beyond
    what the two had in common before.

    Who goes from the doctor to the chemist is asked about by both on one day, so that day does not count.
    """
    sketch = today[who]
    own_below, own = unions.get(who, (sketch.below, set()))
    greatest = 0.0
    fresh = set(sketch.sample) - own
    if len(fresh) < ENOUGH:
        return greatest
    first = sorted(fresh)[:_FIRST]
    for other, (below, union) in unions.items():
        # Most have nothing in common, and the lowest digests show it. A platform's providers are its own.
        if other[0] == who[0] or sum(digest in union for digest in first) < len(first) // 10:
            continue
        common = fresh & union
        if len(common) < ENOUGH // 4:
            continue
        level = min(below, sketch.below, own_below)
        beside = today.get(other)
        seen = beside.sample.keys() if beside else frozenset()
        if beside:
            level = min(level, beside.below)
        # Of all that is comparable and not asked about by both today, how much does the other know from before?
        comparable = {digest for digest in sketch.sample if digest <= level and digest not in seen}
        if len(comparable) < ENOUGH:
            continue
        share = sum(digest in common for digest in comparable) / len(comparable)
        # Neighbours know the same people: as much of those that this verifier knew before is no news.
        mine = [digest for digest in own if digest <= level]
        usual = sum(digest in union for digest in mine) / len(mine) if len(mine) >= ENOUGH else 0.0
        greatest = max(greatest, (share - usual) / (1 - usual) if usual < share else 0.0)
    return greatest
