from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.addresses import Gazetteer, Number, kanji_value, tokens_of
from policies.notation import NotationRule, folded
from tests.support.notations import GAZETTEER, in_kanji
from tests.support.people import KIYOSE

ALL = frozenset(NotationRule)


def read(text: str) -> list[str]:
    """The tokens: words as they are, numbers with what counts them."""
    return [
        f"{token.value}{token.label}" if isinstance(token, Number) else "".join(cell.text for cell in token)
        for token in tokens_of(folded(text, ALL))
    ]


@given(st.integers(1, 9999))
def test_numbers_in_kanji_are_read_by_steps(number: int) -> None:
    assert kanji_value(in_kanji(number)) == number


@given(st.integers(0, 99999))
def test_numbers_in_kanji_are_read_by_figures(number: int) -> None:
    figures = str(number).translate(str.maketrans("0123456789", "〇一二三四五六七八九"))
    assert kanji_value(figures) == number


@pytest.mark.parametrize("numerals", ["二三十", "十百", "十十", "〇十", "百千一"])
def test_what_is_no_number_is_none(numerals: str) -> None:
    assert kanji_value(numerals) is None


@pytest.mark.parametrize(
    ("address", "tokens"),
    [
        pytest.param("中里五丁目８４２番地", ["中里", "5chome", "842banchi"], id="a block and a lot"),
        pytest.param("中里5-842", ["中里", "5", "842"], id="hyphens"),
        pytest.param(
            "本郷７丁目３番１号　ハイツ３０２号室", ["本郷", "7chome", "3ban", "1go", "ハイツ", "302room"], id="a room"
        ),
        pytest.param("元城町103番地の2", ["元城町", "103banchi", "2"], id="a lot of a lot"),
        pytest.param("広坂一の二の三", ["広坂", "1", "2", "3"], id="numbers joined by no"),
        pytest.param("北三条西四丁目", ["北", "3", "条西", "4chome"], id="streets that are numbered"),
        pytest.param("一番町三", ["1", "番町三"], id="a town that is numbered, and a numeral that may be a name"),
        pytest.param("六本木六丁目", ["六本木", "6chome"], id="a numeral in a name"),
        pytest.param("八丁堀二丁目", ["八丁堀", "2chome"], id="a counter in a name"),
        pytest.param("千代田区千代田一", ["千代田区千代田一"], id="a numeral at the end that nothing counts"),
        pytest.param("三ノ輪１", ["三ノ輪", "1"], id="no in a name"),
        pytest.param("内丸12番館2号棟", ["内丸", "12", "番館", "2", "号棟"], id="counters of other things"),
        pytest.param("本郷7 3 1", ["本郷", "7", "3", "1"], id="numbers apart by spaces"),
        pytest.param("本郷7ー3", ["本郷", "7", "3"], id="a long-vowel mark between numbers"),
        pytest.param("二三十四番", ["二三十四番"], id="numerals that write no number"),
    ],
)
def test_words_and_numbers(address: str, tokens: list[str]) -> None:
    assert read(address) == tokens


def test_numbers_never_run_together() -> None:
    for address in ("中里１　２３", "中里１－２３", "中里１の２３", "中里１番２３", "中里一丁目二三番"):
        assert read(address)[1:] != ["123"]
        assert [token.strip("abcdefghijklmnopqrstuvwxyz") for token in read(address)[1:]] == ["1", "23"]


def test_the_gazetteer_knows_prefectures_and_places() -> None:
    assert len(GAZETTEER.prefectures) == 47
    assert GAZETTEER.prefecture_of("東京都府中市") == "東京都"
    assert GAZETTEER.prefecture_of("府中市") == ""
    assert set(GAZETTEER.places["府中市"]) == {"東京都", "広島県"}
    assert GAZETTEER.place_in("四日市市西末広町") == "四日市市"
    assert GAZETTEER.place_in("茅ケ崎市") == "茅ケ崎市"
    assert GAZETTEER.place_in("市") == ""
    assert Gazetteer.of([KIYOSE]).places == {"清瀬市": ("東京都",)}
