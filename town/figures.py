"""The yearly figures of a made-up town, as rows of a table and as points of a plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class YearFigures:
    """`holders` are residents with a certificate on a card that has not ended, `listed` entries of all lists at the
    end of the year, `counts` what happened in it, `seconds` how long it took to live."""

    year: int
    residents: int
    holders: int
    listed: int
    counts: Counter[str]
    seconds: float

    @property
    def certificates(self) -> int:
        """How many were issued."""
        counts = self.counts
        return 2 * counts["pairs"] + counts["signature alone"] + counts["authentication alone"]


def _count(*names: str) -> Callable[[YearFigures], int]:
    return lambda figures: sum(figures.counts[name] for name in names)


COLUMNS: tuple[tuple[str, Callable[[YearFigures], int]], ...] = (
    ("year", lambda figures: figures.year),
    ("residents", lambda figures: figures.residents),
    ("with certificates", lambda figures: figures.holders),
    ("births", _count("births")),
    ("deaths", _count("deaths")),
    ("came", _count("arrivals", "came back")),
    ("left", _count("left", "abroad")),
    ("moves", _count("moves")),
    ("names changed", _count("name changes")),
    ("cards lost", _count("card-lost")),
    ("renewals", _count("renewals")),
    ("pairs issued", _count("pairs")),
    ("signing alone", _count("signature alone")),
    ("under 15", _count("authentication alone")),
    ("signing revoked", _count("signature revoked")),
    ("authentication revoked", _count("authentication revoked")),
    ("lists made", _count("lists")),
    ("entries on lists", lambda figures: figures.listed),
    ("answers checked", _count("answers")),
    ("seconds", lambda figures: round(figures.seconds)),
)


def row(figures: YearFigures) -> list[str]:
    """The cells of a year, in the order of COLUMNS."""
    return [str(value(figures)) if name == "year" else f"{value(figures):,}" for name, value in COLUMNS]
