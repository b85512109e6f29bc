"""The kit killed before each step of SQLite: what it erased is nowhere, what it was told to keep is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.support.kit_kills import ACTS, GOES, NEW, PEOPLE, STAYS
from tests.support.serving import ROOT

Row = dict[str, Any]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """For each act what was found after each kill, and at last without one. In memory if possible: SIGKILL takes
    nothing that was written, and waiting for a disk some hundred times takes long."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "kit")))}
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path_factory.mktemp("kit")) as folder:
        command = [sys.executable, "-m", "tests.support.kit_kills", folder]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=True
        )
    found: dict[str, list[Row]] = defaultdict(list)
    for line in done.stdout.splitlines():
        row = json.loads(line)
        found[row["act"]].append(row)
    return found


def test_the_search_finds_what_is_there(rows: dict[str, list[Row]]) -> None:
    (row,) = rows["nothing"]
    assert len(row["before"]["words"]) == 4
    assert row["before"]["accounts"].keys() == {STAYS, GOES}


@pytest.mark.parametrize("act", ACTS)
def test_it_was_killed_before_every_step_and_lost_nobody_else(act: str, rows: dict[str, list[Row]]) -> None:
    (before,) = (row["before"] for row in rows["nothing"])
    *kills, whole = rows[act]
    assert [row["killed"] for row in kills] == [True] * whole["steps"]
    assert len(kills) >= 6
    for row in rows[act]:
        for found in (row["found"], row["end"]):
            assert found["others"] == PEOPLE
            assert found["accounts"][STAYS] == before["accounts"][STAYS]
            assert found["evidence"].count(STAYS) == 1
            assert found["numbers"].keys() == before["numbers"].keys()


@pytest.mark.parametrize("act", ACTS)
def test_what_was_answered_is_so_and_else_all_of_it_or_nothing(act: str, rows: dict[str, list[Row]]) -> None:
    """`end` is after a repeat, whose rows may count once more."""
    (before,) = (row["before"] for row in rows["nothing"])
    whole = rows[act][-1]
    for row in rows[act]:
        states = [whole["found"]] if "said" in row else [whole["found"], before]
        assert row["found"] in states
        if act != "keep evidence":
            assert row["end"] == whole["end"] == whole["found"]


@pytest.mark.parametrize("act", ["erase", "forget"])
def test_what_was_to_be_erased_is_in_no_file_when_its_row_is_gone(act: str, rows: dict[str, list[Row]]) -> None:
    """Neither in the database nor in a journal beside it, right after a restart; and after a repeat the row is gone."""
    seen = set()
    for row in rows[act]:
        gone = GOES not in row["found"]["accounts"]
        seen.add(gone)
        assert bool(row["found"]["words"]) is not gone
        assert row["end"]["words"] == []
        assert GOES not in [*row["end"]["accounts"], *row["end"]["evidence"]]
    assert seen == {True, False}
    assert rows[act][-1]["left"] == [], "when the act has ended, before anybody opens the file again"


def test_a_challenge_is_taken_once_however_often_the_process_dies(rows: dict[str, list[Row]]) -> None:
    for row in rows["take a challenge"]:
        taken = row["found"]["challenges"] == 1
        assert row["again"] is not taken
        assert row.get("said", taken) is taken


def test_what_is_new_is_found_by_its_newest_name(rows: dict[str, list[Row]]) -> None:
    renamed, remembered = rows["rename"][-1]["end"], rows["remember"][-1]["end"]
    assert renamed["accounts"][NEW] == "the one who goes"
    assert NEW in renamed["evidence"]
    assert remembered["accounts"][NEW] == "the one who is new"
    assert rows["newest"][-1]["end"]["numbers"] == {"signature-g1/13221.crl": "9"}
