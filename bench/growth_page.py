"""How cost grows: a table, and a drawing in SVG written by hand, of what `bench.growth` found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from bench.figures import Finding, Spread, Value
from bench.report import number

_WIDTH, _PANEL_WIDTH, _PANEL_HEIGHT = 900, 440, 310
_LEFT, _TOP, _RIGHT, _BOTTOM = 70, 50, 30, 50
_COLOUR = "#0072b2"


@dataclass(frozen=True, slots=True)
class Panel:
    """A series of the results. `what` names a row of it, with its size in place of the braces."""

    id: str
    name: str
    across: str
    what: str
    unit: str

    def value(self, size: int, values: Sequence[float]) -> Value:
        """A point of the series; `values` in seconds where the unit is one of time."""
        scale = {"µs": 1e6, "ms": 1e3}.get(self.unit, 1.0)
        what = self.what.format(f"{size:,}")
        notes = {"series": self.id, "size": size}
        return Value(f"growth-{self.id}-{size}", what, self.unit, [value * scale for value in values], notes)


PANELS = (
    Panel("certificates", "An OCSP answer in process", "certificates", "an OCSP answer, {} in the model", "µs"),
    Panel("revocations", "A list published again", "entries", "a list of {} published again", "ms"),
    Panel("lists", "Each of many lists of 200 entries", "lists", "each of {} lists of 200 entries", "ms"),
    Panel("workers", "The status service over HTTP", "workers", "the status service, workers: {}", "answers/s"),
    Panel("nodes", "Status nodes over HTTP, all at once", "nodes", "status nodes: {}", "answers/s"),
)


def table_of(findings: Sequence[Finding]) -> list[str]:
    """Lines of a table."""
    lines = ["| what | by processor time (lowest–highest of the rounds) | times the first |", "| --- | --- | --- |"]
    for panel in PANELS:
        points = _points(panel, findings)
        for value in points:
            spread = value.spread
            said = f"{number(spread.median)} {panel.unit} ({number(spread.low)}–{number(spread.high)})"
            lines.append(f"| {value.what} | {said} | {spread.median / points[0].median:,.2f} |")
    return lines


def draw(findings: Sequence[Finding], at: str) -> str:
    """An SVG document with a panel for each series."""
    title = f"How cost grows: processor time, {at}"
    panels = [panel for panel in PANELS if _points(panel, findings)]
    height = 60 + (len(panels) + 1) // 2 * _PANEL_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"',
        ' font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="15">{escape(title)}</text>',
    ]
    for place, panel in enumerate(panels):
        left, top = place % 2 * _PANEL_WIDTH, 40 + place // 2 * _PANEL_HEIGHT
        points = [(int(value.notes["size"]), value.spread) for value in _points(panel, findings)]
        parts += _panel(panel, points, left, top)
    return "\n".join([*parts, "</svg>", ""])


def _points(panel: Panel, findings: Sequence[Finding]) -> list[Value]:
    return [value for value in findings if isinstance(value, Value) and value.notes["series"] == panel.id]


def _panel(panel: Panel, points: Sequence[tuple[int, Spread]], left: int, top: int) -> list[str]:
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
            f'<text x="{at}" y="{high - 8:.1f}" text-anchor="middle">{number(spread.median)}</text>',
            f'<text x="{at}" y="{ground + 18}" text-anchor="middle">{size:,}</text>',
        ]
    return parts


def _decades(lows: Sequence[float], highs: Sequence[float]) -> list[float]:
    first, last = floor(log10(min(lows))), ceil(log10(max(highs) * 1.2))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def _logarithmic(values: Sequence[float], low: float, high: float) -> Callable[[float], float]:
    first, last = log10(min(values)), log10(max(values))
    return lambda value: low + (high - low) * (log10(value) - first) / ((last - first) or 1)
