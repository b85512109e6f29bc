"""Real places with made-up house numbers, in other notations, and near misses: a labelled corpus for comparisons."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

from config.municipalities import load_municipalities
from config.rules import load_variants
from domain.substitution import VariantRule
from policies.addresses import Gazetteer

Label = Literal["same", "other", "person"]
"""same: one address in two notations. other: two addresses. person: one says less, so only a person can tell."""

VARIANTS = load_variants()
GAZETTEER = Gazetteer.of(load_municipalities().values())
_FIGURES = "〇一二三四五六七八九"
# Characters that are taken for each other by eye; no table joins them.
_ALIKE = {
    "大": "太",
    "太": "大",
    "土": "士",
    "未": "末",
    "末": "未",
    "田": "由",
    "目": "日",
    "井": "丼",
    "石": "右",
    "木": "本",
}


@dataclass(frozen=True)
class Place:
    """A prefecture, what Japan Post writes as the city (with county or ward), and the town."""

    prefecture: str
    city: str
    town: str


@dataclass(frozen=True)
class Address:
    """A place and a house: block numbers from the largest, `chome` if the first of them is one, and a building."""

    place: Place
    numbers: tuple[int, ...]
    chome: bool
    building: str = ""
    room: int = 0


@dataclass(frozen=True)
class Pair:
    """Two writings, what they should be found to be, and what was done to the second."""

    held: str
    written: str
    label: Label
    what: str


def places() -> list[Place]:
    """The sample beside this module."""
    lines = Path(__file__).with_name("places.csv").read_text("utf-8").splitlines()
    return [Place(**row) for row in csv.DictReader(line for line in lines if not line.startswith("#"))]


def wide(text: str) -> str:
    """Full width, as registers write."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "　" if c == " " else c for c in text)


def in_kanji(number: int) -> str:
    """12 → 十二"""
    text = ""
    for step, sign in ((1000, "千"), (100, "百"), (10, "十")):
        count, number = divmod(number, step)
        text += ("" if count == 1 else _FIGURES[count]) + sign if count else ""
    return text + (_FIGURES[number] if number else "")


def register_text(address: Address) -> str:
    """The address as a certificate has it: counters written out, full width."""
    return wide(_head(address) + _counted(address, str) + _building(address, "号室"))


def _head(address: Address) -> str:
    return address.place.prefecture + address.place.city + address.place.town


def _counted(address: Address, number: Callable[[int], str]) -> str:
    counters = ("丁目", "番", "号") if address.chome else ("番地", "の", "の")
    if not address.chome and len(address.numbers) > 1:
        counters = ("番", "号", "")
    # A number more than there are counters stands behind, as the number of a room may.
    return "".join(number(n) + (counters[at] if at < len(counters) else "") for at, n in enumerate(address.numbers))


def _building(address: Address, counter: str) -> str:
    return f" {address.building}{address.room}{counter}" if address.building else ""


def addresses(some: Iterable[Place], chance: Random) -> Iterator[Address]:
    """One address in each place."""
    for place in some:
        count = chance.choice((1, 2, 2, 3, 3, 3))
        numbers = tuple(chance.randint(1, 30) for _ in range(count))
        building = chance.choice(("", "", "コーポ青葉", "ＳＫマンション", "ハイツ・ミドリ"))
        chome = count == 3 or (count == 2 and chance.random() < 0.3)
        yield Address(place, numbers, chome, building, chance.randint(101, 909) if building else 0)


def _hyphens(address: Address) -> str:
    return _head(address) + "-".join(map(str, address.numbers)) + _building(address, "")


def _swap(letters: str, to: str) -> Callable[[str], str]:
    return lambda text: "".join(to if c in letters and at else c for at, c in enumerate(text))


def _in_town(address: Address, change: Callable[[str], str]) -> str:
    place = Place(address.place.prefecture, address.place.city, change(address.place.town))
    return register_text(Address(place, address.numbers, address.chome, address.building, address.room))


def _variant(text: str, chance: Random) -> str:
    """One character exchanged for a form of it that a table gives."""
    found = [
        (at, target)
        for at, character in enumerate(text)
        for target in VARIANTS.targets(VariantRule.MJ_REGISTER_NOTICES, character)
        if {character, target} not in VARIANTS.apart
    ]
    if not found:
        return text
    at, target = chance.choice(found)
    return text[:at] + target + text[at + 1 :]


