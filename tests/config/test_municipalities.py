"""The municipality table: complete, unambiguous in its romanised names, and refused when damaged."""

from __future__ import annotations

import csv
from collections import Counter
from importlib.resources import files

import pytest

from config.data import make_municipalities
from config.municipalities import COLUMNS, load_municipalities, read_municipalities
from domain.people import MunicipalityCode

KIYOSE = "132217,東京都,,清瀬市,キヨセシ,Tokyo-to,Kiyose-shi,test"
HINO = "132128,東京都,,日野市,ヒノシ,Tokyo-to,Hino-shi,test"

WELL_KNOWN = [
    ("01100", "札幌市", "Hokkaido", "Sapporo-shi"),
    ("01367", "奥尻町", "Hokkaido", "Okushiri-cho"),
    ("01642", "広尾町", "Hokkaido", "Hiroo-cho"),
    ("02445", "南部町", "Aomori-ken", "Nambu-cho"),
    ("03209", "一関市", "Iwate-ken", "Ichinoseki-shi"),
    ("07342", "鏡石町", "Fukushima-ken", "Kagamiishi-machi"),
    ("09201", "宇都宮市", "Tochigi-ken", "Utsunomiya-shi"),
    ("10201", "前橋市", "Gumma-ken", "Maebashi-shi"),
    ("12218", "勝浦市", "Chiba-ken", "Katsuura-shi"),
    ("12226", "富津市", "Chiba-ken", "Futtsu-shi"),
    ("12230", "八街市", "Chiba-ken", "Yachimata-shi"),
    ("12235", "匝瑳市", "Chiba-ken", "Sosa-shi"),
    ("13101", "千代田区", "Tokyo-to", "Chiyoda-ku"),
    ("13102", "中央区", "Tokyo-to", "Chuo-ku"),
    ("13205", "青梅市", "Tokyo-to", "Ome-shi"),
    ("13221", "清瀬市", "Tokyo-to", "Kiyose-shi"),
    ("13307", "檜原村", "Tokyo-to", "Hinohara-mura"),
    ("13308", "奥多摩町", "Tokyo-to", "Okutama-machi"),
    ("13381", "三宅村", "Tokyo-to", "Miyake-mura"),
    ("14383", "真鶴町", "Kanagawa-ken", "Manazuru-machi"),
    ("15100", "新潟市", "Niigata-ken", "Niigata-shi"),
    ("20303", "小海町", "Nagano-ken", "Koumi-machi"),
    ("22130", "浜松市", "Shizuoka-ken", "Hamamatsu-shi"),
    ("22215", "御殿場市", "Shizuoka-ken", "Gotemba-shi"),
    ("24202", "四日市市", "Mie-ken", "Yokkaichi-shi"),
    ("25201", "大津市", "Shiga-ken", "Otsu-shi"),
    ("26100", "京都市", "Kyoto-fu", "Kyoto-shi"),
    ("26207", "城陽市", "Kyoto-fu", "Joyo-shi"),
    ("27100", "大阪市", "Osaka-fu", "Osaka-shi"),
    ("28100", "神戸市", "Hyogo-ken", "Kobe-shi"),
    ("28209", "豊岡市", "Hyogo-ken", "Toyooka-shi"),
    ("28221", "丹波篠山市", "Hyogo-ken", "Tambasasayama-shi"),
    ("33586", "新庄村", "Okayama-ken", "Shinjo-son"),
    ("33622", "勝央町", "Okayama-ken", "Shoo-cho"),
    ("37205", "観音寺市", "Kagawa-ken", "Kanonji-shi"),
    ("39405", "梼原町", "Kochi-ken", "Yusuhara-cho"),
    ("40130", "福岡市", "Fukuoka-ken", "Fukuoka-shi"),
    ("40231", "那珂川市", "Fukuoka-ken", "Nakagawa-shi"),
    ("43432", "西原村", "Kumamoto-ken", "Nishihara-mura"),
    ("46213", "西之表市", "Kagoshima-ken", "Nishinoomote-shi"),
    ("46217", "曽於市", "Kagoshima-ken", "Soo-shi"),
    ("47302", "大宜味村", "Okinawa-ken", "Ogimi-son"),
]


@pytest.mark.parametrize(("area", "name", "prefecture_romanised", "name_romanised"), WELL_KNOWN)
def test_well_known_names(area: str, name: str, prefecture_romanised: str, name_romanised: str) -> None:
    found = load_municipalities()[MunicipalityCode.of_area(area)]
    assert (found.name, found.prefecture_romanised, found.name_romanised) == (
        name,
        prefecture_romanised,
        name_romanised,
    )


def test_every_municipality_is_there_and_no_ward_of_a_designated_city() -> None:
    table = load_municipalities()
    endings = Counter(one.name[-1] for one in table.values())
    assert endings == {"市": 792, "区": 23, "町": 743, "村": 183}
    assert len(table) == 1741
    assert len({one.prefecture for one in table.values()}) == 47
    assert {one.code.area[:2] for one in table.values() if one.name.endswith("区")} == {"13"}
    assert list(table) == sorted(table)
    assert all(code == one.code for code, one in table.items())


def test_the_northern_territories_and_wards_are_not_municipalities_here() -> None:
    areas = {code.area for code in load_municipalities()}
    assert areas.isdisjoint({"01695", "01696", "01697", "01698", "01699", "01700"})  # e.g. the other 泊村
    assert areas.isdisjoint(
        {"13100", "22131", "22138"}
    )  # Tokyo's wards as one, Hamamatsu's wards before and after 2024


