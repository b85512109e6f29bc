"""The tables of `verdicts.md`, as parameters of tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.certificates import IssuerId
from tests.interop.fates import ISSUERS

_PAGE = Path(__file__).with_name("verdicts.md")


def rows(heading: str) -> list[dict[str, str]]:
    """The table under a heading, row by row."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", _PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")
    ]
    head, _, *body = lines
    return [dict(zip(head, cells, strict=True)) for cells in body]


def expected(heading: str, column: str) -> pytest.MarkDecorator:
    """Parameters `issuer`, `case` (the first column) and `verdict` (one of the others), for every issuer concerned."""
    parameters = [
        pytest.param(issuer, case, row[column], id=f"{issuer}, {case}: {row[column]}")
        for issuer, case, row in cases(heading)
    ]
    return pytest.mark.parametrize(("issuer", "case", "verdict"), parameters)


def cases(heading: str) -> Iterator[tuple[IssuerId, str, dict[str, str]]]:
    """Issuer, case and row of everything that a table speaks of."""
    for row in rows(heading):
        case, concerned = next(iter(row.values())), row.get("of", "all")
        for issuer in ISSUERS:
            if concerned == "all" or issuer.startswith(concerned):
                yield issuer, case, row
