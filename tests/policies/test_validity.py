from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.birth import BirthDate
from domain.certificates import Kind, Validity
from domain.errors import Code, Refusal
from policies.profile import ValidityRule
from policies.validity import (
    ValidityCaps,
    age_on,
    authority_validity,
    birthday_after,
    day_in_japan,
    end_of_day,
    leaf_validity,
    renewable,
    require_signing_age,
    responder_validity,
)
from tests.support.birth import partly, unknown_parts
from tests.support.profiles import make_profile

FIVE = ValidityRule(birthdays=5, renewal_months=3)
LATE = date(2099, 12, 31)
FEBRUARY_17 = BirthDate(1980, 2, 17)
LEAP_DAY = BirthDate(2000, 2, 29)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def end_of(
    issued_at: str,
    born: BirthDate = FEBRUARY_17,
    card: date = LATE,
    authentication: str | None = None,
    renewed: str | None = None,
    kind: Kind = Kind.SIGNATURE,
    rule: ValidityRule = FIVE,
) -> datetime:
    """When a certificate issued then ends; the other certificates given by their last moment."""
    issued = at(issued_at)

    def until(moment: str | None) -> Validity | None:
        return Validity(at("2020-01-01T00:00:00Z"), at(moment)) if moment else None

    caps = ValidityCaps(card, until(authentication), until(renewed))
    validity = leaf_validity(rule, born, issued, caps, kind)
    assert validity.not_before == issued
    return validity.not_after


@pytest.mark.parametrize(
    ("issued_at", "born", "ends"),
    [
        pytest.param("2025-10-27T03:00:00Z", FEBRUARY_17, "2030-02-17T23:59:59+09:00", id="the test card in public"),
        pytest.param(
            "2025-02-17T03:00:00Z", FEBRUARY_17, "2030-02-17T23:59:59+09:00", id="a birthday today is not one"
        ),
        pytest.param("2025-02-16T03:00:00Z", FEBRUARY_17, "2029-02-17T23:59:59+09:00", id="a birthday tomorrow is one"),
        pytest.param(
            "2025-02-16T14:59:59Z", FEBRUARY_17, "2029-02-17T23:59:59+09:00", id="the last second before the birthday"
        ),
        pytest.param(
            "2025-02-16T15:00:00Z", FEBRUARY_17, "2030-02-17T23:59:59+09:00", id="the first second of it in Japan"
        ),
        pytest.param(
            "2027-12-31T14:59:59Z", BirthDate(1990, 1, 1), "2032-01-01T14:59:59Z", id="new year's eve in Japan"
        ),
        pytest.param(
            "2027-12-31T15:00:00Z", BirthDate(1990, 1, 1), "2033-01-01T14:59:59Z", id="new year's day in Japan"
        ),
        pytest.param("2027-04-01T00:00:00Z", LEAP_DAY, "2032-02-29T14:59:59Z", id="a leap day in a leap year"),
        pytest.param("2026-04-01T00:00:00Z", LEAP_DAY, "2031-02-28T14:59:59Z", id="a leap day in another year"),
        pytest.param("2027-02-27T00:00:00Z", LEAP_DAY, "2031-02-28T14:59:59Z", id="issued before the day instead"),
        pytest.param("2027-02-28T00:00:00Z", LEAP_DAY, "2031-03-01T14:59:59Z", id="issued on one of two days instead"),
        pytest.param("2027-03-01T00:00:00Z", LEAP_DAY, "2032-02-29T14:59:59Z", id="issued on the other"),
        pytest.param("2028-02-28T00:00:00Z", LEAP_DAY, "2032-02-29T14:59:59Z", id="issued before a leap day"),
        pytest.param("2028-02-29T00:00:00Z", LEAP_DAY, "2033-02-28T14:59:59Z", id="issued on a leap day"),
    ],
)
def test_a_certificate_ends_with_the_fifth_birthday_after_the_day_of_issue(
    issued_at: str, born: BirthDate, ends: str
) -> None:
    assert end_of(issued_at, born) == at(ends)


