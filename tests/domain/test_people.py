"""Codes with check digits, residents, and what must not appear when they are printed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.municipalities import load_municipalities
from domain.birth import BirthDate
from domain.people import (
    BasicAttributes,
    MunicipalityCode,
    Resident,
    ResidentCode,
    ResidentState,
    Sex,
    resident_check_digit,
)

PERSON = BasicAttributes("霧島　透子", "東京都清瀬市霞野２－１４－３０５", BirthDate(1980, 2, 17), Sex.FEMALE)
bodies = st.integers(0, 10**10 - 1).map(lambda number: f"{number:010d}")


@pytest.mark.parametrize("digits", ["24727059608", "24846016224", "25208017643"])
def test_specimens_of_resident_codes_are_right(digits: str) -> None:
    assert ResidentCode(digits).digits == digits


def test_the_worked_example_of_a_resident_code() -> None:
    total = 0 * 2 + 6 * 3 + 9 * 4 + 5 * 5 + 0 * 6 + 7 * 7 + 2 * 2 + 7 * 3 + 4 * 4 + 2 * 5
    assert (total, total % 11, 11 - total % 11) == (179, 3, 8)
    assert resident_check_digit("2472705960") == "8"


def test_remainders_nought_and_one_share_the_digit_nought() -> None:
    # 2 × 5 + 1 × 1 and 2 × 6 from the right: 11 and 12, remainders 0 and 1.
    assert resident_check_digit("0000000000") == "0"
    assert resident_check_digit("0000000006") == "0"
    assert resident_check_digit("0000000001") == "9"


@given(bodies)
def test_one_digit_of_ten_completes_a_body(body: str) -> None:
    right = [digit for digit in "0123456789" if _is_code(body + digit)]
    assert right == [resident_check_digit(body)]


@given(bodies, st.integers(0, 9), st.integers(1, 9))
def test_a_wrong_digit_is_noticed_unless_its_remainder_shares_the_check_digit(body: str, place: int, by: int) -> None:
    changed = body[:place] + str((int(body[place]) + by) % 10) + body[place + 1 :]
    assert _is_code(changed + resident_check_digit(body)) == (
        resident_check_digit(changed) == resident_check_digit(body)
    )


@pytest.mark.parametrize(
    "digits",
    ["25208017644", "2472705960", "247270596088", "", "2472705960x", "２４７２７０５９６０８", "-4727059608"],
    ids=["wrong check digit", "too short", "too long", "empty", "a letter", "full width", "a sign"],
)
def test_what_is_no_resident_code_is_refused_without_repeating_it(digits: str) -> None:
    with pytest.raises(ValueError, match="resident code") as refused:
        ResidentCode(digits)
    assert not digits or digits not in str(refused.value)


@pytest.mark.parametrize("code", ["132217", "010006", "132128"])
def test_specimens_of_municipality_codes_are_right(code: str) -> None:
    assert MunicipalityCode.of_area(code[:5]) == MunicipalityCode(code)


def test_the_worked_examples_of_municipality_codes() -> None:
    assert (1 * 6 + 3 * 5 + 2 * 4 + 2 * 3 + 1 * 2) % 11 == 4  # 清瀬市: 11 - 4 = 7
    assert MunicipalityCode.of_area("13221").value == "132217"
    assert 0 * 6 + 1 * 5 < 11  # 北海道: 11 - 5 = 6
    assert MunicipalityCode.of_area("01000").value == "010006"


def test_the_formula_holds_for_every_municipality_of_japan() -> None:
    codes = load_municipalities()
    assert len(codes) == 1741
    assert all(MunicipalityCode.of_area(code.area) == code for code in codes)


@pytest.mark.parametrize("value", ["132218", "13221", "1322170", "13221x", "１３２２１７", ""])
def test_what_is_no_municipality_code_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="municipality code"):
        MunicipalityCode(value)


def test_areas_and_codes_print_as_themselves_and_sort() -> None:
    kiyose, hino = MunicipalityCode("132217"), MunicipalityCode("132128")
    assert f"{kiyose} {kiyose.area}" == "132217 13221"
    assert sorted([kiyose, hino]) == [hino, kiyose]


def test_nothing_personal_is_printed() -> None:
    code = ResidentCode("24727059608")
    resident = Resident(7, MunicipalityCode("132217"), PERSON, ResidentState.PRESENT)
    texts = [f"{code}", repr(code), f"{PERSON}", repr(PERSON), f"{resident}", repr(resident)]
    for secret in ("2472705960", "霧島", "霞野", "1980"):
        assert all(secret not in text for text in texts)


@pytest.mark.parametrize(
    ("changes", "items"),
    [
        pytest.param({}, (), id="nothing"),
        pytest.param({"address": "東京都日野市"}, ("address",), id="the address"),
        pytest.param(
            {"sex": Sex.MALE, "name": "霧島　透"}, ("name", "sex"), id="name and sex in the order of the record"
        ),
        pytest.param({"birth_date": BirthDate(1980, 2, 18)}, ("birth_date",), id="the birth date"),
    ],
)
def test_differences_are_told_by_the_names_of_items(changes: dict[str, object], items: tuple[str, ...]) -> None:
    other = replace(PERSON, **changes)  # type: ignore[arg-type]
    assert PERSON.differing_items(other) == other.differing_items(PERSON) == items


def _is_code(digits: str) -> bool:
    try:
        ResidentCode(digits)
    except ValueError:
        return False
    return True