def same(address: Address, chance: Random) -> Iterator[Pair]:
    """The address in other notations, one by one and together."""
    text, head = register_text(address), _head(address)
    town = address.place.town
    writings = {
        "half width": unicodedata.normalize("NFKC", text),
        "hyphens": wide(_hyphens(address)),
        "half-width hyphens": _hyphens(address),
        "numbers in kanji": wide(head + _counted(address, in_kanji) + _building(address, "号室")),
        "long-vowel marks for hyphens": wide(_hyphens(address)).replace("－", "ー"),
        "minus signs for hyphens": wide(_hyphens(address)).replace("－", "−"),
        "a space before the numbers": wide(head + " " + _counted(address, str) + _building(address, "号室")),
        "no space before the building": text.replace("　", ""),
        "の for hyphens": wide(_hyphens(address).replace("-", "の", 1)) if len(address.numbers) > 1 else text,
        "ケ written otherwise": _in_town(address, _swap("ケヶが", chance.choice("ケヶが"))) if len(town) > 2 else text,
        "ノ written otherwise": _in_town(address, _swap("ノの之", chance.choice("ノの之"))),
        "ツ written otherwise": _in_town(address, _swap("ツッつ", chance.choice("ツッつ")))
        if town[1:2] in "ツッつ"
        else text,
        "大字 added": wide(head.replace(town, f"大字{town}") + _counted(address, str) + _building(address, "号室")),
        "a form by a table": _in_town(address, lambda name: _variant(name, chance)),
    }
    municipality = GAZETTEER.place_in(address.place.city.partition("郡")[2] or address.place.city)
    if municipality and len(set(GAZETTEER.places[municipality])) == 1:
        writings["no prefecture"] = _hyphens(address).removeprefix(address.place.prefecture)
        if "郡" in address.place.city[:5] and len(GAZETTEER.places[municipality]) == 1:
            short = address.place.city.partition("郡")[2]
            writings["no county"] = text.replace(address.place.city, short)
            writings["no prefecture and no county"] = _hyphens(address).replace(_head(address), short + town)
    yield from (Pair(other, text, "same", what) for what, other in writings.items() if other != text)


def others(address: Address, neighbours: list[Place], chance: Random) -> Iterator[Pair]:
    """Addresses that look like this one and are not it, in a notation by chance."""
    text, place, numbers = register_text(address), address.place, address.numbers
    changed: dict[str, Address] = {}

    def change(
        what: str, numbers: tuple[int, ...] = numbers, place: Place = place, chome: bool = address.chome
    ) -> None:
        changed[what] = Address(place, numbers, chome, address.building, address.room)

    at = chance.randrange(len(numbers))
    change("a number more by one", (*numbers[:at], numbers[at] + 1, *numbers[at + 1 :]))
    change("a number ten times", (*numbers[:at], numbers[at] * 10, *numbers[at + 1 :]))
    change("a number more", (*numbers, 7))
    if len(numbers) > 1:
        change("two numbers run together", (int(f"{numbers[0]}{numbers[1]}"), *numbers[2:]), chome=False)
        change("a number less", numbers[:-1], chome=address.chome and len(numbers) > 2)
        if numbers[0] != numbers[1]:
            change("two numbers exchanged", (numbers[1], numbers[0], *numbers[2:]))
    for near in chance.sample(neighbours, min(2, len(neighbours))):
        change(f"the place {near.town or near.city}", place=near)
    if alike := [i for i, c in enumerate(place.town) if c in _ALIKE]:
        i = alike[0]
        town = place.town[:i] + _ALIKE[place.town[i]] + place.town[i + 1 :]
        change("a character that looks alike", place=Place(place.prefecture, place.city, town))
    if figures := [i for i, c in enumerate(place.town) if c in _FIGURES[1:9]]:
        i = figures[0]
        town = place.town[:i] + _FIGURES[_FIGURES.index(place.town[i]) + 1] + place.town[i + 1 :]
        change("another number in the place's name", place=Place(place.prefecture, place.city, town))
    for what, other in changed.items():
        writing = chance.choice((register_text, _hyphens, lambda a: wide(_hyphens(a))))(other)
        yield Pair(writing, text, "other", what)
    if address.building:
        room = Address(place, numbers, address.chome, address.building, address.room + 1)
        yield Pair(register_text(room), text, "other", "another room")
    if address.chome and len(numbers) > 1:
        contradicting = wide(
            _head(address) + "".join(f"{n}{c}" for n, c in zip(numbers, ("番", "号", "号"), strict=False))
        )
        yield Pair(contradicting + wide(_building(address, "号室")), text, "other", "counters that contradict")


def left_to_a_person(address: Address) -> Iterator[Pair]:
    """The same address with less said."""
    text = register_text(address)
    if address.building:
        bare = Address(address.place, address.numbers, address.chome)
        yield Pair(register_text(bare), text, "person", "no building")
    municipality = GAZETTEER.place_in(address.place.city)
    if len(set(GAZETTEER.places.get(municipality, ()))) > 1:
        yield Pair(text.removeprefix(address.place.prefecture), text, "person", "no prefecture where it is needed")


def corpus(some: list[Place], seed: int = 7) -> Iterator[Pair]:
    """The labelled pairs of these places, the same each time."""
    chance = Random(seed)
    for address in addresses(some, chance):
        near = [place for place in some if place.city == address.place.city and place != address.place]
        if not near:
            near = [Place(address.place.prefecture, address.place.city, address.place.town + "東")]
        yield from same(address, chance)
        yield from others(address, near, chance)
        yield from left_to_a_person(address)


def by_hand() -> list[tuple[str, Pair]]:
    """(name or address, pair): labelled by hand, also where the rules do not reach."""
    text = Path(__file__).with_name("notations.csv").read_text("utf-8")
    lines = re.sub(r"\\\{([0-9A-F]+)\}", lambda match: chr(int(match[1], 16)), text).splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return [(row["item"], Pair(row["held"], row["written"], _label(row["label"]), row["what"])) for row in rows]


def _label(word: str) -> Label:
    labels: dict[str, Label] = {"same": "same", "other": "other", "person": "person"}
    return labels[word]
