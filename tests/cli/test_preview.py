"""`jpki issue preview`: every substitute character is shown before anything is issued."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.terminal import RESIDENTS, Terminal, write_application

TEXTS = {"name": "\u9ad9橋　\u9fcb子", "address": "東京都清瀬市霞野２－１４－３０５\ue000"}


def test_every_substitute_is_listed_with_what_is_left_to_do(terminal: Terminal) -> None:
    said = terminal("issue", "preview", "-", typed=json.dumps(TEXTS))
    assert said.code == 1
    assert [(row["item"], row["at"], row["certificate"], row["table"], row["state"]) for row in said.rows] == [
        ("name", "1", "高", "MJ縮退マップ", "written"),
        ("name", "4", "禧", "MJ縮退マップ", "confirm"),
        ("address", "17", "", "", "choose"),
    ]


def test_confirmed_texts_leave_nothing_to_ask(terminal: Terminal, tmp_path: Path) -> None:
    confirmed = {"name": "高橋　禧子", "address": "東京都清瀬市霞野２－１４－３０５号"}
    (tmp_path / "texts.json").write_text(json.dumps(TEXTS | {"certificate_text": confirmed}), "utf-8")
    shown = json.loads(terminal.do("issue", "preview", tmp_path / "texts.json", "--json").out)
    assert shown["ready"]
    assert {item: text["text"] for item, text in shown["texts"].items()} == confirmed
    assert [row["rule"] for row in shown["texts"]["address"]["substitutions"]] == ["holder"]


def test_an_application_is_read_as_it_will_be_sent(terminal: Terminal, tmp_path: Path) -> None:
    write_application(tmp_path / "application.json", RESIDENTS[2])
    (row,) = terminal.do("issue", "preview", tmp_path / "application.json").rows
    assert (row["item"], row["at"], row["register"], row["state"]) == ("name", "1", RESIDENTS[2]["name"][0], "written")


def test_texts_that_no_register_writes_are_refused(terminal: Terminal) -> None:
    assert terminal("issue", "preview", "-", typed='{"name": "Yamada"}').err.startswith("refused (malformed): ")


def test_the_help_of_issue_leads_to_it(terminal: Terminal) -> None:
    assert "jpki issue preview FILE" in terminal.do("issue", "--help").out
    assert "Nothing is issued." in terminal.do("issue", "preview", "--help").out