def test_the_last_second_is_valid_and_the_next_is_not() -> None:
    validity = leaf_validity(FIVE, FEBRUARY_17, at("2025-10-27T03:00:00Z"), ValidityCaps(LATE), Kind.SIGNATURE)
    assert validity.covers(at("2030-02-17T14:59:59Z"))
    assert not validity.covers(at("2030-02-17T15:00:00Z"))


def test_the_next_card_has_ten_birthdays() -> None:
    rule = make_profile("authentication-p384").validity
    assert end_of("2028-10-27T03:00:00Z", rule=rule) == at("2038-02-17T14:59:59Z")


@pytest.mark.parametrize("kind", Kind)
def test_no_certificate_outlives_its_card(kind: Kind) -> None:
    assert end_of("2027-04-01T00:00:00Z", card=date(2029, 6, 15), kind=kind) == at("2029-06-15T14:59:59Z")


def test_a_card_is_good_through_its_last_day_in_japan() -> None:
    last_day = date(2027, 4, 1)
    assert end_of("2027-04-01T14:59:59Z", card=last_day) == at("2027-04-01T14:59:59Z")
    with pytest.raises(Refusal) as refusal:
        end_of("2027-04-01T15:00:00Z", card=last_day)
    assert refusal.value.code is Code.CARD_EXPIRED


def test_a_signing_certificate_never_outlives_its_authentication_certificate() -> None:
    assert end_of("2027-04-01T00:00:00Z", authentication="2028-01-05T14:59:59Z") == at("2028-01-05T14:59:59Z")
    assert end_of("2027-04-01T00:00:00Z", authentication="2040-01-05T14:59:59Z") == at("2032-02-17T14:59:59Z")


def test_an_authentication_certificate_asks_nobody() -> None:
    ends = end_of("2027-04-01T00:00:00Z", authentication="2028-01-05T14:59:59Z", kind=Kind.AUTHENTICATION)
    assert ends == at("2032-02-17T14:59:59Z")


def test_a_signing_certificate_is_not_made_beside_one_that_has_ended() -> None:
    with pytest.raises(Refusal) as refusal:
        end_of("2027-04-01T00:00:00Z", authentication="2027-03-31T14:59:59Z")
    assert refusal.value.code is Code.NO_LIVE_CERTIFICATE


@pytest.mark.parametrize(
    ("today", "open_"),
    [
        pytest.param("2027-03-15T14:59:59Z", False, id="three months before it is still closed"),
        pytest.param("2027-03-15T15:00:00Z", True, id="the day after, in Japan, it opens"),
        pytest.param("2027-06-15T14:59:59Z", True, id="on the last second it is open"),
        pytest.param("2027-06-15T15:00:00Z", False, id="after the end there is nothing to renew"),
    ],
)
def test_the_renewal_window_of_a_certificate_that_ends_on_15_june(today: str, open_: bool) -> None:
    old = Validity(at("2022-06-15T00:00:00Z"), at("2027-06-15T14:59:59Z"))
    assert renewable(FIVE, old, at(today)) is open_


@pytest.mark.parametrize(
    ("last_day", "opens"),
    [
        pytest.param(date(2027, 5, 31), date(2027, 3, 1), id="February has no 31st"),
        pytest.param(date(2028, 5, 30), date(2028, 3, 1), id="February has no 30th in a leap year either"),
        pytest.param(date(2027, 1, 10), date(2026, 10, 11), id="over the turn of the year"),
        pytest.param(date(2027, 3, 10), date(2026, 12, 11), id="into December"),
    ],
)
def test_the_renewal_window_at_the_edges_of_months(last_day: date, opens: date) -> None:
    old = Validity(at("2020-01-01T00:00:00Z"), end_of_day(last_day))
    noon = timedelta(hours=3)
    assert renewable(FIVE, old, datetime(opens.year, opens.month, opens.day, tzinfo=UTC) + noon)
    assert not renewable(FIVE, old, datetime(opens.year, opens.month, opens.day, tzinfo=UTC) + noon - timedelta(days=1))


