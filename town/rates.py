"""How often things happen in a made-up town, from `config/data/town/`."""

from __future__ import annotations

import csv
import tomllib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from domain.people import MunicipalityCode

_FOLDER = files("config") / "data" / "town"


@dataclass(frozen=True, slots=True)
class Rates:
    """`yearly` and `habits` are probabilities by name; the other tables are looked up by the methods."""

    yearly: Mapping[str, float]
    habits: Mapping[str, float]
    ages: Sequence[tuple[int, float]]
    deaths: Sequence[tuple[int, float]]
    cards: Sequence[tuple[date, float]]

    def death(self, age: int) -> float:
        """The probability of dying within a year at that age."""
        return self.deaths[bisect_right(self.deaths, (age, 1.0)) - 1][1]

    def card_share(self, day: date) -> float:
        """The part of the population that was ever handed a card by then."""
        for (first, before), (last, after) in pairwise(self.cards):
            if first <= day < last:
                return before + (after - before) * ((day - first) / (last - first))
        return self.cards[-1][1] if day >= self.cards[-1][0] else 0.0


@dataclass(frozen=True, slots=True)
class Names:
    """Names to choose from, and the town areas of each municipality of the town."""

    families: Sequence[str]
    men: Sequence[str]
    women: Sequence[str]
    areas: Mapping[MunicipalityCode, Sequence[str]]


@cache
def load_rates() -> Rates:
    """The rates in `rates.toml`."""
    content = _toml("rates.toml")
    (ages,), (deaths,) = content["ages"], content["deaths"]
    return Rates(
        {row["name"]: row["per_1000"] / 1000 for row in content["rate"]},
        {row["name"]: row["percent"] / 100 for row in content["habit"]},
        list(zip(ages["from_age"], ages["share"], strict=True)),
        [(age, rate / 1000) for age, rate in zip(deaths["from_age"], deaths["per_1000"], strict=True)],
        [(row["on"], row["share"]) for row in content["cards"]],
    )


@cache
def load_names() -> Names:
    """The names in `names.toml` and the town areas in `addresses.csv`."""
    content = _toml("names.toml")
    areas: dict[MunicipalityCode, list[str]] = {}
    for row in csv.DictReader((_FOLDER / "addresses.csv").read_text("utf-8").splitlines()):
        areas.setdefault(MunicipalityCode.of_area(row["area"]), []).append(row["town"])
    return Names(content["families"], content["men"], content["women"], areas)


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / name).read_text("utf-8"))
