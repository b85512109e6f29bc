"""The plan of a run: how much of everything, how often, and whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Plan:
    """`slice` and `http_slice` are seconds. `pairs` on record, `issues` a round, `entries` of the longest list,
    `residents` a load, `certificates` of a mass event, sizes of `growth` up to this, `storm` seconds on each engine;
    `database` (a URL) is for mass events. `tell` hears what is measured next."""

    mode: str
    rounds: int
    slice: float
    http_slice: float
    pairs: int
    issues: int
    entries: int
    residents: int
    certificates: int
    growth: int
    storm: int
    parts: tuple[str, ...]
    database: str = ""
    tell: Callable[[str], object] = field(default=lambda _: None)


_QUICK = ("limits", "ocsp", "status", "issuance", "api", "lists", "residents", "mass", "provisions")
_FULL = (*_QUICK, "millions", "partitions", "model")


def quick(tell: Callable[[str], object]) -> Plan:
    """Some five minutes."""
    return Plan("quick", 3, 0.7, 2.0, 50_000, 100, 200_000, 5_000, 20_000, 100_000, 30, _QUICK, tell=tell)


def full(tell: Callable[[str], object]) -> Plan:
    """Some twelve minutes."""
    return Plan("full", 5, 1.0, 2.0, 50_000, 200, 1_000_000, 20_000, 20_000, 1_000_000, 240, _FULL, tell=tell)
