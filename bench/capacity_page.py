"""The arithmetic of docs/capacity.md: what a nation needs, by measured inputs and by what bench/nation.toml assumes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from bench.report import Results

PAGE = Path(__file__).parents[1] / "docs" / "capacity.md"
NATION = Path(__file__).with_name("nation.toml")
MARKED = re.compile(r"<!-- arithmetic -->\n(?P<body>.*?)<!-- end of arithmetic -->", re.DOTALL)
PARTS = ("capacity", "growth", "model", "partitions")
_NAMED = re.compile(r"(\w+): `bench/results/([\w.-]+\.json)`")
_YEAR, _DAY, _MODELLED = 365 * 86_400, 86_400, 10_000_000

Find = Callable[[str], Results | None]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the reckoning: what, how it is reckoned, and what comes out."""

    what: str
    how: str
    value: float
    unit: str

    @property
    def cells(self) -> str:
        return f"| {self.what} | {self.how} | {f'{number(self.value)} {self.unit}'.rstrip()} |"


def put(text: str, find: Find) -> str:
    """The page with its reckoning made anew; as it was while results are missing."""
    results = {part: find(part) for part in PARTS}
    if None in results.values():
        return text
    kept = {part: one for part, one in results.items() if one}
    return MARKED.sub(lambda _: block(kept), text)


def named(body: str) -> Mapping[str, str]:
    """The files that the reckoning says it was made of, by part."""
    return dict(_NAMED.findall(body))


def block(results: Mapping[str, Results]) -> str:
    """The generated part of the page, marks included."""
    nation: Mapping[str, Mapping[str, Any]] = tomllib.loads(NATION.read_text("utf-8"))
    given = {name: float(row["value"]) for name, row in nation.items()}
    measured = {one.id: one.median for part in PARTS for one in results[part].parts[part]}
    files = "; ".join(f"{part}: `bench/results/{results[part].path.name}`" for part in PARTS)
    lines = [
        "<!-- arithmetic -->",
        "Made by `python -m bench.pages` of `bench/nation.toml` and of measured values:",
        f"{files}.",
        "",
        "| what is assumed | | source |",
        "| --- | --- | --- |",
    ]
    for name, row in nation.items():
        lines.append(f"| {name.replace('_', ' ')} | {number(row['value'])} {row['unit']} | {row['source']} |")
    lines += ["", "| what follows | by | |", "| --- | --- | --- |"]
    lines += [row.cells for row in reckon(given, measured)]
    return "\n".join([*lines, "<!-- end of arithmetic -->"])


def reckon(given: Mapping[str, float], measured: Mapping[str, float]) -> Iterator[Row]:
    """All rows, from assumptions by their names and from measured values by their ids."""
    pairs = given["holders"] * (1 + given["holders_with_a_phone"])
    valid = pairs * given["certificates_of_a_holder"]
    yearly = pairs / given["life_of_a_pair"]
    recorded = yearly * (given["life_of_a_pair"] + given["kept_after_the_end"])
    peak = yearly / given["office_seconds"] * given["peak_of_offices"]
    ends = given["revocations"] / given["office_seconds"] * given["peak_of_offices"]
    yield Row("pairs that are valid", "holders, and those with a phone once more", pairs, "")
    yield Row("certificates that are valid", "two of each", valid, "")
    yield Row("pairs issued in a year", "valid pairs / life", yearly, "")
    yield Row("pairs on record", "pairs of a year × (life + kept after the end)", recorded, "")
    yield Row("pairs issued at the peak", "of a year / office seconds × peak", peak, "a second")
    yield Row("one process was measured to issue", "eight callers, every commit on disk", measured["pairs"], "a second")
    yield Row(
        "processes that issue",
        "peak / (measured × share of a core)",
        ceil(peak / (measured["pairs"] * given["share_of_a_core"])),
        "",
    )
    yield Row("residents revoked at the peak", "as for issuance", ends, "a second")
    yield Row("one process was measured to revoke", "the same", measured["revocations"], "residents a second")
    mass = given["mass_event"] / measured["revocations"] / 3600
    yield Row("a mass event, one by one", "residents / measured; as one event it is faster", mass, "hours")

    rows = recorded * measured["pair"] + given["holders"] * measured["resident"]
    rows += given["revocations"] * given["life_of_a_pair"] * measured["revocation"]
    yield Row(
        "the database", "pairs on record × octets of a pair, residents, revocations of one life", rows / 1e12, "TB"
    )
    audit = (yearly * measured["pair-audit"] + given["revocations"] * measured["revocation-audit"]) / 1e9
    yield Row("… of that audit rows, never erased", "pairs and revocations of a year × theirs", audit, "GB a year")
    log = peak * measured["pair-log"] + ends * measured["revocation-log"]
    yield Row("log to the standby at the peak", "pairs and revocations × their log", log * 8 / 1e6, "Mbit/s")
    day = (yearly * measured["pair-log"] + given["revocations"] * measured["revocation-log"]) / 365 / 1e9
    yield Row("log kept for a restore to any moment", "the same for a mean day", day, "GB a day")

    checks = given["holders"] * given["checks_of_a_holder"] / _YEAR
    most = checks * given["peak_of_checks"]
    core = measured["growth-workers-1"]
    yield Row("status checks, mean", "holders × checks of a year", checks, "a second")
    yield Row("status checks, peak", "× peak", most, "a second")
    yield Row("one worker was measured to answer over HTTP", "per second of its processor", core, "a second")
    cores = ceil(most / (core * given["share_of_a_core"]))
    yield Row("cores for status at each site", "peak / (measured × share)", cores, "")
    yield Row(
        "status nodes in all", "two for each site, of as many cores, and one to spare each", given["sites"] * 2, ""
    )
    octets = measured["model-disk"] * 1e6 / _MODELLED
    yield Row("a status model, for each certificate", "measured with ten million", octets, "octets")
    yield Row(
        "a status model of the nation", "× valid certificates; twice while a base is merged", valid * octets / 1e9, "GB"
    )
    changes = (yearly * given["certificates_of_a_holder"] + given["revocations"] * 2) / 365
    yield Row("changes of status", "certificates issued and revoked in a year / 365", changes, "a day")
    yield Row("a million changes are kept for", "1,000,000 / changes of a day", 1e6 / changes, "days")
    yield Row("those on disk", "× octets of a change", measured["change"], "MB")
    load = changes / _DAY * given["peak_of_offices"] * 3 * measured["model-change"] / 1e6
    yield Row(
        "a node's processor for changes",
        "at a peak three times the working day's × time of a change",
        100 * load,
        "% of a core",
    )

    kept = given["holders"] * given["checks_of_a_holder"] * given["kept_provisions"] * measured["provision"]
    yield Row("provision records, sealed", "checks × years × octets of one", kept / 1e12, "TB")
    yield Row(
        "lists of the nation, all anew",
        "two authorities, one generation; measured with 200 entries each",
        measured["partitions-again"],
        "s",
    )
    share = 100 * measured["partitions-again"] / (0.45 * 48 * 3600)
    yield Row("a publisher's time for that", "once in 45 % of 48 hours", share, "%")


def number(value: float) -> str:
    """Three places that count, or whole; large ones in millions and billions."""
    for name, size in (("billion", 1e9), ("million", 1e6)):
        if abs(value) >= size:
            return f"{value / size:,.3g} {name}"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
