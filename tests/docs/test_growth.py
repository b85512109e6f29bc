"""What the page on performance says about growth, and its drawing, are what the results it names hold."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.growth_page import BEGIN, DRAWING, END, PAGE, block, draw
from tests.support.documents import ROOT

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def said() -> str:
    text = PAGE.read_text("utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    return text[text.index(BEGIN) : text.index(END) + len(END)]


@pytest.fixture(scope="module")
def named(said: str) -> str:
    (name,) = re.findall(r"`bench/results/([\w.-]+\.json)`", said)
    return str(name)


@pytest.fixture(scope="module")
def results(named: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "bench" / "results" / named).read_text("utf-8"))
    return found


def test_the_table_is_what_the_results_say(said: str, named: str, results: dict[str, Any]) -> None:
    assert said == block(results, named), "run: python -m bench.growth"


def test_the_drawing_is_what_the_results_say(results: dict[str, Any]) -> None:
    assert DRAWING.read_text("utf-8") == draw(results), "run: python -m bench.growth"


def test_the_drawing_is_xml_with_a_point_for_every_size_and_all_within_the_sheet(results: dict[str, Any]) -> None:
    drawn = ElementTree.fromstring(DRAWING.read_text("utf-8"))  # noqa: S314 - made by us
    _, _, width, height = map(float, drawn.attrib["viewBox"].split())
    points = [(float(circle.attrib["cx"]), float(circle.attrib["cy"])) for circle in drawn.iter(f"{SVG}circle")]
    assert len(drawn.findall(f"{SVG}polyline")) == 4
    assert len(points) == sum(len(results[part]) for part in ("certificates", "revocations", "lists", "workers"))
    assert all(0 < x < width and 0 < y < height for x, y in points)


def test_the_table_holds_the_medians(said: str, results: dict[str, Any]) -> None:
    """Reckoned here once more, for one row: the median of an odd number of rounds is the one in the middle."""
    rounds = sorted(results["certificates"]["1000"])
    assert len(rounds) % 2 == 1
    assert f"an OCSP answer, 1,000 in the model | {rounds[len(rounds) // 2] * 1e6:.3g} µs" in said


def test_the_results_name_no_machine(results: dict[str, Any]) -> None:
    assert not {"host", "hostname", "node", "name"} & results["machine"].keys()
