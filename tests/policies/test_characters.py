from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.rules import load_variants
from domain.errors import Code, Refusal
from domain.substitution import VariantRule
from policies.characters import (
    LONGEST_ADDRESS,
    Substituted,
    list_substitutions,
    propose,
    substitute,
)
from policies.repertoire import REPERTOIRE, characters_of
from tests.support.variants import RULES, make_substitution, make_variants

LADDER_HIGH, TATSU_SAKI = "\u9ad9", "\ufa11"
SELECTOR = "\U000e0100"
UNIFICATION, INFERENCE = VariantRule.MJ_UNIFICATION, VariantRule.MJ_INFERENCE
VARIANTS = make_variants(
    {
        UNIFICATION: {LADDER_HIGH: "高", TATSU_SAKI: "崎", "\U00020bb7": "吉"},
        INFERENCE: {"\u3402": "喜", "\u3403": "火水"},
    }
)


def name(text: str, confirmed: str | None = None) -> Substituted:
    return substitute(VARIANTS, "name", text, confirmed)


def told(written: Substituted) -> tuple[str, tuple[int, ...]]:
    return written.text, written.positions


def refusal_of(text: str, confirmed: str | None = None) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        name(text, confirmed)
    assert refusal.value.pointer == "/attributes/name"
    assert not any(character in str(refusal.value) for character in text if not character.isascii())
    return refusal.value


def test_a_text_inside_the_repertoire_is_written_as_it_is() -> None:
    address = "東京都清瀬市観布子南１２－７－２０２"
    assert substitute(VARIANTS, "address", address) == Substituted(address)
    assert name("ＳＭＩＴＨ　ＪＯＨＮ").flags == "0" * 10


def test_twins_stay_the_code_point_that_the_register_wrote() -> None:
    assert [name(f"１{dash}２").text for dash in "－−～〜∥‖"] == [f"１{dash}２" for dash in "－−～〜∥‖"]


def test_a_substitute_is_listed_with_its_place_and_the_rule_that_chose_it() -> None:
    written = name(f"{LADDER_HIGH}橋　{TATSU_SAKI}子")
    assert written.text == "高橋　崎子"
    assert written.flags == "10010"
    assert written.substitutions == (
        make_substitution(position=0),
        make_substitution(position=3, register=TATSU_SAKI, certificate="崎"),
    )


def test_a_character_beyond_the_basic_plane_counts_once() -> None:
    assert told(name("\U00020bb7田　誠")) == ("吉田　誠", (0,))


def test_an_ideograph_with_a_variation_selector_is_written_as_its_base_and_told() -> None:
    assert told(name(f"渡邉{SELECTOR}　誠")) == ("渡邉　誠", (1,))
    assert told(name(f"{LADDER_HIGH}{SELECTOR}橋")) == ("高橋", (0,))


def test_a_character_without_substitute_needs_a_person() -> None:
    refusal = refusal_of("①田　②郎")
    assert refusal.code is Code.SUBSTITUTE_NEEDED
    assert refusal.facts == {"positions": [0, 3]}
    written = name("①田　②郎", "一田　二郎")
    assert told(written) == ("一田　二郎", (0, 3))
    assert {s.rule.rule for s in written.substitutions} == {VariantRule.HOLDER}


def test_a_character_with_several_substitutes_needs_a_person() -> None:
    assert refusal_of("\u3403田").code is Code.SUBSTITUTE_NEEDED
    (written,) = name("\u3403田", "水田").substitutions
    assert (written.certificate, written.rule.rule, written.confirmed) == ("水", INFERENCE, True)


def test_a_weak_substitute_needs_the_holders_word() -> None:
    refusal = refusal_of("花　\u3402\u3402", None)
    assert (refusal.code, refusal.facts) == (Code.SUBSTITUTE_UNCONFIRMED, {"positions": [2, 3]})
    assert told(name("花　\u3402\u3402", "花　喜喜")) == ("花　喜喜", (2, 3))


