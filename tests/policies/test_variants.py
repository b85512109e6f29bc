from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import pytest

from config.rules import load_variants
from domain.substitution import VariantRule
from policies.repertoire import REPERTOIRE
from policies.tables import TableFaults
from policies.variants import load_apart, load_project_rows, load_rules, load_tables
from tests.support.profiles import parsed
from tests.support.variants import make_variants

VARIANTS = load_variants()
REGISTER, NOTICE = VariantRule.MJ_REGISTER_NOTICES, VariantRule.MJ_NOTICE_582
SELECTOR = "\U000e0100"


def chosen(character: str) -> tuple[str, str]:
    """The rule and what it gives, by the shipped tables."""
    row, choices = load_variants().choices(character)
    return (row.rule.value if row else "", "".join(choices))


@pytest.mark.parametrize(
    ("character", "rule", "choices"),
    [
        pytest.param("\u9ad9", "mj-unification", "高", id="the high ladder"),
        pytest.param("\ufa11", "mj-register-notices", "崎", id="the cape that stands"),
        pytest.param("\U00020bb7", "mj-unification", "吉", id="the earth fortune"),
        pytest.param("\u6801", "mj-register-notices", "柳", id="a willow"),
        pytest.param("\ufa19", "canonical", "神", id="a compatibility ideograph"),
        pytest.param("か\u3099", "canonical", "が", id="a decomposed kana"),
        pytest.param(f"渡{SELECTOR}", "selector", "渡", id="a variation of what certificates write"),
        pytest.param("神\ufe00", "selector", "神", id="a standardised variation"),
        pytest.param(f"檜{SELECTOR}", "selector", "檜", id="a variation stays nearest, whatever its base may become"),
        pytest.param("\ufa1f", "project", "臈", id="this project chooses where tables give two"),
        pytest.param("①", "nta-jis", "１", id="a circled digit"),
        pytest.param("\ue000", "", "", id="a private character: its meaning is the register's own"),
        pytest.param("\u3403", "", "", id="a character that no table knows"),
    ],
)
def test_what_the_shipped_tables_choose(character: str, rule: str, choices: str) -> None:
    assert chosen(character) == (rule, choices)


def test_the_first_rule_decides_and_gives_all_it_has() -> None:
    variants = make_variants({REGISTER: {"\u3402": "喜嬉"}, NOTICE: {"\u3402": "火", "\u3403": "水"}})
    assert variants.choices("\u3402")[1] == ("喜", "嬉")
    row, choices = variants.choices("\u3403")
    assert row is not None
    assert (row.rule, choices) == (NOTICE, ("水",))


def test_what_certificates_cannot_write_is_no_choice() -> None:
    variants = make_variants({REGISTER: {"\u3402": "\u9ad9"}, NOTICE: {"\u3402": "火"}})
    assert variants.choices("\u3402")[1] == ("火",)


def test_a_table_that_knows_only_the_base_speaks_for_its_variations() -> None:
    variants = make_variants({REGISTER: {"\u3402": "喜", f"\u3403{SELECTOR}": "水"}})
    assert variants.choices(f"\u3402{SELECTOR}")[1] == ("喜",)
    assert variants.choices(f"\u3403{SELECTOR}")[1] == ("水",)
    assert variants.choices("\u3403") == (None, ())


def test_a_pair_is_explained_by_the_first_rule_that_gives_it() -> None:
    variants = make_variants({REGISTER: {"\u3402": "喜嬉"}, NOTICE: {"\u3402": "喜"}})
    assert [variants.row_for("\u3402", use).rule for use in "喜嬉水"] == [REGISTER, REGISTER, VariantRule.HOLDER]


def test_the_shipped_tables_agree_with_unicode_where_both_speak() -> None:
    """What is canonically equivalent is never replaced by something else: that rule stands before the tables."""
    equivalents = {
        character: composed
        for character in map(chr, (*range(0xF900, 0xFB00), *range(0x2F800, 0x2FA20)))
        if (composed := unicodedata.normalize("NFC", character)) != character and composed in REPERTOIRE
    }
    assert len(equivalents) > 500
    assert all(chosen(character) == ("canonical", composed) for character, composed in equivalents.items())


