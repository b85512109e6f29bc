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


_COMMON = ("limits", "ocsp", "status", "issuance", "lists", "provisions")
_QUICK = (*_COMMON, "api", "residents", "mass")
_WANTED = (*_COMMON, "millions", "partitions", "model", "rebuild", "followers")
_FULL = (*_QUICK, *_WANTED, "growth", "storm")


def quick(tell: Callable[[str], object]) -> Plan:
    """Some five minutes."""
    return Plan("quick", 3, 0.7, 2.0, 50_000, 100, 200_000, 5_000, 20_000, 100_000, 30, _QUICK, tell=tell)


def wanted(tell: Callable[[str], object]) -> Plan:
    """Every part with a figure of which something is wanted, but for storms: some twelve minutes."""
    return Plan("wanted", 3, 0.7, 2.0, 50_000, 100, 1_000_000, 5_000, 20_000, 1_000_000, 240, _WANTED, tell=tell)


def full(tell: Callable[[str], object]) -> Plan:
    """Everything: some forty minutes."""
    return Plan("full", 5, 1.0, 2.0, 50_000, 200, 1_000_000, 20_000, 20_000, 1_000_000, 240, _FULL, tell=tell)
