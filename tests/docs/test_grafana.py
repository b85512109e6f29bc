"""The dashboard asks only for what the services tell, in the query language's own grammar, and every field of it is
one that Grafana's own library knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.support.documents import ROOT

DASHBOARD: dict[str, Any] = json.loads((ROOT / "docs/grafana/jpki.json").read_text("utf-8"))
SOURCES = [path for room in ("config", "crl", "tracers", "web") for path in (ROOT / room).glob("*.py")]


EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def names_in(expression: str) -> set[str]:
    """The metrics that a query asks for. Raises ValueError for one that Prometheus would not take."""
    found = set[str]()

    def visit(node: object) -> bool:
        if isinstance(node, promql_parser.VectorSelector) and node.name:
            found.add(node.name)
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def lost(given: object, kept: object, place: str = "") -> Iterator[str]:
    """Where `kept` has not what is given; it may have more."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for name, value in given.items():
            yield from lost(value, kept[name], f"{place}/{name}") if name in kept else [f"{place}/{name}"]
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from lost(one, other, f"{place}/{number}")
    elif given != kept:
        yield place


def read_by_grafana(dashboard: dict[str, Any]) -> Any:
    """The dashboard as Grafana's library reads it, written again: what it does not know is gone."""
    register_default_plugins()
    return json.loads(json.dumps(Dashboard.from_json(dashboard), cls=JSONEncoder))


def test_grafanas_own_library_knows_every_field() -> None:
    assert not list(lost(DASHBOARD, read_by_grafana(DASHBOARD)))


@pytest.mark.parametrize("place", ["panels/0/titel", "panels/0/targets/0/exprr", "panels/1/options/legend/shown"])
def test_that_library_notices_fields_there_are_none_of(place: str) -> None:
    wrong = json.loads(json.dumps(DASHBOARD))
    *way, name = place.split("/")
    part = wrong
    for step in way:
        part = part[int(step) if step.isdigit() else step]
    part[name] = True
    assert list(lost(wrong, read_by_grafana(wrong))) == [f"/{place}"]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_query_is_one_that_prometheus_takes(expression: str) -> None:
    assert names_in(expression)
    with pytest.raises(ValueError, match="parenthesis"):
        names_in(f"{expression})")


def test_every_metric_it_asks_for_is_told_by_a_service() -> None:
    told = set(re.findall(r'"(jpki_[a-z_]+)"', "".join(path.read_text("utf-8") for path in SOURCES)))
    asked = {
        re.sub(r"_(total|bucket|sum|count)$", "", name) for expression in EXPRESSIONS for name in names_in(expression)
    }
    assert len(asked) >= 8
    assert asked <= told


def test_it_has_what_an_import_needs() -> None:
    assert {"uid", "title", "schemaVersion", "panels", "templating", "time"} <= DASHBOARD.keys()
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    (source,) = DASHBOARD["templating"]["list"]
    for panel in DASHBOARD["panels"]:
        assert panel["datasource"]["uid"] == f"${{{source['name']}}}"
        assert panel["title"]
        assert all(target["refId"] for target in panel["targets"])


def test_panels_do_not_lie_on_each_other() -> None:
    places: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        rows = range(place["y"], place["y"] + place["h"])
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in rows}
        assert not places & cells
        places |= cells


def test_the_runbook_names_it() -> None:
    assert "grafana/jpki.json" in (Path(ROOT) / "docs/runbook.md").read_text("utf-8")
