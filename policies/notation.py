"""Notation: the rules by which two writings of a name or an address can be the same, and what each folds together."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Container, Sequence, Set
from enum import Enum
from typing import NamedTuple

from policies.repertoire import base_of, characters_of


class NotationRule(Enum):
    """Why two writings count as one, in the order in which texts are folded, with words in English and Japanese."""

    COMPOSITION = "composition", "canonically equivalent characters", "正準等価な文字"
    WIDTH = "width", "full-width and half-width forms, and the second code points of three signs", "全角と半角"
    SELECTOR = "selector", "variation selectors left out", "異体字セレクタの有無"
    CASE = "case", "capital and small letters", "英字の大文字と小文字"
    DASH = "dash", "hyphens, minus signs, dashes and the long-vowel mark", "ハイフン・マイナス・ダッシュ・長音符"
    ITERATION = "iteration", "the iteration mark 々 for a repeated character", "繰返し記号「々」"
    KE = "ke", "ヶ, ケ, ヵ, カ, が and ガ between the words of a place name", "地名の「ヶ・ケ・ヵ・カ・が・ガ」"
    NO = "no", "の, ノ and 之", "「の・ノ・之」"
    TSU = "tsu", "ツ, ッ, つ and っ between the words of a place name", "地名の「ツ・ッ・つ・っ」"
    RU = "ru", "上る and 上ル, 下る and 下ル, 入る and 入ル", "「上ル・下ル・入ル」の送り仮名"
    SPACE = "space", "spaces left out, or put elsewhere in an address", "空白の有無"
    OAZA = "oaza", "大字 and 字 left out", "「大字・字」の省略"
    PREFECTURE = "prefecture", "the prefecture left out of an unambiguous address", "都道府県名の省略"
    COUNTY = "county", "the county (郡) left out", "郡名の省略"
    KANJI_NUMBER = "kanji-number", "numbers of houses and blocks in kanji and in digits", "漢数字と算用数字"
    COUNTER = "counter", "丁目, 番, 番地, 号, の and hyphens", "「丁目・番・番地・号・の・ハイフン」"
    BANCHI = "banchi", "番 and 番地", "「番」と「番地」"
    ITAIJI = "itaiji", "forms of one character, by a table", "異体字（表による）"
    SUBSTITUTE = "substitute", "a flagged substitute and its original, by a table", "代替文字と元の文字（表による）"

    def __init__(self, word: str, title_en: str, title_ja: str) -> None:
        self.word, self.title_en, self.title_ja = word, title_en, title_ja


class Cell(NamedTuple):
    """One character as people count them, and whether a certificate flags it as a substitute."""

    text: str
    flagged: bool = False


Cells = Sequence[Cell]

_TWINS = {"〜": "~", "‖": "∥"}
DASHES = frozenset("-‐‑‒–—―−－ー─━ｰ﹣⁃")
_NUMERALS = "〇一二三四五六七八九十百千"


def cells_of(text: str, flags: str = "") -> list[Cell]:
    """The text by character; `flags` are a certificate's, one digit for each."""
    characters = characters_of(text)
    marks = flags.ljust(len(characters), "0")
    return [Cell(character, mark == "1") for character, mark in zip(characters, marks, strict=False)]


def is_kanji(text: str) -> bool:
    """Whether it is an ideograph, or one of the marks that stand for one."""
    return "㐀" <= text < "ꀀ" or text in "々〆" or "豈" <= text < "ﬀ" or text >= "\U00020000"


def _each(change: Callable[[str], str]) -> Callable[[Cells], list[Cell]]:
    return lambda cells: [Cell(change(cell.text), cell.flagged) for cell in cells]


def _width(cells: Cells) -> list[Cell]:
    found: list[Cell] = []
    for text, flagged in cells:
        if text in "ﾞﾟ" and found:
            joined = unicodedata.normalize("NFKC", found[-1].text + text)
            if len(joined) == 1:
                found[-1] = Cell(joined, found[-1].flagged or flagged)
                continue
        if unicodedata.east_asian_width(text[0]) in "FH":
            text = unicodedata.normalize("NFKC", text)
        found.append(Cell(_TWINS.get(text, text), flagged))
    return found


