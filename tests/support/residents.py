"""Residents who do not exist: records with valid codes, in any number, the same for the same seed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from config.municipalities import load_municipalities
from domain.birth import BirthDate
from domain.people import BasicAttributes, MunicipalityCode, ResidentCode, Sex, resident_check_digit
from residents.records import COLUMNS, ResidentRecord

KIYOSE = MunicipalityCode("132217")
HINO = MunicipalityCode("132128")
BORN = BirthDate(1988, 11, 3)

SURNAMES = (
    *("霧島", "鴇田", "梶浦", "榎戸", "鳴瀬", "烏丸", "水無瀬", "雨宮", "蓮見", "白鳥", "久遠"),
    *("鷲尾", "綾小路", "椿", "六条", "灰原", "日向", "朝比奈", "遠野", "御影", "渡邊", "齋藤"),
)
GIVEN_NAMES = (
    *("悠真", "千尋", "志乃", "蒼", "樹", "透子", "惣一郎", "みどり", "和葉", "朔", "環"),
    *("泰介", "小夜", "凪", "レイ", "文乃", "誠", "ゆかり", "航平", "紬", "鷗外", "汐里"),
)
TOWNS = ("霞野", "月見坂", "鐘撞台", "柳通", "藍染", "硯町", "雲雀ヶ原", "白樺台", "水車前", "杉並木")


def resident_code(number: int) -> ResidentCode:
    """The valid code whose first ten digits are `number`."""
    body = f"{number:010d}"
    return ResidentCode(body + resident_check_digit(body))


def attributes(
    name: str = "霧島　透子",
    address: str = "東京都清瀬市霞野２－１４－３０５",
    birth_date: BirthDate = BORN,
    sex: Sex = Sex.FEMALE,
) -> BasicAttributes:
    return BasicAttributes(name, address, birth_date, sex)


def record(number: int = 1, municipality: MunicipalityCode = KIYOSE, **items: object) -> ResidentRecord:
    return ResidentRecord(resident_code(number), municipality, replace(attributes(), **items))  # type: ignore[arg-type]


def sample_records(count: int, seed: int = 1, latest_birth: date = date(2026, 12, 31)) -> Iterator[ResidentRecord]:
    """`count` different residents: four fifths in 清瀬市, the others anywhere, born in the hundred years before."""
    random = Random(seed)
    everywhere = list(load_municipalities().values())
    kiyose = load_municipalities()[KIYOSE]
    for number in random.sample(range(10**10), count):
        municipality = kiyose if random.random() < 0.8 else random.choice(everywhere)
        block = "－".join(str(random.randint(1, top)) for top in (6, 30, 12, 909)[: random.randint(2, 4)])
        yield ResidentRecord(
            resident_code(number),
            municipality.code,
            BasicAttributes(
                name=f"{random.choice(SURNAMES)}　{random.choice(GIVEN_NAMES)}",
                address=f"{municipality.prefecture}{municipality.name}{random.choice(TOWNS)}{full_width(block)}",
                birth_date=BirthDate.on(latest_birth - timedelta(days=random.randrange(36_525))),
                sex=random.choice((Sex.MALE, Sex.FEMALE)),
            ),
        )


def full_width(text: str) -> str:
    """`text` with full-width digits, as registers write addresses."""
    return text.translate(str.maketrans("0123456789", "０１２３４５６７８９"))


def as_fields(resident: ResidentRecord) -> dict[str, str]:
    """The record as a row of a file."""
    items = resident.attributes
    return {
        "resident_code": resident.code.digits,
        "municipality_code": resident.municipality.value,
        "name": items.name,
        "address": items.address,
        "birth_date": items.birth_date.text,
        "sex": items.sex.value,
    }


def csv_file(rows: Iterable[Mapping[str, str]], columns: Iterable[str] = COLUMNS) -> io.BytesIO:
    """A CSV file of rows, with its line of column names."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return io.BytesIO(text.getvalue().encode())


def json_lines_file(rows: Iterable[Mapping[str, object]]) -> io.BytesIO:
    return io.BytesIO("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
