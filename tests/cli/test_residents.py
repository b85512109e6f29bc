"""`jpki residents`: records loaded whole or not at all, notices applied each once, and no value of theirs repeated."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import patch

import pytest

from domain.errors import Code, Refusal
from tests.support.residents import as_fields, csv_file, json_lines_file, record
from tests.support.terminal import HOLDER, RESIDENTS, SAMPLE, Terminal

ITEMS = ("name", "address", "birth_date", "sex")


def write(path: Path, *rows: dict[str, str]) -> Path:
    path.write_bytes((csv_file if path.suffix == ".csv" else json_lines_file)(rows).read())
    return path


def notice(number: int = 1, resident: dict[str, str] = HOLDER, **changes: str) -> dict[str, str]:
    """A move within 清瀬市 on the day of the clock."""
    return {
        "version": "1",
        "notice_id": f"n-{number}",
        "sequence": str(number),
        "event": "move-within",
        "effective_on": "2027-04-01",
        **resident,
        "address": "東京都清瀬市硯町９－９",
        **changes,
    }


@pytest.mark.parametrize("name", ["new.csv", "new.jsonl", "new.CSV"])
def test_records_are_loaded_by_the_files_ending(name: str, terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes((csv_file if name.lower() == "new.csv" else json_lines_file)([as_fields(record(7))]).read())
    said = terminal.do("residents", "load", path)
    assert said.out == "1 new, 0 replaced, 0 unchanged\n"
    assert said.err.startswith("octets: ")


def test_the_format_can_be_named(terminal: Terminal, tmp_path: Path) -> None:
    path = write(tmp_path / "new.csv", as_fields(record(7)))
    assert terminal("residents", "load", path, "--format", "jsonl").code == 1
    assert terminal.do("residents", "load", path.rename(tmp_path / "records"), "--format", "csv").code == 0


def test_loading_the_same_again_changes_nothing(terminal: Terminal) -> None:
    assert terminal.do("residents", "load", SAMPLE).out == "0 new, 0 replaced, 20 unchanged\n"


def test_a_file_with_faults_loads_nothing_and_tells_line_and_field_alone(terminal: Terminal, tmp_path: Path) -> None:
    bad = {**as_fields(record(8)), "sex": "霧", "birth_date": "1988-02-30"}
    path = write(tmp_path / "new.csv", as_fields(record(7)), bad)
    said = terminal("residents", "load", path)
    assert (said.code, said.out) == (1, "")
    assert "new.csv: line 3: birth_date" in said.err
    assert said.err.endswith("nothing was loaded; mend the file and load it again\n")
    for value in ("霧", "1988", bad["resident_code"]):
        assert value not in said.err
    assert terminal.do("residents", "load", write(tmp_path / "good.csv", as_fields(record(7)))).out.startswith("1 new")


def test_more_faults_than_anyone_reads_are_counted(terminal: Terminal, tmp_path: Path) -> None:
    rows = [{**as_fields(record(number)), "sex": "x"} for number in range(130)]
    said = terminal("residents", "load", write(tmp_path / "new.csv", *rows))
    assert said.err.splitlines()[-2:] == ["and 30 more", "nothing was loaded; mend the file and load it again"]


def test_a_file_that_is_not_there_is_wrong_usage(terminal: Terminal, tmp_path: Path) -> None:
    for command in ("load", "apply"):
        said = terminal("residents", command, tmp_path / "nothing")
        assert said.code == 2
        assert "does not exist" in said.err


def test_notices_are_applied_once_and_told_line_by_line(terminal: Terminal, tmp_path: Path) -> None:
    path = write(tmp_path / "notices.jsonl", notice(1), notice(2, RESIDENTS[1]))
    assert terminal.do("residents", "apply", path).rows == [
        {
            "line": str(n),
            "notice": f"n-{n}",
            "event": "move-within",
            "revokes": "no-live-certificate",
            "outcome": "applied",
        }
        for n in (1, 2)
    ]
    assert [row["outcome"] for row in terminal.do("residents", "apply", path).rows] == ["applied before"] * 2


def test_a_rehearsal_does_nothing(terminal: Terminal, tmp_path: Path) -> None:
    path = write(tmp_path / "notices.jsonl", notice())
    for _ in range(2):
        assert [row["outcome"] for row in terminal.do("residents", "apply", path, "--dry-run").rows] == ["applied"]
    assert [row["outcome"] for row in terminal.do("residents", "apply", path).rows] == ["applied"]


def test_a_bad_notice_stops_no_other(terminal: Terminal, tmp_path: Path) -> None:
    path = write(
        tmp_path / "notices.jsonl", notice(1, event="wedding"), notice(2), notice(3, effective_on="2027-13-01")
    )
    said = terminal("residents", "apply", path)
    assert said.code == 1
    assert [row["outcome"].partition(":")[0] for row in said.rows] == [
        "quarantined (malformed)",
        "applied",
        "quarantined (malformed)",
    ]
    assert said.err == "2 refused or quarantined; the others stand\n"


def test_refused_notices_repeat_nothing_personal(terminal: Terminal, tmp_path: Path) -> None:
    path = write(tmp_path / "notices.jsonl", notice(1, sex="Ｆ"), notice(2, resident_code="92939297271"))
    said = terminal("residents", "apply", path)
    for value in (*(HOLDER[item] for item in ITEMS[:3]), "硯町", "Ｆ", "92939297271", HOLDER["resident_code"]):
        assert value not in said.out + said.err


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"\xff\xfe", b"7"])
def test_a_line_that_is_no_notice_is_refused_in_words(line: bytes, terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "notices.jsonl").write_bytes(line + b"\n")
    said = terminal("residents", "apply", tmp_path / "notices.jsonl")
    assert said.code == 1
    assert said.rows[0]["outcome"].startswith("quarantined (malformed): ")


@pytest.mark.parametrize("code", [Code.STORE_UNAVAILABLE, Code.BUSY])
def test_when_the_database_is_away_the_work_stops(code: Code, terminal: Terminal, tmp_path: Path) -> None:
    path = write(tmp_path / "notices.jsonl", notice(1), notice(2, RESIDENTS[1]))
    with patch("residents.intake.receive", side_effect=Refusal(code, "later")) as receive:
        said = terminal("residents", "apply", path)
    assert receive.call_count == 2  # once with the others, once alone, and the next is not tried
    assert (said.code, said.err) == (1, f"refused ({code.value}): later\n")


def test_notices_come_in_the_name_of_a_sender(terminal: Terminal, tmp_path: Path) -> None:
    path = write(tmp_path / "notices.jsonl", notice())
    terminal.do("residents", "apply", path, "--sender", "register:jukinet")
    assert [row["outcome"] for row in terminal("residents", "apply", path).rows] != ["applied before"]
    assert json.loads(path.read_text("utf-8"))["notice_id"] == "n-1"