def test_a_renewal_in_the_window_loses_no_days() -> None:
    assert end_of("2027-01-10T00:00:00Z", renewed="2027-02-17T14:59:59Z") == at("2032-02-17T14:59:59Z")
    assert end_of("2026-11-10T00:00:00Z", renewed="2027-02-17T14:59:59Z") == at("2031-02-17T14:59:59Z")


def test_a_rule_of_another_certificate_is_a_mistake_in_the_program() -> None:
    now, caps = at("2027-04-01T00:00:00Z"), ValidityCaps(LATE)
    with pytest.raises(ValueError, match="birthdays"):
        leaf_validity(ValidityRule(years=10), FEBRUARY_17, now, caps, Kind.SIGNATURE)
    with pytest.raises(ValueError, match="years"):
        authority_validity(FIVE, now)
    with pytest.raises(ValueError, match="days"):
        responder_validity(FIVE, now, Validity(now, now))
    with pytest.raises(ValueError, match="aware"):
        day_in_japan(datetime(2027, 4, 1))  # noqa: DTZ001


births = st.dates(date(1900, 1, 1), date(2026, 12, 31)) | st.sampled_from(
    [date(y, 2, 29) for y in range(1904, 2026, 4)]
)
moments = st.datetimes(datetime(2015, 1, 1), datetime(2080, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


def by_walking(born: date, issued_at: datetime, birthdays: int) -> datetime:
    """The same rule told another way: walk from day to day and count the birthdays, of a leap day in two readings."""
    return min(_walk(born, issued_at, birthdays, common) for common in ((2, 28), (3, 1)))


def _walk(born: date, issued_at: datetime, birthdays: int, common: tuple[int, int]) -> datetime:
    day, left = (issued_at + timedelta(hours=9)).date(), birthdays
    while left:
        day += timedelta(days=1)
        celebrated = (born.month, born.day)
        if celebrated == (2, 29) and not calendar.isleap(day.year):
            celebrated = common
        left -= (day.month, day.day) == celebrated
    return datetime(day.year, day.month, day.day, 14, 59, 59, tzinfo=UTC)


@given(births, moments, st.integers(1, 11))
def test_counting_birthdays_agrees_with_walking_through_the_days(born: date, issued_at: datetime, count: int) -> None:
    caps = ValidityCaps(date(2999, 1, 1))
    validity = leaf_validity(ValidityRule(birthdays=count), BirthDate.on(born), issued_at, caps, Kind.AUTHENTICATION)
    assert validity.not_after == by_walking(born, issued_at, count)


@given(births, moments, st.dates(date(2015, 1, 1), date(2095, 1, 1)), st.none() | moments, st.none() | moments)
def test_no_cap_is_ever_passed_and_one_is_always_reached(
    born: date, issued_at: datetime, card: date, authentication: datetime | None, renewed: datetime | None
) -> None:
    first = datetime(2015, 1, 1, tzinfo=UTC)
    caps = ValidityCaps(
        card, Validity(first, authentication) if authentication else None, Validity(first, renewed) if renewed else None
    )
    bounds = {
        by_walking(born, issued_at, 6 if caps.renewed and renewable(FIVE, caps.renewed, issued_at) else 5),
        datetime(card.year, card.month, card.day, 14, 59, 59, tzinfo=UTC),
        *({authentication} if authentication else ()),
    }
    try:
        validity = leaf_validity(FIVE, BirthDate.on(born), issued_at, caps, Kind.SIGNATURE)
    except Refusal:
        assert min(bounds) < issued_at
    else:
        assert validity == Validity(issued_at, min(bounds))


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        pytest.param(BirthDate(2012, 4, 2), date(2027, 4, 1), 14, id="the day before the birthday"),
        pytest.param(BirthDate(2012, 4, 2), date(2027, 4, 2), 15, id="the birthday"),
        pytest.param(BirthDate(2012, 2, 29), date(2027, 2, 28), 14, id="a leap day's child on 28 February"),
        pytest.param(BirthDate(2012, 2, 29), date(2027, 3, 1), 15, id="a leap day's child on 1 March"),
        pytest.param(BirthDate(2012, 2, 29), date(2028, 2, 29), 16, id="a leap day's child on a leap day"),
    ],
)
def test_age_on(born: BirthDate, day: date, age: int) -> None:
    assert age_on(born, day) == age


