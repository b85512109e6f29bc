"""The dashboard asks only for what the services tell, and has the form that Grafana imports."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.support.documents import ROOT

DASHBOARD: dict[str, Any] = json.loads((ROOT / "docs/grafana/jpki.json").read_text("utf-8"))
SOURCES = [path for room in ("config", "crl", "tracers", "web") for path in (ROOT / room).glob("*.py")]


def test_every_metric_it_asks_for_is_told_by_a_service() -> None:
    told = set(re.findall(r'"(jpki_[a-z_]+)"', "".join(path.read_text("utf-8") for path in SOURCES)))
    asked = {
        re.sub(r"_(total|bucket|sum|count)$", "", name)
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
        for name in re.findall(r"jpki_[a-z_]+", target["expr"])
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
