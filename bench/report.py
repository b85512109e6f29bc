"""The report: a table for people, and JSON with every round for whoever wants to look closer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from bench.figures import Figure, Spread

RESULTS = Path(__file__).parent / "results"
HEADINGS = ("what", "figure", "limit or peer", "ratio")


def rows(figures: Iterable[Figure]) -> Iterable[tuple[str, str, str, str]]:
    """What, figure, limit or peer, and ratio (median, least–most) of each figure."""
    for figure in figures:
        rate = f"{_number(figure.rate.median)} {figure.unit}/s"
        if "p50_ms" in figure.notes:
            rate += f" (p50 {figure.notes['p50_ms']} ms, p99 {figure.notes['p99_ms']} ms)"
        limit, ratio = figure.limit, figure.ratio
        yield (
            figure.what,
            rate,
            f"{figure.against}: {_number(limit.median)}/s" if limit else "",
            _spread(ratio) if ratio else "",
        )


def table(figures: Iterable[Figure]) -> Table:
    found = Table(*HEADINGS)
    for row in rows(figures):
        found.add_row(*row)
    return found


def markdown(figures: Iterable[Figure]) -> str:
    lines = [" | ".join(row) for row in (HEADINGS, ("---",) * len(HEADINGS), *rows(figures))]
    return "\n".join(f"| {line} |" for line in lines)


def keep(figures: Iterable[Figure], machine: Mapping[str, object], mode: str) -> Path:
    """Write the raw results, and beside them the table; the path of the former."""
    now = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y-%m-%d}-{mode}.json"
    content = {"at": f"{now:%Y-%m-%d %H:%M}Z", "mode": mode, "machine": machine}
    found = list(figures)
    path.write_text(
        json.dumps({**content, "figures": [figure.as_json() for figure in found]}, indent=1, ensure_ascii=False) + "\n"
    )
    path.with_suffix(".md").write_text(markdown(found) + "\n")
    return path


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _spread(ratio: Spread) -> str:
    return f"{_ratio(ratio.median)} ({_ratio(ratio.low)}–{_ratio(ratio.high)})"


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}" if value < 1 else f"{value:.2f}"