@given(births, st.dates(date(2015, 1, 1), date(2080, 1, 1)))
def test_age_agrees_with_counting_the_days_on_which_a_year_was_completed(born: date, day: date) -> None:
    def completed(year: int) -> date:
        try:
            return date(year, born.month, born.day)
        except ValueError:
            return date(year, 3, 1)

    if born <= day:
        years = range(born.year + 1, day.year + 1)
        assert age_on(BirthDate.on(born), day) == sum(completed(year) <= day for year in years)


@pytest.mark.parametrize(
    ("born", "ends"),
    [
        pytest.param("1980-02-17", "2032-02-17T14:59:59Z", id="nothing"),
        pytest.param("XXXX-02-17", "2032-02-17T14:59:59Z", id="the year, which no birthday depends on"),
        pytest.param("1980-02-XX", "2032-02-01T14:59:59Z", id="the day: the first of the month"),
        pytest.param("1980-04-XX", "2031-04-02T14:59:59Z", id="the day, in the month of issue: tomorrow"),
        pytest.param("1980-XX-XX", "2031-04-02T14:59:59Z", id="month and day: tomorrow"),
        pytest.param("1980-XX-17", "2031-04-17T14:59:59Z", id="the month: the next such day"),
        pytest.param("1980-XX-01", "2031-05-01T14:59:59Z", id="the month, on such a day: a month later"),
        pytest.param("showa 1989-XX-XX", "2032-01-01T14:59:59Z", id="all but a year of seven days"),
        pytest.param("XXXX-XX-XX", "2031-04-02T14:59:59Z", id="everything: tomorrow"),
    ],
)
def test_where_parts_of_the_birth_date_are_unknown_the_earliest_birthday_counts(born: str, ends: str) -> None:
    assert end_of("2027-04-01T03:00:00Z", BirthDate.read(born)) == at(ends)


def test_a_renewal_loses_no_days_where_the_birthday_is_unknown() -> None:
    unknown = BirthDate.read("XXXX-XX-XX")
    old = end_of("2027-04-01T03:00:00Z", unknown)
    renewed = end_of("2031-03-01T03:00:00Z", unknown, renewed=old.isoformat())
    assert (old, renewed) == (at("2031-04-02T14:59:59Z"), at("2036-03-02T14:59:59Z"))


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        pytest.param("2012-04-XX", date(2027, 4, 30), 15, id="in the month of the fifteenth birthday, on its last day"),
        pytest.param("2012-04-XX", date(2027, 4, 29), 14, id="in that month, a day before"),
        pytest.param("2012-XX-XX", date(2027, 12, 31), 15, id="in the year of the fifteenth birthday, on its last day"),
        pytest.param("2012-XX-XX", date(2027, 12, 30), 14, id="in that year, a day before"),
        pytest.param("showa XXXX-XX-XX", date(2027, 4, 1), 38, id="born in Showa, which ended in 1989"),
        pytest.param("showa XXXX-11-03", date(2027, 4, 1), 38, id="born in Showa, last on 3 November 1988"),
    ],
)
def test_where_parts_are_unknown_the_youngest_age_counts(born: str, day: date, age: int) -> None:
    assert age_on(BirthDate.read(born), day) == age


