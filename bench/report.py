"""The report: a table for people, and one file of raw results with every round for whoever wants to look closer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.figures import Figure, Finding, Spread, as_json, of_json
from bench.goals import GOALS

RESULTS = Path(__file__).parent / "results"
HEADINGS = ("what", "figure", "limit or peer", "ratio", "wanted")


@dataclass(frozen=True, slots=True)
class Results:
    """One run: when and how it was made, on what machine, and what each part of it found."""

    path: Path
    at: str
    command: str
    machine: Mapping[str, Any]
    parts: Mapping[str, Sequence[Finding]]

    @classmethod
    def read(cls, path: Path) -> Results:
        """What `keep` wrote there."""
        found = json.loads(path.read_text("utf-8"))
        parts = {name: [of_json(row) for row in rows] for name, rows in found["parts"].items()}
        return cls(path, found["at"], found["command"], found["machine"], parts)


def keep(parts: Mapping[str, Sequence[Finding]], machine: Mapping[str, object], mode: str, command: str) -> Path:
    """Write what a run found, with its machine, into one file under bench/results; its path."""
    now = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y-%m-%d-%H%M}-{mode}.json"
    found = {name: [as_json(finding) for finding in findings] for name, findings in parts.items()}
    content = {"at": f"{now:%Y-%m-%d %H:%M}Z", "command": command, "machine": machine, "parts": found}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def newest(part: str) -> Results | None:
    """The newest results that have the part."""
    for path in sorted(RESULTS.glob("*.json"), reverse=True):
        results = Results.read(path)
        if part in results.parts:
            return results
    return None


def rows(findings: Iterable[Finding]) -> Iterable[tuple[str, str, str, str, str]]:
    """What, figure, limit or peer, ratio (median, least–most), and what is wanted, of each."""
    for finding in findings:
        limit, ratio = "", ""
        if isinstance(finding, Figure):
            figure = f"{number(finding.rate.median)} {finding.unit}/s"
            if finding.limit and finding.ratio:
                limit, ratio = f"{finding.against}: {number(finding.limit.median)}/s", _ratio_of(finding.ratio)
        else:
            figure = f"{number(finding.spread.median)} {finding.unit}".rstrip() + _range(finding.spread)
        if "p50_ms" in finding.notes:
            figure += f" (p50 {finding.notes['p50_ms']} ms, p99 {finding.notes['p99_ms']} ms)"
        elif text := finding.notes.get("said"):
            figure += f" ({text})"
        wanted = "; ".join(
            f"{goal.text()}: {'yes' if goal.reached(finding) else '**no**'}" for goal in GOALS.get(finding.id, ())
        )
        yield finding.what, figure, limit, ratio, wanted


def table(findings: Iterable[Finding]) -> Table:
    found = Table(*HEADINGS)
    for row in rows(findings):
        found.add_row(*row)
    return found


def markdown(findings: Iterable[Finding]) -> list[str]:
    lines = (HEADINGS, ("---",) * len(HEADINGS), *rows(findings))
    return ["| " + "".join(f"{cell} | " if cell else "| " for cell in line).rstrip() for line in lines]


def number(value: float) -> str:
    """With three figures that count, or all of those before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _range(spread: Spread) -> str:
    return f" ({number(spread.low)}–{number(spread.high)})" if spread.low != spread.high else ""


def _ratio_of(ratio: Spread) -> str:
    return f"{_ratio(ratio.median)} ({_ratio(ratio.low)}–{_ratio(ratio.high)})"


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}" if value < 1 else f"{value:.2f}"
