"""Pages: tables in the documents, the drawing of growth and the reckoning of capacity, made of kept results:
`python -m bench.pages`.

A table stands between the marks `<!-- figures: PART -->` and `<!-- end of figures -->`, and is made of the newest
results under bench/results that have the part.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from bench import capacity_page
from bench.growth_page import draw, table_of
from bench.report import RESULTS, Results, markdown, newest

ROOT = Path(__file__).parents[1]
DOCUMENTS = ROOT / "docs"
DRAWING = DOCUMENTS / "growth.svg"
GROWTH = "growth"
MARKED = re.compile(r"<!-- figures: (?P<part>[a-z-]+) -->\n(?P<body>.*?)<!-- end of figures -->", re.DOTALL)
NAMED = re.compile(r"`bench/results/(?P<name>[\w.-]+\.json)`")


def main() -> None:
    for page in pages():
        page.write_text(put(page.read_text("utf-8"), newest), "utf-8")
    capacity_page.PAGE.write_text(capacity_page.put(capacity_page.PAGE.read_text("utf-8"), newest), "utf-8")
    if results := newest(GROWTH):
        DRAWING.write_text(draw(results.parts[GROWTH], results.at), "utf-8")


def pages() -> list[Path]:
    """The documents that have marks."""
    return [path for path in sorted(DOCUMENTS.glob("*.md")) if MARKED.search(path.read_text("utf-8"))]


def put(text: str, find: Callable[[str], Results | None]) -> str:
    """The text with the tables that the results give; where there are none yet, what stands there stays."""

    def table(found: re.Match[str]) -> str:
        part = found["part"]
        results = find(part)
        return block(part, results) if results else found[0]

    return MARKED.sub(table, text)


def block(part: str, results: Results) -> str:
    """A table with its marks: what is said of how it was measured, and the figures."""
    machine, findings = results.machine, results.parts[part]
    load = machine["load_average_before"]
    lines = [
        f"<!-- figures: {part} -->",
        f"Measured {results.at} by `{results.command}` on {machine['cores']} cores ({machine['processor']}), load",
        f"{load:.1f} before it. Raw results: `bench/results/{results.path.name}`.",
        "",
        *(table_of(findings) if part == GROWTH else markdown(findings)),
        "<!-- end of figures -->",
    ]
    return "\n".join(lines)


def named(body: str) -> Results:
    """The results that a table says it was made of."""
    (name,) = NAMED.findall(body)
    return Results.read(RESULTS / name)


if __name__ == "__main__":
    main()