@pytest.mark.parametrize("born", ["XXXX-XX-XX", "XXXX-11-03", "reiwa XXXX-XX-XX"])
def test_who_may_be_a_child_gets_no_signing_certificate_and_hears_why(born: str) -> None:
    with pytest.raises(Refusal) as refusal:
        require_signing_age(BirthDate.read(born), at("2027-04-01T00:00:00Z"))
    assert refusal.value.code is Code.UNDER_AGE
    assert "do not show that age" in refusal.value.detail


days = st.dates(date(1900, 1, 1), date(2026, 12, 31))


@given(days, unknown_parts, st.dates(date(2015, 1, 1), date(2080, 1, 1)), st.integers(1, 10))
def test_birthdays_come_one_a_year_and_never_later_for_an_earlier_issue(
    born: date, unknown: set[str], day: date, count: int
) -> None:
    told = partly(born, unknown)
    birthday = birthday_after(told, day, count)
    assert (birthday_after(told, day, count + 1) - birthday).days in (365, 366)
    assert birthday <= birthday_after(told, day + timedelta(days=1), count)
    assert 365 * (count - 1) < (birthday - day).days <= 366 * count


@given(days, unknown_parts, st.dates(date(2027, 1, 1), date(2080, 1, 1)))
def test_who_tells_less_of_a_birth_date_is_certified_no_longer_and_counted_no_older(
    born: date, unknown: set[str], day: date
) -> None:
    told, whole = partly(born, unknown), BirthDate.on(born)
    assert birthday_after(told, day, 5) <= birthday_after(whole, day, 5)
    assert age_on(told, day) <= age_on(whole, day)


def test_signing_certificates_begin_at_fifteen_in_japan() -> None:
    born = BirthDate(2012, 4, 2)
    require_signing_age(born, at("2027-04-01T15:00:00Z"))
    with pytest.raises(Refusal) as refusal:
        require_signing_age(born, at("2027-04-01T14:59:59Z"))
    assert refusal.value.code is Code.UNDER_AGE


@pytest.mark.parametrize(
    ("made", "ends"),
    [
        pytest.param("2015-10-20T02:40:28Z", "2025-10-19T14:59:59Z", id="signing, generation 1"),
        pytest.param("2019-09-14T23:41:56Z", "2029-09-14T14:59:59Z", id="signing, generation 2"),
        pytest.param("2023-07-16T00:50:27Z", "2033-07-15T14:59:59Z", id="signing, generation 3"),
        pytest.param("2015-10-20T03:08:13Z", "2025-10-19T14:59:59Z", id="authentication, generation 1"),
        pytest.param("2023-07-16T01:01:04Z", "2033-07-15T14:59:59Z", id="authentication, generation 3"),
    ],
)
def test_authorities_live_as_the_real_ones_do(made: str, ends: str) -> None:
    assert authority_validity(make_profile("ca-rsa2048").validity, at(made)) == Validity(at(made), at(ends))


def test_an_authority_of_a_leap_day_ends_on_28_february() -> None:
    made = at("2028-02-29T03:00:00Z")
    assert authority_validity(ValidityRule(years=10), made).not_after == at("2038-02-28T14:59:59Z")
    assert authority_validity(ValidityRule(years=20), made).not_after == at("2048-02-28T14:59:59Z")
    assert authority_validity(ValidityRule(years=10), made + timedelta(days=1)).not_after == at("2038-02-28T14:59:59Z")


def test_a_responder_lives_for_its_days_to_the_second() -> None:
    now = at("2027-04-01T00:00:00Z")
    issuer = Validity(now, at("2036-03-31T14:59:59Z"))
    validity = responder_validity(ValidityRule(days=90), now, issuer)
    assert (validity.not_after - validity.not_before).total_seconds() + 1 == 90 * 86_400


def test_a_responder_ends_with_its_issuer() -> None:
    now = at("2036-03-01T00:00:00Z")
    issuer = Validity(at("2026-04-01T00:00:00Z"), at("2036-03-31T14:59:59Z"))
    assert responder_validity(ValidityRule(days=90), now, issuer).not_after == issuer.not_after
