"""`jpki compare`: verdicts and rules in two languages, and nothing of the texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.terminal import Terminal

EQUAL = {"item": "address", "held": "清瀬市中里5-842", "certificate": "東京都清瀬市中里五丁目８４２番地"}
BY_A_TABLE = {"item": "name", "held": "渡辺　霧子", "certificate": "渡邉　霧子", "substitutes": "00000"}
OTHER = {"item": "name", "held": "渡辺　霧子", "certificate": "渡辺　露子"}
SUBSTITUTE = {"item": "name", "held": "\ue000　霧子", "certificate": "花　霧子", "substitutes": "1000"}


def lines(*questions: dict[str, str]) -> str:
    return "\n".join(json.dumps(question, ensure_ascii=False) for question in questions)


def test_pairs_that_are_equal_are_told_with_their_rules(terminal: Terminal) -> None:
    rows = terminal.do("compare", "-", typed=lines(EQUAL, BY_A_TABLE)).rows
    assert [(row["line"], row["verdict"], row["判定"], row["rules"], row["tables"]) for row in rows] == [
        ("1", "equal-by-rules", "規則により一致", "width prefecture kanji-number counter", ""),
        ("2", "equal-by-rules", "規則により一致", "itaiji", "mj-register-notices"),
    ]
    assert rows[1]["規則"] == "異体字（表による）"


def test_a_pair_that_is_not_equal_makes_the_exit_code_one(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text(lines(BY_A_TABLE, OTHER, SUBSTITUTE) + "\n\n", "utf-8")
    said = terminal("compare", tmp_path / "pairs.jsonl")
    assert said.code == 1
    assert [row["verdict"] for row in said.rows] == ["equal-by-rules", "different", "undecidable"]
    assert [row["判定"] for row in said.rows][1:] == ["不一致", "判定不能（人が確認）"]


def test_neither_text_is_printed(terminal: Terminal) -> None:
    said = terminal("compare", "-", typed=lines(EQUAL, BY_A_TABLE, OTHER, SUBSTITUTE))
    assert not any(word in said.out + said.err for word in ("渡", "霧", "中里", "清瀬"))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('{"item": "name", "held": "渡辺"}', id="no certificate"),
        pytest.param(lines(OTHER | {"item": "birth_date"}), id="another item"),
        pytest.param(lines(OTHER | {"note": "x"}), id="another member"),
        pytest.param(lines(SUBSTITUTE | {"substitutes": "10"}), id="too few digits"),
        pytest.param(lines(SUBSTITUTE | {"substitutes": "1002"}), id="another digit"),
        pytest.param(lines(OTHER | {"held": "渡" * 1001}), id="a text that is too long"),
        pytest.param('{"item": "name", "held": "渡辺", "certificate": null}', id="null"),
        pytest.param('["渡辺"]', id="a list"),
        pytest.param("渡辺", id="no JSON"),
    ],
)
def test_a_line_that_is_none_is_refused_by_its_number(terminal: Terminal, line: str) -> None:
    said = terminal("compare", "-", typed=f"{lines(BY_A_TABLE)}\n{line}")
    assert said.code == 1
    assert said.err.startswith("refused (malformed): ")
    assert "渡" not in said.err


def test_the_rules_are_explained_in_two_languages(terminal: Terminal) -> None:
    rows = terminal.do("policy", "comparison").rows
    assert len(rows) == 19
    assert {row["rule"]: row["in"] for row in rows}["space"] == "names and addresses"
    assert {row["rule"]: row["in"] for row in rows}["counter"] == "addresses"
    assert all(row["tolerates"] and row["許容する違い"] for row in rows)
