"""Items that mean the same resident have one form; items that do not, do not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.birth import BirthDate
from domain.people import BasicAttributes, Sex
from policies.matching import match_octets

PERSON = BasicAttributes("霧島　透子", "東京都清瀬市霞野２丁目１４番３０５号", BirthDate(1988, 11, 3), Sex.FEMALE)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        pytest.param("name", "霧島透子", id="a name without its space"),
        pytest.param("name", "霧島 透子 ", id="a half-width space and one too many"),
        pytest.param("name", "霧島　透子\U000e0100", id="a variation selector"),
        pytest.param("address", "東京都清瀬市霞野２－１４－３０５", id="dashes for 丁目番号"),
        pytest.param("address", "東京都清瀬市霞野2-14-305", id="half-width digits"),
        pytest.param("address", "東京都清瀬市霞野２ー１４ー３０５", id="vowel signs for dashes"),
        pytest.param("address", "東京都 清瀬市 霞野2丁目14番地の305", id="another way to write it"),
        pytest.param("address", "東京都清瀬市霞野２‐１４−３０５", id="dashes of two kinds"),
    ],
)
def test_ways_to_write_the_same(item: str, text: str) -> None:
    assert match_octets(replace(PERSON, **{item: text})) == match_octets(PERSON)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"name": "霧島　冬子"}, id="another name"),
        pytest.param({"address": "東京都清瀬市霞野２１－４－３０５"}, id="digits that stand elsewhere"),
        pytest.param({"address": "東京都清瀬市霞野２－１４－３０５－１"}, id="one number more"),
        pytest.param({"address": "東京都清瀬市霞野二丁目１４番３０５号"}, id="a number in kanji"),
        pytest.param({"birth_date": BirthDate(1988, 3, 11)}, id="another day of birth"),
        pytest.param({"sex": Sex.MALE}, id="another sex"),
        pytest.param({"name": PERSON.address, "address": PERSON.name}, id="items that changed places"),
    ],
)
def test_what_differs_does_not_match(changes: dict[str, object]) -> None:
    assert match_octets(replace(PERSON, **changes)) != match_octets(PERSON)  # type: ignore[arg-type]


def test_a_long_vowel_in_a_name_of_a_place_stays() -> None:
    house = replace(PERSON, address="東京都清瀬市コーポ霞２０１")
    assert match_octets(house) != match_octets(replace(PERSON, address="東京都清瀬市コ-ポ霞２０１"))


@given(st.text(max_size=20), st.text(max_size=20))
def test_the_form_is_found_in_one_step(name: str, address: str) -> None:
    """What the register writes full width may come half width: both must end in the same form."""
    person = replace(PERSON, name=name, address=address)
    assert match_octets(person) == match_octets(replace(person, name=f" {name}　"))
