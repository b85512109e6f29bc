"""Resident records: what is read, and what each faulty field is told, never its value."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.municipalities import load_municipalities
from domain.birth import BirthDate
from domain.people import Sex
from residents.fields import Fault, FieldFaults
from residents.records import COLUMNS, ResidentRecord, read_record
from tests.support.residents import KIYOSE, as_fields, record, resident_code, sample_records

TODAY = date(2027, 4, 1)
GOOD = as_fields(record())
SECRET = "秘密の値"


def read(**changes: object) -> ResidentRecord:
    return read_record({**GOOD, **changes}, load_municipalities(), TODAY)


def faults_of(content: dict[str, object]) -> tuple[Fault, ...]:
    with pytest.raises(FieldFaults) as caught:
        read_record(content, load_municipalities(), TODAY)
    return caught.value.faults


def test_a_record_is_read() -> None:
    assert read() == record()


def test_every_sample_resident_is_read_back_unchanged() -> None:
    for sample in sample_records(300, seed=7):
        assert read_record(as_fields(sample), load_municipalities(), TODAY) == sample


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        pytest.param("resident_code", resident_code(7).digits[:-1], "eleven digits", id="a code of ten digits"),
        pytest.param("resident_code", "24727059607", "check digit", id="a code with a wrong check digit"),
        pytest.param("resident_code", "２４７２７０５９６０８", "eleven digits", id="a code in full-width digits"),
        pytest.param("resident_code", 24727059608, "must be a string", id="a code written as a number"),
        pytest.param("municipality_code", "13221", "six digits", id="a municipality without check digit"),
        pytest.param("municipality_code", "132218", "check digit", id="a municipality with a wrong check digit"),
        pytest.param("municipality_code", "130001", "not the code of a municipality", id="a prefecture"),
        pytest.param("municipality_code", "999997", "not the code of a municipality", id="a code nobody has"),
        pytest.param("name", "", "is empty", id="an empty name"),
        pytest.param("name", "　", "space around", id="a name of one space"),
        pytest.param("name", " 霧島　透子", "space around", id="a name with space before it"),
        pytest.param("name", "霧島　透子　", "space around", id="a name with space behind it"),
        pytest.param("name", "霧" * 101, "longer than 100", id="a name of 101 characters"),
        pytest.param("name", None, "must be a string", id="a name that is null"),
        pytest.param("name", ["霧島"], "must be a string", id="a name that is a list"),
        pytest.param("name", "霧島\t透子", "invisible", id="a tab"),
        pytest.param("name", "霧島\x00透子", "invisible", id="a zero octet"),
        pytest.param("name", "霧島\u202e透子", "invisible", id="a change of writing direction"),
        pytest.param("name", "霧島\u200b透子", "invisible", id="a space without width"),
        pytest.param("name", "霧島\u00a0透子", "invisible", id="a space that does not break"),
        pytest.param("name", "霧島 透子", "half-width", id="a half-width space"),
        pytest.param("name", "ｷﾘｼﾏ　ﾄｳｺ", "half-width", id="half-width kana"),
        pytest.param("address", "東京都清瀬市霞野2-14", "half-width", id="half-width digits"),
        pytest.param("name", "霧島\ud842透子", "invisible", id="half a surrogate pair"),
        pytest.param("name", "霧島\ufffd透子", "conversion", id="a replacement character"),
        pytest.param("address", "東" * 201, "longer than 200", id="an address of 201 characters"),
        pytest.param("address", "東京都\n清瀬市", "invisible", id="an address on two lines"),
        pytest.param("birth_date", "1988-2-3", "YYYY-MM-DD", id="a date without leading zeros"),
        pytest.param("birth_date", "19880203", "YYYY-MM-DD", id="a date without hyphens"),
        pytest.param("birth_date", "１９８８-02-03", "YYYY-MM-DD", id="a date in full-width digits"),
        pytest.param("birth_date", "2023-02-29", "not a day", id="29 February of a common year"),
        pytest.param("birth_date", "1988-00-10", "not a day", id="month zero"),
        pytest.param("birth_date", "0000-01-01", "not a day", id="year zero"),
        pytest.param("birth_date", "1872-12-31", "before 1873", id="a birth by the lunar calendar"),
        pytest.param("birth_date", "2027-05-XX", "in the future", id="a birth next month, on a day nobody knows"),
        pytest.param("birth_date", "1988-11-00", "not a day", id="zeros for an unknown day"),
        pytest.param("birth_date", "198X-11-03", "YYYY-MM-DD", id="a year of which one digit is unknown"),
        pytest.param("birth_date", "showa 1988-11-XX", "tells already", id="an era that is told already"),
        pytest.param("birth_date", "2027-04-02", "in the future", id="a birth tomorrow"),
        pytest.param("sex", "4", "one of 1, 2, 3, 9", id="an unknown sex digit"),
        pytest.param("sex", "女", "one of 1, 2, 3, 9", id="sex as a word"),
        pytest.param("sex", 2, "must be a string", id="sex as a number"),
    ],
)
def test_one_faulty_field_is_named_and_not_quoted(field: str, value: object, problem: str) -> None:
    (fault,) = faults_of({**GOOD, field: value})
    assert fault.field == field
    assert problem in fault.problem
    assert not isinstance(value, str) or len(value) < 2 or value not in str(fault)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("髙橋　﨑", id="characters that need a substitute"),
        pytest.param("神　\U00020bb7", id="a compatibility ideograph and one beyond the basic plane"),
        pytest.param("葛\U000e0100城", id="a variation sequence"),
        pytest.param("\ue000田", id="a private character"),
        pytest.param("ＨＯＬＬＯＷＡＹ　ＩＲＩＳ", id="Latin letters, full width"),
        pytest.param("葛\U000e0100" * 100, id="a hundred characters with variation selectors"),
        pytest.param("霧" * 100, id="a hundred characters"),
    ],
)
def test_register_characters_are_kept_as_they_are(text: str) -> None:
    assert read(name=text).attributes.name == text


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("2024-02-29", date(2024, 2, 29), id="a leap day"),
        pytest.param("2027-04-01", TODAY, id="today"),
        pytest.param("1873-01-01", date(1873, 1, 1), id="the first day of the calendar"),
    ],
)
def test_days_of_the_calendar_are_read(text: str, day: date) -> None:
    assert read(birth_date=text).attributes.birth_date == BirthDate.on(day)


@pytest.mark.parametrize("text", ["1988-11-XX", "2027-XX-XX", "XXXX-11-03", "XXXX-XX-XX", "reiwa XXXX-XX-XX"])
def test_birth_dates_may_be_unknown_in_part(text: str) -> None:
    assert read(birth_date=text).attributes.birth_date == BirthDate.read(text)


@pytest.mark.parametrize("sex", list(Sex), ids=lambda sex: f"sex digit {sex.value}")
def test_every_sex_digit_is_read(sex: Sex) -> None:
    assert read(sex=sex.value).attributes.sex is sex


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_field_is_named(column: str) -> None:
    content: dict[str, object] = {name: value for name, value in GOOD.items() if name != column}
    assert faults_of(content) == (Fault(column, "is missing"),)


def test_foreign_fields_are_counted_and_not_named() -> None:
    (fault,) = faults_of({**GOOD, SECRET: "x", "age": "38"})
    assert "(2)" in str(fault)
    assert "municipality_code" in str(fault)
    assert SECRET not in str(fault)


def test_all_faults_come_at_once() -> None:
    faults = faults_of({"name": SECRET * 40, "sex": SECRET, "birth_date": SECRET, "municipality_code": KIYOSE.value})
    assert [fault.field for fault in faults] == ["resident_code", "name", "address", "birth_date", "sex"]


@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(min_size=12), min_size=1))
def test_no_text_ever_comes_back_in_a_fault(content: dict[str, str]) -> None:
    """Twelve characters: shorter texts may stand in a sentence by chance."""
    told = " ".join(str(fault) for fault in faults_of({**content, "sex": SECRET}))
    assert not any(text in told for text in [*content.values(), SECRET])


def test_the_record_hides_its_values() -> None:
    shown = repr(record())
    assert not any(value in shown for name, value in GOOD.items() if name != "municipality_code" and len(value) > 1)
