from __future__ import annotations

import unicodedata

import pytest

from policies.repertoire import REPERTOIRE, SELECTORS, TWINS, Unfit, base_of, characters_of, unfit


def encodes(character: str) -> bool:
    """By the codec itself, one character at a time."""
    try:
        octets = character.translate(dict(zip(map(ord, TWINS.values()), TWINS, strict=True))).encode("euc_jp")
    except UnicodeEncodeError:
        return False
    return len(octets) > 1 and octets[0] != 0x8E


def test_the_repertoire_is_two_standards_and_three_second_code_points() -> None:
    assert len(REPERTOIRE) == 6879 + 6066 + 3
    assert {"－", "～", "∥", "−", "〜", "‖"} <= REPERTOIRE
    assert {chr(point) for point in range(0x30000) if encodes(chr(point))} == REPERTOIRE


def test_all_of_it_is_one_utf16_unit_a_character_and_one_sign_alone_would_not_survive_normalisation() -> None:
    assert all(ord(character) < 0x10000 for character in REPERTOIRE)
    assert [c for c in REPERTOIRE if unicodedata.normalize("NFC", c) != c] == ["\u212b"]
    assert [c for c in REPERTOIRE if unfit(c) or unicodedata.combining(c)] == []


@pytest.mark.parametrize("character", "樹邊齋鷗侠丂々〆ヶ　０Ａａあア－")
def test_inside(character: str) -> None:
    assert character in REPERTOIRE


@pytest.mark.parametrize(
    "character", [*"髙﨟①Ⅰ㈱", "\ufa11", "\ue000", "😀", "A", "0", " ", "-", "ｱ", "ﾞ", "¥", "か\u3099", "山田", ""]
)
def test_outside(character: str) -> None:
    assert character not in REPERTOIRE


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        pytest.param("A", Unfit.HALF_WIDTH, id="a half-width letter"),
        pytest.param(" ", Unfit.HALF_WIDTH, id="a half-width space"),
        pytest.param("ｱ", Unfit.HALF_WIDTH, id="half-width kana"),
        pytest.param("ﾞ", Unfit.HALF_WIDTH, id="a half-width sound mark"),
        pytest.param("\uffa0", Unfit.HALF_WIDTH, id="a half-width filler"),
        pytest.param("¥", Unfit.HALF_WIDTH, id="a half-width yen sign"),
        pytest.param("\n", Unfit.UNSEEN, id="a line feed"),
        pytest.param("\x85", Unfit.UNSEEN, id="a control character of Latin-1"),
        pytest.param("\u00a0", Unfit.UNSEEN, id="a space that does not break"),
        pytest.param("\u2003", Unfit.UNSEEN, id="a wide space that is not the ideographic one"),
        pytest.param("\u2028", Unfit.UNSEEN, id="a line separator"),
        pytest.param("\u200b", Unfit.UNSEEN, id="a space without width"),
        pytest.param("\u200d", Unfit.UNSEEN, id="a joiner"),
        pytest.param("\u202e", Unfit.UNSEEN, id="an override of the writing direction"),
        pytest.param("\u2066", Unfit.UNSEEN, id="an isolate of the writing direction"),
        pytest.param("\ufeff", Unfit.UNSEEN, id="a byte order mark"),
        pytest.param("\u034f", Unfit.UNSEEN, id="a joiner of graphemes"),
        pytest.param("\u3164", Unfit.UNSEEN, id="a Hangul filler"),
        pytest.param("\u180b", Unfit.UNSEEN, id="a Mongolian selector"),
        pytest.param("\U000e0041", Unfit.UNSEEN, id="a tag"),
        pytest.param("\ud842", Unfit.UNSEEN, id="half of a pair"),
        pytest.param("\ufffd", Unfit.DAMAGED, id="a replacement character"),
        pytest.param("\uffff", Unfit.DAMAGED, id="no character"),
        pytest.param("\U0002ffff", Unfit.DAMAGED, id="no character of plane 2"),
        pytest.param("\ufdd0", Unfit.DAMAGED, id="no character in the middle of the BMP"),
    ],
)
def test_what_has_no_place_in_any_text(point: str, reason: Unfit) -> None:
    assert unfit(point) is reason


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("\u9ad9", id="an ideograph that certificates cannot write"),
        pytest.param("\ufa19", id="a compatibility ideograph"),
        pytest.param("\U00020bb7", id="an ideograph beyond the BMP"),
        pytest.param("\U0001b001", id="hentaigana"),
        pytest.param("\ue000", id="a private character"),
        pytest.param("\U000f0000", id="a private character of plane 15"),
        pytest.param("\U0003ffe0", id="a code point that is not assigned yet"),
        pytest.param("\u3099", id="a combining sound mark"),
        pytest.param("\U000e0100", id="a variation selector"),
        pytest.param("\ufe00", id="a standardised variation selector"),
        pytest.param("①", id="a circled digit"),
        pytest.param("葛", id="a character that certificates can write"),
    ],
)
def test_what_a_register_may_hold(point: str) -> None:
    assert unfit(point) is None


def test_characters_are_counted_as_people_count_them() -> None:
    assert characters_of("\U00020bb7渡\U000e0101か\u3099ア") == ["\U00020bb7", "渡\U000e0101", "か\u3099", "ア"]
    assert characters_of("渡辺") == ["渡", "辺"]
    assert characters_of("\U000e0100田") == ["\U000e0100", "田"]


def test_a_base_is_what_is_left_without_selectors() -> None:
    assert [base_of(c) for c in ("渡\U000e0101", "神\ufe00", "渡", "か\u3099", "\U000e0100")] == [
        "渡",
        "神",
        "渡",
        "か\u3099",
        "\U000e0100",
    ]
    assert len(SELECTORS) == 256
