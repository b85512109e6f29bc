"""How cost grows, as a table in docs/performance.md and as the drawing docs/growth.svg: SVG, written by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from pathlib import Path
from typing import Any

from bench.figures import Spread

ROOT = Path(__file__).parents[1]
PAGE, DRAWING = ROOT / "docs" / "performance.md", ROOT / "docs" / "growth.svg"
BEGIN, END = "<!-- what python -m bench.growth found -->", "<!-- end of it -->"
_WIDTH, _HEIGHT, _PANEL_WIDTH, _PANEL_HEIGHT = 900, 680, 440, 310
_LEFT, _TOP, _RIGHT, _BOTTOM = 70, 50, 30, 50
_COLOUR = "#0072b2"


@dataclass(frozen=True, slots=True)
class _Panel:
    """`scale` makes `unit` of what the results hold."""

    id: str
    name: str
    across: str
    what: str
    unit: str
    scale: float


_PANELS = (
    _Panel("certificates", "An OCSP answer in process", "certificates", "an OCSP answer, {} in the model", "µs", 1e6),
    _Panel("revocations", "A list published again", "entries", "a list of {} published again", "ms", 1e3),
    _Panel("lists", "Each of many lists of 200 entries", "lists", "each of {} lists of 200 entries", "ms", 1e3),
    _Panel("workers", "The status service over HTTP", "workers", "the status service, workers: {}", "answers/s", 1),
)


def put_into_documents(path: Path) -> None:
    """Draw the results of that file, and put their table where the page has its marks."""
    results = json.loads(path.read_text())
    DRAWING.write_text(draw(results))
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{block(results, path.name)}{after}")


def block(results: Mapping[str, Any], name: str) -> str:
    """The generated part of the page, marks included; `name` is that of the results' file."""
    load = results["machine"]["load_average_before"]
    lines = [
        BEGIN,
        f"Measured {results['at']} by `python -m bench.growth --most {results['most']}` under a load of {load:.1f}.",
        f"Raw results: `bench/results/{name}`.",
        "",
        "| what | by processor time (lowest–highest of the rounds) | times the first |",
        "| --- | --- | --- |",
    ]
    for panel in _PANELS:
        points = _points(panel, results)
        first = points[0][1].median
        for size, spread in points:
            said = f"{_number(spread.median)} {panel.unit} ({_number(spread.low)}–{_number(spread.high)})"
            lines.append(f"| {panel.what.format(f'{size:,}')} | {said} | {spread.median / first:,.2f} |")
    return "\n".join([*lines, END])


def draw(results: Mapping[str, Any]) -> str:
    """An SVG document with four panels."""
    title = f"How cost grows: processor time, {results['at']}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="15">{escape(title)}</text>',
    ]
    for number, panel in enumerate(_PANELS):
        left, top = number % 2 * _PANEL_WIDTH, 40 + number // 2 * _PANEL_HEIGHT
        parts += _panel(panel, _points(panel, results), left, top)
    return "\n".join([*parts, "</svg>", ""])


def _points(panel: _Panel, results: Mapping[str, Any]) -> list[tuple[int, Spread]]:
    return [
        (int(size), Spread.of(value * panel.scale for value in values)) for size, values in results[panel.id].items()
    ]


def _panel(panel: _Panel, points: Sequence[tuple[int, Spread]], left: int, top: int) -> list[str]:
    begin, end = left + _LEFT, left + _PANEL_WIDTH - _RIGHT
    ceiling, ground = top + _TOP, top + _PANEL_HEIGHT - _BOTTOM
    x = _logarithmic([size for size, _ in points], begin + 25, end - 25)
    decades = _decades([spread.low for _, spread in points], [spread.high for _, spread in points])
    y = _logarithmic(decades, ground, ceiling)
    parts = [
        f'<text x="{begin}" y="{top + 30}" font-weight="bold">{escape(panel.name)}, {escape(panel.unit)}</text>',
        f'<text x="{(begin + end) // 2}" y="{ground + 36}" text-anchor="middle">{escape(panel.across)}</text>',
    ]
    for value in decades:
        parts += [
            f'<line x1="{begin}" x2="{end}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#dddddd"/>',
            f'<text x="{begin - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:,g}</text>',
        ]
    line = " ".join(f"{x(size):.1f},{y(spread.median):.1f}" for size, spread in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{_COLOUR}" stroke-width="2"/>')
    for size, spread in points:
        at, low, high = f"{x(size):.1f}", y(spread.low), y(spread.high)
        parts += [
            f'<line x1="{at}" x2="{at}" y1="{low:.1f}" y2="{high:.1f}" stroke="{_COLOUR}"/>',
            f'<circle cx="{at}" cy="{y(spread.median):.1f}" r="3.5" fill="{_COLOUR}"/>',
            f'<text x="{at}" y="{high - 8:.1f}" text-anchor="middle">{_number(spread.median)}</text>',
            f'<text x="{at}" y="{ground + 18}" text-anchor="middle">{size:,}</text>',
        ]
    return parts


def _decades(lows: Sequence[float], highs: Sequence[float]) -> list[float]:
    first, last = floor(log10(min(lows))), ceil(log10(max(highs) * 1.2))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def _logarithmic(values: Sequence[float], low: float, high: float) -> Callable[[float], float]:
    first, last = log10(min(values)), log10(max(values))
    return lambda value: low + (high - low) * (log10(value) - first) / ((last - first) or 1)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
