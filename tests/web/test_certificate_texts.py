"""The preview of names and addresses over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.doors import Acts, Door
from web.certificate_texts import PATH


@pytest.fixture
def door() -> Door:
    return Door(Acts())


def test_a_preview_lists_what_is_written_to_confirm_and_to_choose(door: Door) -> None:
    response = door.send("POST", PATH, {"name": "\u9ad9橋　\u9fcb\ufa1e\ue000"})
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json is not None
    assert not response.json["ready"]
    name = response.json["texts"]["name"]
    assert name["text"] is None
    assert name["to_confirm"] == [3]
    assert name["to_choose"] == [{"position": 5, "register": "\ue000", "choices": []}]
    assert name["substitutions"][0] == {
        "item": "name",
        "position": 0,
        "register": "\u9ad9",
        "certificate": "高",
        "rule": "mj-unification",
        "title": "unified by JIS or UCS",
        "title_ja": "JIS包摂規準・UCS統合規則",
        "table": "MJ縮退マップ",
        "confirmed": False,
    }
    assert [row["rule"] for row in name["substitutions"]] == ["mj-unification", "mj-inference", "canonical"]


def test_confirmed_texts_are_ready(door: Door) -> None:
    body = {"name": "\u9fcb　誠", "address": "東京都清瀬市中里５", "certificate_text": {"name": "禧　誠"}}
    answer = door.send("POST", PATH, body).json
    assert answer is not None
    assert answer["ready"]
    assert answer["texts"]["address"]["substitutions"] == []
    assert answer["texts"]["name"]["substitutions"][0]["confirmed"]


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        pytest.param({}, 400, "malformed", "", id="nothing"),
        pytest.param({"certificate_text": {"name": "山"}}, 400, "malformed", "", id="a confirmation of nothing"),
        pytest.param({"name": "ﾔﾏﾀﾞ"}, 400, "malformed", "/name", id="half-width kana"),
        pytest.param({"name": "山\u202e田"}, 400, "malformed", "/name", id="a turn of the writing direction"),
        pytest.param({"address": "東" * 201}, 400, "malformed", "/address", id="an address that is too long"),
        pytest.param(
            {"name": "山", "certificate_text": {"name": "川"}},
            422,
            "items-differ",
            "/attributes/name",
            id="a change",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(door: Door, body: Any, status: int, code: str, pointer: str) -> None:
    response = door.send("POST", PATH, body)
    assert response.status_code == status
    assert response.json is not None
    assert (response.json["code"], response.json.get("pointer")) == (code, pointer)


@pytest.mark.parametrize("caller", ["register", "verifier", "operator", None])
def test_only_municipalities_see_previews(door: Door, caller: str | None) -> None:
    assert door.send("POST", PATH, {"name": "山田"}, caller=caller).status_code == (403 if caller else 401)
