"""Figures: rates measured in rounds, each round beside its own limit, so that a busy moment spoils both alike; and
plain values."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any

Slice = Callable[[], float]
"""One stretch of measuring; gives the rate in it, per second."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most of the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        found = sorted(values)
        return cls(statistics.median(found), found[0], found[-1])


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table. `rates` are `unit` per second, one for each round; `limits` those of `against` in the same
    rounds; `weight` is how much of the limit one unit takes (a pair takes two signatures). Without limits the figure is
    one itself."""

    id: str
    what: str
    unit: str
    rates: Sequence[float]
    against: str = ""
    limits: Sequence[float] = ()
    weight: float = 1.0
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return self.rate.median

    @property
    def rate(self) -> Spread:
        return Spread.of(self.rates)

    @property
    def limit(self) -> Spread | None:
        return Spread.of(self.limits) if self.limits else None

    @property
    def ratio(self) -> Spread | None:
        """Of the limit, round by round."""
        pairs = zip(self.rates, self.limits, strict=True)
        return Spread.of(rate * self.weight / limit for rate, limit in pairs) if self.limits else None


@dataclass(frozen=True, slots=True)
class Value:
    """A row that is no rate: seconds, octets, a count. `values` are in `unit`, one for each round."""

    id: str
    what: str
    unit: str
    values: Sequence[float]
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return self.spread.median

    @property
    def spread(self) -> Spread:
        return Spread.of(self.values)


Finding = Figure | Value


def as_json(finding: Finding) -> dict[str, Any]:
    """All of it, with what follows from the rounds."""
    row = asdict(finding)
    if isinstance(finding, Value):
        return {**row, "spread": asdict(finding.spread)}
    limit, ratio = finding.limit, finding.ratio
    derived = {"rate": finding.rate, "limit": limit, "ratio": ratio}
    return {**row, **{name: asdict(spread) if spread else None for name, spread in derived.items()}}


def of_json(row: Mapping[str, Any]) -> Finding:
    """What `as_json` made it of."""
    made = Value if "values" in row else Figure
    return made(**{name: row[name] for name in made.__slots__})


def repeat(step: Callable[[], int], seconds: float) -> Slice:
    """A slice of about `seconds` in which `step` is called again and again; it gives how many things it did."""

    def measure() -> float:
        done, started = 0, perf_counter()
        while (elapsed := perf_counter() - started) < seconds:
            done += step()
        return done / elapsed

    return measure


def once(step: Callable[[], int]) -> Slice:
    """A slice that is one call of `step`."""

    def measure() -> float:
        started = perf_counter()
        done = step()
        return done / (perf_counter() - started)

    return measure


def side_by_side(slices: Mapping[str, Slice], rounds: int, on_slice: Callable[[str], object]) -> dict[str, list[float]]:
    """Rates by name. Every round measures every slice, one after the other."""
    rates: dict[str, list[float]] = {name: [] for name in slices}
    for _ in range(rounds):
        for name, measure in slices.items():
            on_slice(name)
            rates[name].append(measure())
    return rates
