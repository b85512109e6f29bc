"""What the runbook quotes is what the program says: log events, findings of `jpki check`, parts of `/readyz`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from tests.support.documents import ROOT, packages, read

_ELLIPSIS = re.compile(r"…|\bN\b")


def rows_under(heading: str, column: str) -> Iterator[str]:
    """The first cells of the table whose first column is called `column`, in the part under `heading`."""
    part = read("docs/runbook.md").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = part.split(f"\n| {column} |")[1].split("\n\n")[0]
    for row in table.splitlines()[2:]:
        yield row.split(" | ")[0].removeprefix("| ")


def quotes(cells: Iterator[str]) -> list[str]:
    return [quote for cell in cells for quote in re.findall(r"`([^`]+)`", cell)]


@pytest.fixture(scope="module")
def said() -> Mapping[str, str]:
    """The sources by package, each on one line and with strings that stand side by side joined."""
    return {
        package: re.sub(
            r"\"\s+f?\"", "", " ".join(path.read_text("utf-8") for path in sorted((ROOT / package).glob("*.py")))
        )
        for package in packages()
    }


def parts_of(quote: str) -> list[str]:
    return [part.strip() for part in _ELLIPSIS.split(quote) if part.strip(" :,()")]


def test_every_log_event_is_one(said: Mapping[str, str]) -> None:
    events = quotes(rows_under("Watch", "event"))
    assert len(events) > 15
    sources = " ".join(said[room] for room in ("ca", "cli", "keys", "ocsp", "store", "web"))
    assert [event for event in events if not all(part in sources for part in parts_of(event))] == []


def test_every_finding_is_one(said: Mapping[str, str]) -> None:
    findings = quotes(rows_under("Every day", "finding"))
    assert len(findings) > 20
    sources = said["oversight"]
    assert [finding for finding in findings if not all(part in sources for part in parts_of(finding))] == []


def test_every_part_of_readiness_is_one(said: Mapping[str, str]) -> None:
    parts = quotes(rows_under("Watch", "part"))
    (told,) = re.findall(r"return \{\s*(\"database\".+?)\}", said["config"], re.DOTALL)
    assert parts == re.findall(r"\"(\w+)\":", told)
