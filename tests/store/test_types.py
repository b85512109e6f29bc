"""Column types: what goes in comes out, and what would have to be guessed is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from domain.certificates import Kind
from domain.events import EventType
from domain.people import MunicipalityCode, Sex
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from store.types import Choice, Converted, Kinds, Municipal, MunicipalOrNone, Reason, SerialOctets, UtcDateTime

DIALECT = sqlite.dialect()
CODES = [MunicipalityCode("132217"), MunicipalityCode("010006")]
SERIALS = st.integers(1 << 126, (1 << 127) - 1).map(SerialNumber)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(-timedelta(hours=11, minutes=30))])
TIMES = st.datetimes(datetime(1901, 1, 1), datetime(9000, 1, 1), timezones=ZONES).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)


def there_and_back(kind: Converted[Any], value: object) -> object:
    return kind.process_result_value(kind.process_bind_param(value, DIALECT), DIALECT)


@given(TIMES)
def test_a_time_comes_back_as_the_same_instant_in_utc(moment: datetime) -> None:
    read = there_and_back(UtcDateTime(), moment)
    assert read == moment
    assert isinstance(read, datetime)
    assert read.tzinfo is UTC


@given(TIMES, TIMES)
def test_stored_times_sort_as_the_instants_do(one: datetime, other: datetime) -> None:
    stored = [UtcDateTime().process_bind_param(moment, DIALECT) for moment in (one, other)]
    assert (stored[0] < stored[1]) == (one < other)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2027, 4, 1), id="a-naive-time-is-refused"),  # noqa: DTZ001
        pytest.param(datetime(2027, 4, 1, microsecond=1, tzinfo=UTC), id="a-fraction-is-refused"),
    ],
)
def test_a_time_that_would_have_to_be_guessed(moment: datetime) -> None:
    with pytest.raises(ValueError, match="aware and in whole seconds"):
        UtcDateTime().process_bind_param(moment, DIALECT)


@given(SERIALS, SERIALS)
def test_a_serial_is_its_octets_and_sorts_as_the_number(one: SerialNumber, other: SerialNumber) -> None:
    stored = [SerialOctets().process_bind_param(serial, DIALECT) for serial in (one, other)]
    assert stored[0] == one.octets
    assert (stored[0] < stored[1]) == (one < other)
    assert there_and_back(SerialOctets(), one) == one


@pytest.mark.parametrize("members", [Kind, EventType, Sex])
def test_every_member_comes_back_from_its_value(members: type[Enum]) -> None:
    choice = Choice(members)
    assert [choice.process_bind_param(member, DIALECT) for member in members] == [member.value for member in members]
    assert [there_and_back(choice, member) for member in members] == list(members)


def test_a_member_of_another_enumeration_is_refused() -> None:
    with pytest.raises(TypeError, match="want a Kind"):
        Choice(Kind).process_bind_param(Sex.MALE, DIALECT)  # type: ignore[arg-type]


def test_a_value_that_is_no_member_is_not_read() -> None:
    with pytest.raises(KeyError):
        Choice(Kind).process_result_value("encryption", DIALECT)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        pytest.param(Reason(), list(CrlReason), id="reasons"),
        pytest.param(Municipal(), CODES, id="municipalities"),
        pytest.param(MunicipalOrNone(), [*CODES, None], id="municipalities-of-scopes"),
        pytest.param(Kinds(), [frozenset(), frozenset(Kind), frozenset({Kind.SIGNATURE})], id="sets-of-kinds"),
    ],
)
def test_other_values_come_back(kind: Converted[Any], values: list[object]) -> None:
    assert [there_and_back(kind, value) for value in values] == values


@pytest.mark.parametrize("kind", [UtcDateTime(), SerialOctets(), Choice(Kind), Reason(), Municipal(), Kinds()])
def test_nothing_stays_nothing(kind: Converted[Any]) -> None:
    assert there_and_back(kind, None) is None


def test_no_municipality_is_compared_as_a_value() -> None:
    from store.tables import scopes

    for dialect in (sqlite.dialect(), postgresql.dialect()):  # type: ignore[no-untyped-call]
        said = str((scopes.c.municipality == None).compile(dialect=dialect))  # noqa: E711
        assert "IS" not in said
