"""Notices at the terminal: files applied and rehearsed, and what waits or was put aside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.events import EventType
from domain.people import MunicipalityCode, ResidentCode
from policies.validity import day_in_japan
from residents.feed import COLUMNS
from tests.support.residents import csv_file, resident_code
from tests.support.terminal import HOLDER, SAMPLE, Terminal


@pytest.fixture
def loaded(terminal: Terminal) -> Terminal:
    """A terminal whose authority knows the residents of the sample."""
    terminal.do("residents", "load", SAMPLE)
    return terminal


def members(terminal: Terminal, number: int, **changes: str) -> dict[str, str]:
    """Notice of that number: the holder moved to another house."""
    return {
        "version": "1",
        "notice_id": f"n{number}",
        "sequence": str(number),
        **HOLDER,
        "event": "move-within",
        "effective_on": day_in_japan(terminal.clock.now).isoformat(),
        "address": f"東京都清瀬市月見坂{'丁' * number}",
        **changes,
    }


def death(terminal: Terminal, number: int) -> dict[str, str]:
    items = ("name", "address", "birth_date", "sex")
    notice = members(terminal, number, event=EventType.DEATH.value)
    return {name: value for name, value in notice.items() if name not in items}


def written(folder: Path, *notices: dict[str, str] | str) -> Path:
    path = folder / "notices.jsonl"
    lines = [notice if isinstance(notice, str) else json.dumps(notice, ensure_ascii=False) for notice in notices]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def test_a_file_is_rehearsed_as_it_is_applied(loaded: Terminal, tmp_path: Path) -> None:
    file = written(tmp_path, members(loaded, 1), members(loaded, 3), members(loaded, 2), death(loaded, 4))
    rehearsed = loaded.do("residents", "apply", file, "--dry-run")
    assert "nothing was done" in rehearsed.err
    assert loaded.do("residents", "notices", "--applied").rows == []
    applied = loaded.do("residents", "apply", file)
    assert applied.rows == rehearsed.rows
    assert [(row["line"], row["notice"], row["outcome"]) for row in applied.rows] == [
        ("1", "n1", "applied"),
        ("2", "n3", "held: waits for number 2"),
        ("3", "n2", "applied"),
        ("3", "n3", "was held; applied"),
        ("4", "n4", "applied"),
    ]
    assert [row["number"] for row in loaded.do("residents", "notices", "--applied").rows] == ["1", "2", "3", "4"]


def test_a_gap_is_shown_until_it_closes(loaded: Terminal, tmp_path: Path) -> None:
    said = loaded.do("residents", "apply", written(tmp_path, members(loaded, 2)), "--sender", "register:juki")
    assert "1 held until the numbers before them are here" in said.err
    (held,) = loaded.do("residents", "notices", "--held").rows
    assert (held["sender"], held["number"], held["notice"], held["why"]) == (
        "register:juki",
        "2",
        "n2",
        "waits for number 1",
    )
    assert loaded.do("residents", "notices", "--held", "--sender", "register:other").rows == []
    loaded.do("residents", "apply", written(tmp_path, members(loaded, 1)), "--sender", "register:juki")
    assert loaded.do("residents", "notices").rows == []


def test_bad_lines_are_put_aside_and_stop_no_other(loaded: Terminal, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        members(loaded, 1),
        members(loaded, 2, sex="f"),
        members(loaded, 3, resident_code=resident_code(99).digits),
        "{half",
        members(loaded, 4, name="霧" * 40_000),
        members(loaded, 5),
    )
    for said in (loaded("residents", "apply", file, "--dry-run"), loaded("residents", "apply", file)):
        assert said.code == 1
        assert [row["outcome"].partition(":")[0] for row in said.rows] == [
            "applied",
            "quarantined (malformed)",
            "quarantined (unknown-resident)",
            "quarantined (malformed)",
            "quarantined (malformed)",
            "applied",
        ]
        assert "4 refused or quarantined; the others stand" in said.err
        assert not any(value in said.out + said.err for value in (HOLDER["resident_code"], HOLDER["name"], "月見坂"))
    aside = loaded.do("residents", "notices").rows
    assert [row["number"] for row in aside] == ["", "2", "3", "4"]
    assert aside[0]["notice"].startswith("unreadable ")
    assert aside[2]["why"].startswith("unknown-resident: no record of this resident is stored")


def test_applying_a_file_again_does_nothing_twice(loaded: Terminal, tmp_path: Path) -> None:
    file = written(tmp_path, members(loaded, 1), members(loaded, 2, sex="f"))
    loaded("residents", "apply", file)
    again = loaded("residents", "apply", file)
    assert again.code == 1
    assert [row["outcome"].partition(" (")[0] for row in again.rows] == ["applied before", "quarantined before"]


def test_half_a_file_is_applied_as_far_as_it_goes_and_then_whole(loaded: Terminal, tmp_path: Path) -> None:
    whole = written(tmp_path, members(loaded, 1), members(loaded, 2), members(loaded, 3))
    half = tmp_path / "half.jsonl"
    half.write_bytes(whole.read_bytes()[:-60])
    assert [row["outcome"][:11] for row in loaded("residents", "apply", half).rows] == ["applied"] * 2 + ["quarantined"]
    assert [row["outcome"] for row in loaded.do("residents", "apply", whole).rows] == [
        "applied before",
        "applied before",
        "applied",
    ]


def test_csv_is_read_too(loaded: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "notices.csv"
    change = death(loaded, 2) | {"event": "code-change", "new_resident_code": resident_code(99).digits}
    rows = [dict.fromkeys(COLUMNS, "") | row for row in (members(loaded, 1), change)]
    file.write_bytes(csv_file(rows, COLUMNS).getvalue())
    assert [row["outcome"] for row in loaded.do("residents", "apply", file).rows] == ["applied", "applied"]
    services = loaded.services()
    with services.begin(write=False) as work:
        found = work.residents.find(*services.sealer.indexes(resident_code(99)))
        assert found is not None
        assert found.municipality == MunicipalityCode(HOLDER["municipality_code"])
        assert work.residents.find(*services.sealer.indexes(ResidentCode(HOLDER["resident_code"]))) is None
    services.close()
