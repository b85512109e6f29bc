"""The calendar, exhaustively: every birth date of two centuries, at the boundaries, against the almanac."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.birth import BirthDate
from domain.certificates import Kind, Validity
from domain.eras import CALENDAR_BEGINS, ERAS
from domain.errors import Code, Refusal
from policies.profile import ValidityRule
from policies.validity import ValidityCaps, age_on, birthday_after, leaf_validity, renewable
from tests.support import almanac

FIVE = ValidityRule(birthdays=5, renewal_months=3)
FAR = date(2200, 12, 31)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(1868, 1, 1, tzinfo=UTC)
CHUNK = 25


def at(moment: int) -> datetime:
    return EPOCH + timedelta(seconds=moment)


def until(moment: int) -> Validity:
    return Validity(LONG_AGO, at(moment))


def as_date(number: int) -> date:
    return date(*almanac.DAYS[number])


def born_in(first_year: int) -> Iterator[tuple[int, BirthDate]]:
    """(day number, birth date) for every day of CHUNK years, and of 2100 with the last."""
    last_year = first_year + CHUNK - (first_year + CHUNK < 2100)
    days = range(almanac.NUMBERS[first_year, 1, 1], almanac.NUMBERS[last_year, 12, 31] + 1)
    return ((number, BirthDate(*almanac.DAYS[number])) for number in days)


chunks = pytest.mark.parametrize("first_year", range(1900, 2100, CHUNK), ids=lambda year: f"born from {year}")


def test_no_birth_date_is_left_out() -> None:
    numbers = [number for first_year in range(1900, 2100, CHUNK) for number, _ in born_in(first_year)]
    assert len(numbers) == len(set(numbers)) == (date(2101, 1, 1) - date(1900, 1, 1)).days
    assert all(as_date(number) == born.whole for number, born in born_in(1900))


@chunks
def test_certificates_end_as_the_almanac_says(first_year: int) -> None:
    """Issued in the last second before a birthday, in its first and last, and in the first after it, in four years in
    a row, the year of the fifteenth birthday being the first: with no cap, then with card, authentication certificate
    and renewal near the end, so that each of them decides."""
    turn = 0
    for number, born in born_in(first_year):
        month_day = almanac.DAYS[number][1:]
        fifteenth = almanac.completion(number, 15)
        years = [days[bisect_right(days, fifteenth) - 1 :][:4] for days in almanac.BIRTHDAYS[month_day]]
        for birthday in {day for days in years for day in days}:
            begins, ends = almanac.first_second(birthday), almanac.last_second(birthday)
            for issued in (begins - 1, begins, ends, ends + 1):
                moment = at(issued)
                fifth = almanac.last_second(almanac.nth_birthday(month_day, issued, 5))
                if issued <= begins:  # the rest of the day is as its first second
                    validity = leaf_validity(FIVE, born, moment, ValidityCaps(FAR), Kind.AUTHENTICATION)
                    assert validity == Validity(moment, at(fifth)), (born.text, moment)

                # The old certificate ends on the birthday, the new card and the certificate beside it about when the
                # sixth comes: a day before, on the day, a day after, in all nine combinations.
                turn += 1
                sixth = almanac.nth_birthday(month_day, issued, 6)
                card, beside = sixth + turn % 3 - 1, almanac.last_second(sixth + turn // 3 % 3 - 1)
                caps = ValidityCaps(as_date(card), until(beside), until(ends))
                birthday_end = almanac.last_second(sixth) if issued <= ends else fifth
                end = min(birthday_end, almanac.last_second(card), beside)
                assert leaf_validity(FIVE, born, moment, caps, Kind.SIGNATURE).not_after == at(end), (born.text, moment)


@chunks
def test_ages_and_windows_are_those_of_the_almanac(first_year: int) -> None:
    for number, born in born_in(first_year):
        for years in (1, 14, 15, 16, 18):
            completed = almanac.completion(number, years)
            for day in (completed - 1, completed):
                assert age_on(born, as_date(day)) == almanac.age(number, day) == years - (day < completed), born.text
        twentieth = almanac.completion(number, 20)
        for birthday in {
            days[bisect_right(days, twentieth) - 1] for days in almanac.BIRTHDAYS[almanac.DAYS[number][1:]]
        }:
            ends, opens = almanac.last_second(birthday), almanac.first_second(almanac.window_opens(birthday, 3))
            told = [renewable(FIVE, until(ends), at(moment)) for moment in (opens - 1, opens, ends, ends + 1)]
            assert told == [False, True, True, False], born.text


@pytest.mark.parametrize("months", range(1, 13))
def test_windows_of_any_length_open_as_the_almanac_says(months: int) -> None:
    rule = ValidityRule(birthdays=5, renewal_months=months)
    for number in range(almanac.NUMBERS[2027, 1, 1], almanac.NUMBERS[2033, 1, 1]):
        old = until(almanac.last_second(number))
        opens = almanac.first_second(almanac.window_opens(number, months))
        assert [renewable(rule, old, at(moment)) for moment in (opens - 1, opens)] == [False, True]


@chunks
def test_a_card_that_ends_about_now_is_refused_or_decides(first_year: int) -> None:
    """The card ends on the day before the day of issue, on it, or on the day after; issue is about midnight."""
    for number, born in born_in(first_year):
        midnight = almanac.first_second(almanac.completion(number, 20))
        for issued in (midnight - 1, midnight):
            today = almanac.day_of(issued)
            card = today - 1 + number % 3
            caps = ValidityCaps(as_date(card))
            if card < today:
                with pytest.raises(Refusal) as refusal:
                    leaf_validity(FIVE, born, at(issued), caps, Kind.AUTHENTICATION)
                assert refusal.value.code is Code.CARD_EXPIRED
            else:
                validity = leaf_validity(FIVE, born, at(issued), caps, Kind.AUTHENTICATION)
                assert validity.not_after == at(almanac.last_second(card))


# What is known of a birth date, from all but one part to nothing.
UNKNOWN = [
    *(BirthDate(year, month, None) for year in range(1900, 2101) for month in range(1, 13)),
    *(BirthDate(year, None, day) for year in range(1900, 2101, 7) for day in (1, 7, 28, 29, 30, 31)),
    *(BirthDate(year, None, None) for year in range(1900, 2101)),
    *(BirthDate(None, *month_day) for month_day in almanac.BIRTHDAYS),
    *(BirthDate(None, month, None) for month in range(1, 13)),
    *(BirthDate(None, None, day) for day in range(1, 32)),
    BirthDate(None, None, None),
    *(BirthDate(None, month, day, era) for era in ERAS for month in (None, 2, 11) for day in (None, 3, 29)),
    *(BirthDate(1989, month, None, era) for month in (None, 1) for era in ("showa", "heisei")),
]


def readings(born: BirthDate) -> list[int]:
    """The numbers of all days that `born` can mean, up to the almanac's end."""
    years = [born.year] if born.year else range(CALENDAR_BEGINS.year, almanac.LAST_YEAR + 1)
    months = [born.month] if born.month else range(1, 13)
    days = [born.day] if born.day else range(1, 32)
    tried = (almanac.NUMBERS.get((year, month, day)) for year in years for month in months for day in days)
    numbers = [number for number in tried if number is not None]
    if born.era:
        era = ERAS[born.era]
        numbers = [number for number in numbers if era.first_day <= as_date(number) <= era.last_day]
    return numbers


