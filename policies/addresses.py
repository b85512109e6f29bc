"""Addresses as tokens: the words of a place and its numbers with their counters, and the places that exist."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from domain.people import Municipality
from policies.notation import DASHES, Cell, Cells, NotationRule, folded

_FIGURES = "〇一二三四五六七八九"
_STEPS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = _FIGURES + "".join(_STEPS)
# No other ideograph follows: 番 of 一番町, 号 of 三号線 and 丁 of 八丁堀 count nothing.
_END = rf"(?![々〆㐀-鿿](?<![{_NUMERAL}]))"
_NUMBER = re.compile(
    rf"(?P<number>[0-9]+|[０-９]+|[{_NUMERAL}]+)"
    rf"(?P<unit>丁目|丁{_END}|番地[のノ]?|番{_END}[のノ]?|号室|号{_END}[のノ]?|[のノ](?=[0-9０-９{_NUMERAL}])|)"
    rf"(?P<dash>[{re.escape(''.join(sorted(DASHES)))}]*)"
)
# Kanji numbers that count although no counter of houses follows: 四条, 二十線, 第三地割, 一番町.
_COUNTED = re.compile(r"条|線|地割|番[町丁]|区")
_LABELS = {"丁目": "chome", "丁": "chome", "番地": "banchi", "番": "ban", "号室": "room", "号": "go", "": ""}


@dataclass(frozen=True, slots=True)
class Number:
    """One number of an address. `label` is what counts it (chome, banchi, ban, go, room, or nothing known), `unit` how
    that stands there, `figures` what writes it (0 half width, ０ full width, 〇 kanji)."""

    value: str
    label: str
    unit: str
    figures: str


Token = Number | tuple[Cell, ...]


def tokens_of(cells: Cells) -> list[Token]:
    """The address as words and numbers."""
    # One sign for each cell, so that places in the text are places in the cells.
    text = "".join(cell.text if len(cell.text) == 1 else "\ufffc" for cell in cells)
    found: list[Token] = []
    words: list[Cell] = []
    at, after_number = 0, False
    while at < len(text):
        match = _NUMBER.match(text, at)
        number = match and _number(match, text, after_number)
        if match and number:
            if words:
                found.append(tuple(words))
                words = []
            found.append(number)
            at, after_number = match.end(), True
        else:
            # A run of numerals is a number or a word as a whole.
            end = match.end("number") if match else at + 1
            words += cells[at:end]
            at, after_number = end, False
    return [*found, tuple(words)] if words else found


def _number(match: re.Match[str], text: str, after_number: bool) -> Number | None:
    digits, unit, dash = match["number"], match["unit"], match["dash"]
    label = _LABELS[unit.rstrip("のノ")]
    if digits.isdecimal():
        return Number(unicodedata.normalize("NFKC", digits), label, unit + dash, "0" if digits.isascii() else "０")
    counts = unit or dash or _COUNTED.match(text, match.end("number"))
    ends = match.end() == len(text) or not "㐀" <= text[match.end()] <= "鿿"
    value = kanji_value(digits)
    if value is None or not (counts or (after_number and ends)):
        return None
    return Number(str(value), label, unit + dash, "〇")


def kanji_value(numerals: str) -> int | None:
    """The number that kanji numerals write, by steps (二十三) or by figures (二三); None when they write none."""
    if not any(step in numerals for step in _STEPS):
        return int("".join(str(_FIGURES.index(figure)) for figure in numerals))
    total, figure, last = 0, None, 10_000
    for sign in numerals:
        if sign in _FIGURES:
            if figure is not None:
                return None
            figure = _FIGURES.index(sign)
        elif _STEPS[sign] >= last or figure == 0:
            return None
        else:
            last = _STEPS[sign]
            total, figure = total + last * (1 if figure is None else figure), None
    return total + (figure or 0)


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Prefectures, and for each name of a municipality the prefectures that have one of it."""

    prefectures: tuple[str, ...]
    places: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, municipalities: Iterable[Municipality]) -> Gazetteer:
        """The gazetteer of these municipalities."""
        places: dict[str, list[str]] = defaultdict(list)
        prefectures: dict[str, None] = {}
        for municipality in municipalities:
            for name in dict.fromkeys((municipality.name, _text(folded(municipality.name, frozenset(NotationRule))))):
                places[name].append(municipality.prefecture)
            prefectures[municipality.prefecture] = None
        return cls(tuple(prefectures), {name: tuple(of) for name, of in places.items()})

    def prefecture_of(self, text: str) -> str:
        """The prefecture that an address begins with, or nothing."""
        return next((prefecture for prefecture in self.prefectures if text.startswith(prefecture)), "")

    def place_in(self, text: str) -> str:
        """The longest name of a municipality that the text begins with, or nothing."""
        return next((text[:end] for end in range(min(len(text), 8), 1, -1) if text[:end] in self.places), "")


def align_heads(one: Cells, other: Cells, rules: Set[NotationRule], gazetteer: Gazetteer) -> tuple[Cells, Cells, bool]:
    """Both addresses without the prefecture or the county that only one of them names, and whether it may be another
    place's: a name that several prefectures have."""
    doubtful = False
    texts = [_text(one), _text(other)]
    heads = [gazetteer.prefecture_of(text) for text in texts]
    if NotationRule.PREFECTURE in rules and bool(heads[0]) != bool(heads[1]):
        named = 0 if heads[0] else 1
        rest = texts[named].removeprefix(heads[named])
        place = gazetteer.place_in(_without_county(rest, gazetteer))
        if heads[named] in gazetteer.places.get(place, ()):
            doubtful = len(set(gazetteer.places[place])) > 1
            one, other = (cells[len(head) :] for cells, head in zip((one, other), heads, strict=True))
    if NotationRule.COUNTY in rules:
        one, other, unsure = _align_counties(one, other, gazetteer)
        doubtful = doubtful or unsure
    return one, other, doubtful


def _align_counties(one: Cells, other: Cells, gazetteer: Gazetteer) -> tuple[Cells, Cells, bool]:
    texts = [_text(one), _text(other)]
    heads = [gazetteer.prefecture_of(text) for text in texts]
    rests = [text.removeprefix(head) for text, head in zip(texts, heads, strict=True)]
    shorter = [_without_county(rest, gazetteer) for rest in rests]
    has = [short != rest for short, rest in zip(shorter, rests, strict=True)]
    if has[0] == has[1]:
        return one, other, False
    place = gazetteer.place_in(shorter[has.index(True)])
    homes = [home for home in gazetteer.places.get(place, ()) if not heads[0] or home in heads]
    if not gazetteer.place_in(rests[has.index(False)]).startswith(place):
        return one, other, False
    both = []
    for cells, head, rest, short in zip((one, other), heads, rests, shorter, strict=True):
        both.append([*cells[: len(head)], *cells[len(head) + len(rest) - len(short) :]])
    return both[0], both[1], len(homes) > 1


def _without_county(text: str, gazetteer: Gazetteer) -> str:
    """`大泉町…` of `邑楽郡大泉町…`; what names no county stays."""
    county, mark, rest = text[:8].partition("郡")
    rest += text[8:]
    # 大和郡山市 has the sign in its name; 東村山郡 begins like 東村.
    is_county = mark and county and "郡" not in gazetteer.place_in(text)
    return rest if is_county and gazetteer.place_in(rest).endswith(("町", "村")) else text


def _text(cells: Cells) -> str:
    return "".join(cell.text if len(cell.text) == 1 else "\ufffc" for cell in cells)
