"""What the documents name is there: functions, types, tests, files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import documents
from tests.support.documents import ROOT, has_code, layers, names_of_code, names_of_tests, paths_of_code, read

NAMING = ["docs/architecture.md", "docs/glossary.md", "docs/standards.md", "docs/runbook.md", "CONTRIBUTING.md"]
"""Documents that speak of the code as it is. Decisions speak of their day, and are not changed afterwards."""

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


@pytest.mark.parametrize("document", NAMING)
def test_every_function_and_type_is_there(document: str) -> None:
    assert [name for name in sorted(names_of_code(read(document))) if not has_code(name)] == []


@pytest.mark.parametrize("document", NAMING)
def test_every_path_is_there(document: str) -> None:
    assert [path for path in sorted(paths_of_code(read(document))) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", NAMING)
def test_every_test_is_there(document: str) -> None:
    assert [name for name in sorted(names_of_tests(read(document))) if not documents.has_test(name)] == []


def test_a_name_that_is_not_there_would_be_noticed() -> None:
    told = (
        "`ca.issue.issue`, `ca.issue.reissue`, `web.ocsp.post_ocsp`, `web.nowhere`\n```mermaid\nca.tbs.build: x\n```\n"
    )
    names = names_of_code(told)
    assert names == {"ca.issue.issue", "ca.issue.reissue", "web.ocsp.post_ocsp", "web.nowhere", "ca.tbs.build"}
    assert {name for name in names if has_code(name)} == {"ca.issue.issue", "web.ocsp.post_ocsp"}
    assert not documents.has_test("tests/docs/test_names.py::test_nothing")


@pytest.mark.parametrize("document", [*NAMING, "CHANGELOG.md", *map(str, DECISIONS)], ids=lambda path: Path(path).name)
def test_every_link_leads_to_a_file(document: str) -> None:
    folder = (ROOT / document).parent
    assert [link for link in documents.links(read(document)) if not (folder / link).exists()] == []


def test_the_drawing_of_imports_is_the_contract() -> None:
    (drawn,) = re.findall(r"^ *(cli --> .+)$", read("docs/architecture.md"), re.MULTILINE)
    assert [set(line.split(" & ")) for line in drawn.split(" --> ")] == layers()


def test_every_clause_has_its_function_and_its_test() -> None:
    clauses, _ = read("docs/standards.md").split("## Where this authority departs")
    rows = re.findall(r"^\| (?:RFC|X\.|NIST) ?.+\|$", clauses, re.MULTILINE)
    assert len(rows) > 50
    for row in rows:
        clause, asks, code, test = (cell.strip() for cell in row.strip("|").split(" | "))
        assert clause
        assert asks
        assert names_of_code(code) or paths_of_code(code), row
        assert names_of_tests(test), row


def test_every_fact_says_how_sure_it_is() -> None:
    _, facts = read("docs/standards.md").split("## Law and profile")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", facts, re.MULTILINE)[2:]
    assert len(rows) > 25
    for fact, code, mark in rows:
        assert names_of_code(code) or paths_of_code(code), fact
        assert re.search(r"\b(seen|third party|inferred|unverified|ours|row by row)\b", mark), fact


def test_every_term_of_the_glossary_has_an_identifier_or_says_that_it_has_none() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", read("docs/glossary.md"), re.MULTILINE)
    rows = [row for row in rows if not row[0].isascii()]
    assert len(rows) > 40
    for term, meaning, identifier in rows:
        assert meaning.strip()
        assert names_of_code(identifier) or identifier.startswith("none"), term


def test_decisions_are_numbered_and_complete() -> None:
    for number, path in enumerate(DECISIONS, start=1):
        text = path.read_text("utf-8")
        assert path.name.startswith(f"{number:04d}-"), path.name
        assert text.startswith(f"# {number}. "), path.name
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name
        assert re.search(r"^Status: (accepted|superseded by .+)$", text, re.MULTILINE), path.name
