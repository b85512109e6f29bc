"""`docs/calendar.md`, computed by the rules themselves: `python -m tests.support.calendar_page` writes it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from config.rules import load_profiles
from domain.birth import BirthDate
from domain.certificates import Kind, Validity
from domain.eras import CALENDAR_BEGINS, ERAS
from domain.errors import Refusal
from policies.validity import (
    JST,
    SIGNING_AGE,
    ValidityCaps,
    age_on,
    authority_validity,
    end_of_day,
    leaf_validity,
    renewable,
)
from tests.support.documents import ROOT

PAGE = "docs/calendar.md"

_INTRODUCTION = """\
# Calendar

When certificates end, when they can be renewed and from when on they are issued, at the boundaries. The tables are
computed by the rules (`python -m tests.support.calendar_page` writes this page; a test holds it to them). The rules
are checked for every birth date from 1900 to 2100 against a second implementation (`tests/policies/test_calendar.py`).

Days are days in Japan, with one offset since 1951 and no summer time. A certificate is valid through its last second,
23:59:59 in Japan, which it writes as 14:59:59Z of the same day. **?** marks what no source settles: the choice is ours,
and never certifies for longer, nor admits earlier, than any reading of the rule."""
_FAR = date(2099, 12, 31)
_UNKNOWN = (
    *("1980-06-15", "1980-06-XX", "1980-04-XX", "1980-XX-15", "1980-XX-XX", "XXXX-06-15", "XXXX-02-29", "XXXX-XX-XX"),
    *("showa XXXX-XX-XX", "heisei XXXX-XX-XX", "reiwa XXXX-XX-XX"),
    *("1989-XX-XX", "showa 1989-XX-XX", "heisei 1989-01-XX"),
)
_NO_CAPS = ValidityCaps(_FAR)
_WHOLE = BirthDate(1980, 6, 15)
_LEAP = BirthDate(2000, 2, 29)
_RULE = load_profiles(ROOT / "config" / "profiles")["signature-rsa2048"].validity


def render() -> str:
    sections = (
        _section(
            """The fifth birthday after the day of issue

            A birthday on the day of issue does not count. Next cards have ten (`config/profiles/signature-p384.toml`).
            In common years 28 February or 1 March stands for 29 February, whichever makes the end earlier; see
            [decision 21](decisions/0021-unknown-birth-dates.md).""",
            "born; issued in Japan; ends with; ",
            _issues(),
        ),
        _section(
            """Renewal

            From the day after the one that lies three months before the last day, to the last second. A renewal then
            runs through the sixth birthday after the day of issue, an application before or after it through the
            fifth. Next cards have a window of a year.""",
            "old certificate ends with; applied for in Japan; renewal; new certificate ends with",
            _renewals(),
        ),
        _section(
            """Caps

            The earliest of birthday, last day of the card and, for signing, last second of the authentication
            certificate.""",
            "kind; card's last day; authentication certificate; issued in Japan; ends with",
            _caps(),
        ),
        _section(
            f"""Ages

            Signing certificates are issued from the age of {SIGNING_AGE}. A year is complete when the day before the
            birthday ends.""",
            "born; day; age; ",
            _ages(),
        ),
        _section(
            """Birth dates of which parts are unknown (不詳)

            Formats write X for what is unknown, and the era where it is known and the rest does not tell it
            ([formats](formats.md)); certificates write zeros, and era 0. The earliest birthday that it can be decides
            when a certificate ends, the latest day of birth how old somebody is. All of it is **?**; see
            [decision 21](decisions/0021-unknown-birth-dates.md). Issued on 1 April 2027:""",
            "birth date; in certificates; can be; ends with; renewed on 1 March 2031; signing from",
            _unknown(),
        ),
        _section(
            f"""Eras (元号)

            Birth dates begin on {CALENDAR_BEGINS} (明治6年1月1日), with the calendar in use
            (明治5年太政官布告第337号). A new era is a row of `domain.eras`.""",
            "era; in formats; in certificates; first day; last day; source",
            _eras(),
        ),
        _section(
            """Authorities

            Ten years from the day of issue, to the end of the last day (`config/profiles/ca-rsa2048.toml`).""",
            "issued in Japan; ends with; ",
            _authorities(),
        ),
    )
    return "\n\n".join((_INTRODUCTION, *sections)) + "\n"


def _section(words: str, columns: str, rows: Iterable[Sequence[str]]) -> str:
    heads = columns.split("; ")
    table = [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]
    return f"## {inspect.cleandoc(words)}\n\n" + "\n".join(table)


def _issues() -> Iterator[Sequence[str]]:
    for born, issued, mark in (
        (_WHOLE, _at(2027, 6, 14, last=True), ""),
        (_WHOLE, _at(2027, 6, 15), ""),
        (_WHOLE, _at(2027, 6, 15, last=True), ""),
        (_WHOLE, _at(2027, 6, 16), ""),
        (BirthDate(1990, 1, 1), _at(2027, 12, 31, last=True), ""),
        (BirthDate(1990, 1, 1), _at(2028, 1, 1), ""),
        (BirthDate(1990, 12, 31), _at(2027, 12, 30, last=True), ""),
        (BirthDate(1990, 12, 31), _at(2027, 12, 31), ""),
        (_LEAP, _at(2026, 2, 27, last=True), "?"),
        (_LEAP, _at(2026, 2, 28), "?"),
        (_LEAP, _at(2027, 2, 27, last=True), "?"),
        (_LEAP, _at(2027, 2, 28), "?"),
        (_LEAP, _at(2027, 2, 28, last=True), "?"),
        (_LEAP, _at(2027, 3, 1), ""),
        (_LEAP, _at(2028, 2, 28, last=True), ""),
        (_LEAP, _at(2028, 2, 29), "?"),
        (_LEAP, _at(2028, 3, 1), "?"),
        (BirthDate(2000, 2, 28), _at(2028, 2, 28), ""),
        (BirthDate(2000, 3, 1), _at(2028, 2, 29), ""),
    ):
        yield born.text, _moment(issued), _end(born, issued), mark


def _renewals() -> Iterator[Sequence[str]]:
    for born, last_day, days in (
        (
            _WHOLE,
            date(2027, 6, 15),
            ((2027, 3, 15, True), (2027, 3, 16, False), (2027, 6, 14, True), (2027, 6, 15, False)),
        ),
        (_WHOLE, date(2027, 6, 15), ((2027, 6, 15, True), (2027, 6, 16, False))),
        (BirthDate(1980, 5, 31), date(2027, 5, 31), ((2027, 2, 28, True), (2027, 3, 1, False))),
        (BirthDate(1980, 5, 30), date(2028, 5, 30), ((2028, 2, 29, True), (2028, 3, 1, False))),
        (BirthDate(1980, 1, 10), date(2027, 1, 10), ((2026, 10, 10, True), (2026, 10, 11, False))),
        (_LEAP, date(2027, 2, 28), ((2026, 11, 28, True), (2026, 11, 29, False), (2027, 2, 28, False))),
        (_LEAP, date(2027, 3, 1), ((2027, 2, 28, True), (2027, 3, 1, False))),
        (_LEAP, date(2028, 2, 29), ((2027, 11, 29, True), (2027, 11, 30, False), (2028, 2, 29, False))),
    ):
        old = Validity(_at(2022, 1, 1), end_of_day(last_day))
        for year, month, day, last in days:
            moment = _at(year, month, day, last=last)
            word = "yes" if renewable(_RULE, old, moment) else "too late" if old.ended(moment) else "too early"
            yield _moment(old.not_after), _moment(moment), word, _end(born, moment, ValidityCaps(_FAR, renewed=old))


def _caps() -> Iterator[Sequence[str]]:
    for kind, card, beside, issued in (
        (Kind.AUTHENTICATION, date(2032, 6, 14), None, _at(2027, 6, 16)),
        (Kind.AUTHENTICATION, date(2032, 6, 15), None, _at(2027, 6, 16)),
        (Kind.AUTHENTICATION, date(2032, 6, 16), None, _at(2027, 6, 16)),
        (Kind.AUTHENTICATION, date(2027, 6, 16), None, _at(2027, 6, 16, last=True)),
        (Kind.AUTHENTICATION, date(2027, 6, 15), None, _at(2027, 6, 16)),
        (Kind.SIGNATURE, _FAR, date(2030, 1, 10), _at(2027, 6, 16)),
        (Kind.SIGNATURE, date(2029, 12, 31), date(2030, 1, 10), _at(2027, 6, 16)),
        (Kind.SIGNATURE, _FAR, date(2035, 1, 10), _at(2027, 6, 16)),
        (Kind.SIGNATURE, _FAR, date(2027, 6, 16), _at(2027, 6, 16, last=True)),
        (Kind.SIGNATURE, _FAR, date(2027, 6, 15), _at(2027, 6, 16)),
    ):
        authentication = Validity(_at(2022, 1, 1), end_of_day(beside)) if beside else None
        end = _end(_WHOLE, issued, ValidityCaps(card, authentication), kind)
        yield kind.value, card.isoformat(), _moment(end_of_day(beside)) if beside else "", _moment(issued), end


def _ages() -> Iterator[Sequence[str]]:
    for born, day, mark in (
        (BirthDate(2012, 4, 2), date(2027, 4, 1), ""),
        (BirthDate(2012, 4, 2), date(2027, 4, 2), ""),
        (BirthDate(2012, 2, 29), date(2027, 2, 28), ""),
        (BirthDate(2012, 2, 29), date(2027, 3, 1), ""),
        (BirthDate(2012, 2, 29), date(2028, 2, 28), ""),
        (BirthDate(2012, 2, 29), date(2028, 2, 29), ""),
        (BirthDate.read("2012-04-XX"), date(2027, 4, 29), "?"),
        (BirthDate.read("2012-04-XX"), date(2027, 4, 30), "?"),
        (BirthDate.read("2012-XX-XX"), date(2027, 12, 30), "?"),
        (BirthDate.read("2012-XX-XX"), date(2027, 12, 31), "?"),
    ):
        yield born.text, day.isoformat(), str(age_on(born, day)), mark


def _unknown() -> Iterator[Sequence[str]]:
    issued, again = _at(2027, 4, 1), _at(2031, 3, 1)
    for text in _UNKNOWN:
        born = BirthDate.read(text)
        old = Validity(issued, leaf_validity(_RULE, born, issued, ValidityCaps(_FAR), Kind.AUTHENTICATION).not_after)
        renewed = _end(born, again, ValidityCaps(_FAR, renewed=old)) if renewable(_RULE, old, again) else "too early"
        earliest, latest = born.earliest.isoformat(), "" if born.latest == date.max else born.latest.isoformat()
        can_be = earliest if earliest == latest else f"{earliest} to {latest}" if latest else f"{earliest} and later"
        digits = f"`{born.certificate_text}`"
        yield f"`{text}`", digits, can_be, _end(born, issued), renewed, _signing_from(born)


def _signing_from(born: BirthDate) -> str:
    """The first day on which this holder is surely old enough."""
    if born.latest == date.max:
        return "never"
    day = date(born.latest.year + SIGNING_AGE, 1, 1)
    while age_on(born, day) < SIGNING_AGE:
        day += timedelta(days=1)
    return day.isoformat()


def _eras() -> Iterator[Sequence[str]]:
    for era in ERAS.values():
        last = "" if era.last_day == date.max else era.last_day.isoformat()
        yield era.kanji, f"`{era.name}`", f"`{era.digit}`", era.first_day.isoformat(), last, era.source


def _authorities() -> Iterator[Sequence[str]]:
    rule = load_profiles(ROOT / "config" / "profiles")["ca-rsa2048"].validity
    for issued, mark in ((_at(2027, 4, 1), ""), (_at(2028, 2, 28), ""), (_at(2028, 2, 29), "?"), (_at(2028, 3, 1), "")):
        yield _moment(issued), _moment(authority_validity(rule, issued).not_after), mark


def _end(born: BirthDate, issued: datetime, caps: ValidityCaps = _NO_CAPS, kind: Kind = Kind.AUTHENTICATION) -> str:
    try:
        return _moment(leaf_validity(_RULE, born, issued, caps, kind).not_after)
    except Refusal as refusal:
        return f"refused: {refusal.code.value}"


def _at(year: int, month: int, day: int, *, last: bool = False) -> datetime:
    """The first or last second of a day in Japan."""
    midnight = datetime(year, month, day, tzinfo=JST).astimezone(UTC)
    return midnight + timedelta(days=1, seconds=-1) if last else midnight


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(JST):%Y-%m-%d %H:%M:%S}"


if __name__ == "__main__":
    (ROOT / PAGE).write_text(render(), "utf-8")
