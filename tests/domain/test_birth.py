"""Birth dates and eras: how they are written, and what they can mean."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.birth import LONGEST, PATTERN, SHORTEST, BirthDate
from domain.eras import CALENDAR_BEGINS, ERAS, era_of
from tests.support.birth import partly, unknown_parts

# How it is written, in certificates, and the first and the last day that it can be.
WRITTEN = [
    pytest.param("1980-02-17", "319800217", date(1980, 2, 17), date(1980, 2, 17), id="the test card in public"),
    pytest.param("2000-02-29", "420000229", date(2000, 2, 29), date(2000, 2, 29), id="a leap day"),
    pytest.param("1873-01-01", "118730101", date(1873, 1, 1), date(1873, 1, 1), id="the first day of the calendar"),
    pytest.param("1988-11-XX", "319881100", date(1988, 11, 1), date(1988, 11, 30), id="the day unknown"),
    pytest.param("1988-02-XX", "319880200", date(1988, 2, 1), date(1988, 2, 29), id="the day unknown, in a leap year"),
    pytest.param("1988-XX-XX", "319880000", date(1988, 1, 1), date(1988, 12, 31), id="month and day unknown"),
    pytest.param("1988-XX-31", "319880031", date(1988, 1, 31), date(1988, 12, 31), id="the month unknown"),
    pytest.param("XXXX-11-03", "000001103", date(1873, 11, 3), date.max, id="the year unknown"),
    pytest.param("XXXX-02-29", "000000229", date(1876, 2, 29), date.max, id="the year unknown, of a leap day"),
    pytest.param("XXXX-XX-XX", "000000000", date(1873, 1, 1), date.max, id="everything unknown"),
    pytest.param("heisei XXXX-XX-XX", "400000000", date(1989, 1, 8), date(2019, 4, 30), id="the era known alone"),
    pytest.param("showa XXXX-11-03", "300001103", date(1927, 11, 3), date(1988, 11, 3), id="era, month and day known"),
    pytest.param("showa XXXX-01-03", "300000103", date(1927, 1, 3), date(1989, 1, 3), id="a day of the last year too"),
    pytest.param("meiji XXXX-XX-XX", "100000000", date(1873, 1, 1), date(1912, 7, 29), id="Meiji, by this calendar"),
    pytest.param("reiwa XXXX-XX-XX", "500000000", date(2019, 5, 1), date.max, id="the present era"),
    pytest.param("1989-XX-XX", "019890000", date(1989, 1, 1), date(1989, 12, 31), id="a year of two eras"),
    pytest.param("showa 1989-XX-XX", "319890000", date(1989, 1, 1), date(1989, 1, 7), id="the old era's part of it"),
    pytest.param("heisei 1989-01-XX", "419890100", date(1989, 1, 8), date(1989, 1, 31), id="a month of two eras"),
    pytest.param("1989-02-XX", "419890200", date(1989, 2, 1), date(1989, 2, 28), id="a month after the change"),
]


@pytest.mark.parametrize(("text", "digits", "earliest", "latest"), WRITTEN)
def test_a_birth_date_is_written_in_two_ways_and_read_in_both(
    text: str, digits: str, earliest: date, latest: date
) -> None:
    born = BirthDate.read(text)
    assert (born.text, born.certificate_text) == (text, digits)
    assert (born.earliest, born.latest) == (earliest, latest)
    assert BirthDate.read_certificate(digits) == born
    assert SHORTEST <= len(text) <= LONGEST


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("1988-2-3", "YYYY-MM-DD", id="no leading zeros"),
        pytest.param("1988-11", "YYYY-MM-DD", id="no day at all"),
        pytest.param("198X-11-03", "YYYY-MM-DD", id="one digit unknown"),
        pytest.param("1988-xx-xx", "YYYY-MM-DD", id="small letters"),
        pytest.param("keio XXXX-XX-XX", "YYYY-MM-DD", id="an era before the calendar"),
        pytest.param("Showa XXXX-XX-XX", "YYYY-MM-DD", id="an era with a capital"),
        pytest.param("1988-11-03\n", "YYYY-MM-DD", id="a line break behind it"),
        pytest.param("１９８８-11-03", "YYYY-MM-DD", id="full-width digits"),
        pytest.param("2023-02-29", "not a day", id="29 February of a common year"),
        pytest.param("2023-02-30", "not a day", id="30 February"),
        pytest.param("XXXX-02-30", "not a day", id="30 February of any year"),
        pytest.param("1988-13-XX", "not a day", id="a thirteenth month"),
        pytest.param("1988-XX-32", "not a day", id="a thirty-second day"),
        pytest.param("1988-00-00", "not a day", id="zeros for unknown parts"),
        pytest.param("0000-00-00", "not a day", id="the zeros of databases that have no date"),
        pytest.param("0000-XX-XX", "not a day", id="year zero"),
        pytest.param("1872-12-31", "before 1873", id="the last day of the lunar calendar"),
        pytest.param("1872-XX-XX", "not a day", id="a year of the lunar calendar"),
        pytest.param("showa 1988-11-03", "tells already", id="an era beside a whole date"),
        pytest.param("showa 1988-XX-XX", "tells already", id="an era beside a year of one era"),
        pytest.param("heisei 1988-XX-XX", "not a day", id="an era in which the year does not lie"),
        pytest.param("heisei 1989-01-03", "not a day", id="an era in which the day does not lie"),
        pytest.param("taisho 1989-XX-XX", "not a day", id="an era far from the year"),
    ],
)
def test_what_no_birth_date_can_be_is_refused_without_telling_it(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as fault:
        BirthDate.read(text)
    assert not any(part in str(fault.value) for part in ("1988", "1989", "2023", "showa", "heisei"))


@pytest.mark.parametrize(
    "digits",
    [
        pytest.param("19881103", id="no era digit"),
        pytest.param("３19881103", id="a full-width digit"),
        pytest.param("3１9881103", id="a full-width digit inside"),
        pytest.param("419881103", id="the next era's digit"),
        pytest.param("019881103", id="an unknown era of a whole date"),
        pytest.param("619881103", id="an era that is not there"),
        pytest.param("319881132", id="a thirty-second day"),
        pytest.param("31988110X", id="a letter"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_no_certificate_says_is_refused(digits: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        BirthDate.read_certificate(digits)


def test_an_era_nobody_knows_is_refused_also_where_it_is_not_read() -> None:
    with pytest.raises(ValueError, match="nobody knows"):
        BirthDate(None, None, None, "keio")


def test_nothing_of_a_birth_date_is_printed() -> None:
    born = BirthDate.read("showa XXXX-11-03")
    assert f"{born} {born!r}" == "BirthDate(…) BirthDate(…)"


@given(st.dates(CALENDAR_BEGINS, date(2999, 12, 31)), unknown_parts)
def test_whatever_is_unknown_is_written_and_read_and_may_mean_the_day(day: date, unknown: set[str]) -> None:
    born = partly(day, unknown)
    assert born.earliest <= day <= born.latest
    assert (day.month, day.day) in born.birthdays
    assert born.whole == (None if unknown else day)
    assert BirthDate.read(born.text) == born == BirthDate.read_certificate(born.certificate_text)
    assert re.fullmatch(PATTERN, born.text)
    assert born.certificate_text[0] in {era_of(day).digit, "0"}


@given(st.dates(CALENDAR_BEGINS, date(2999, 12, 31)))
def test_a_whole_date_says_its_era_and_day(day: date) -> None:
    born = BirthDate.on(day)
    assert born.text == day.isoformat()
    assert born.certificate_text == f"{era_of(day).digit}{day:%Y%m%d}"
    assert born.birthdays == ((day.month, day.day),)


@pytest.mark.parametrize(
    ("last", "first", "names"),
    [
        pytest.param(date(1912, 7, 29), date(1912, 7, 30), ("meiji", "taisho"), id="Meiji and Taisho"),
        pytest.param(date(1926, 12, 24), date(1926, 12, 25), ("taisho", "showa"), id="Taisho and Showa"),
        pytest.param(date(1989, 1, 7), date(1989, 1, 8), ("showa", "heisei"), id="Showa and Heisei"),
        pytest.param(date(2019, 4, 30), date(2019, 5, 1), ("heisei", "reiwa"), id="Heisei and Reiwa"),
    ],
)
def test_eras_change_on_these_days(last: date, first: date, names: tuple[str, str]) -> None:
    assert (era_of(last).name, era_of(first).name) == names


def test_the_table_of_eras_has_no_gap_and_no_digit_twice() -> None:
    eras = list(ERAS.values())
    assert [era.digit for era in eras] == ["1", "2", "3", "4", "5"]
    assert all(one.last_day + timedelta(days=1) == other.first_day for one, other in pairwise(eras))
    assert eras[0].first_day < CALENDAR_BEGINS < eras[0].last_day
    assert eras[-1].last_day == date.max
    assert all(era.source for era in eras)
    with pytest.raises(LookupError):
        era_of(eras[0].first_day - timedelta(days=1))


def test_every_era_has_seen_a_leap_day() -> None:
    """So that no birthday can be ruled out where the era alone is known."""
    for era in ERAS.values():
        assert BirthDate(None, 2, 29, era.name).earliest.year <= date(2027, 1, 1).year
