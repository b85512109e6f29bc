"""Birth dates of which parts are not known."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from hypothesis import strategies as st

from domain.birth import BirthDate

PARTS = ("year", "month", "day")

unknown_parts = st.sets(st.sampled_from(PARTS))


def partly(day: date, unknown: Collection[str]) -> BirthDate:
    """The birth date of somebody born on this day, of which these parts are not known."""
    return BirthDate(*(None if part in unknown else getattr(day, part) for part in PARTS))