def test_which_rules_need_the_holders_word_is_data() -> None:
    strict = make_variants(VARIANTS.tables, mj_unification="refuse", mj_inference="flag")  # type: ignore[arg-type]
    with pytest.raises(Refusal) as refusal:
        substitute(strict, "name", f"{LADDER_HIGH}橋")
    assert refusal.value.code is Code.SUBSTITUTE_UNCONFIRMED
    assert substitute(strict, "name", "\u3402").text == "喜"


def test_a_confirmed_text_keeps_the_rule_that_explains_it() -> None:
    (written,) = name(f"{LADDER_HIGH}橋", "高橋").substitutions
    assert written == make_substitution(confirmed=True)


def test_private_use_characters_need_a_person() -> None:
    assert refusal_of("\ue000田").code is Code.SUBSTITUTE_NEEDED
    assert told(name("\ue000田", "花田")) == ("花田", (0,))


def test_a_decomposed_kana_is_one_character_and_written_composed() -> None:
    decomposed = unicodedata.normalize("NFD", "がじゅ")
    assert len(decomposed) == 5
    written = name(decomposed)
    assert told(written) == ("がじゅ", (0, 1))
    assert {s.rule.rule for s in written.substitutions} == {VariantRule.CANONICAL}


def test_a_selector_without_a_base_is_not_lost() -> None:
    assert refusal_of(f"{SELECTOR}田").facts == {"positions": [0]}


def test_a_confirmed_text_wins_over_the_tables() -> None:
    (written,) = name(f"{LADDER_HIGH}橋", "タ橋").substitutions
    assert (written.certificate, written.rule) == ("タ", RULES[VariantRule.HOLDER])


def test_a_confirmed_text_may_say_what_the_register_says() -> None:
    assert name("高橋", "高橋") == Substituted("高橋")


def test_a_confirmed_substitute_must_be_inside_itself() -> None:
    refusal = refusal_of(f"{LADDER_HIGH}橋", f"{LADDER_HIGH}橋")
    assert refusal.code is Code.SUBSTITUTE_NEEDED
    assert refusal.facts == {"positions": [0]}


@pytest.mark.parametrize(
    ("confirmed", "positions"),
    [
        pytest.param("高端　誠", [1], id="a character is changed that needs no substitute"),
        pytest.param("高橋　正", [3], id="the last character is changed"),
        pytest.param("高橋誠", None, id="a character is left out"),
        pytest.param("高橋　誠一", None, id="a character is added"),
        pytest.param("", None, id="the text is empty"),
    ],
)
def test_a_confirmed_text_changes_nothing_else(confirmed: str, positions: list[int] | None) -> None:
    refusal = refusal_of(f"{LADDER_HIGH}橋　誠", confirmed)
    assert refusal.code is Code.ITEMS_DIFFER
    assert refusal.facts.get("positions") == positions


def test_a_preview_tells_what_is_settled_what_to_choose_and_what_to_confirm() -> None:
    proposal = propose(VARIANTS, "name", f"{LADDER_HIGH}\u3402\u3403\ue000")
    assert proposal.text is None
    assert [s.certificate for s in proposal.substitutions] == ["高", "喜"]
    assert proposal.unconfirmed == (1,)
    assert [(gap.position, gap.register, gap.choices) for gap in proposal.gaps] == [
        (2, "\u3403", ("火", "水")),
        (3, "\ue000", ()),
    ]
    settled = propose(VARIANTS, "name", f"{LADDER_HIGH}\u3402\u3403\ue000", "高喜水花")
    assert (settled.text, settled.unconfirmed, settled.gaps) == ("高喜水花", (), ())


def test_what_a_certificate_says_is_explained_again() -> None:
    listed = list_substitutions(
        VARIANTS, "name", f"{LADDER_HIGH}\ue000渡{SELECTOR}", "高花渡", (0, 1, 2), confirmed=True
    )
    assert [(s.position, s.certificate, s.rule.rule.value) for s in listed] == [
        (0, "高", "mj-unification"),
        (1, "花", "holder"),
        (2, "渡", "selector"),
    ]


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param("　", None, id="only a space"),
        pytest.param("山" * 101, None, id="one character too many"),
        pytest.param("山" + LADDER_HIGH * 100, None, id="one substitute too many"),
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
    assert len(substitute(VARIANTS, "address", "山" * LONGEST_ADDRESS).flags) == 200
    assert told(name(LADDER_HIGH + "山" * 99))[1] == (0,)


