from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.substitution import VariantRule
from policies.characters import substitute
from policies.comparison import Comparison, Verdict, compare_addresses, compare_names
from policies.notation import NotationRule
from policies.repertoire import REPERTOIRE
from tests.support.notations import GAZETTEER, VARIANTS, Pair, by_hand, corpus, places

FOUND = {
    Verdict.EQUAL: "same",
    Verdict.EQUAL_BY_RULES: "same",
    Verdict.DIFFERENT: "other",
    Verdict.UNDECIDABLE: "person",
}
BEYOND = {
    "Kyoto without its streets",
    "tsu left out",
    "an island",
    "a floor",
    "no name of the building",
}
"""Pairs of the list by hand that the rules do not reach: each is told to differ, none is taken for the same."""


def names(held: str, written: str, flags: str = "") -> Comparison:
    return compare_names(held, written, VARIANTS, flags)


def addresses(held: str, written: str, flags: str = "") -> Comparison:
    return compare_addresses(held, written, VARIANTS, GAZETTEER, flags)


BOTH = pytest.mark.parametrize("compare", [names, addresses], ids=["names", "addresses"])
COMPARE = {"name": names, "address": addresses}


def words(found: Comparison) -> str:
    return " ".join(rule.word for rule in found.rules)


@pytest.mark.parametrize(
    ("held", "written", "rules"),
    [
        pytest.param("か\u3099もう", "がもう", "composition", id="a mark beside its kana"),
        pytest.param("ﾔﾏﾀﾞ", "ヤマダ", "width", id="half-width kana"),
        pytest.param("１〜２", "１～２", "width", id="the second code point of a sign"),
        pytest.param("辻\U000e0100", "辻", "selector", id="a variation selector"),
        pytest.param("ＳＭＩＴＨ", "Ｓｍｉｔｈ", "case", id="small letters"),
        pytest.param("ジョ－ンズ", "ジョーンズ", "dash", id="a minus sign for a long vowel"),
        pytest.param("佐佐木", "佐々木", "iteration", id="an iteration mark"),
        pytest.param("山田花子", "山田　花子", "space", id="no space"),
        pytest.param("斎藤", "齋藤", "itaiji", id="an old form"),
        pytest.param("John Smith", "ＪＯＨＮ　ＳＭＩＴＨ", "width case", id="two rules"),
        pytest.param("髙橋　ﾏﾘ", "高橋マリ", "width space itaiji", id="three rules"),
    ],
)
def test_names_are_equal_by_the_rules_they_need(held: str, written: str, rules: str) -> None:
    found = names(held, written)
    assert (found.verdict, words(found)) == (Verdict.EQUAL_BY_RULES, rules)


@pytest.mark.parametrize(
    ("held", "written", "rules"),
    [
        pytest.param("中里５－８４２", "中里五丁目８４２番地", "kanji-number counter", id="hyphens"),
        pytest.param("鳩ヶ谷１", "鳩ケ谷１", "ke", id="a small ke"),
        pytest.param("霞が関１", "霞ヶ関１", "ke", id="ga for ke"),
        pytest.param("日之出１", "日の出１", "no", id="no in kanji"),
        pytest.param("三ッ沢１", "三ツ沢１", "tsu", id="a small tsu"),
        pytest.param("三条上ル１", "三条上る１", "ru", id="Kyoto"),
        pytest.param("浪岡稲村１", "大字浪岡字稲村１", "oaza", id="oaza and aza"),
        pytest.param("清瀬市中里１", "東京都清瀬市中里１", "prefecture", id="no prefecture"),
        pytest.param("群馬県大泉町１", "群馬県邑楽郡大泉町１", "county", id="no county"),
        pytest.param(
            "山辺町清水６", "山形県東村山郡山辺町清水６", "prefecture county", id="a county that begins like a village"
        ),
        pytest.param(
            "大和郡山市北郡山町１", "奈良県大和郡山市北郡山町１", "prefecture", id="a county's sign in a name"
        ),
        pytest.param("酒々井町中央台１", "千葉県印旛郡酒々井町中央台１", "prefecture county", id="a mark in the name"),
        pytest.param("中里１番地", "中里１番", "counter banchi", id="ban and banchi"),
        pytest.param("中里１－２　３０１", "中里１－２－３０１", "width space", id="a space for a hyphen"),
        pytest.param("高岡郡梼原町１", "高岡郡檮原町１", "itaiji", id="a form of a place"),
    ],
)
def test_addresses_are_equal_by_the_rules_they_need(held: str, written: str, rules: str) -> None:
    found = addresses(held, written)
    assert (found.verdict, words(found)) == (Verdict.EQUAL_BY_RULES, rules)


