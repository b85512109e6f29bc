"""The page on capacity is what its program makes of measured values and of assumptions that say so."""

from __future__ import annotations

import re
import tomllib

import pytest

from bench.capacity_page import MARKED, NATION, PAGE, block, named, number, put
from bench.report import RESULTS, Results

SAID = tomllib.loads(NATION.read_text("utf-8"))


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text("utf-8")


@pytest.fixture(scope="module")
def results(page: str) -> dict[str, Results]:
    (found,) = MARKED.finditer(page)
    return {part: Results.read(RESULTS / name) for part, name in named(found["body"]).items()}


def test_the_reckoning_is_what_its_program_makes(page: str, results: dict[str, Results]) -> None:
    (found,) = MARKED.finditer(page)
    assert found[0] == block(results), "run: python -m bench.pages"


def test_the_page_stays_as_it_is_while_a_measured_value_is_missing(page: str, results: dict[str, Results]) -> None:
    assert put(page, {**results, "growth": None}.get) == page


@pytest.mark.parametrize("name", SAID)
def test_an_assumption_has_a_source_or_says_that_it_is_one(name: str) -> None:
    row = SAID[name]
    assert set(row) == {"value", "unit", "source"}
    assert row["value"] > 0
    assert row["source"].startswith("assumption: ") or re.search(r"\(.+\)|\.toml|\d", row["source"])


def test_some_rows_reckoned_here_once_more(page: str, results: dict[str, Results]) -> None:
    measured = {one.id: one.median for part in results.values() for found in part.parts.values() for one in found}
    pairs = 100_000_000 * 1.25
    assert f"| {number(pairs / 5 / 7_200_000 * 12)} a second |" in page
    assert f"| {number(pairs * 2 * measured['model-disk'] * 1e6 / 10_000_000 / 1e9)} GB |" in page
    assert f"| {number(100_000_000 * 950 * 3 * measured['provision'] / 1e12)} TB |" in page


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0258, "0.0258"), (17.36, "17.4"), (5, "5"), (3012.3, "3,012"), (125e6, "125 million"), (2.5e9, "2.5 billion")],
)
def test_numbers_are_said_in_three_places(value: float, said: str) -> None:
    assert number(value) == said
