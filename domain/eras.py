"""Eras (元号) and the calendar: where each begins, its digit in certificates, and where that is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

CALENDAR_BEGINS = date(1873, 1, 1)
"""明治6年1月1日: the first day of the calendar in use. Registers have the days before it by a lunar calendar; nobody
born under that is alive. Source: 明治5年太政官布告第337号."""


@dataclass(frozen=True, slots=True)
class Era:
    """One era: `name` is how formats write it, `digit` how certificates do. `last_day` of the present is `date.max`.
    On the days that belonged to two eras the law lets the new one begin (「…以後ヲ改メテ…」)."""

    name: str
    kanji: str
    digit: str
    first_day: date
    last_day: date
    source: str


_ROWS = (
    ("meiji", "明治", "1", date(1868, 1, 25), "改元の詔 of 慶応4年9月8日: the whole year becomes 明治元年"),
    ("taisho", "大正", "2", date(1912, 7, 30), "詔書 of 明治45年7月30日"),
    ("showa", "昭和", "3", date(1926, 12, 25), "詔書 of 大正15年12月25日"),
    ("heisei", "平成", "4", date(1989, 1, 8), "元号を改める政令 (昭和64年政令第1号): from the day after 7 January"),
    ("reiwa", "令和", "5", date(2019, 5, 1), "元号を改める政令 (平成31年政令第143号)"),
)
_LAST_DAYS = (*(first_day - timedelta(days=1) for _, _, _, first_day, _ in _ROWS[1:]), date.max)

ERAS = {
    name: Era(name, kanji, digit, first_day, last_day, source)
    for (name, kanji, digit, first_day, source), last_day in zip(_ROWS, _LAST_DAYS, strict=True)
}
"""By name, the oldest first. The digits are those of read-outs of cards (third party); a new era is a new row."""

UNKNOWN_ERA = "0"
"""The digit where the era is not known (third party; no card that shows it was seen)."""


def era_of(day: date) -> Era:
    """The era of a day. Raises LookupError before 明治."""
    for era in reversed(ERAS.values()):
        if day >= era.first_day:
            return era
    raise LookupError("no era of the table holds this day")