RULE = {"rule": "project", "title_en": "x", "title_ja": "x", "table": "x", "unconfirmed": "flag", "same": "yes"}


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        pytest.param([RULE], "rule: selector has no row", id="a rule without a row"),
        pytest.param([RULE, RULE], "rule 2: this rule stands twice", id="a rule that stands twice"),
        pytest.param([RULE | {"rule": "guess"}], "rule: want one of project", id="an unknown rule"),
        pytest.param([RULE | {"unconfirmed": "write"}], "unconfirmed: want one of flag, refuse", id="no such policy"),
        pytest.param([RULE | {"same": "perhaps"}], "same: want one of yes, maybe, no", id="no such claim"),
        pytest.param([RULE | {"table": ""}], "table: want a text", id="a rule without its table"),
    ],
)
def test_spoilt_rules_are_refused(rows: Any, fault: str) -> None:
    with pytest.raises(TableFaults, match=fault):
        load_rules({"rule": rows})


def test_what_no_table_explains_comes_last() -> None:
    rows = parsed("data/substitution.toml")["rule"]
    with pytest.raises(TableFaults, match="rule holder must stand last"):
        load_rules({"rule": [rows[-1], *rows[:-1]]})


def test_shipped_rules_are_in_the_order_of_the_file() -> None:
    names = [row["rule"] for row in parsed("data/substitution.toml")["rule"]]
    assert [row.rule.value for row in load_variants().rows] == names


ROW = {"character": "\u9ad9", "use": "高", "source": "MJ"}


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        pytest.param([ROW | {"character": "高"}], "variant 1: character: want one", id="a character for itself"),
        pytest.param([ROW | {"character": "\u9ad9" * 2}], "character: want one", id="two characters at once"),
        pytest.param([ROW | {"use": "\ufa11"}], "use: want one", id="a substitute that is outside itself"),
        pytest.param([ROW | {"use": "タカ"}], "use: want one", id="two characters for one"),
        pytest.param([ROW, ROW], "variant 2: this character stands twice", id="a row that stands twice"),
        pytest.param([ROW | {"source": ""}], "source: want a text", id="a row without a source"),
        pytest.param([ROW | {"note": "x"}], "note: nobody knows this key", id="an unknown column"),
        pytest.param([], "variant: want a list of tables", id="no rows"),
        pytest.param("高", "variant: want a list of tables", id="rows that are a text"),
    ],
)
def test_a_spoilt_table_is_refused(rows: Any, fault: str) -> None:
    with pytest.raises(TableFaults) as faults:
        load_project_rows({"variant": rows})
    (told,) = faults.value.faults
    assert fault in told


def test_all_faults_of_a_table_are_told_at_once() -> None:
    with pytest.raises(TableFaults) as faults:
        load_project_rows({"variant": [ROW | {"use": 1}, {}], "title": "x"})
    assert len(faults.value.faults) == 8


@pytest.mark.parametrize(
    "lines", [None, [], "切功", ["切功 切功"], ["切功", "功切"], ["切切"], ["切"], ["切功切"], [["切功"]]], ids=str
)
def test_spoilt_pairs_are_refused(lines: Any) -> None:
    with pytest.raises(TableFaults, match="want pairs of two different characters"):
        load_apart({} if lines is None else {"apart": lines})


def test_pairs_are_read_from_any_number_of_lines() -> None:
    pairs = load_apart({"apart": ["切功 師帥", "玉王"]})
    assert pairs == {frozenset("切功"), frozenset("師帥"), frozenset("玉王")}


def test_every_pair_takes_back_what_a_table_says_of_two_characters_that_certificates_write() -> None:
    joining = replace(VARIANTS, apart=frozenset())
    for pair in VARIANTS.apart:
        assert REPERTOIRE.issuperset(pair)
        assert joining.relation(*pair)[0] == "yes"
        assert VARIANTS.relation(*pair) == VARIANTS.relation(*reversed([*pair])) == ("no", None)


def test_tables_are_read_by_code_point() -> None:
    assert load_tables("x", ["# x", "[nta-jis]", "9AD9 9AD8", "8FBA+E0101 9089 908A"]) == {
        VariantRule.NTA_JIS: {"\u9ad9": ("高",), "辺\U000e0101": ("邉", "邊")}
    }


@pytest.mark.parametrize("line", ["[nobody]", "9AD9 高い", "", "110000 9AD8", "9AD9  9AD8"])
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(TableFaults, match=r"table x: line 2: want \[a rule\]"):
        load_tables("x", ["[nta-jis]", line])
