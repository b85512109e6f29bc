"""How long certificates live: birthdays, calendar years and days, ended at the last second of a day in Japan."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

from domain.birth import BirthDate
from domain.certificates import Kind, Validity
from domain.errors import Code, Refusal
from policies.profile import ValidityRule

# Japan has had one offset and no summer time since 1951.
JST = timezone(timedelta(hours=9), "JST")

SIGNING_AGE = 15
"""Below this age no signing certificate is issued (official pages on 署名用電子証明書)."""

_LAST_SECOND = time(23, 59, 59, tzinfo=JST)
_COMMON = (date(1, 2, 28), date(1, 3, 1))
"""What can stand for 29 February in a common year, of whatever year."""


@dataclass(frozen=True, slots=True)
class ValidityCaps:
    """What moves the end of a certificate: the card's last day (JST), the pair's other half, and, when this is a
    renewal, the certificate that it replaces."""

    card_expires_on: date
    authentication: Validity | None = None
    renewed: Validity | None = None


def day_in_japan(moment: datetime) -> date:
    """The calendar day in Japan of an aware moment; a naive one is a ValueError."""
    if moment.tzinfo is None:
        raise ValueError("want an aware time")
    return moment.astimezone(JST).date()


def end_of_day(day: date) -> datetime:
    """The last second of a day in Japan, in UTC: 14:59:59Z. Validity includes it (RFC 5280 §4.1.2.5)."""
    return datetime.combine(day, _LAST_SECOND).astimezone(UTC)


def leaf_validity(
    rule: ValidityRule, birth_date: BirthDate, issued_at: datetime, caps: ValidityCaps, kind: Kind
) -> Validity:
    """From `issued_at` through the Nth birthday (JST) after the day of issue, the card's last day at the latest, and
    for signing no longer than the authentication certificate. A birthday on the day of issue does not count. A
    renewal in the last `renewal_months` of the old certificate runs one birthday further, so that no days are lost.
    Of a birthday that is not known, the earliest that it can be counts.

    Source: official pages that quote the rule (「発行の日後の5回目の誕生日」, 6回目 for a renewal).

    Raises Refusal(CARD_EXPIRED), and Refusal(NO_LIVE_CERTIFICATE) for a signing certificate beside an authentication
    certificate that has ended.
    """
    if rule.birthdays is None:
        raise ValueError("the certificates of people end on birthdays")
    day = day_in_japan(issued_at)
    card_end = end_of_day(caps.card_expires_on)
    if card_end < issued_at:
        raise Refusal(Code.CARD_EXPIRED, "the card has expired; issue a new card first", pointer="card.expires_on")
    renewal = caps.renewed is not None and renewable(rule, caps.renewed, issued_at)
    end = min(end_of_day(birthday_after(birth_date, day, rule.birthdays + renewal)), card_end)
    if kind is Kind.SIGNATURE and caps.authentication is not None:
        if caps.authentication.ended(issued_at):
            raise Refusal(
                Code.NO_LIVE_CERTIFICATE, "the authentication certificate has expired; apply for both certificates"
            )
        end = min(end, caps.authentication.not_after)
    return Validity(issued_at, end)


def renewable(rule: ValidityRule, old: Validity, now: datetime) -> bool:
    """Whether the old certificate still runs, but for less than `renewal_months`: what ends on 15 June can be renewed
    from 16 March on. Source: official pages (「期間が3月未満となった場合」)."""
    last_day = day_in_japan(old.not_after)
    months = last_day.year * 12 + last_day.month - 1 - rule.renewal_months
    year, month = months // 12, months % 12 + 1
    opens_after = date(year, month, min(last_day.day, monthrange(year, month)[1]))
    return not old.ended(now) and day_in_japan(now) > opens_after


def birthday_after(birth_date: BirthDate, day: date, count: int) -> date:
    """The `count`th birthday (from 1) that lies after `day`: the earliest that it can be.

    It can be several where the birthday is not known, and where it is 29 February: in common years the day before or
    the day after stands for that. No source settles either for certificates (for driving licences 道路交通法 §92-2 has
    28 February). The earliest never makes a certificate longer than its holder is entitled to, whichever proves right.
    """
    return min(_birthdays_after(birth_date, day, count))


def last_birthday_after(birth_date: BirthDate, day: date, count: int) -> date:
    """The `count`th birthday (from 1) that lies after `day`: the latest that it can be, where it can be several."""
    return max(_birthdays_after(birth_date, day, count))


def _birthdays_after(birth_date: BirthDate, day: date, count: int) -> Iterator[date]:
    for month, day_of_month in birth_date.birthdays:
        for common in _COMMON if (month, day_of_month) == (2, 29) else _COMMON[:1]:
            yield _after(day, count, month, day_of_month, common)


def _after(day: date, count: int, month: int, day_of_month: int, common: date) -> date:
    passed = _birthday_in(day.year, month, day_of_month, common) <= day
    return _birthday_in(day.year + count - 1 + passed, month, day_of_month, common)


def _birthday_in(year: int, month: int, day: int, common: date) -> date:
    if (month, day) == (2, 29) and not isleap(year):
        return common.replace(year=year)
    return date(year, month, day)


def age_on(birth_date: BirthDate, day: date) -> int:
    """Completed years on `day`; negative for somebody who may not be born yet. Who was born on 29 February completes a
    year on 1 March of a common year. Of a birth date that is not wholly known, the last day that it can be counts.

    In law an age is complete when the day before the birthday ends (年齢計算ニ関スル法律): not yet on 28 February. Thus
    nobody is admitted too early here, as `birthday_after` certifies nobody for too long.
    """
    born = birth_date.latest
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def require_signing_age(birth_date: BirthDate, now: datetime) -> None:
    """Return if the holder is surely 15 or older in Japan at `now`. Raises Refusal(UNDER_AGE)."""
    if age_on(birth_date, day_in_japan(now)) < SIGNING_AGE:
        unclear = "" if birth_date.whole else "; the parts of the birth date that are known do not show that age"
        raise Refusal(Code.UNDER_AGE, f"signing certificates are issued from the age of {SIGNING_AGE}{unclear}")


def authority_validity(rule: ValidityRule, issued_at: datetime) -> Validity:
    """`years` counted from the day of issue (JST), to the end of the last day.

    So do the real authorities: made on 16 July 2023 in Japan, valid through 15 July 2033. A period that begins on
    29 February ends on 28 February, in leap years too.
    """
    if rule.years is None:
        raise ValueError("the certificates of authorities live for years")
    return Validity(issued_at, end_of_day(last_day_of_years(day_in_japan(issued_at), rule.years)))


def last_day_of_years(first_day: date, years: int) -> date:
    """The last day of a period of whole years: the day before the same day, or, where there is none, the last of the
    month. Source: 民法 §143."""
    if (first_day.month, first_day.day) == (2, 29) and not isleap(first_day.year + years):
        return date(first_day.year + years, 2, 28)
    return first_day.replace(year=first_day.year + years) - timedelta(days=1)


def responder_validity(rule: ValidityRule, issued_at: datetime, issuer: Validity) -> Validity:
    """`days` of 86,400 seconds, the last second included, but not beyond the issuer: status is answered until then."""
    if rule.days is None:
        raise ValueError("the certificates of responders live for days")
    return Validity(issued_at, min(issued_at + timedelta(days=rule.days, seconds=-1), issuer.not_after))
