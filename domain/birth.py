"""Birth dates (生年月日), of which any part may be unknown (不詳): how they are written and what they can mean."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from domain.eras import CALENDAR_BEGINS, ERAS, UNKNOWN_ERA, era_of

PATTERN = rf"(?:(?:{'|'.join(ERAS)}) )?(?:[0-9]{{4}}|XXXX)-(?:[0-9]{{2}}|XX)-(?:[0-9]{{2}}|XX)"
"""What `BirthDate.read` reads: ISO 8601, with X for the digits of unknown parts as in ISO 8601-2 (EDTF level 2)."""
SHORTEST, LONGEST = len("YYYY-MM-DD"), len("YYYY-MM-DD") + max(map(len, ERAS)) + 1

_MATCHES = re.compile(PATTERN).fullmatch
_LEAP_YEAR = 2000


@dataclass(frozen=True, slots=True, repr=False)
class BirthDate:
    """A day of birth as the register has it; a part that the register does not know is None.

    `era` is given only where the register knows it and the parts do not tell it (昭和年月日不詳), so that one date is
    written in one way only. Raises ValueError, with a predicate that tells no value, for what no day since 1873 can be.
    """

    year: int | None
    month: int | None
    day: int | None
    era: str | None = None

    def __post_init__(self) -> None:
        if self.era is None and (whole := self.whole) is not None:
            if whole < CALENDAR_BEGINS:
                raise ValueError("lies before 1873, when the calendar in use began")
        elif not any(self._days_in(year) for year in self._years()):
            raise ValueError("is not a day of the calendar since 1873, nor of the era it names")
        elif self.era is not None and self._told_era() is not None:
            raise ValueError("names an era that the date tells already")

    @classmethod
    def on(cls, day: date) -> BirthDate:
        """The birth date of somebody born on this day."""
        return cls(day.year, day.month, day.day)

    @classmethod
    def read(cls, text: str) -> BirthDate:
        """`1988-11-03`, `1988-11-XX`, `XXXX-XX-XX`, `showa XXXX-XX-XX`. Raises ValueError as the class does."""
        if _MATCHES(text) is None:
            raise ValueError("must be written YYYY-MM-DD, with XXXX or XX for what is unknown")
        era, _, parts = text.rpartition(" ")
        year, month, day = (None if "X" in part else int(part) for part in parts.split("-"))
        return cls(year, month, day, era or None)

    @classmethod
    def read_certificate(cls, text: str) -> BirthDate:
        """What `certificate_text` wrote. Raises ValueError for anything else."""
        if not (len(text) == 9 and text.isascii() and text.isdigit()):
            raise ValueError("must be nine digits")
        year, month, day = (int(part) or None for part in (text[1:5], text[5:7], text[7:]))
        told = next((era.name for era in ERAS.values() if era.digit == text[0]), None)
        born = cls(year, month, day)
        if born.certificate_text != text:
            born = cls(year, month, day, told)
        if born.certificate_text != text:
            raise ValueError("names an era in which the day does not lie")
        return born

    @property
    def text(self) -> str:
        """As `read` reads it."""
        year, month, day = _digits(self.year, 4, "X"), _digits(self.month, 2, "X"), _digits(self.day, 2, "X")
        return f"{self.era} {year}-{month}-{day}" if self.era else f"{year}-{month}-{day}"

    @property
    def certificate_text(self) -> str:
        """`EYYYYMMDD` as certificates write it: the era's digit and the Gregorian date, zeros for what is unknown.

        Source: read-outs of cards (third party); zeros: a third party's fixture, unverified.
        """
        era = self.era or self._told_era()
        parts = ((self.year, 4), (self.month, 2), (self.day, 2))
        return (ERAS[era].digit if era else UNKNOWN_ERA) + "".join(_digits(part, width, "0") for part, width in parts)

    @property
    def whole(self) -> date | None:
        """The day, if all of it is known."""
        if self.year is None or self.month is None or self.day is None:
            return None
        try:
            return date(self.year, self.month, self.day)
        except ValueError:
            raise ValueError("is not a day of the calendar") from None

    @property
    def earliest(self) -> date:
        """The first day that it can be."""
        return self.whole or next(days[0] for year in self._years() if (days := self._days_in(year)))

    @property
    def latest(self) -> date:
        """The last day that it can be: `date.max` where nothing bounds it."""
        if whole := self.whole:
            return whole
        if self.year is None and self._span()[1] == date.max:
            return date.max
        return next(days[-1] for year in reversed(self._years()) if (days := self._days_in(year)))

    @property
    def birthdays(self) -> tuple[tuple[int, int], ...]:
        """The months and days on which the birthday can be, in order."""
        if self.month is not None and self.day is not None:
            return ((self.month, self.day),)
        # Without a year every day counts: each era has seen them all.
        days = self._days_in(self.year) if self.year else list(self._matching(_LEAP_YEAR))
        return tuple((day.month, day.day) for day in days)

    def __repr__(self) -> str:
        return "BirthDate(…)"

    def _span(self) -> tuple[date, date]:
        if self.era is None:
            return CALENDAR_BEGINS, date.max
        if self.era not in ERAS:
            raise ValueError("names an era that nobody knows")
        era = ERAS[self.era]
        return max(era.first_day, CALENDAR_BEGINS), era.last_day

    def _years(self) -> range:
        """Years that hold the first and the last day, if there is any."""
        if self.year is not None:
            return range(self.year, self.year + 1)
        first, last = (day.year for day in self._span())
        return range(first, min(last, first + 100) + 1)

    def _days_in(self, year: int) -> list[date]:
        first, last = self._span()
        return [day for day in self._matching(year) if first <= day <= last]

    def _matching(self, year: int) -> Iterator[date]:
        for month in range(1, 13) if self.month is None else (self.month,):
            if 1 <= month <= 12 and 1 <= year <= date.max.year:
                length = monthrange(year, month)[1]
                for day in range(1, length + 1) if self.day is None else (self.day,):
                    if 1 <= day <= length:
                        yield date(year, month, day)

    def _told_era(self) -> str | None:
        """The era that the parts alone tell."""
        if self.year is None:
            return None
        alone = self if self.era is None else BirthDate(self.year, self.month, self.day)
        first, last = era_of(alone.earliest), era_of(alone.latest)
        return first.name if first is last else None


def _digits(part: int | None, width: int, unknown: str) -> str:
    return unknown * width if part is None else f"{part:0{width}}"
