from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Code, Refusal
from policies.characters import (
    LONGEST_ADDRESS,
    LONGEST_NAME,
    Substituted,
    characters_of,
    in_repertoire,
    load_substitutes,
    substitute,
)
from policies.tables import TableFaults
from tests.support.profiles import parsed

TABLE = {"\u9ad9": "高", "\ufa11": "崎", "\U00020bb7": "吉"}
LADDER_HIGH, TATSU_SAKI = "\u9ad9", "\ufa11"
SELECTOR = "\U000e0100"


@cache
def repertoire() -> list[str]:
    return [chr(point) for point in range(0x20, 0x30000) if in_repertoire(chr(point))]


def name(text: str, proposed: str | None = None) -> Substituted:
    return substitute(text, TABLE, proposed, pointer="/name", longest=LONGEST_NAME)


def refusal_of(text: str, proposed: str | None = None) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        name(text, proposed)
    assert refusal.value.pointer == "/name"
    assert not any(character in str(refusal.value) for character in text if not character.isascii())
    return refusal.value


def test_the_repertoire_is_two_standards_and_three_second_code_points() -> None:
    assert len(repertoire()) == 6879 + 6066 + 3
    assert {"－", "～", "∥", "−", "〜", "‖"} <= set(repertoire())


@pytest.mark.parametrize("character", "樹邊齋鷗侠丂々〆ヶ　０Ａａあア－")
def test_inside(character: str) -> None:
    assert in_repertoire(character)


@pytest.mark.parametrize(
    "character", [*"髙﨟①Ⅰ㈱", TATSU_SAKI, "\ue000", "😀", "A", "0", " ", "-", "ｱ", "ﾞ", "¥", "か\u3099", "山田", ""]
)
def test_outside(character: str) -> None:
    assert not in_repertoire(character)


def test_a_text_inside_the_repertoire_is_written_as_it_is() -> None:
    address = "東京都清瀬市観布子南１２－７－２０２"
    assert substitute(address, TABLE, pointer="/address", longest=LONGEST_ADDRESS) == Substituted(address, ())
    assert name("ＳＭＩＴＨ　ＪＯＨＮ").flags == "0" * 10


def test_twins_stay_the_code_point_that_the_register_wrote() -> None:
    assert [name(f"１{dash}２").text for dash in "－−～〜∥‖"] == [f"１{dash}２" for dash in "－−～〜∥‖"]


def test_a_substitute_is_taken_from_the_table_and_its_place_is_told() -> None:
    written = name(f"{LADDER_HIGH}橋　{TATSU_SAKI}子")
    assert written == Substituted("高橋　崎子", (0, 3))
    assert written.flags == "10010"


def test_a_character_beyond_the_basic_plane_counts_once() -> None:
    assert name("\U00020bb7田　誠") == Substituted("吉田　誠", (0,))


def test_an_ideograph_with_a_variation_selector_is_written_as_its_base_and_told() -> None:
    assert name(f"渡邉{SELECTOR}　誠") == Substituted("渡邉　誠", (1,))
    assert name(f"{LADDER_HIGH}{SELECTOR}橋") == Substituted("高橋", (0,))


def test_a_row_for_a_variation_itself_comes_first() -> None:
    table = TABLE | {f"辻{SELECTOR}": "つ"}
    assert substitute(f"辻{SELECTOR}", table, pointer="/name", longest=9).text == "つ"


def test_an_unknown_character_needs_a_proposal() -> None:
    refusal = refusal_of("①田　②郎")
    assert refusal.code is Code.SUBSTITUTE_NEEDED
    assert refusal.facts == {"positions": [0, 3]}
    assert name("①田　②郎", "一田　二郎") == Substituted("一田　二郎", (0, 3))


def test_private_use_characters_need_a_proposal() -> None:
    assert refusal_of("\ue000田").code is Code.SUBSTITUTE_NEEDED
    assert name("\ue000田", "花田") == Substituted("花田", (0,))


def test_a_decomposed_kana_is_one_character_and_needs_a_proposal() -> None:
    decomposed = unicodedata.normalize("NFD", "がじゅ")
    assert len(decomposed) == 5
    assert refusal_of(decomposed).facts == {"positions": [0, 1]}
    assert name(decomposed, "がじゅ") == Substituted("がじゅ", (0, 1))


def test_a_selector_without_a_base_is_not_lost() -> None:
    assert refusal_of(f"{SELECTOR}田").facts == {"positions": [0]}


def test_a_proposal_wins_over_the_table() -> None:
    assert name(f"{LADDER_HIGH}橋", "タ橋") == Substituted("タ橋", (0,))


def test_a_proposal_may_say_what_the_register_says() -> None:
    assert name("高橋", "高橋") == Substituted("高橋", ())


def test_a_proposed_substitute_must_be_inside_itself() -> None:
    refusal = refusal_of(f"{LADDER_HIGH}橋", f"{LADDER_HIGH}橋")
    assert refusal.code is Code.SUBSTITUTE_NEEDED
    assert refusal.facts == {"positions": [0]}