def test_nothing_prints_what_the_texts_hold() -> None:
    values = (name(LADDER_HIGH), *name(LADDER_HIGH).substitutions, propose(VARIANTS, "name", "\ue000"))
    assert not any(character in repr(values) for character in (LADDER_HIGH, "高", "\\u9ad9", "\\ue000"))


@given(st.text(st.sampled_from(sorted(REPERTOIRE)), min_size=1, max_size=100))
def test_whatever_is_inside_stays(text: str) -> None:
    if text.strip():
        assert name(text) == Substituted(text)


# Characters of every kind: in the tables, outside them, composed, private, half width, unseen, broken.
characters = st.sampled_from([*VARIANTS.tables[UNIFICATION], SELECTOR, *"\u3099①\ue000山田がaｱ\n\u202e\ud842"])
texts = st.text(characters | st.characters() | st.sampled_from(sorted(REPERTOIRE)), max_size=9)
SHIPPED = load_variants()


@given(texts, st.none() | texts, st.booleans())
def test_no_change_is_ever_silent(text: str, confirmed: str | None, same_length: bool) -> None:
    """Refused, or written as it is, or every position that differs is flagged and listed with both characters."""
    if confirmed is not None and same_length:
        confirmed = confirmed.ljust(len(characters_of(text)), "高")[: len(characters_of(text))]
    for variants in (VARIANTS, SHIPPED):
        try:
            written = substitute(variants, "name", text, confirmed)
        except Refusal as refusal:
            assert refusal.code in {  # noqa: PT017
                Code.MALFORMED,
                Code.ITEMS_DIFFER,
                Code.SUBSTITUTE_NEEDED,
                Code.SUBSTITUTE_UNCONFIRMED,
            }
            continue
        before = characters_of(text)
        assert "".join(before) == text
        assert len(written.text) == len(before) == len(written.flags)
        assert written.text in ("".join(s for s in written.text if s in REPERTOIRE), confirmed)
        differing = {i for i, pair in enumerate(zip(before, written.text, strict=True)) if pair[0] != pair[1]}
        assert differing == {i for i, flag in enumerate(written.flags) if flag == "1"} == set(written.positions)
        assert [(s.register, s.certificate) for s in written.substitutions] == [
            (before[i], written.text[i]) for i in sorted(differing)
        ]
        assert all(s.confirmed == (confirmed is not None) for s in written.substitutions)
        assert all(s.confirmed or s.rule.unconfirmed == "flag" for s in written.substitutions)


@given(texts, st.none() | texts)
def test_a_preview_and_the_issue_never_disagree(text: str, confirmed: str | None) -> None:
    try:
        written = substitute(SHIPPED, "address", text, confirmed)
    except Refusal as refusal:
        outcome: object = refusal.code
    else:
        outcome = (written.text, written.substitutions)
    try:
        proposal = propose(SHIPPED, "address", text, confirmed)
    except Refusal as refusal:
        assert outcome is refusal.code  # noqa: PT017
        return
    if proposal.gaps:
        assert outcome is Code.SUBSTITUTE_NEEDED
    elif proposal.unconfirmed:
        assert outcome is Code.SUBSTITUTE_UNCONFIRMED
    else:
        assert outcome == (proposal.text, proposal.substitutions)


def test_each_character_of_every_table_is_written_refused_or_left_to_a_person() -> None:
    """The shipped tables as a whole: no row leads to a character that certificates cannot write, none is silent."""
    seen = {character for table in SHIPPED.tables.values() for character in table} - REPERTOIRE
    assert len(seen) > 15_000
    for character in seen:
        proposal = propose(SHIPPED, "name", character)
        if not proposal.gaps:
            (change,) = proposal.substitutions
            assert proposal.text == change.certificate
            assert change.certificate in REPERTOIRE
            assert change.register == character
            assert change.rule.rule is not VariantRule.HOLDER
