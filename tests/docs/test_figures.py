"""What the documents say in tables of figures, and the drawing of growth, are what the results they name hold."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.figures import Figure, Value, as_json
from bench.growth_page import draw
from bench.pages import DRAWING, GROWTH, MARKED, NAMED, block, named, pages, put
from bench.parts import PARTS
from bench.report import RESULTS, Results, keep, rows

SVG = "{http://www.w3.org/2000/svg}"
TABLES = {found["part"]: found for page in pages() for found in MARKED.finditer(page.read_text("utf-8"))}
FILES = sorted(RESULTS.glob("*.json"))
MAKE = "run: python -m bench.pages"


@pytest.fixture(scope="module")
def growth() -> Results:
    return named(TABLES[GROWTH]["body"])


def test_every_part_stands_in_one_table() -> None:
    marks = [found["part"] for page in pages() for found in MARKED.finditer(page.read_text("utf-8"))]
    assert sorted(marks) == sorted(set(marks))
    assert set(marks) >= PARTS.keys()


@pytest.mark.parametrize("part", [part for part, found in TABLES.items() if NAMED.search(found["body"])])
def test_a_table_is_what_its_results_say(part: str) -> None:
    found = TABLES[part]
    assert found[0] == block(part, named(found["body"])), MAKE


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_results_have_a_machine_without_a_name_and_every_round(path: Path) -> None:
    results = Results.read(path)
    assert not {"host", "hostname", "node", "name"} & results.machine.keys()
    assert {"processor", "cores", "memory_gib", "load_average_before"} <= results.machine.keys()
    raw = json.loads(path.read_text("utf-8"))["parts"]
    assert raw == {name: [as_json(finding) for finding in findings] for name, findings in results.parts.items()}


def test_the_drawing_is_what_the_results_say(growth: Results) -> None:
    assert DRAWING.read_text("utf-8") == draw(growth.parts[GROWTH], growth.at), MAKE


def test_the_drawing_is_xml_with_a_point_for_every_size_and_all_within_the_sheet(growth: Results) -> None:
    drawn = ElementTree.fromstring(DRAWING.read_text("utf-8"))  # noqa: S314 - made by us
    _, _, width, height = map(float, drawn.attrib["viewBox"].split())
    points = [(float(circle.attrib["cx"]), float(circle.attrib["cy"])) for circle in drawn.iter(f"{SVG}circle")]
    assert len(drawn.findall(f"{SVG}polyline")) == len({row.notes["series"] for row in growth.parts[GROWTH]})
    assert len(points) == len(growth.parts[GROWTH])
    assert all(0 < x < width and 0 < y < height for x, y in points)


def test_a_run_is_kept_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.report.RESULTS", tmp_path)
    figure = Figure(
        "http-event-loop-post", "OCSP", "answers", [40, 30, 50], "limit", [100, 100, 100], 1.0, {"p99_ms": 4}
    )
    value = Value("model-look-up", "a look-up", "µs", [2.0])
    path = keep({"one": [figure, value]}, {"cores": 2}, "quick", "python -m bench")
    read = Results.read(path)
    assert list(rows(read.parts["one"])) == list(rows([figure, value]))
    assert next(iter(rows([figure]))) == (
        "OCSP",
        "40 answers/s",
        "limit: 100/s",
        "0.400 (0.300–0.500)",
        "≥ 0.35: yes; p99_ms ≤ 3: **no**",
    )


def test_a_table_without_results_is_left_as_it_is() -> None:
    text = "<!-- figures: nothing -->\nby hand\n<!-- end of figures -->"
    assert put(text, lambda _: None) == text
