"""`jpki issue batch` and `jpki batches`: a file becomes pairs, once, and goes on where it was interrupted."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from unittest.mock import patch

import pytest

from ca.batch_work import Worker
from domain.errors import Code, Refusal
from tests.support.requests import make_pair
from tests.support.terminal import HOLDER, RESIDENTS, Terminal

PERSONAL = (HOLDER["resident_code"], HOLDER["name"], HOLDER["address"], HOLDER["birth_date"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Applications of two residents, and a line that is none."""
    lines = [json.dumps(document(number), ensure_ascii=False) for number in (0, 1)]
    path = tmp_path / "batch.jsonl"
    path.write_text("".join(f"{line}\n" for line in (lines[0], "half of a line", lines[1])), "utf-8")
    return path


def document(number: int) -> dict[str, object]:
    holder = RESIDENTS[number]
    return {
        "idempotency_key": f"card-{number:04d}",
        "resident_code": holder["resident_code"],
        "municipality_code": holder["municipality_code"],
        "attributes": {item: holder[item] for item in ("name", "address", "birth_date", "sex")},
        "card": {"id": "CARD-1", "expires_on": "2036-03-31"},
        "requests": {kind.value: base64.b64encode(der).decode() for kind, der in make_pair(number=number).items()},
    }


def test_a_file_is_worked_off_and_told_of_line_by_line(terminal: Terminal, file: Path) -> None:
    said = terminal("issue", "batch", file)
    assert said.code == 1
    assert [row["state"] for row in said.rows] == ["issued", "refused", "issued"]
    assert said.rows[1]["why"].startswith("malformed: ")
    assert "batch 1" in said.err
    assert "applications: 3 of 3" in said.err
    assert "1 not issued; the others stand" in said.err
    assert not any(value in said.out + said.err for value in PERSONAL)


def test_the_same_file_is_the_same_batch(terminal: Terminal, file: Path) -> None:
    first, again = terminal("issue", "batch", file), terminal("issue", "batch", file)
    assert again.out == first.out
    assert "batch 1 (taken before)" in again.err
    (row,) = terminal.do("batches", "list").rows
    assert (row["batch"], row["items"], row["issued"], row["refused"]) == ("1", "3", "2", "1")


def test_results_with_certificates_are_for_their_owner_only(terminal: Terminal, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    assert terminal("issue", "batch", file, "--out", out).code == 1
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    results = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [result["line"] for result in results] == [1, 2, 3]
    assert set(results[0]["certificates"]) == {"signature", "authentication"}
    again = terminal("batches", "results", "1", "--out", out)
    assert again.code == 1
    assert "is there already" in again.err
    assert terminal.do("batches", "results", "1", "--out", tmp_path / "other.jsonl").out.strip().endswith("other.jsonl")


def test_what_was_only_sent_can_be_shown_and_cancelled(terminal: Terminal, file: Path) -> None:
    terminal.do("issue", "batch", file, "--no-wait", "--key", "cards of April".replace(" ", "-"))
    (row,) = terminal.do("batches", "show", "1").rows
    assert (row["key"], row["waiting"], row["ended"]) == ("cards-of-April", "2", "")
    (row,) = terminal.do("batches", "cancel", "1").rows
    assert (row["waiting"], row["cancelled"], row["refused"]) == ("0", "2", "1")
    assert row["ended"]
    assert [row["state"] for row in terminal.do("batches", "results", "1").rows] == [
        "cancelled",
        "refused",
        "cancelled",
    ]


def test_an_interrupted_command_goes_on_when_it_is_given_again(terminal: Terminal, file: Path) -> None:
    with patch("cli.batches.work_round", side_effect=Refusal(Code.SIGNER_UNAVAILABLE, "the key is away")):
        said = terminal("issue", "batch", file)
    assert said.code == 1
    assert "the key is away" in said.err
    assert [row["state"] for row in terminal("issue", "batch", file).rows] == ["issued", "refused", "issued"]


def test_while_a_worker_has_the_slot_the_command_looks_on(terminal: Terminal, file: Path) -> None:
    from ca.batch_work import work_round as real

    rounds: list[Worker] = []

    def busy_at_first(worker: Worker) -> int:
        rounds.append(worker)
        if len(rounds) < 3:
            raise Refusal(Code.BUSY, "another worker has slot 0")
        return real(worker)

    with patch("cli.batches.work_round", busy_at_first), patch("cli.batches.time.sleep") as slept:
        said = terminal("issue", "batch", file)
    assert [row["state"] for row in said.rows] == ["issued", "refused", "issued"]
    assert slept.call_count == 2


def test_a_file_that_was_cut_off_is_refused_whole(terminal: Terminal, file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])
    said = terminal("issue", "batch", file)
    assert said.code == 1
    assert "cut off" in said.err
    assert terminal.do("batches", "list").rows == []


def test_a_batch_that_is_not_there_is_refused(terminal: Terminal) -> None:
    for words in (("show", "7"), ("results", "7"), ("cancel", "7")):
        assert "no batch of this number" in terminal("batches", *words).err
