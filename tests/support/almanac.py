"""An almanac: the calendar rules of certificates a second time, by other means than `policies.validity`.

No dates, no months added, no years replaced: days from 1868 on are counted one by one, a birthday is a list of the
numbers of its days, and each rule looks numbers up in lists. Moments are seconds since 1970.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator

FIRST_YEAR, LAST_YEAR = 1868, 2140
DAY = 86_400
JAPAN = 9 * 3600
SIGNING_AGE = 15

MonthDay = tuple[int, int]


def _walk() -> Iterator[tuple[int, int, int]]:
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        for month, length in enumerate((31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), start=1):
            yield from ((year, month, day) for day in range(1, length + 1))


DAYS = tuple(_walk())
NUMBERS = {day: number for number, day in enumerate(DAYS)}
_EPOCH = NUMBERS[1970, 1, 1]

# By month and day of birth, the numbers of all birthdays in each reading of the rule: for 29 February there are two,
# in common years the day before and the day after. The last reading is the one that completes years of age.
BIRTHDAYS: dict[MonthDay, tuple[list[int], ...]] = {}


def _note_birthdays() -> None:
    by_month_day: dict[MonthDay, list[int]] = defaultdict(list)
    for number, (_, month, day) in enumerate(DAYS):
        by_month_day[month, day].append(number)
    BIRTHDAYS.update({month_day: (days,) for month_day, days in by_month_day.items()})
    leap_days, firsts_of_march = set(by_month_day[2, 29]), by_month_day[3, 1]
    before = [first - 1 for first in firsts_of_march]
    after = [first - 1 if first - 1 in leap_days else first for first in firsts_of_march]
    BIRTHDAYS[2, 29] = (before, after)


_note_birthdays()


def first_second(number: int) -> int:
    """When a day begins in Japan."""
    return (number - _EPOCH) * DAY - JAPAN


def last_second(number: int) -> int:
    return first_second(number + 1) - 1


def day_of(moment: int) -> int:
    """The number of the day in Japan."""
    return (moment + JAPAN) // DAY + _EPOCH


def nth_birthday(birthday: MonthDay, issued: int, count: int) -> int:
    """The day of the `count`th birthday after the day of issue, in the reading that makes it earliest."""
    today = day_of(issued)
    return min(days[bisect_right(days, today) + count - 1] for days in BIRTHDAYS[birthday])


def earliest_nth_birthday(birthdays: Iterable[MonthDay], issued: int, count: int) -> int:
    """The same where it is not known which of them is the birthday."""
    return min(nth_birthday(birthday, issued, count) for birthday in birthdays)


def completion(born: int, years: int) -> int:
    """The day on which somebody born on that day completes so many years."""
    days = BIRTHDAYS[DAYS[born][1:]][-1]
    return days[bisect_right(days, born) + years - 1]


def age(born: int, day: int) -> int:
    """Completed years on a day; both by number."""
    days = BIRTHDAYS[DAYS[born][1:]][-1]
    return bisect_right(days, day) - bisect_right(days, born)


def window_opens(last_day: int, months: int) -> int:
    """The first day on which what ends on `last_day` can be renewed: the day after the same day, `months` before."""
    year, month, day = DAYS[last_day]
    wanted = [(y, m) for y in (year - 1, year) for m in range(1, 13)][12 + month - 1 - months]
    while (*wanted, day) not in NUMBERS:
        day -= 1
    return NUMBERS[*wanted, day] + 1