def test_romanised_names_are_unique_and_ascii() -> None:
    names = Counter((one.prefecture_romanised, one.name_romanised) for one in load_municipalities().values())
    assert [name for name, times in names.items() if times > 1] == []
    assert all(part.isascii() for name in names for part in name)


def test_the_two_towns_of_one_reading_are_told_apart_by_county() -> None:
    table = load_municipalities()
    assert table[MunicipalityCode.of_area("01361")].name_romanised == "Hiyama-gun Esashi-cho"  # 江差町
    assert table[MunicipalityCode.of_area("01514")].name_romanised == "Esashi-gun Esashi-cho"  # 枝幸町


def test_the_mapping_is_read_once_and_cannot_be_changed() -> None:
    table = load_municipalities()
    assert load_municipalities() is table
    assert not hasattr(table, "__setitem__")


def test_a_county_stands_before_every_town_and_village_outside_the_islands_of_tokyo() -> None:
    text = (files("config") / "data" / "municipalities.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        has_county = row["name"].endswith(("町", "村")) and not "13361" <= row["code"][:5] <= "13421"
        assert row["county"].endswith("郡") if has_county else row["county"] == "", row


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "columns must be"),
        (["code,name", KIYOSE], "columns must be"),
        ([",".join(COLUMNS), KIYOSE.replace("132217", "132218")], "line 2: .*check digit"),
        ([",".join(COLUMNS), KIYOSE.replace("132217", "13221")], "line 2: .*six digits"),
        ([",".join(COLUMNS), KIYOSE, KIYOSE], "line 3: .*appears twice"),
        ([",".join(COLUMNS), KIYOSE, HINO.replace("Hino", "Kiyose")], "line 3: .*already 132217"),
        ([",".join(COLUMNS), KIYOSE, HINO.replace("東京都", "東京府")], "line 3: .*another prefecture"),
        ([",".join(COLUMNS), KIYOSE.replace("清瀬市", "")], "name is empty"),
        ([",".join(COLUMNS), KIYOSE.replace("東京都", "東京都 ")], "prefecture is empty or has space"),
        ([",".join(COLUMNS), KIYOSE.replace("Kiyose-shi", "Kiyosé-shi")], "name_romanised"),
        ([",".join(COLUMNS), KIYOSE.replace("Kiyose-shi", "Kiyose")], "name_romanised"),
        ([",".join(COLUMNS), KIYOSE.replace("Kiyose-shi", "Kiyose-shi\x00")], "name_romanised"),
        ([",".join(COLUMNS), KIYOSE.replace("Tokyo-to", "Tokyo")], "prefecture_romanised"),
        ([",".join(COLUMNS), KIYOSE + ",more"], "9 fields instead of 8"),
        ([",".join(COLUMNS), ""], "0 fields instead of 8"),
    ],
)
def test_a_damaged_table_is_refused(lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_municipalities(lines)


@pytest.mark.parametrize(
    ("kana", "letters"),
    [
        ("トウキョウ", "Tokyo"),
        ("オオサカ", "Osaka"),
        ("チュウオウ", "Chuo"),
        ("ショウオウ", "Shoo"),  # two long vowels, one after the other
        ("スオウオオシマ", "Suooshima"),
        ("ヒロオ", "Hiroo"),  # a last お is kept
        ("コ|ウミ", "Koumi"),  # a seam keeps both vowels
        ("ニイガタ", "Niigata"),  # long i and long e are written
        ("ボッチ", "Botchi"),
        ("フッツ", "Futtsu"),
        ("ナンモク", "Nammoku"),
        ("カンオンジ", "Kanonji"),  # no apostrophe
        ("オヂヤ", "Ojiya"),
        ("ヒャクジュウ", "Hyakuju"),
    ],
)
def test_romanisation_rules(kana: str, letters: str) -> None:
    assert make_municipalities.romanise(kana) == letters


@pytest.mark.parametrize("kana", ["漢", "ー", "A", "あ"])
def test_an_unknown_sign_is_not_romanised(kana: str) -> None:
    with pytest.raises(KeyError):
        make_municipalities.romanise(kana)


# The table has no reading of counties; these two towns are the only ones whose romanised name needs it.
COUNTY_KANA = {"01361": "ヒヤマグン", "01514": "エサシグン"}


def rows() -> list[make_municipalities.Row]:
    with make_municipalities.TARGET.open(encoding="utf-8", newline="") as file:
        return [make_municipalities.Row(**row) for row in csv.DictReader(file)]


def romanised(row: make_municipalities.Row) -> str:
    """The romanised name that the script's rules give for a row's own reading."""
    area = row.code[:5]
    town = make_municipalities.with_ending(row.name, make_municipalities.SEAMS.get(area, row.name_kana))
    if area not in make_municipalities.QUALIFIED_BY_COUNTY:
        return town
    return f"{make_municipalities.with_ending(row.county, COUNTY_KANA[area])} {town}"


def test_every_romanised_name_follows_by_the_rules_from_the_reading_in_its_row() -> None:
    table = rows()
    assert len(table) == make_municipalities.EXPECTED_ROWS
    assert [row for row in table if romanised(row) != row.name_romanised] == []


def test_every_seam_is_a_place_in_the_reading_of_its_row() -> None:
    readings = {row.code[:5]: row.name_kana for row in rows()}
    assert {area: kana.replace("|", "") for area, kana in make_municipalities.SEAMS.items()}.items() <= readings.items()


def test_the_file_is_written_as_the_script_writes_it() -> None:
    assert make_municipalities.render(rows()) == make_municipalities.TARGET.read_bytes()