def test_the_table_that_joined_two_characters_is_told() -> None:
    assert names("斎藤", "齋藤").tables == (VariantRule.MJ_REGISTER_NOTICES,)
    assert names("桧山", "檜山").tables == (VariantRule.PROJECT,)
    assert names("ﾔﾏﾀﾞ", "ヤマダ").tables == ()


def test_forms_of_one_character_are_no_class() -> None:
    """斉 and 斎 have forms of their own; that both families look alike joins none of them."""
    assert names("斉藤", "齊藤").verdict is Verdict.EQUAL_BY_RULES
    assert names("斎藤", "齋藤").verdict is Verdict.EQUAL_BY_RULES
    assert {names(a, b).verdict for a in ("斉藤", "齊藤") for b in ("斎藤", "齋藤")} == {Verdict.DIFFERENT}


def test_a_likeness_is_for_a_person_to_decide() -> None:
    assert names("\u9fcb子", "禧子").verdict is Verdict.UNDECIDABLE
    assert VARIANTS.relation("\u9fcb", "禧") == ("maybe", VariantRule.MJ_INFERENCE)


def test_spaces_part_a_name() -> None:
    assert names("林　田太郎", "林田　太郎").verdict is Verdict.DIFFERENT
    assert words(names("林　 田太郎　", "林　田太郎")) == "space"


# Substitutes: what a certificate flags


@pytest.mark.parametrize(
    ("register", "confirmed", "verdict", "rules"),
    [
        pytest.param("\u9ad9橋", None, Verdict.EQUAL_BY_RULES, "itaiji", id="a form by a table"),
        pytest.param(
            "\u9fcb子", "禧子", Verdict.EQUAL_BY_RULES, "substitute", id="a likeness that the holder confirmed"
        ),
        pytest.param("\u9fcb子", "喜子", Verdict.UNDECIDABLE, "", id="what no table explains"),
        pytest.param("\ue000子", "花子", Verdict.UNDECIDABLE, "", id="a private character"),
    ],
)
def test_a_register_s_own_text_is_compared_with_what_the_certificate_made_of_it(
    register: str, confirmed: str | None, verdict: Verdict, rules: str
) -> None:
    certificate = substitute(VARIANTS, "name", register, confirmed)
    found = names(register, certificate.text, certificate.flags)
    assert (found.verdict, words(found)) == (verdict, rules)


def test_behind_a_flag_nothing_is_sure_and_beside_it_everything_is() -> None:
    assert names("川田", "山田", "10").verdict is Verdict.UNDECIDABLE
    assert names("川原", "山田", "10").verdict is Verdict.DIFFERENT
    assert names("山田", "山田", "10").verdict is Verdict.EQUAL


@given(
    st.lists(st.sampled_from([*VARIANTS.tables[VariantRule.MJ_REGISTER_NOTICES], *"山田　"]), min_size=1, max_size=6)
)
def test_a_register_s_own_text_never_differs_from_its_certificate(characters: list[str]) -> None:
    text = "".join(characters)
    if not text.strip():
        return
    confirmed = "".join(c if c in REPERTOIRE else (VARIANTS.choices(c)[1] or ("花",))[0] for c in characters)
    certificate = substitute(VARIANTS, "name", text, confirmed)
    assert names(text, certificate.text, certificate.flags).verdict is not Verdict.DIFFERENT


# Properties

_SIGNS = (
    "山田斉斎齊齋辺邉邊高\u9ad9ノの之ケヶがツ々字大　 -－ー1２三十番地丁目号市郡東京都府中ｶﾞがか\u3099aＡ\ue000〓\ufa11"
)
texts = st.text(st.sampled_from(_SIGNS), max_size=14) | st.text(max_size=6)


@BOTH
@given(text=texts)
def test_each_text_equals_itself(compare: Callable[[str, str], Comparison], text: str) -> None:
    assert compare(text, text) == Comparison(Verdict.EQUAL)


