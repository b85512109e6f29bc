"""The yearly figures of a made-up town as a drawing: SVG, written by hand because it is short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from town.figures import YearFigures

_WIDTH, _HEIGHT = 860, 330
_LEFT, _TOP, _RIGHT, _BOTTOM = 70, 40, 230, 40


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    colour: str
    value: Callable[[YearFigures], int]


_PANELS: tuple[tuple[str, tuple[_Line, ...]], ...] = (
    (
        "People and entries on lists at the end of the year",
        (
            _Line("residents", "#444444", lambda figures: figures.residents),
            _Line("with certificates", "#0072b2", lambda figures: figures.holders),
            _Line("entries on all lists", "#d55e00", lambda figures: figures.listed),
        ),
    ),
    (
        "What happened in the year",
        (
            _Line("certificates issued", "#0072b2", lambda figures: figures.certificates),
            _Line("renewals", "#009e73", lambda figures: figures.counts["renewals"]),
            _Line("moves", "#666666", lambda figures: figures.counts["moves"]),
            _Line("signing certificates revoked", "#d55e00", lambda figures: figures.counts["signature revoked"]),
            _Line(
                "authentication certificates revoked",
                "#cc79a7",
                lambda figures: figures.counts["authentication revoked"],
            ),
        ),
    ),
)


def draw(years: Sequence[YearFigures], title: str) -> str:
    """An SVG document with two panels: people, and what happened. There is at least one year."""
    height = _HEIGHT * len(_PANELS) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"',
        ' font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>',
    ]
    for number, (name, lines) in enumerate(_PANELS):
        parts += _panel(years, name, lines, 30 + number * _HEIGHT)
    return "\n".join([*parts, "</svg>", ""])


def _panel(years: Sequence[YearFigures], name: str, lines: Sequence[_Line], top: int) -> list[str]:
    highest = max(max(line.value(figures) for figures in years) for line in lines)
    step = _step(highest)
    ceiling = step * max(1, -(-highest // step))
    floor = top + _HEIGHT - _BOTTOM

    def x(number: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * number / max(1, len(years) - 1)

    def y(value: int) -> float:
        return floor - (_HEIGHT - _TOP - _BOTTOM) * value / ceiling

    parts = [f'<text x="{_LEFT}" y="{top + 25}" font-weight="bold">{escape(name)}</text>']
    for value in range(0, ceiling + 1, step):
        parts += [
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#dddddd"/>',
            f'<text x="{_LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:,}</text>',
        ]
    for number, figures in enumerate(years):
        parts.append(f'<text x="{x(number):.1f}" y="{floor + 18}" text-anchor="middle">{figures.year}</text>')
    # Names stand beside the ends of their lines, in their order and never over each other.
    below = 0.0
    for line in sorted(lines, key=lambda line: -line.value(years[-1])):
        points = " ".join(f"{x(n):.1f},{y(line.value(figures)):.1f}" for n, figures in enumerate(years))
        below = max(below, y(line.value(years[-1])) + 4)
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="2"/>',
            f'<text x="{_WIDTH - _RIGHT + 8}" y="{below:.1f}" fill="{line.colour}">{escape(line.name)}</text>',
        ]
        below += 14
    return parts


def _step(highest: int) -> int:
    """A round distance of lines, of which about five fit."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if highest <= factor * size * 5:
                return factor * size
        size *= 10