def _iteration(cells: Cells) -> list[Cell]:
    found: list[Cell] = []
    for cell in cells:
        found.append(Cell(found[-1].text, cell.flagged) if cell.text == "々" and found else cell)
    return found


def _between_words(letters: str, to: str, before: Callable[[str], bool]) -> Callable[[Cells], list[Cell]]:
    """Fold `letters` into `to` where an ideograph follows and the cell before them is as wanted."""

    def fold(cells: Cells) -> list[Cell]:
        found = [*cells]
        for at in range(1, len(cells) - 1):
            if cells[at].text in letters and before(cells[at - 1].text) and is_kanji(cells[at + 1].text):
                found[at] = Cell(to, cells[at].flagged)
        return found

    return fold


def _is_kanji_or_hiragana(text: str) -> bool:
    return is_kanji(text) or "\u3041" <= text <= "\u3096"


def _ru(cells: Cells) -> list[Cell]:
    found = [*cells]
    for at in range(1, len(cells)):
        if cells[at].text == "る" and cells[at - 1].text in "上下入":
            found[at] = Cell("ル", cells[at].flagged)
    return found


def _oaza(cells: Cells) -> list[Cell]:
    """Without 大字, and without 字 in front of a name: not in 文字, 十文字, and not at the end."""
    found: list[Cell] = []
    for at, cell in enumerate(cells):
        if cell.text == "字" and found and at + 1 < len(cells) and found[-1].text not in "文数漢":
            if found[-1].text == "大":
                found.pop()
            continue
        found.append(cell)
    return found


def without_spaces(cells: Cells) -> list[Cell]:
    """An address without spaces; between two numbers a hyphen takes the space's place, so that they stay two."""
    found: list[Cell] = []
    gap = False
    for cell in cells:
        if cell.text.isspace():
            gap = bool(found)
            continue
        if gap and _is_figure(found[-1].text) and _is_figure(cell.text):
            found.append(Cell("-"))
        gap = False
        found.append(cell)
    return found


def _is_figure(text: str) -> bool:
    return text in _NUMERALS or text.isdecimal()


COMMON: dict[NotationRule, Callable[[Cells], list[Cell]]] = {
    NotationRule.COMPOSITION: _each(lambda text: unicodedata.normalize("NFC", text)),
    NotationRule.WIDTH: _width,
    NotationRule.SELECTOR: _each(base_of),
    NotationRule.CASE: _each(str.lower),
    NotationRule.DASH: _each(lambda text: "-" if text in DASHES else text),
    NotationRule.ITERATION: _iteration,
}
"""What is folded in names and in addresses, in this order."""

OF_PLACES: dict[NotationRule, Callable[[Cells], list[Cell]]] = {
    NotationRule.KE: _between_words("ヶケヵカがガ", "ケ", _is_kanji_or_hiragana),
    NotationRule.NO: _each(lambda text: "ノ" if text in "の之" else text),
    NotationRule.TSU: _between_words("ッつっ", "ツ", is_kanji),
    NotationRule.RU: _ru,
    NotationRule.SPACE: without_spaces,
    NotationRule.OAZA: _oaza,
}
"""What is folded in addresses alone, after `COMMON`."""


def folded(text: str, rules: Container[NotationRule], flags: str = "", *, place: bool = True) -> list[Cell]:
    """The text by character, folded by those of the `rules` that fold; `flags` are a certificate's."""
    cells = cells_of(text, flags)
    for rule, fold in (COMMON | OF_PLACES if place else COMMON).items():
        if rule in rules:
            cells = fold(cells)
    return cells


def idle_folds(one: str, other: str, rules: Set[NotationRule]) -> set[NotationRule]:
    """Those of the folding rules that change neither text."""
    idle: set[NotationRule] = set()
    both = [cells_of(one), cells_of(other)]
    for rule, fold in (COMMON | OF_PLACES).items():
        if rule in rules:
            after = [fold(cells) for cells in both]
            if after == both:
                idle.add(rule)
            both = after
    return idle