@pytest.mark.parametrize(
    ("proposed", "positions"),
    [
        pytest.param("高端　誠", [1], id="a character is changed that needs no substitute"),
        pytest.param("高橋　正", [3], id="the last character is changed"),
        pytest.param("高橋誠", None, id="a character is left out"),
        pytest.param("高橋　誠一", None, id="a character is added"),
        pytest.param("", None, id="the proposal is empty"),
    ],
)
def test_a_proposal_changes_nothing_else(proposed: str, positions: list[int] | None) -> None:
    refusal = refusal_of(f"{LADDER_HIGH}橋　誠", proposed)
    assert refusal.code is Code.ITEMS_DIFFER
    assert refusal.facts.get("positions") == positions


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param("　", None, id="only a space"),
        pytest.param("山" * 101, None, id="one character too many"),
        pytest.param("山\n田", [1], id="a line feed"),
        pytest.param("山\u202e田", [1], id="a character that turns the writing"),
        pytest.param("山\ud842田", [1], id="half of a pair"),
        pytest.param("山\u2028田", [1], id="a line separator"),
        pytest.param("山\u200d田", [1], id="a joiner"),
        pytest.param("山田 John", [2, 3, 4, 5, 6], id="half-width letters"),
        pytest.param("ﾔﾏﾀﾞ", [0, 1, 2, 3], id="half-width kana"),
        pytest.param("e\u0301", [0], id="a half-width letter under an accent"),
    ],
)
def test_malformed_texts(text: str, positions: list[int] | None) -> None:
    refusal = refusal_of(text)
    assert refusal.code is Code.MALFORMED
    assert refusal.facts.get("positions") == positions


def test_the_longest_texts_are_accepted() -> None:
    assert len(name("山" * 100).text) == 100
    assert len(substitute("山" * 200, TABLE, pointer="/address", longest=LONGEST_ADDRESS).flags) == 200


@given(st.text(st.sampled_from(repertoire()), min_size=1, max_size=100))
def test_whatever_is_inside_stays(text: str) -> None:
    if text.strip():
        assert name(text) == Substituted(text, ())


texts = st.text(
    st.sampled_from([*TABLE, SELECTOR, "\u3099", "①", "山", "田", "が", "a", "\n", "\ud842"]) | st.characters(),
    max_size=9,
)


@given(texts, st.none() | texts)
def test_what_comes_out_is_writable_and_differs_only_where_told(text: str, proposed: str | None) -> None:
    try:
        written = name(text, proposed)
    except Refusal as refusal:
        assert refusal.code in {Code.MALFORMED, Code.ITEMS_DIFFER, Code.SUBSTITUTE_NEEDED}  # noqa: PT017
        return
    characters = characters_of(text)
    assert "".join(characters) == text
    assert len(written.text) == len(characters) == len(written.flags)
    assert all(in_repertoire(character) for character in written.text)
    assert {i for i, pair in enumerate(zip(characters, written.text, strict=True)) if pair[0] != pair[1]} == set(
        written.positions
    )


def test_each_row_on_file_writes_its_substitute() -> None:
    table = load_substitutes(parsed("data/substitutes.toml"))
    for character, use in table.items():
        assert substitute(character, table, pointer="/name", longest=1) == Substituted(use, (0,))


def test_rows_that_claim_equivalence_are_equivalent() -> None:
    rows = parsed("data/substitutes.toml")["substitute"]
    claimed = {row["character"]: row["use"] for row in rows if "Unicode" in row["source"]}
    equivalent = {
        row["character"]: row["use"] for row in rows if unicodedata.normalize("NFC", row["character"]) == row["use"]
    }
    assert claimed == equivalent
    assert len(claimed) == 42


ROW = {"character": LADDER_HIGH, "use": "高", "source": "MJ"}


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        pytest.param([ROW | {"character": "高"}], "substitute 1: character: want one", id="a character inside"),
        pytest.param([ROW | {"character": LADDER_HIGH * 2}], "character: want one", id="two characters at once"),
        pytest.param([ROW | {"use": TATSU_SAKI}], "use: want one", id="a substitute that is outside itself"),
        pytest.param([ROW | {"use": "タカ"}], "use: want one", id="two characters for one"),
        pytest.param([ROW, ROW], "substitute 2: this character stands twice", id="a row that stands twice"),
        pytest.param([ROW | {"source": ""}], "source: want a text", id="a row without a source"),
        pytest.param([ROW | {"note": "x"}], "note: nobody knows this key", id="an unknown column"),
        pytest.param([], "substitute: want a list of tables", id="no rows"),
        pytest.param("高", "substitute: want a list of tables", id="rows that are a text"),
    ],
)
def test_a_spoilt_table_is_refused(rows: Any, fault: str) -> None:
    with pytest.raises(TableFaults) as faults:
        load_substitutes({"substitute": rows})
    (told,) = faults.value.faults
    assert fault in told


def test_all_faults_of_a_table_are_told_at_once() -> None:
    with pytest.raises(TableFaults) as faults:
        load_substitutes({"substitute": [ROW | {"use": 1}, {}], "title": "x"})
    assert len(faults.value.faults) == 8


@given(st.text(st.sampled_from([*"高山ー　‐①A\u0301ﾊ\u200d\u3099", LADDER_HIGH, SELECTOR]), max_size=6))
def test_plain_texts_are_taken_the_short_way_as_the_long_way_takes_them(text: str) -> None:
    """A proposal equal to the text goes the long way, and changes nothing that is not refused."""
    assert outcome(text, None) == outcome(text, text) or LADDER_HIGH in text or SELECTOR in text


def outcome(text: str, proposed: str | None) -> Substituted | Code:
    try:
        return name(text, proposed)
    except Refusal as refusal:
        return refusal.code
