"""Simulated traffic with labels: hospitals, banks, tax season; and those who collect. It measures the rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from detection.measuring import WINDOW, Who, measure_day
from detection.sketch import Sketch
from domain.detection import NOBODY, Grade
from policies.detection import DetectionRule, judge

People = npt.NDArray[np.int64]

WARM = 8
"""Days before anybody does wrong."""
SEASON = (12, 18)
"""The days on which taxes are due."""
NORMAL = {"hospital": 60, "chemist": 60, "bank": 40, "broker": 12, "tax": 10, "shop": 20, "attendance": 5, "payroll": 5}
ABUSES = ("old-list", "old-list-dressed", "guess", "poll-hourly", "poll-daily", "fan-out", "shared", "shared-dressed")
EVASIONS = ("slow-poll", "daily-poll-dressed", "own-list-dressed", "shared-trickle", "two-fronts")
"""Abuses made to stay below the rules. They are measured apart."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """One verifier of the world: what it is, whom it knows, how much it asks, and whether it sends evidence."""

    number: int
    sort: str
    known: People
    volume: int
    evidenced: float
    abuse: str = ""
    starts: int = 0
    target: int = -1


@dataclass(slots=True)
class Tally:
    """What came of it. `found` says by abuse how many were found within a day; `rules` which rules found them first."""

    verifier_days: int = 0
    false_alarms: int = 0
    notes: int = 0
    abusers: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    later: Counter[str] = field(default_factory=Counter)
    rules: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    false: Counter[str] = field(default_factory=Counter)

    def rate(self, abuses: Sequence[str]) -> float:
        """The share of abusers of these sorts that was found within a day."""
        return sum(self.found[abuse] for abuse in abuses) / max(sum(self.abusers[abuse] for abuse in abuses), 1)

    @property
    def false_rate(self) -> float:
        """False alarms for each 1,000 days of a verifier that did nothing wrong."""
        return 1000 * self.false_alarms / max(self.verifier_days, 1)


class World:
    """A population and its verifiers, on days that follow each other. `share` makes it smaller."""

    def __init__(self, seed: int, *, people: int = 300_000, each: int = 5, days: int = 28, share: int = 1) -> None:
        self._chance = np.random.default_rng(seed)
        self._days = days
        # A keyed digest is as good as a draw of 64 bits.
        self._digests = self._chance.integers(0, 1 << 63, people, dtype=np.int64).astype(np.uint64) << np.uint64(1)
        self._people = people
        self.verifiers: list[Verifier] = []
        self._hospitals = NORMAL["hospital"] // share
        for sort, count in NORMAL.items():
            self.verifiers += [self._verifier(sort) for _ in range(max(count // share, 5))]
        honest = len(self.verifiers)
        for abuse in (*ABUSES, *EVASIONS):
            for _ in range(each):
                base = self._verifier(str(self._chance.choice(["bank", "shop", "hospital"])))
                starts, target = int(self._chance.integers(WARM, days - 4)), int(self._chance.integers(0, 160))
                self.verifiers.append(
                    Verifier(
                        base.number, base.sort, base.known, base.volume, base.evidenced, abuse, starts, target % honest
                    )
                )
        self._asked: dict[int, list[People]] = defaultdict(list)
        self._cohorts: dict[int, People] = {}

    def _verifier(self, sort: str) -> Verifier:
        chance, number = self._chance, len(self.verifiers)
        size, volume = {
            "hospital": (int(chance.integers(8_000, 30_000)), int(chance.integers(250, 1500))),
            "chemist": (4_000, int(chance.integers(100, 400))),
            "bank": (int(chance.integers(3_000, 20_000)), 0),
            "broker": (int(chance.integers(1_500, 4_000)), 0),
            "tax": (int(chance.integers(20_000, 60_000)), int(chance.integers(500, 1500))),
            "shop": (int(chance.integers(3_000, 9_000)), int(chance.integers(30, 150))),
            "attendance": (int(chance.integers(200, 800)), 0),
            "payroll": (int(chance.integers(200, 900)), 0),
        }[sort]
        # People live somewhere: neighbours have the same doctor and bank.
        start = int(chance.integers(0, self._people))
        reach = min(self._people, 4 * size)
        known = (start + chance.choice(reach, size, replace=False)) % self._people
        evidenced = 0.0 if sort == "shop" and chance.random() < 0.5 else 0.97
        return Verifier(number, sort, known, volume, evidenced)

    def day(self, day: int) -> dict[Who, Sketch]:
        """What everybody asks on a day, as sketches."""
        found: dict[Who, Sketch] = {}
        for place, verifier in enumerate(self.verifiers):
            sketch = Sketch()
            asked = self._genuine(place, verifier, day)
            self._put(sketch, asked, verifier.sort, verifier.evidenced)
            if verifier.abuse and day >= verifier.starts:
                self._abuse(sketch, place, verifier, day)
            self._asked[place] = [asked, *self._asked[place][: WINDOW - 1]]
            if sketch.requests:
                found[place, NOBODY] = sketch
        return found

    def _genuine(self, place: int, verifier: Verifier, day: int) -> People:
        chance, known = self._chance, verifier.known
        weekday = day % 7 < 5
        match verifier.sort:
            case "bank":
                # Some log in every day, most now and then, some of them more than once.
                heavy = known[: len(known) // 20]
                today = np.concatenate(
                    [heavy[chance.random(len(heavy)) < 0.8], known[chance.random(len(known)) < 0.12]]
                )
                return np.concatenate([today, today[chance.random(len(today)) < 0.3]])
            case "broker":
                return known[chance.random(len(known)) < (0.7 if weekday else 0.1)]
            case "attendance":
                return known[chance.random(len(known)) < (0.95 if weekday else 0.02)]
            case "payroll":
                return known if day % 28 == 24 else known[:5]
            case "chemist":
                doctors = self._asked[place - self._hospitals] if verifier.abuse == "" else []
                patients = doctors[0] if doctors else known
                mine = patients[chance.random(len(patients)) < 0.6]
                yesterday = doctors[1] if len(doctors) > 1 else known[:0]
                return np.concatenate([mine, yesterday[chance.random(len(yesterday)) < 0.08]])
            case _:
                level = 1.0 if weekday or verifier.sort == "shop" else 0.15
                if verifier.sort == "tax":
                    level = 8.0 if SEASON[0] <= day <= SEASON[1] else 1.0
                return chance.choice(known, int(chance.poisson(verifier.volume * level)))

    def _abuse(self, sketch: Sketch, place: int, verifier: Verifier, day: int) -> None:
        chance, once = self._chance, day == verifier.starts
        if place not in self._cohorts:
            self._cohorts[place] = self._cohort(verifier)
        cohort = self._cohorts[place]
        match verifier.abuse:
            case "old-list" | "old-list-dressed" if once:
                dressed = verifier.abuse != "old-list"
                count = int(chance.integers(3_000, 20_000))
                self._put(
                    sketch, self._anybody(count), verifier.sort, 0.97 * dressed, dead=float(chance.uniform(0.12, 0.3))
                )
            case "guess":
                self._put(sketch, self._anybody(int(chance.integers(500, 5_000))), verifier.sort, 0.5, dead=0.99)
            case "poll-hourly":
                times = int(chance.integers(6, 25))
                self._put(sketch, cohort, verifier.sort, float(chance.choice([0.0, 0.97])), times=times)
            case "poll-daily":
                self._put(sketch, cohort, verifier.sort, 0.0)
            case "fan-out":
                for number in range(int(chance.integers(3, 7))):
                    self._put(sketch, cohort, f"purpose {number}", 0.97)
            case "shared" | "shared-dressed" if once:
                self._put(sketch, cohort, verifier.sort, 0.97 if verifier.abuse != "shared" else 0.0)
            case "slow-poll":
                self._put(sketch, cohort[day % 10 :: 10], verifier.sort, 0.97)
            case "daily-poll-dressed":
                self._put(sketch, cohort, verifier.sort, 0.97)
            case "own-list-dressed" if once:
                self._put(sketch, chance.choice(verifier.known, 1500), verifier.sort, 0.97)
            case "shared-trickle":
                self._put(sketch, chance.choice(cohort, 30), verifier.sort, 0.97)
            case "two-fronts":
                self._put(sketch, cohort[place % 2 :: 2][:150], verifier.sort, 0.97)

    def _anybody(self, count: int) -> People:
        return self._chance.integers(0, self._people, count)

    def _cohort(self, verifier: Verifier) -> People:
        """Whom the abuser is after: people of another verifier's last days, or some of everybody."""
        if verifier.abuse.startswith("shared") or verifier.abuse == "two-fronts":
            theirs = np.unique(np.concatenate(self._asked[verifier.target]))
            if len(theirs) < 500:
                theirs = np.unique(np.concatenate([day for days in list(self._asked.values())[:3] for day in days]))
            return self._chance.permutation(theirs)[: int(self._chance.integers(1_500, 5_000))]
        return self._chance.integers(0, self._people, int(self._chance.integers(300, 2_000)))

    def _put(
        self,
        sketch: Sketch,
        people: People,
        purpose: str,
        evidenced: float,
        *,
        dead: float = 0.01,
        night: float = 0.05,
        times: int = 1,
    ) -> None:
        chance, count = self._chance, len(people)
        bare, ended, late = (
            chance.random(count) >= evidenced,
            chance.random(count) < dead,
            chance.random(count) < night,
        )
        hours = np.where(late, 17, chance.integers(0, 9, count))
        for digest, without, over, hour in zip(
            self._digests[people].tolist(), bare.tolist(), ended.tolist(), hours.tolist(), strict=True
        ):
            sketch.add(digest, purpose, not over, not without, hour, times)