def test_an_unknown_date_certifies_no_longer_and_admits_no_earlier_than_any_day_that_it_can_mean() -> None:
    """Issued about the turns of years and months, and about leap days."""
    days = ((2027, 1, 1), (2027, 12, 31), (2028, 2, 28), (2028, 2, 29), (2028, 3, 1), (2029, 2, 28), (2031, 11, 3))
    issue_days = [almanac.NUMBERS[day] for day in days]
    judged = set()  # what depends on the birthdays alone is judged once
    for born in UNKNOWN:
        meant = readings(born)
        birthdays = {almanac.DAYS[number][1:] for number in meant}
        open_ended = meant[-1] >= almanac.NUMBERS[almanac.LAST_YEAR, 1, 1]
        assert set(born.birthdays) == birthdays, born.text
        assert (born.earliest, born.latest) == (as_date(meant[0]), date.max if open_ended else as_date(meant[-1]))
        for issue_day in issue_days:
            today = as_date(issue_day)
            for count in (5, 6) if born.birthdays not in judged else ():
                want = almanac.earliest_nth_birthday(birthdays, almanac.first_second(issue_day), count)
                assert birthday_after(born, today, count) == as_date(want), born.text
            ages = [almanac.age(number, issue_day) for number in (*meant[::30], meant[-1]) if number <= issue_day]
            assert max(age_on(born, today), 0) == (min(ages) if meant[-1] <= issue_day else 0), born.text
        judged.add(born.birthdays)
