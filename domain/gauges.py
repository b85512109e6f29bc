"""Gauges: numbers that say how the authority stands at a moment, for whoever watches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gauge:
    """One number: `name` in the monitoring system, `meaning` in words, the labels and the value of each. Labels come
    from settings and closed sets, never from residents, certificates or requests."""

    name: str
    meaning: str
    values: tuple[tuple[tuple[tuple[str, str], ...], float], ...]


Gauges = Callable[[], Sequence[Gauge]]
"""The gauges now; without those that cannot be told while the database is away."""
