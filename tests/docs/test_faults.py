"""The page on faults: every cell of its table names tests that are there, or says why there is none."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.documents import ROOT

PAGE = (ROOT / "docs" / "faults.md").read_text("utf-8")
HEAD, _, *ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")] for line in PAGE.splitlines() if line.startswith("|")
]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
CELLS = [
    pytest.param(cell, id=f"{row[0]}, {fault}") for row in ROWS for fault, cell in zip(HEAD[1:], row[1:], strict=True)
]


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_names_tests_or_says_why_there_is_none(cell: str) -> None:
    assert NAMED.search(cell) or re.match(r"none: \w+", cell)


def test_the_tests_that_are_named_are_there() -> None:
    named = set(NAMED.findall(PAGE))
    assert len(named) > 15
    for path, name in sorted(named):
        module = ast.parse((ROOT / path).read_text("utf-8"))
        assert name in {node.name for node in module.body if isinstance(node, ast.FunctionDef)}, (path, name)


def test_every_process_that_is_started_has_a_row() -> None:
    processes = " ".join(row[0] for row in ROWS)
    for word in ("API", "status", "publisher", "batches", "supervisor", "mass", "sandbox", "follows", "files records"):
        assert word in processes