@BOTH
@settings(max_examples=60)
@given(one=texts, other=texts)
def test_it_does_not_matter_which_side_asks(compare: Callable[[str, str], Comparison], one: str, other: str) -> None:
    assert compare(one, other) == compare(other, one)


@BOTH
@settings(max_examples=60)
@given(one=texts, other=texts)
def test_rules_are_told_when_and_only_when_they_were_needed(
    compare: Callable[[str, str], Comparison], one: str, other: str
) -> None:
    found = compare(one, other)
    assert (found.verdict is Verdict.EQUAL) == (one == other)
    assert bool(found.rules) == (found.verdict is Verdict.EQUAL_BY_RULES)
    assert set(found.tables) <= {row.rule for row in VARIANTS.rows if row.same != "no"}


numbers = st.lists(st.integers(1, 3000), min_size=1, max_size=4)
separators = st.sampled_from(["-", "－", "ー", "の", "番", "番地", "丁目", " "])


@given(numbers, numbers, separators, separators)
def test_other_numbers_are_another_address(one: list[int], other: list[int], first: str, second: str) -> None:
    """Whatever stands between them: 1-2-3 is not 12-3, and not 1-23."""
    held, written = (f"清瀬市中里{mark.join(map(str, of))}" for of, mark in ((one, first), (other, second)))
    if one != other:
        assert addresses(held, written).verdict is Verdict.DIFFERENT
    elif {first, second} <= {"-", "－", "ー", "の"}:
        assert FOUND[addresses(held, written).verdict] == "same"


@given(
    st.lists(st.sampled_from("一二三四五六七八九"), min_size=1, max_size=3),
    st.sampled_from(["条", "丁目", "番", "番町"]),
)
def test_another_number_in_kanji_is_another_address(figures: list[str], counter: str) -> None:
    number = "".join(figures)
    assert addresses(f"北{number}{counter}１", f"北{number}一{counter}１").verdict is Verdict.DIFFERENT


def test_contradicting_counters_are_another_address() -> None:
    assert addresses("中里三丁目２番", "中里３番２号").verdict is Verdict.DIFFERENT
    assert addresses("中里３番２号", "中里３番２号室").verdict is Verdict.UNDECIDABLE


@BOTH
def test_nothing_is_nothing_to_compare(compare: Callable[[str, str], Comparison]) -> None:
    assert compare("", "山田").verdict is Verdict.UNDECIDABLE
    assert compare("　", "").verdict is Verdict.UNDECIDABLE


def test_less_said_is_for_a_person_to_decide() -> None:
    assert addresses("中里１－２", "中里１－２　ハイツ３０１").verdict is Verdict.UNDECIDABLE
    assert addresses("府中市宮西町２", "東京都府中市宮西町２").verdict is Verdict.UNDECIDABLE
    assert addresses("中里１－２", "中里１－２－３").verdict is Verdict.DIFFERENT
    assert addresses("中里", "中里１").verdict is Verdict.DIFFERENT


# The labelled corpora


def test_the_pairs_made_of_real_places_are_found_to_be_what_they_are() -> None:
    """Every fifth place; `python -m tests.support.comparison_figures` counts all of them for docs/characters.md."""
    found: Counter[tuple[str, str]] = Counter()
    wrong: list[Pair] = []
    for pair in corpus(places()[::5]):
        verdict = FOUND[addresses(pair.held, pair.written).verdict]
        found[pair.label, verdict] += 1
        if verdict != pair.label:
            wrong.append(pair)
    assert wrong == []
    assert min(found["same", "same"], found["other", "other"]) > 900
    assert found["person", "person"] > 50


@pytest.mark.parametrize(
    ("item", "pair"), [pytest.param(item, pair, id=f"{item}: {pair.what}") for item, pair in by_hand()]
)
def test_the_pairs_by_hand_are_found_to_be_what_they_are(item: str, pair: Pair) -> None:
    verdict = FOUND[COMPARE[item](pair.held, pair.written).verdict]
    assert verdict == ("other" if pair.what in BEYOND else pair.label)


def test_every_rule_has_its_words_in_two_languages() -> None:
    assert len({rule.word for rule in NotationRule}) == len(NotationRule) == 19
    assert all(rule.title_en.isascii() or rule.title_en != rule.title_ja for rule in NotationRule)
    assert all(rule.title_ja and not rule.title_ja.isascii() for rule in NotationRule)