def simulate(world: World, rules: Mapping[str, DetectionRule], days: int) -> Tally:
    """Live through the days, judge each, and count. An alarm asks for a reason at least; notes are counted apart.

    An abuser counts as found within a day when a rule holds for the day of the first abuse, or for the day after it
    where the abuse is one that is repeated day by day.
    """
    tally, before = Tally(), list[dict[Who, Sketch]]()
    first: dict[int, int] = {}
    for day in range(days):
        today = world.day(day)
        for (place, _), measures in measure_day(today, before).items() if day >= 2 else ():
            verifier = world.verifiers[place]
            held = list(judge(measures, rules))
            alarms = [rule for rule in held if rule.grade > Grade.NOTE]
            wrong = bool(verifier.abuse) and day >= verifier.starts
            if not wrong and day >= WARM:
                tally.verifier_days += 1
                tally.false_alarms += bool(alarms)
                tally.notes += any(rule.grade is Grade.NOTE for rule in held)
                tally.false.update(f"{verifier.sort}: {rule.id}" for rule in alarms)
            elif wrong and alarms and place not in first:
                first[place] = day - verifier.starts
                tally.rules[verifier.abuse].update(rule.id for rule in alarms)
        before = [today, *before[: WINDOW - 1]]
    for place, verifier in enumerate(world.verifiers):
        if verifier.abuse:
            tally.abusers[verifier.abuse] += 1
            late = first.get(place)
            tally.found[verifier.abuse] += late is not None and late <= 1
            tally.later[verifier.abuse] += late is not None and late > 1
    return tally
